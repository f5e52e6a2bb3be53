"""What every teacher is to the rest of Limbeck."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from limbeck.artifacts import fingerprint as name_by_content
from limbeck.errors import InputError, LimbeckError, MismatchError, TeacherError
from limbeck.examples import Array, Examples, Plain, View, brief_names
from limbeck.scores import Kind, check_answer, check_kind
from limbeck.students import Run

Answer = Callable[..., Any]  # of a batch of raw inputs; with `answers_keys`, of their keys too

NAMELESS: tuple[Kind, ...] = ("embeddings", "values")
BATCH = 1024  # examples that are answered at a time


def _knows_all(examples: Examples) -> None:
    """Whoever looks at inputs has an answer about any."""


@dataclass(frozen=True, eq=False)
class Teacher:
    """Anything that turns a batch of raw inputs into scores over named classes.

    Attributes:
        name: what reports call it.
        answer: raw inputs `(batch, ...)` to scores `(batch, classes)`, a tensor or an array.
        classes: the class names in the order of the scores.
        kind: what the scores are.
        fingerprint: changes when the teacher does.
        source: the text that opens it again, see `read`, or of an ensemble each member's;
            empty for an object of your own.
        members: of an ensemble, who speaks in it.
        mean: of an ensemble, "geometric" or "arithmetic".
        net: the run of ours and the seed whose net answers; empty for anything else.
        answers_keys: whether it has to know whom it is asked about, `answer(inputs, keys)`, as a
            table of scores has.
        knows: raises what is wrong where it has no answer about some of these examples.
        with_trees: of boosted trees, the same teacher with that share of its trees, the first ones.
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
    answers_keys: bool = False
    knows: Callable[[Examples], None] = _knows_all
    with_trees: Callable[[float], "Teacher"] | None = None

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

    def check_asked(self, examples: Examples, view: View) -> None:
        """Refuses what it cannot be asked, before it is asked anything.

        Raises:
            InputError: it answers by key, and the view shows something else than the examples.
            MismatchError: it has no answer about some of the examples.
        """
        for member in self.members:
            member.check_asked(examples, view)
        if self.answers_keys and not isinstance(view, Plain):
            raise InputError(
                f"{self.name} cannot answer about the view {view.text}: a table holds scores of "
                "the examples as they are, not of views"
            )
        self.knows(examples)

    def ask(self, inputs: Array, keys: Array, whose: str) -> Array:
        """The scores of a batch, checked: float32 `(batch, classes)`.

        Raises:
            TeacherError: it fails on these inputs, or answers with another number of classes,
                NaN or infinity.
        """
        try:
            answer = self.answer(inputs, keys) if self.answers_keys else self.answer(inputs)
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
        self.check_asked(examples, Plain())
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


def ordered(
    teacher: Teacher, classes: Sequence[str], *, of: str = "the examples", whose: str = ""
) -> Teacher:
    """The same teacher with its columns in the order of `classes`, found there by name.

    Another order is another fingerprint; with the order it has, and without any `classes`, it is
    the teacher itself. `of` and `whose` are what an error calls who names the classes, and the
    teacher.

    Raises:
        MismatchError: they are not the same names.
    """
    names = tuple(classes)
    if not names or names == teacher.classes or teacher.kind == "embeddings":
        return teacher  # the columns of an embedding have no names
    _check_same_names(teacher.classes, names, of, whose or f"the teacher {teacher.name}")
    columns = [teacher.classes.index(name) for name in names]

    def answer(*given: Any) -> Any:
        return _picked(teacher.answer(*given), columns)

    fingerprint = name_by_content([teacher.fingerprint, list(names)])
    return replace(teacher, answer=answer, classes=names, fingerprint=fingerprint)


def _check_same_names(own: tuple[str, ...], wanted: tuple[str, ...], of: str, whose: str) -> None:
    missing = [name for name in wanted if name not in set(own)]
    extra = [name for name in own if name not in set(wanted)]
    faults = [f"it lacks {brief_names(missing)}"] * bool(missing)
    faults += [f"only it has {brief_names(extra)}"] * bool(extra)
    if faults or len(own) != len(wanted):
        raise MismatchError(
            f"{of} names the classes {brief_names(wanted)}, {whose} names {brief_names(own)}: "
            f"{' and '.join(faults) or 'one of them twice'}; they must be the same names, in "
            "whatever order"
        )


def _picked(said: Any, columns: Sequence[int]) -> Any:
    scores = said if isinstance(said, Tensor) else np.asarray(said)
    # Of another shape it is no answer, which whoever asked finds out.
    is_whole = scores.ndim == 2 and scores.shape[1] == len(columns)
    return scores[:, columns] if is_whole else said
