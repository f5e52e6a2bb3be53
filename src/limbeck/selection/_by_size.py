"""by_size(): what the runs of a sweep over sizes reach on a test set, as a table and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limbeck import artifacts, metrics, teachers
from limbeck.errors import InputError, LabelsError, MismatchError
from limbeck.evaluation import (
    Measurements,
    Pair,
    Predictions,
    answers_by_seed,
    check_unseen,
    markdown_table,
    measures_of,
    tested_on,
)
from limbeck.examples import Examples
from limbeck.scores import SOFTMAX_KINDS
from limbeck.students import Run
from limbeck.training import CONTROL

DECIDES, METRICS = "accuracy", ("accuracy", "nll_nats")
NAME, PAGE = "sizes.json", "sizes.md"
FORMAT = 1

Row = Mapping[str, Any]


@dataclass(frozen=True)
class BySize:
    """What each size of a transfer set taught; `print` shows it as a table.

    Attributes:
        document: plain values, ready for JSON: the test set, and one row for each run with its
            size, name, seeds, steps, metrics and, but for the control's, its accuracy less the
            control's of that size, paired by example and seed.
    """

    document: Mapping[str, Any]

    @property
    def rows(self) -> Sequence[Row]:
        """One row a run, in the order of sizes."""
        return list(self.document["rows"])

    def row(self, size: int, name: str) -> Row:
        """The row of one run.

        Raises:
            InputError: there is no such row.
        """
        for row in self.rows:
            if (row["size"], row["name"]) == (size, name):
                return row
        names = ", ".join(f"{row['size']}/{row['name']}" for row in self.rows)
        raise InputError(f"there is no row {size}/{name}; there are {names}")

    def write(self, directory: str | Path) -> None:
        """Writes `sizes.json` and `sizes.md` into a directory; what they were is replaced.

        Raises:
            StorageError: the disk is full, read-only, or not ours to write.
        """
        place = Path(directory)
        artifacts.write_json(place / NAME, self.document)
        artifacts.write_file(place / PAGE, f"{self}\n".encode())

    def __str__(self) -> str:
        about = self.document["examples"]
        return (
            f"{markdown_table(_table(self.rows))}\n\n{tested_on(about)}; 95 % intervals over "
            f"{'groups' if 'groups' in about else 'examples'} and seeds"
        )


def by_size(runs: Mapping[str, Run], test: Examples) -> BySize:
    """Size -> accuracy and negative log-likelihood in nats, of every seed of a sweep with `sizes`.

    `runs` are what `sweep` returned: their names are `SIZE/NAME`.

    Raises:
        InputError: no runs, or a name that is not of that form.
        LabelsError: a test example has no label.
        ExamplesError: a net was trained or decided on some of these examples.
        MismatchError: they are of other classes than the runs, or a run answers with values.
    """
    if not runs:
        raise InputError("by_size takes one run or more of a sweep with sizes")
    if not test.is_labelled.all():
        raise LabelsError(f"by_size needs a label for every example of {test.name}")
    points = [_Point(*_size_and_name(text), text, run) for text, run in runs.items()]
    points.sort(key=_order)
    check_unseen({name: [run] for name, run in runs.items()}, test)
    for name, run in runs.items():
        test.check_classes(run.classes, f"the run {name}")
        if run.kind not in SOFTMAX_KINDS:
            raise MismatchError(f"the run {name} answers with {run.kind}, not with logits")
    measurements = _measure(points, test)
    document = {
        "format": FORMAT,
        "examples": metrics.described(test),
        "rows": [_row(point, _control_of(point, points), measurements) for point in points],
        "provenance": artifacts.provenance(),
    }
    return BySize(document)


def _size_and_name(text: str) -> tuple[int, str]:
    size, _, name = text.partition("/")
    if not size.isdigit() or not name:
        raise InputError(
            f"by_size takes runs named SIZE/NAME, as sweep(sizes=...) does: not {text!r}"
        )
    return int(size), name


@dataclass(frozen=True, eq=False)
class _Point:
    """One run at one size, by the name that it has in the sweep."""

    size: int
    name: str
    text: str
    run: Run


def _measure(points: Sequence[_Point], test: Examples) -> Measurements:
    """Every point, and its accuracy less that of the control of its size."""
    answers = {
        point.text: answers_by_seed(
            [teachers.run(point.run, seed) for seed in point.run.seeds], test, point.name
        )
        for point in points
    }
    controls = [(point, _control_of(point, points)) for point in points]
    pairs = [Pair(DECIDES, point.text, control.text) for point, control in controls if control]
    by_name = measures_of("logits").metrics
    predictions = Predictions(answers, test.labels, metrics.groups_in(test))
    return Measurements.of(predictions, [by_name[name] for name in METRICS], pairs)


def _row(point: _Point, control: _Point | None, measurements: Measurements) -> dict[str, Any]:
    nets = point.run.manifest["nets"][point.run.role]
    row = {
        "size": point.size,
        "name": point.name,
        "seeds": point.run.seeds,
        "steps": [net["steps"] for net in nets.values()],
        "metrics": measurements.to_json(point.text),
    }
    if control:
        less = measurements.differences[Pair(DECIDES, point.text, control.text)]
        row["against_control"] = {**less.estimate.to_json(), "answer": less.answer}
    return {**row, "notes": point.run.notes}


def _order(point: _Point) -> tuple[int, bool]:
    return point.size, point.name == CONTROL


def _control_of(point: _Point, points: Sequence[_Point]) -> _Point | None:
    """The control of that size; None where the point is it, or there is none."""
    if point.name == CONTROL:
        return None
    return next((p for p in points if (p.size, p.name) == (point.size, CONTROL)), None)


def _table(rows: Sequence[Row]) -> list[list[str]]:
    names = list(dict.fromkeys(row["name"] for row in rows))
    gains = [
        name for name in names if any("against_control" in r for r in rows if r["name"] == name)
    ]
    heads = [f"{name}, accuracy, %" for name in names]
    heads += [f"{name} less {CONTROL}, points" for name in gains]
    table = [["size", *heads]]
    for size in dict.fromkeys(row["size"] for row in rows):
        of_size = {row["name"]: row for row in rows if row["size"] == size}
        cells = [_cell(of_size, name, "accuracy") for name in names]
        cells += [_cell(of_size, name, "against_control") for name in gains]
        table.append([f"{size:,}", *cells])
    return table


def _cell(rows: Mapping[str, Row], name: str, what: str) -> str:
    row = rows.get(name, {})
    value = row.get(what) or row.get("metrics", {}).get(what)
    if not value:
        return ""
    sign = "+" if what == "against_control" else ""
    # No bound is infinite: shares and their differences lie within -1 and 1.
    mean, low, high = (f"{value[end] * 100:{sign}.2f}" for end in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"
