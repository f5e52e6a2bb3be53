"""by_size(): what the runs of a sweep over sizes reach on a test set, as a table and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from limbeck import artifacts, metrics, teachers
from limbeck.errors import InputError, LabelsError, MismatchError
from limbeck.evaluation import answers, check_unseen, markdown_table, tested_on
from limbeck.examples import Array, Examples
from limbeck.metrics import verdict
from limbeck.scores import SOFTMAX_KINDS
from limbeck.students import Run
from limbeck.training import CONTROL

METRICS = ("accuracy", "nll_nats")
NOBODY = np.zeros((0, 0))  # the reference of a metric that has none
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
        known = ", ".join(f"{row['size']}/{row['name']}" for row in self.rows)
        raise InputError(f"there is no row {size}/{name}; there are {known}")

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
    groups = metrics.groups_in(test)
    made = [_Point(*_size_and_name(name), run, test, groups) for name, run in runs.items()]
    points = sorted(made, key=_order)
    check_unseen({name: [run] for name, run in runs.items()}, test)
    for name, run in runs.items():
        test.check_classes(run.classes, f"the run {name}")
        if run.kind not in SOFTMAX_KINDS:
            raise MismatchError(f"the run {name} answers with {run.kind}, not with logits")
    document = {
        "format": FORMAT,
        "examples": metrics.described(test),
        "rows": [point.to_json(_control_of(point, points)) for point in points],
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
    """One run at one size."""

    size: int
    name: str
    run: Run
    test: Examples
    groups: Array | None  # of the test examples, where some belong together

    @cached_property
    def logits(self) -> Array:
        """What its seeds answer, `(seeds, examples, classes)`."""
        asked = [teachers.run(self.run, seed) for seed in self.run.seeds]
        return np.stack([answers(one, self.test, self.name) for one in asked])

    def to_json(self, control: "_Point | None") -> dict[str, Any]:
        nets = self.run.manifest["nets"][self.run.role]
        return {
            "size": self.size,
            "name": self.name,
            "seeds": self.run.seeds,
            "steps": [net["steps"] for net in nets.values()],
            "metrics": dict(self._measured()),
            **({"against_control": self._less(control)} if control else {}),
            "notes": self.run.notes,
        }

    def _measured(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for name in METRICS:
            metric = metrics.STANDARD[name]
            found = metrics.measure(
                metric, self.logits, self.test.labels, NOBODY, groups=self.groups
            )
            if found is not None:
                yield name, found.to_json()

    def _less(self, control: "_Point") -> dict[str, Any]:
        accuracy = metrics.STANDARD["accuracy"]
        found = metrics.difference(
            accuracy, self.logits, control.logits, self.test.labels, NOBODY, groups=self.groups
        )
        assert found is not None  # every example has a label
        return {**found.to_json(), "answer": verdict(found)}


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
        cells = [_shown(of_size, name, "accuracy") for name in names]
        cells += [_shown(of_size, name, "against_control") for name in gains]
        table.append([f"{size:,}", *cells])
    return table


def _shown(rows: Mapping[str, Row], name: str, what: str) -> str:
    row = rows.get(name, {})
    found = row.get(what) or row.get("metrics", {}).get(what)
    if not found:
        return ""
    sign = "+" if what == "against_control" else ""
    # No bound is infinite: shares and their differences lie within -1 and 1.
    mean, low, high = (f"{found[end] * 100:{sign}.2f}" for end in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"
