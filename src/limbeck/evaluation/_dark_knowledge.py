"""dark_knowledge(): what a teacher's soft targets say, in words, as JSON and in a figure."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.errors import InputError, MismatchError
from limbeck.evaluation import _figures, _soft_targets
from limbeck.evaluation._soft_targets import Confusion, Difference, Shown
from limbeck.examples import UNLABELLED, Array
from limbeck.runtime import Bar
from limbeck.scores import ScoreSet
from limbeck.students import Run
from limbeck.teachers import run as teacher_of

TEMPERATURES = (1.0, 2.0, 4.0, 8.0, 20.0)
MOST_PAIRS = 8
MOST_KEYS = 5
MOST_COLUMNS = 6  # classes of an example in the text
BATCH = 1024


@dataclass(frozen=True, eq=False)
class DarkKnowledge:
    """What a teacher says beside its answers: of some examples, and of the whole score set.

    Attributes:
        name: the score set's directory.
        n: how many examples it holds.
        view: how the teacher saw them; the first view is shown.
        classes: the class names in order.
        temperatures: those of the soft targets, ascending.
        examples: the examples asked for.
        confusions: the pairs of classes that the teacher confuses most, at temperature 1.
        unsure: the keys it is least sure of, by the entropy at temperature 1.
        differences: where student and teacher differ most, by KL; none without a student.
        student: what the student is called, or "".
    """

    name: str
    n: int
    view: str
    classes: tuple[str, ...]
    temperatures: tuple[float, ...]
    examples: tuple[Shown, ...]
    confusions: tuple[Confusion, ...]
    unsure: tuple[str, ...]
    differences: tuple[Difference, ...]
    student: str

    @property
    def text(self) -> str:
        """All of it in words."""
        parts = [f"{self.name}: {self.n} examples, view {self.view}, {len(self.classes)} classes"]
        parts += [self._example_text(one) for one in self.examples]
        parts.append(self._confusions_text())
        parts.append(f"Least sure of: {', '.join(self.unsure)}")
        if self.differences:
            parts.append(self._differences_text())
        return "\n\n".join(parts)

    def __str__(self) -> str:
        return self.text

    def _example_text(self, one: Shown) -> str:
        order = np.argsort(-one.soft[0], kind="stable")[:MOST_COLUMNS]
        names = [self.classes[i] for i in order]
        widths = [max(7, len(name)) for name in names]
        row = "  ".join(f"{name:>{width}}" for name, width in zip(names, widths, strict=True))
        lines = [_known_as(one.key, one.label), f"  {'T':>4}  {row}"]
        for temperature, shares in zip(self.temperatures, one.soft, strict=True):
            cells = zip(shares[order], widths, strict=True)
            row = "  ".join(f"{share:>{width}.{_decimals(share)}}" for share, width in cells)
            lines.append(f"  {temperature:>4g}  {row}")
        if one.label and one.label != names[0]:
            lines.append(f"  the label is {one.label}, the teacher says {names[0]}")
        others = ", ".join(names[1:3])
        lines.append(f"  {names[0]} is most confused with {others}")
        return "\n".join(lines)

    def _confusions_text(self) -> str:
        lines = [
            f"  {pair.probability:8.3%}  {pair.other}, where it says {pair.answer} ({pair.n} times)"
            for pair in self.confusions
        ]
        head = "Classes the teacher confuses, by mean probability of the other at temperature 1:"
        return "\n".join([head, *lines])

    def _differences_text(self) -> str:
        lines = [f"{self.student} and the teacher differ most on, by KL in nats:"]
        for one in self.differences:
            of_teacher, of_student = self._answer(one.teacher), self._answer(one.student)
            title = _known_as(one.key, one.label)
            lines.append(f"  {one.nats:8.3g}  {title}: teacher {of_teacher}, student {of_student}")
        return "\n".join(lines)

    def _answer(self, shares: Array) -> str:
        [(name, share)] = _soft_targets.top(shares, self.classes, 1)
        return f"{name} {share:.0%}"

    def to_json(self) -> dict[str, Any]:
        """The same as plain values; inputs are left out, they are found by their keys."""
        return {
            "scores": self.name,
            "n": self.n,
            "view": self.view,
            "classes": list(self.classes),
            "temperatures": list(self.temperatures),
            "examples": [self._example_json(one) for one in self.examples],
            "confusions": [vars(pair) for pair in self.confusions],
            "unsure": list(self.unsure),
            "student": self.student,
            "differences": [self._difference_json(one) for one in self.differences],
        }

    def _example_json(self, one: Shown) -> dict[str, Any]:
        soft = [
            {
                "temperature": temperature,
                "probabilities": _soft_targets.by_class(shares, self.classes),
            }
            for temperature, shares in zip(self.temperatures, one.soft, strict=True)
        ]
        order = _soft_targets.top(one.soft[0], self.classes, 1 + MOST_COLUMNS)
        confused = [name for name, _ in order[1:]]
        return {"key": one.key, "label": one.label, "soft": soft, "confused": confused}

    def _difference_json(self, one: Difference) -> dict[str, Any]:
        both = {"teacher": one.teacher, "student": one.student}
        shares = {
            name: _soft_targets.by_class(targets, self.classes) for name, targets in both.items()
        }
        return {"key": one.key, "label": one.label, "kl_nats": one.nats, **shares}

    def figure(self, path: str | Path) -> Path:
        """Draws it into an SVG or PNG file, which is replaced if it is there.

        Raises:
            InputError: another ending.
            NeedsPackageError: matplotlib is not installed.
        """
        parts = (self.examples, self.confusions, self.differences)
        return _figures.write(path, self.classes, self.temperatures, *parts)


def dark_knowledge(
    scores: ScoreSet,
    *,
    examples: Sequence[str] = (),
    student: Run | None = None,
    temperatures: Sequence[float] = TEMPERATURES,
) -> DarkKnowledge:
    """What a teacher says beside its answers: Hinton, Vinyals & Dean's dark knowledge.

    Of each of the `examples`, given by key, the soft targets `softmax(logits / T)`; of the whole
    set, the classes the teacher confuses; with a `student`, by its shipped seed, where it differs
    from the teacher most. Each example is taken in its first view, as it was scored.

    Raises:
        InputError: no such key, or a temperature that is not above 0.
        MismatchError: scores that no softmax made, or a student of other classes or inputs.
    """
    heat = _checked(temperatures)
    scored, at = scores.examples, scores.positions(scores.examples)
    rows = _rows(scores, (examples,) if isinstance(examples, str) else examples)
    if student is not None:
        _check_student(scores, student)
    raw = scores.read(at, np.zeros(len(at), dtype=np.int64))
    logits = _soft_targets.as_logits(raw, scores.kind, str(scores.directory))
    return DarkKnowledge(
        name=str(scores.directory),
        n=len(scored),
        view=scores.view.text,
        classes=scores.classes,
        temperatures=heat,
        examples=tuple(_shown_example(scores, row, logits[row], heat) for row in rows),
        confusions=_soft_targets.confusions(logits, scores.classes, MOST_PAIRS),
        unsure=tuple(str(scored.keys[row]) for row in _highest(_soft_targets.entropies(logits))),
        differences=_differences(scores, logits, student) if student is not None else (),
        student=student.name if student is not None else "",
    )


def _checked(temperatures: Sequence[float]) -> tuple[float, ...]:
    heat = tuple(sorted({float(one) for one in temperatures}))
    if not heat or not all(0 < one < np.inf for one in heat):
        raise InputError(f"temperatures are numbers above 0, not {list(temperatures)}")
    return heat


def _rows(scores: ScoreSet, keys: Sequence[str]) -> list[int]:
    """The row of each key in the score set's examples."""
    if not keys:
        return []
    rows: list[int] = scores.examples.find(np.asarray(keys, dtype=str)).tolist()
    for key, row in zip(keys, rows, strict=True):
        if row < 0:
            raise InputError(
                f"{scores.directory} has no example {key!r}; {_nearest(key, scores.examples.keys)}"
            )
    return rows


