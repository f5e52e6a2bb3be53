"""A student among its rivals: each one's quality, bytes and time, and what to ship."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from limbeck.artifacts import Documented, Form
from limbeck.evaluation import bullets, escape, markdown_table, tested_on
from limbeck.metrics import title_of

FORM = Form(
    artefact="rivals",
    name="rivals.json",
    page="rivals.md",
    version=1,
    needed=("name", "examples", "metric", "threads", "budget_ms", "rows", "decision"),
    lacks=("these rivals have", "they are"),
)


@dataclass(frozen=True)
class Rivals(Documented):
    """What the student and its rivals reach, take and cost, and which of them to ship.

    One row a model: teacher, cheaper teachers, baseline, control, student, int8. `str(rivals)` is
    a table for a terminal that ends with the sentence.

    Attributes:
        document: what `rivals.json` holds; everything else here is read from it.
        directory: where it lies.
    """

    FORM = FORM

    @property
    def decision(self) -> Mapping[str, Any]:
        """What to ship: `answer`, `ship` (a row's name, or ""), `rule` (1 to 3), `sentence`."""
        return dict(self.document["decision"])

    @property
    def sentence(self) -> str:
        """The decision in one sentence with its figures."""
        return str(self.document["decision"]["sentence"])

    def to_markdown(self) -> str:
        """The whole of it as GitHub-flavoured Markdown."""
        made_by = self.document.get("provenance") or {}
        lines = bullets(f"{key}: {value}" for key, value in made_by.items())
        return "\n\n".join([*_summary(self.document), "## Provenance", lines]) + "\n"

    def __str__(self) -> str:
        return "\n\n".join(_summary(self.document))


def _summary(document: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {escape(document['name'])} and its rivals"
    yield escape(_setting(document))
    yield markdown_table(_table(document))
    notes = [f"{row['name']}: {row['what']}" for row in document["rows"] if row["what"]]
    yield bullets([*notes, *document["notes"]])
    yield escape(document["decision"]["sentence"])  # it ends with what to do


def _setting(document: Mapping[str, Any]) -> str:
    examples, labelled, threads = (document[k] for k in ("examples", "labelled", "threads"))
    return (
        f"on {tested_on(examples)}; labels from {labelled['n']:,} "
        f"examples of {labelled['name']}; {threads} thread{'s' * (threads > 1)}, one example at a "
        f"time, within {document['budget_ms']:g} ms. Intervals are for 95 %, paired where "
        "the student is held against a row."
    )


def _table(document: Mapping[str, Any]) -> list[list[str]]:
    title = title_of(document["metric"]).title
    times = ("p50", "p95", "p99")
    heads = [*(f"{name}, ms" for name in times), "calls", "examples a second"]
    table = [["model", title, "n", "student ahead by", "bytes", *heads]]
    for row in document["rows"]:
        taken = row.get("latency_ms", {})
        cells = [row["name"], _interval(row["metric"], "mean", document["metric"])]
        cells.append(f"{row['metric']['n']:,}" if row["metric"] else "")
        cells.append(_interval(row["student_ahead"], "difference", document["metric"]))
        cells.append(f"{row['bytes']:,}" if row["bytes"] else "unknown")
        cells += [f"{taken[name]:.3g}" if taken else "" for name in times]
        cells.append(f"{taken['calls']:,}" if taken else "")
        cells.append(f"{row['throughput_per_second']:,.0f}" if taken else "")
        table.append(cells)
    return table


def _interval(found: Mapping[str, Any] | None, key: str, metric: str) -> str:
    if found is None:
        return ""
    shown = title_of(metric)
    middle = shown.number(found[key])
    if found["low"] is None or found["high"] is None:
        return middle
    return f"{middle} ({shown.number(found['low'])} to {shown.number(found['high'])})"
