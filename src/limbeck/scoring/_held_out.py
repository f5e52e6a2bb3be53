"""Which of the examples a teacher was trained on, and which were held out from it."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from limbeck.errors import InputError, MismatchError
from limbeck.examples import Array, Examples
from limbeck.teachers import Teacher

HeldOutAnswer = Literal["yes", "no", "partly", "unknown"]

OWN, HELD_OUT, ALL = "own", "held_out", "all"  # of which examples a confidence is


def held_out_answer(given: bool | str) -> HeldOutAnswer:
    """The flag `held_out` as it is recorded.

    Raises:
        InputError: it is neither true nor false nor "unknown".
    """
    if isinstance(given, bool):
        return "yes" if given else "no"
    if given != "unknown":
        raise InputError(f"held_out is true, false or 'unknown', not {given!r}")
    return "unknown"


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Whether examples that are scored were held out from their teacher.

    Attributes:
        answer: "yes" if it was trained on none of them, "no" if on all, "partly" or "unknown".
        by: who says so: "teacher", "caller", "members" (an ensemble's score sets), or nobody ("").
        own: which examples it was trained on, `(examples,)` booleans; empty unless it is some of
            them, and known which.
    """

    answer: HeldOutAnswer = "unknown"
    by: str = ""
    own: Array = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def to_json(self) -> dict[str, Any]:
        """What a manifest says of it."""
        counts = {OWN: int(self.own.sum()), HELD_OUT: int((~self.own).sum())}
        return {"answer": self.answer, "by": self.by, **(counts if self.own.size else {})}

    @property
    def parts(self) -> dict[str, Array]:
        """Rows of the own examples and of those held out; of all where nobody can tell."""
        if self.own.size:
            return {OWN: np.flatnonzero(self.own), HELD_OUT: np.flatnonzero(~self.own)}
        name = {"yes": HELD_OUT, "no": OWN}.get(self.answer, ALL)
        return {name: np.arange(0)}


def held_out_from(teacher: Teacher, examples: Examples, said: bool | str) -> HeldOut:
    """Whether the examples were held out from the teacher, as it knows or else as was said.

    A run of ours knows what it was trained on, and so does an ensemble of them: what any of its
    members was trained on is its own. What was only decided on, a plan's held-out share, is held
    out. Two examples of the same content count alike.

    Raises:
        MismatchError: what was said is not so.
        InputError: `said` is neither true nor false nor "unknown".
    """
    answer = held_out_answer(said)
    if not _knows_its_past(teacher):
        return HeldOut(answer, "caller" if answer != "unknown" else "")
    own = np.zeros(len(examples), dtype=bool)
    for run in teacher.runs:
        own |= np.isin(examples.content_hashes, run.trained_on())
    _check_said(answer, own, teacher, examples)
    if own.any() and not own.all():
        return HeldOut("partly", "teacher", own)
    return HeldOut("no" if own.all() else "yes", "teacher")


def _knows_its_past(teacher: Teacher) -> bool:
    if teacher.members:
        return all(_knows_its_past(member) for member in teacher.members)
    return bool(teacher.net)


def _check_said(answer: HeldOutAnswer, own: Array, teacher: Teacher, examples: Examples) -> None:
    if answer == "yes" and own.any():
        raise MismatchError(
            f"held_out says that {teacher.name} was trained on none of these examples, but it was "
            f"on {int(own.sum())} of the {len(own)} of {examples.name}, the first is "
            f"{str(examples.keys[own][0])!r}: leave held_out away, or score others"
        )
    if answer == "no" and not own.any():
        raise MismatchError(
            f"held_out = false says that {teacher.name} was trained on these examples, but it was "
            f"on none of the {len(own)} of {examples.name}: leave held_out away"
        )
