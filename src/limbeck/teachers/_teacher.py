"""What every teacher is to the rest of Limbeck."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from limbeck.errors import LimbeckError, TeacherError
from limbeck.examples import Array, Examples
from limbeck.runs import Run
from limbeck.scores import Kind, check_answer, check_kind

Answer = Callable[[Array], Any]

NAMELESS: tuple[Kind, ...] = ("embeddings", "values")
BATCH = 1024  # examples that are answered at a time


@dataclass(frozen=True, eq=False)
class Teacher:
    """Anything that turns a batch of raw inputs into scores over named classes.

    Attributes:
        name: what reports call it.
        answer: raw inputs `(batch, ...)` to scores `(batch, classes)`, a tensor or an array.
        classes: the class names in the order of the scores.
        kind: what the scores are.
        fingerprint: changes when the teacher does.
        source: the text that opens it again, `module:name`, or of an ensemble each member's;
            empty for an object of your own.
        members: of an ensemble, who speaks in it.
        mean: of an ensemble, "geometric" or "arithmetic".
        net: the run of ours and the seed whose net answers; empty for anything else.
    """

    name: str
    answer: Answer
    classes: tuple[str, ...]
    kind: Kind
    fingerprint: str
    source: str | tuple[str, ...] = ""
    members: tuple["Teacher", ...] = ()
    mean: str = ""
    net: tuple[Run, int] | tuple[()] = ()

    @property
    def runs(self) -> list[Run]:
        """The runs of ours whose nets answer, this teacher's own or its members', each once."""
        own = [self.net[0]] if self.net else []
        found = [*own, *(run for member in self.members for run in member.runs)]
        return list({run.directory: run for run in found}.values())

    @property
    def parameters(self) -> int:
        """How many numbers its nets learned; 0 where that is not known of all of them."""
        own = [self.net[0].parameters] if self.net else []
        found = [*own, *(member.parameters for member in self.members)]
        return sum(found) if all(found) else 0

    def to_json(self) -> dict[str, Any]:
        """What a manifest says of it."""
        own: dict[str, Any] = {"name": self.name, "fingerprint": self.fingerprint}
        own |= {"parameters": self.parameters} if self.parameters else {}
        if not self.members:
            return own
        return {**own, "mean": self.mean, "members": [m.to_json() for m in self.members]}

    def ask(self, inputs: Array, keys: Array, whose: str) -> Array:
        """The scores of a batch, checked: float32 `(batch, classes)`.

        Raises:
            TeacherError: it fails on these inputs, or answers with another number of classes,
                NaN or infinity.
        """
        try:
            answer = self.answer(inputs)
        except LimbeckError:
            raise
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            # What a net says of inputs it was not made for; the whole story is chained.
            reason = str(error).strip().split("\n")[0]
            raise TeacherError(
                f"{whose} cannot answer inputs of shape {inputs.shape} and type {inputs.dtype}: "
                f"{reason}"
            ) from error
        return check_answer(answer, keys, self.classes, self.kind, whose)

    def answers(self, examples: Examples, whose: str) -> Array:
        """The scores of all plain examples, checked as in `ask`: float32 `(examples, classes)`."""
        starts = range(0, len(examples), BATCH)
        parts = [slice(start, start + BATCH) for start in starts]
        asked = [self.ask(examples.inputs[rows], examples.keys[rows], whose) for rows in parts]
        return np.concatenate(asked)


def described(
    name: str, answer: Answer, classes: Sequence[str] | int, kind: str, fingerprint: str
) -> Teacher:
    """The teacher, after looking at what it says of itself.

    Columns that have no names, of embeddings and values, are named by their number.

    Raises:
        TeacherError: no classes, or two of one name.
        InputError: no such kind.
    """
    if isinstance(classes, int) and kind not in NAMELESS:
        raise TeacherError(f"{name} answers with {kind}: give its classes by name, not {classes}")
    names = tuple(map(str, range(classes))) if isinstance(classes, int) else tuple(classes)
    if not names or len(set(names)) != len(names):
        raise TeacherError(f"{name} needs the names of its classes, each once; got {names}")
    return Teacher(name, answer, names, check_kind(kind), fingerprint)
