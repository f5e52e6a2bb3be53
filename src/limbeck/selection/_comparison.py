"""A comparison of methods: what each was tuned to, what it reached, and which gains hold."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NotRequired, TypedDict

from limbeck.artifacts import Documented, Form, record_of
from limbeck.evaluation import bullets, escape, markdown_table, tested_on
from limbeck.metrics import EstimateEntry, MeasuredOn
from limbeck.students import Run

Table = list[list[str]]


class BudgetEntry(TypedDict):
    """What each method was allowed in tuning."""

    trials: int
    learning_rates: Sequence[float]


class Trial(TypedDict):
    """One setting, and the share it had right of held-out examples, or why it failed."""

    objective: str
    learning_rate: float
    held_out: NotRequired[float]
    failed: NotRequired[str]


class Gap(TypedDict):
    """By how much a method is more accurate than another, and whether that holds."""

    difference: float
    low: float
    high: float
    answer: str


class MethodRow(TypedDict):
    """One method with its chosen setting."""

    name: str
    objective: str
    learning_rate: float
    chosen: int  # which of the trials
    trials: Sequence[Trial]
    run: str
    metrics: Mapping[str, EstimateEntry]
    against: Mapping[str, Gap]


@dataclass(frozen=True)
class ComparisonRecord:
    """What `comparison.json` says."""

    name: str
    student: str
    baseline: str
    examples: MeasuredOn
    seeds: Sequence[int]
    budget: BudgetEntry
    chosen_by: str
    confidence: float
    comparisons: int
    rows: Sequence[MethodRow]
    notes: Sequence[str] = ()


FORM = Form(
    artifact="comparison",
    name="comparison.json",
    page="comparison.md",
    version=1,
    record=ComparisonRecord,
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

    @cached_property
    def record(self) -> ComparisonRecord:
        """What the document says, typed."""
        return record_of(ComparisonRecord, self.document, self.directory / FORM.name)

    def run(self, name: str, *, trust: bool = False) -> Run:
        """The run of a method with its chosen setting, all seeds."""
        return Run.open(self.directory / self.row(name)["run"], trust=trust)

    def to_markdown(self) -> str:
        """The whole comparison as GitHub-flavoured Markdown."""
        trials = markdown_table(_trials(self.record))
        return "\n\n".join([*_summary(self.record), "## Tuning", trials]) + "\n"

    def __str__(self) -> str:
        return "\n\n".join(_summary(self.record))


def _summary(document: ComparisonRecord) -> Iterator[str]:
    yield f"# {escape(document.name)}"
    yield f"`{document.student}` {escape(_setting(document))}"  # code shows as it is
    yield bullets(_answers(document))
    yield markdown_table(_table(document))
    if document.notes:
        yield bullets(document.notes)


def _setting(document: ComparisonRecord) -> str:
    budget, examples = document.budget, document.examples
    low, high = budget["learning_rates"]
    return (
        f"on {tested_on(examples)}, mean of "
        f"{len(document.seeds)} seeds. Each method had {budget['trials']} trials at the same "
        f"learning rates from {low:g} to {high:g}, and its best by {document.chosen_by}. "
        f"Intervals of differences hold together at {document.confidence:.0%} over all "
        f"{document.comparisons} comparisons (Bonferroni), others each for itself."
    )


def _answers(document: ComparisonRecord) -> Iterator[str]:
    """A sentence for each method and each row it is held against."""
    for row in document.rows:
        for other, gap in row["against"].items():
            yield (
                f"Is {row['name']} better than {other}? {gap['answer'].capitalize()}: "
                f"{_points(gap)}."
            )


def _points(gap: Gap) -> str:
    side = "higher" if gap["difference"] >= 0 else "lower"
    ends = f"{gap['low'] * 100:.2f} to {gap['high'] * 100:.2f}"
    return f"accuracy is {abs(gap['difference']) * 100:.2f} points {side} ({ends})"


def _table(document: ComparisonRecord) -> Table:
    others = list(dict.fromkeys(other for row in document.rows for other in row["against"]))
    measures = [name for name in _MEASURES if name in document.rows[0]["metrics"]]
    heads = [f"against {other}, points" for other in others]
    table = [["method", "setting", "learning rate", "accuracy, %", *heads]]
    table[0] += [_MEASURES[name] for name in measures]
    for row in document.rows:
        cells = [row["name"], row["objective"], f"{row['learning_rate']:.2g}"]
        cells.append(_interval(row["metrics"]["accuracy"], scale=100, digits=2))
        cells += [_gap(row["against"].get(other)) for other in others]
        table.append(cells + [_interval(row["metrics"][name], digits=4) for name in measures])
    return table


def _interval(estimate: EstimateEntry, *, scale: int = 1, digits: int) -> str:
    if estimate["low"] is None or estimate["high"] is None:
        return f"{estimate['mean'] * scale:.{digits}f}"
    ends = (estimate["mean"], estimate["low"], estimate["high"])
    mean, low, high = (f"{end * scale:.{digits}f}" for end in ends)
    return f"{mean} ({low} to {high})"


def _gap(gap: Gap | None) -> str:
    if gap is None:
        return ""
    numbers = [f"{end * 100:+.2f}" for end in (gap["difference"], gap["low"], gap["high"])]
    return f"{numbers[0]} ({numbers[1]} to {numbers[2]}): {gap['answer']}"


def _trials(document: ComparisonRecord) -> Table:
    """Every trial, the chosen one marked."""
    table = [["method", "setting", "learning rate", "on held-out examples, %", "chosen"]]
    for row in document.rows:
        for number, trial in enumerate(row["trials"]):
            reached = trial.get("failed") or f"{trial['held_out'] * 100:.2f}"
            chosen = "yes" if number == row["chosen"] else ""
            rate = f"{trial['learning_rate']:.2g}"
            table.append([row["name"], trial["objective"], rate, reached, chosen])
    return table
