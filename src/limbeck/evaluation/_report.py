"""Rows of metric -> value, interval, n; JSON is the truth, Markdown and HTML are views of it."""

import html
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from limbeck.artifacts import read_json, write_file, write_json
from limbeck.errors import CorruptError, InputError
from limbeck.evaluation._verdicts import verdicts
from limbeck.metrics import DRAWN, TITLES, is_number, title_of
from limbeck.runtime import printable

FORMAT = 1
NAME = "report.json"
NOT_MEASURED = "not measured"
ANSWERS = ("yes", "no", "undecided", "undertrained")

_NEEDED = {"name": str, "examples": dict, "seeds": list, "rows": list, "verdict": dict}

Document = Mapping[str, Any]
Row = Mapping[str, Any]
Table = list[list[str]]
Number = int | float  # to beartype an int is no float


@dataclass(frozen=True)
class Report:
    """What was measured of each model, with intervals and counts, and whether it helped.

    `str(report)` is a summary for a terminal; a notebook shows the HTML page.

    Attributes:
        document: what `report.json` holds; everything else here is read from it.
    """

    document: Document

    @property
    def rows(self) -> Sequence[Row]:
        """One row a model, in the order they were evaluated."""
        return list(self.document["rows"])

    @property
    def verdict(self) -> Mapping[str, Any]:
        """Student against control: an answer ("yes", "no", "undecided") and its evidence."""
        return dict(self.document["verdict"])

    def row(self, name: str) -> Row:
        """The row of one model.

        Raises:
            InputError: there is no such row.
        """
        rows = {str(row["name"]): row for row in self.rows}
        if name not in rows:
            raise InputError(f"this report has no row {name!r}; it has {', '.join(rows)}")
        return rows[name]

    def to_markdown(self) -> str:
        """The whole report as GitHub-flavoured Markdown."""
        return "\n\n".join([*_summary(self.document), *_details(self.document)]) + "\n"

    def to_html(self) -> str:
        """The whole report as one page that needs no other file, no script and no network."""
        loader = jinja2.PackageLoader("limbeck.evaluation", "")
        world = jinja2.Environment(
            loader=loader,
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            finalize=lambda value: printable(value) if type(value) is str else value,
        )
        return world.get_template("report.html").render(_page(self.document))

    def write(self, directory: str | Path) -> None:
        """Writes report.md, report.html and report.json, replacing those of that name.

        Raises:
            StorageError: the disk is full, read-only, or not ours to write.
        """
        folder = Path(directory)
        write_file(folder / "report.md", self.to_markdown().encode())
        write_file(folder / "report.html", self.to_html().encode())
        # The truth comes last, so that a directory with a report.json is whole.
        write_json(folder / NAME, self.document)

    @classmethod
    def read(cls, path: str | Path) -> "Report":
        """The report in a `report.json`, or in the directory that holds one.

        Raises:
            MissingError: there is none.
            CorruptError: it is no report, or one of another format.
        """
        file = Path(path) / NAME if Path(path).is_dir() else Path(path)
        document = read_json(file)
        if (own_format := document.get("format", "none")) != FORMAT:
            raise CorruptError(f"{file} has format {own_format}; this Limbeck reads {FORMAT}")
        # Only the first: the later checks lean on the earlier ones.
        for fault in _faults(document):
            raise CorruptError(f"{file} is no report: {fault}")
        return cls(document)

    def __str__(self) -> str:
        return "\n\n".join(_summary(self.document))

    def _repr_html_(self) -> str:
        # A frame of its own keeps the page's style out of the notebook.
        frame = '<iframe title="report" sandbox="" style="width:100%;height:48rem;border:0"'
        return f'{frame} srcdoc="{html.escape(self.to_html())}"></iframe>'


def _faults(document: Document) -> Iterator[str]:
    for key, kind in _NEEDED.items():
        if not isinstance(document.get(key), kind):
            yield f"it has no {key!r} that is a {kind.__name__}"
    if not {"name", "n"} <= document["examples"].keys():
        yield "its 'examples' lack a name or the count 'n'"
    for position, row in enumerate(document["rows"]):
        if not isinstance(row, dict) or not {"name", "metrics"} <= row.keys():
            yield f"row {position} lacks a name or metrics"
    for key in ("verdict", "within_margin"):
        answer = (document.get(key) or {"answer": "undecided"}).get("answer")
        if answer not in ANSWERS:
            yield f"the answer of {key!r} is {answer!r}, not one of {', '.join(ANSWERS)}"


def _estimate(row: Row, name: str) -> dict[str, Number]:
    """Mean, low and high of a metric; only those that are numbers."""
    entry = row["metrics"].get(name) or {}
    return {key: entry[key] for key in ("mean", "low", "high") if is_number(entry.get(key))}


