"""A comparison of methods: what each was tuned to, what it reached, and which gains hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from limbeck.artifacts import Documented, Form
from limbeck.evaluation import bullets, escape, markdown_table, tested_on
from limbeck.students import Run

Table = list[list[str]]

FORM = Form(
    artefact="comparison",
    name="comparison.json",
    page="comparison.md",
    version=1,
    needed=("name", "student", "baseline", "seeds", "budget", "comparisons", "rows", "examples"),
    lacks=("this comparison has", "it has"),
)
_MEASURES = {"nll_nats": "negative log-likelihood, nats", "ece": "calibration error"}


@dataclass(frozen=True)
class Compared(Documented):
    """What methods reached with the same seeds and the same tuning, and which gains hold.

    One row a method: its chosen setting, its trials, its metrics and differences. `str(compared)`
    is a summary for a terminal.

    Attributes:
        document: what `comparison.json` holds; everything else here is read from it.
        directory: where the runs lie.
    """

    FORM = FORM

    def run(self, name: str, *, trust: bool = False) -> Run:
        """The run of a method with its chosen setting, all seeds."""
        return Run.open(self.directory / self.row(name)["run"], trust=trust)

    def to_markdown(self) -> str:
        """The whole comparison as GitHub-flavoured Markdown."""
        trials = markdown_table(_trials(self.document))
        return "\n\n".join([*_summary(self.document), "## Tuning", trials]) + "\n"

    def __str__(self) -> str:
        return "\n\n".join(_summary(self.document))


def _summary(document: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {escape(document['name'])}"
    yield f"`{document['student']}` {escape(_setting(document))}"  # code shows as it is
    yield bullets(_answers(document))
    yield markdown_table(_table(document))
    if document.get("notes"):
        yield bullets(document["notes"])


def _setting(document: Mapping[str, Any]) -> str:
    budget, examples = document["budget"], document["examples"]
    low, high = budget["learning_rates"]
    return (
        f"on {tested_on(examples)}, mean of "
        f"{len(document['seeds'])} seeds. Each method had {budget['trials']} trials at the same "
        f"learning rates from {low:g} to {high:g}, and its best by {document['chosen_by']}. "
        f"Intervals of differences hold together at {document['confidence']:.0%} over all "
        f"{document['comparisons']} comparisons (Bonferroni), others each for itself."
    )


def _answers(document: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each method and each row it is held against."""
    for row in document["rows"]:
        for other, found in row["against"].items():
            yield (
                f"Is {row['name']} better than {other}? {found['answer'].capitalize()}: "
                f"{_points(found)}."
            )


def _points(found: Mapping[str, Any]) -> str:
    side = "higher" if found["difference"] >= 0 else "lower"
    ends = f"{found['low'] * 100:.2f} to {found['high'] * 100:.2f}"
    return f"accuracy is {abs(found['difference']) * 100:.2f} points {side} ({ends})"


def _table(document: Mapping[str, Any]) -> Table:
    others = list(dict.fromkeys(other for row in document["rows"] for other in row["against"]))
    measures = [name for name in _MEASURES if name in document["rows"][0]["metrics"]]
    heads = [f"against {other}, points" for other in others]
    table = [["method", "setting", "learning rate", "accuracy, %", *heads]]
    table[0] += [_MEASURES[name] for name in measures]
    for row in document["rows"]:
        cells = [row["name"], row["objective"], f"{row['learning_rate']:.2g}"]
        cells.append(_interval(row["metrics"]["accuracy"], scale=100, digits=2))
        cells += [_gap(row["against"].get(other)) for other in others]
        table.append(cells + [_interval(row["metrics"][name], digits=4) for name in measures])
    return table


def _interval(found: Mapping[str, Any], *, scale: int = 1, digits: int) -> str:
    if found["low"] is None or found["high"] is None:
        return f"{found['mean'] * scale:.{digits}f}"
    mean, low, high = (f"{found[key] * scale:.{digits}f}" for key in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def _gap(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    numbers = [f"{found[key] * 100:+.2f}" for key in ("difference", "low", "high")]
    return f"{numbers[0]} ({numbers[1]} to {numbers[2]}): {found['answer']}"


def _trials(document: Mapping[str, Any]) -> Table:
    """Every trial, the chosen one marked."""
    table = [["method", "setting", "learning rate", "on held-out examples, %", "chosen"]]
    for row in document["rows"]:
        for number, trial in enumerate(row["trials"]):
            reached = trial.get("failed") or f"{trial['held_out'] * 100:.2f}"
            chosen = "yes" if number == row["chosen"] else ""
            rate = f"{trial['learning_rate']:.2g}"
            table.append([row["name"], trial["objective"], rate, reached, chosen])
    return table
