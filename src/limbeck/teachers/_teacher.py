"""What every teacher is to the rest of Limbeck."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from limbeck.errors import TeacherError
from limbeck.examples import Array
from limbeck.scores import Kind, check_kind

Answer = Callable[[Array], Any]


@dataclass(frozen=True, eq=False)
class Teacher:
    """Anything that turns a batch of raw inputs into scores over named classes.

    Attributes:
        name: what reports call it.
        answer: raw inputs `(batch, ...)` to scores `(batch, classes)`, a tensor or an array.
        classes: the class names in the order of the scores.
        kind: what the scores are.
        fingerprint: changes when the teacher does.
        source: the text that opens it again, `module:name`; empty for an object of your own.
    """

    name: str
    answer: Answer
    classes: tuple[str, ...]
    kind: Kind
    fingerprint: str
    source: str = ""


def described(
    name: str, answer: Answer, classes: Sequence[str], kind: str, fingerprint: str
) -> Teacher:
    """The teacher, after looking at what it says of itself.

    Raises:
        TeacherError: no classes, or two of one name.
        InputError: no such kind.
    """
    names = tuple(classes)
    if not names or len(set(names)) != len(names):
        raise TeacherError(f"{name} needs the names of its classes, each once; got {names}")
    return Teacher(name, answer, names, check_kind(kind), fingerprint)