def _cell(row: Row, name: str) -> str:
    numbers = {key: title_of(name).number(value) for key, value in _estimate(row, name).items()}
    interval = (
        f" ({numbers['low']} to {numbers['high']})" if {"low", "high"} <= numbers.keys() else ""
    )
    return numbers["mean"] + interval if "mean" in numbers else NOT_MEASURED


def _significant(value: Number) -> str:
    """Three significant digits, never in powers of ten."""
    decimals = 2 - math.floor(math.log10(abs(value))) if value else 0
    return f"{round(value, decimals):,.{max(0, decimals)}f}"


def _count(value: Number) -> str:
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if value >= size:
            return f"{_significant(value / size)} {word}"
    return f"{value:,.0f}"


@dataclass(frozen=True)
class _Size:
    label: str
    write: Callable[[Number], str]
    path: Sequence[str]  # where a row keeps it
    # How a student of less, more and as much stands to its teacher; {} is how many times.
    phrases: tuple[str, str, str] | None = None
    is_time: bool = False  # which runtimes decide as much as models

    def of(self, row: Row) -> Number | None:
        value: Any = row
        for key in self.path:
            value = (value or {}).get(key)
        return value if is_number(value) and value > 0 else None

    def text(self, row: Row) -> str:
        return self.write(value) if (value := self.of(row)) else NOT_MEASURED


_SIZES = (
    _Size(
        "parameters",
        _count,
        ["parameters"],
        ("{} times fewer parameters", "{} times more parameters", "as many parameters"),
    ),
    _Size(
        "bytes",
        _count,
        ["bytes"],
        ("{} times fewer bytes", "{} times more bytes", "as many bytes"),
    ),
    _Size(
        "operations",
        _count,
        ["operations"],
        ("{} times fewer multiply-adds", "{} times more multiply-adds", "as many multiply-adds"),
    ),
    _Size(
        "latency at batch 1, median ms",
        _significant,
        ["latency_ms", "p50"],
        ("{} times lower latency", "{} times higher latency", "the same latency"),
        is_time=True,
    ),
    _Size("latency at batch 1, 95th percentile ms", _significant, ["latency_ms", "p95"]),
    _Size(
        "throughput, examples per second",
        _count,
        ["throughput_per_second"],
        ("1/{} of the throughput", "{} times the throughput", "the same throughput"),
        is_time=True,
    ),
)


def _setting(document: Document) -> str:
    examples, seeds = document["examples"], len(document["seeds"])
    tested, sample = tested_on(examples), "groups" if "groups" in examples else "examples"
    if seeds > 1:
        return f"{tested}, mean of {seeds} seeds, 95 % intervals over {sample} and seeds"
    return f"{tested}, 95 % intervals over {sample}"


def tested_on(examples: Document) -> str:
    """The examples that were measured on, as `metrics.described` has them, in words."""
    grouped = f" in {examples['groups']:,} groups" if "groups" in examples else ""
    return f"{examples['n']:,} test examples of {examples['name']}{grouped}"


def _pair(document: Document, size: _Size) -> tuple[Number, Number] | None:
    """The size of teacher and student, when both are known."""
    sizes = {row["name"]: size.of(row) for row in document["rows"]}
    teacher, student = sizes.get("teacher"), sizes.get("student")
    return (teacher, student) if teacher and student else None


def _ratios(document: Document) -> dict[str, str]:
    """How the student stands to the teacher, for each size that both have."""
    sizes = [size for size in _SIZES if not (size.is_time and _runtimes(document))]
    pairs = [(size, _pair(document, size)) for size in sizes]
    return {
        size.label: _ratio(size.phrases, pair[0] / pair[1])
        for size, pair in pairs
        if pair and size.phrases
    }


def _runtimes(document: Document) -> list[str]:
    """What is said where teacher and student were timed in two runtimes; nothing else."""
    rows = {row["name"]: row for row in document["rows"]}
    teacher, student = (rows.get(name, {}).get("runtime", "") for name in ("teacher", "student"))
    if not (teacher and student) or teacher == student:
        return []
    return [
        f"The teacher was timed in {teacher} and the student in {student}, so their times are not "
        "compared: export the student and evaluate its file (onnx:student.onnx) for that."
    ]


def _ratio(phrases: tuple[str, str, str], teacher_to_student: Number) -> str:
    less, more, same = phrases
    if 0.995 <= teacher_to_student < 1.005:
        return same
    times = max(teacher_to_student, 1 / teacher_to_student)
    # Beyond ten, decimals say more than a timing or a practitioner does.
    written = f"{times:,.0f}" if times >= 10 else f"{times:.3g}"
    return (less if teacher_to_student > 1 else more).format(written)