def _nearest(key: str, keys: Array) -> str:
    near = difflib.get_close_matches(key, keys.tolist(), n=1)
    return f"did you mean {near[0]!r}?" if near else f"a key there is {str(keys[0])!r}"


def _check_student(scores: ScoreSet, student: Run) -> None:
    scores.examples.check_classes(student.classes, student.name)
    if student.classes != scores.classes or student.student.inputs != scores.examples.shape:
        raise MismatchError(
            f"{student.name} takes inputs of shape {student.student.inputs} to "
            f"{len(student.classes)} classes, {scores.directory} holds scores of "
            f"{len(scores.classes)} classes for shape {scores.examples.shape}"
        )


def _shown_example(scores: ScoreSet, row: int, logits: Array, heat: Sequence[float]) -> Shown:
    inputs = _first_views(scores, np.array([row]))[0]
    soft = _soft_targets.soft_targets(logits, heat)
    return Shown(str(scores.examples.keys[row]), _label(scores, row), inputs, soft)


def _label(scores: ScoreSet, row: int) -> str:
    if scores.examples.labels_kind != "logits":
        return ""
    position = int(scores.examples.labels[row])
    return "" if position == UNLABELLED else scores.classes[position]


def _first_views(scores: ScoreSet, rows: Array) -> Array:
    """The inputs of those rows as the teacher saw them first."""
    first = np.zeros(len(rows), dtype=np.int64)
    inputs: Array = scores.view.show(scores.examples, rows, first, scores.seed).inputs
    return inputs


def _highest(values: Array) -> list[int]:
    order: list[int] = np.argsort(-values, kind="stable")[:MOST_KEYS].tolist()
    return order


def _differences(scores: ScoreSet, logits: Array, student: Run) -> tuple[Difference, ...]:
    answers = _student_logits(scores, student)
    nats = _soft_targets.divergences(logits, answers)
    differences = []
    for row in _highest(nats):
        [of_teacher], [of_student] = (
            _soft_targets.soft_targets(z[row], (1.0,)) for z in (logits, answers)
        )
        key, label = str(scores.examples.keys[row]), _label(scores, row)
        inputs = _first_views(scores, np.array([row]))[0]
        differences.append(Difference(key, label, float(nats[row]), inputs, of_teacher, of_student))
    return tuple(differences)


def _student_logits(scores: ScoreSet, student: Run) -> Array:
    """The shipped student's logits of every example's first view, `(examples, classes)`."""
    model, n = teacher_of(student), len(scores.examples)
    parts = []
    with Bar(f"asking {student.name}", n) as bar:
        for start in range(0, n, BATCH):
            rows = np.arange(start, min(start + BATCH, n))
            inputs = _first_views(scores, rows)
            parts.append(model.ask(inputs, scores.examples.keys[rows], student.name))
            bar.advance(len(rows))
    return np.concatenate(parts).astype(np.float64)


def _known_as(key: str, label: str) -> str:
    return f"{key} (label {label})" if label else key


def _decimals(share: float) -> str:
    """Three decimals, or two digits where those would say 0."""
    return "3f" if share >= 0.001 else "1e"
