"""A student among its rivals: each one's quality, bytes and time, and what to ship."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NotRequired, TypedDict

from limbeck.artifacts import Documented, Form, record_of
from limbeck.evaluation import bullets, escape, markdown_table, tested_on
from limbeck.metrics import EstimateEntry, MeasuredOn, title_of

Number = int | float  # to beartype an int is no float


class LabelledEntry(TypedDict):
    """Whose labels the plain models learnt."""

    name: str
    n: int


class Ahead(TypedDict):
    """By how much the student is better; an end that is not finite is None."""

    difference: float
    low: float | None
    high: float | None


class Latency(TypedDict):
    """Of one example, over so many calls."""

    p50: float
    p95: float
    p99: float
    calls: int


class RivalRow(TypedDict):
    """One model; what could not be measured of it is None or not there."""

    name: str
    what: str
    metric: EstimateEntry | None
    student_ahead: Ahead | None
    bytes: int
    latency_ms: NotRequired[Latency]
    throughput_per_second: NotRequired[float]


class DecisionEntry(TypedDict):
    """What to ship."""

    answer: str
    ship: str
    rule: int
    sentence: str


@dataclass(frozen=True)
class RivalsRecord:
    """What `rivals.json` says."""

    name: str
    examples: MeasuredOn
    labelled: LabelledEntry
    metric: str
    threads: int
    budget_ms: Number
    rows: Sequence[RivalRow]
    decision: DecisionEntry
    notes: Sequence[str]
    provenance: Mapping[str, str] = field(default_factory=dict)


TIMES: tuple[Literal["p50", "p95", "p99"], ...] = ("p50", "p95", "p99")

FORM = Form(
    artifact="rivals",
    name="rivals.json",
    page="rivals.md",
    version=1,
    record=RivalsRecord,
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

    @cached_property
    def record(self) -> RivalsRecord:
        """What the document says, typed."""
        return record_of(RivalsRecord, self.document, self.directory / FORM.name)

    @property
    def decision(self) -> Mapping[str, Any]:
        """What to ship: `answer`, `ship` (a row's name, or ""), `rule` (1 to 3), `sentence`."""
        return dict(self.record.decision)

    @property
    def sentence(self) -> str:
        """The decision in one sentence with its figures."""
        return self.record.decision["sentence"]

    def to_markdown(self) -> str:
        """The whole of it as GitHub-flavoured Markdown."""
        lines = bullets(f"{key}: {value}" for key, value in self.record.provenance.items())
        return "\n\n".join([*_summary(self.record), "## Provenance", lines]) + "\n"

    def __str__(self) -> str:
        return "\n\n".join(_summary(self.record))


def _summary(document: RivalsRecord) -> Iterator[str]:
    yield f"# {escape(document.name)} and its rivals"
    yield escape(_setting(document))
    yield markdown_table(_table(document))
    notes = [f"{row['name']}: {row['what']}" for row in document.rows if row["what"]]
    yield bullets([*notes, *document.notes])
    yield escape(document.decision["sentence"])  # it ends with what to do


def _setting(document: RivalsRecord) -> str:
    examples, labelled, threads = document.examples, document.labelled, document.threads
    return (
        f"on {tested_on(examples)}; labels from {labelled['n']:,} "
        f"examples of {labelled['name']}; {threads} thread{'s' * (threads > 1)}, one example at a "
        f"time, within {document.budget_ms:g} ms. Intervals are for 95 %, paired where "
        "the student is held against a row."
    )


def _table(document: RivalsRecord) -> list[list[str]]:
    title = title_of(document.metric).title
    heads = [*(f"{name}, ms" for name in TIMES), "calls", "examples/s"]
    table = [["model", title, "n", "student ahead by", "bytes", *heads]]
    for row in document.rows:
        taken = row.get("latency_ms")
        cells = [row["name"], _estimate(row["metric"], document.metric)]
        cells.append(f"{row['metric']['n']:,}" if row["metric"] else "")
        cells.append(_difference(row["student_ahead"], document.metric))
        cells.append(f"{row['bytes']:,}" if row["bytes"] else "unknown")
        cells += [f"{taken[name]:.3g}" if taken else "" for name in TIMES]
        cells.append(f"{taken['calls']:,}" if taken else "")
        cells.append(f"{row['throughput_per_second']:,.0f}" if taken else "")
        table.append(cells)
    return table


def _estimate(estimate: EstimateEntry | None, metric: str) -> str:
    return (
        _interval(estimate["mean"], estimate["low"], estimate["high"], metric) if estimate else ""
    )


def _difference(gap: Ahead | None, metric: str) -> str:
    return _interval(gap["difference"], gap["low"], gap["high"], metric) if gap else ""


def _interval(middle: float, low: float | None, high: float | None, metric: str) -> str:
    shown = title_of(metric)
    if low is None or high is None:
        return shown.number(middle)
    return f"{shown.number(middle)} ({shown.number(low)} to {shown.number(high)})"