def _small_but_costly(document: Document) -> list[str]:
    """A warning where fewer parameters do not mean less work."""
    stored, worked = _pair(document, _SIZES[0]), _pair(document, _SIZES[2])
    if not (stored and worked and stored[0] < stored[1] and worked[0] > worked[1]):
        return []
    less, more = (" against ".join(map(_count, pair)) for pair in (stored, worked))
    return [
        f"The teacher has fewer parameters than the student ({less}) but does more operations "
        f"for each example ({more}): it is small to store and costly to run."
    ]


def _notes(document: Document) -> list[str]:
    *first, last = list(_ratios(document).values()) or [""]
    phrases = f"{', '.join(first)} and {last}" if first else last
    sizes = [f"Against the teacher, the student has {phrases}."] if phrases else []
    own = [f"{row['name']}: {note}" for row in document["rows"] for note in row.get("notes", ())]
    said = [*sizes, *_runtimes(document), *_small_but_costly(document)]
    return [*said, *own, *document.get("notes", ())]


def _metrics(rows: Iterable[Row]) -> list[str]:
    measured = {name for row in rows for name in row["metrics"]}
    return [name for name in TITLES if name in measured] + sorted(measured - TITLES.keys())


def _table(rows: Sequence[Row]) -> Table:
    """Heading and body: a metric or a size a line, a model a column."""
    table = [["", *(row["name"] for row in rows), "n"]]
    for name in _metrics(rows):
        counts = sorted({m["n"] for row in rows if "n" in (m := row["metrics"].get(name) or {})})
        count = " / ".join(f"{count:,}" for count in counts)
        table.append([title_of(name).title, *(_cell(row, name) for row in rows), count])
    measured = [size for size in _SIZES if any(size.of(row) for row in rows)]
    return table + [[size.label, *(size.text(row) for row in rows), ""] for size in measured]


def _slices(document: Document) -> tuple[str, Table]:
    """The metric shown, and a table with a slice a line; the others stay in report.json."""
    slices, models = document.get("slices") or [], [row["name"] for row in document["rows"]]
    names = _metrics(row for part in slices for row in part["rows"])
    name = next(
        (
            name
            for name in ("accuracy", "subset_accuracy", "agreement", "rmse", *names)
            if name in names
        ),
        "",
    )
    table = [["slice", *models, "n"]]
    for part in slices if name else ():
        rows = {row["name"]: row for row in part["rows"]}
        cells = [_cell(rows.get(model, {"metrics": {}}), name) for model in models]
        table.append([f"{part['column']}: {part['value']}", *cells, f"{part['n']:,}"])
    return title_of(name).title, table


def escape(text: object) -> str:
    """Text on one line that Markdown shows as it is."""
    return re.sub(r"([\\`*<|\[\]#]|\b_|_\b)", r"\\\1", printable(" ".join(str(text).split())))


def markdown_table(table: Table) -> str:
    # Aligned, because terminals and editors show the Markdown itself.
    texts = [[escape(cell) for cell in line] for line in table]
    widths = [max(3, *map(len, column)) for column in zip(*texts, strict=True)]
    texts.insert(1, ["-" * (width - 1) + ":" for width in widths])
    texts[1][0] = "-" * widths[0]
    lines = [[line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])] for line in texts]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {escape(sentence)}" for sentence in sentences)


def _summary(document: Document) -> Iterator[str]:
    yield f"# {escape(document['name'])}"
    yield escape(_setting(document))
    for question, answer, reason in verdicts(document):
        yield escape(f"{question} {answer.capitalize()}: {reason}.")
    yield markdown_table(_table(document["rows"]))
    if notes := _notes(document):
        yield bullets(notes)
    for bar in document.get("requirements") or []:
        met = "met" if bar["met"] else "NOT MET"
        yield escape(f"Requirement {bar['text']} is {met}: {bar['measured'].rstrip('.')}.")


def _details(document: Document) -> Iterator[str]:
    metric, table = _slices(document)
    if len(table) > 1:
        yield f"## Slices: {escape(metric)}"
        yield markdown_table(table)
    if made_by := document.get("provenance"):
        yield "## Provenance"
        yield bullets(f"{key}: {value}" for key, value in made_by.items())


def _marks(rows: Sequence[Row], name: str) -> list[dict[str, Any]]:
    """What a figure draws of each model that was measured, in the units that are shown."""
    scale, estimates = title_of(name).scale, [(row, _estimate(row, name)) for row in rows]
    return [
        {"name": row["name"], "text": _cell(row, name), **{k: v * scale for k, v in ends.items()}}
        for row, ends in estimates
        if "mean" in ends
    ]


def _page(document: Document) -> dict[str, Any]:
    """All that the template draws."""
    rows = document["rows"]
    return {
        "document": document,
        "setting": _setting(document),
        "verdicts": verdicts(document),
        "figures": [(title_of(name), _marks(rows, name)) for name in DRAWN],
        "sizes": _SIZES,
        "ratios": _ratios(document),
        "models": _table(rows),
        "notes": _notes(document),
        "slices": _slices(document),
    }
