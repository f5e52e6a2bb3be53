"""What every teacher is to the rest of Limbeck."""

import pickle
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np

from limbeck.errors import InputError, LimbeckError, MismatchError, TeacherError
from limbeck.examples import Array, Examples, Plain, View
from limbeck.scores import Kind, check_answer, check_kind
from limbeck.students import Run

Answer = Callable[..., Any]  # of a batch of raw inputs

NAMELESS: tuple[Kind, ...] = ("embeddings", "values")
BATCH = 1024  # examples that are answered at a time


@dataclass(frozen=True, eq=False, kw_only=True)
class Teacher(ABC):
    """Anything that turns a batch of raw inputs into scores over named classes.

    A kind of teacher is a frozen dataclass that says how it predicts, and of the rest what it
    can: a size, threads, trees, members. All that is asked of a teacher's scores is asked here.

    It can be pickled for another process: one that a text opens as its text, and it is opened
    anew there; one that holds an object of yours if the object can be pickled.

    Attributes:
        name: what reports call it.
        classes: the class names in the order of the scores.
        kind: what the scores are.
        fingerprint: changes when the teacher does.
        source: the text that opens it again, see `read`, or of an ensemble each member's;
            empty for an object of your own.
        is_trusted: whether who opened it trusted the code that its text or its file names; as
            it is reopened with the same trust, one that was not trusted runs none elsewhere.
        place: the file or folder it was opened from; none of anything else.
    """

    name: str
    classes: tuple[str, ...]
    kind: Kind
    fingerprint: str
    source: str | tuple[str, ...] = ""
    is_trusted: bool = False
    place: Path | None = None

    def __post_init__(self) -> None:
        """Looks at what it says of itself.

        Raises:
            TeacherError: no classes, or two of one name.
            InputError: no such kind.
        """
        if not self.classes or len(set(self.classes)) != len(self.classes):
            raise TeacherError(
                f"{self.name} needs the names of its classes, each once; got {self.classes}"
            )
        check_kind(self.kind)

    @abstractmethod
    def predict(self, inputs: Array) -> Any:
        """Raw inputs `(batch, ...)` to scores `(batch, classes)`, a tensor or an array."""

    def predict_by_key(self, inputs: Array, keys: Array) -> Any:
        """The same of one that has to know whom it is asked about, see `answers_keys`."""
        return self.predict(inputs)

    @property
    def answers_keys(self) -> bool:
        """Whether it has to know whom it is asked about, as a table of scores has."""
        return False

    def check_known(self, examples: Examples) -> None:  # noqa: B027  # most have nothing to refuse
        """Refuses examples that it has no answer about; who looks at inputs has one about any.

        Raises:
            MismatchError: there are some.
        """

    @property
    def bytes(self) -> int:
        """What it takes on disk; 0 where that is not known."""
        if self.place is None:
            return 0
        files = self.place.rglob("*") if self.place.is_dir() else [self.place]
        return sum(file.stat().st_size for file in files if file.is_file())

    def with_threads(self, threads: int) -> "Teacher":
        """The same teacher, opened for so many threads where it has any of its own."""
        return self

    @property
    def runtime(self) -> str:
        """What computes the answers, "torch" or "onnxruntime"; "" for anything else.

        Two nets in two runtimes differ in time by the runtimes as much as by themselves.
        """
        return ""

    def uncached(self) -> "Teacher":
        """The same teacher, which works out every answer: one that looks it up takes no time."""
        return self

    @property
    def has_trees(self) -> bool:
        """Whether `with_trees` makes it cheaper."""
        return False

    def with_trees(self, share: float) -> "Teacher":
        """Of boosted trees, the same teacher with that share of its trees, the first ones.

        Raises:
            InputError: it has no trees.
        """
        raise InputError(f"{self.name} has no trees of which it could keep {share:.0%}")

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the columns that it learned from, in order; none where it knows none."""
        return ()

    @property
    def own_order(self) -> tuple[str, ...]:
        """The class names in its own order, before `ordered` put them in another."""
        return self.classes

    @property
    def members(self) -> tuple["Teacher", ...]:
        """Of an ensemble, who speaks in it."""
        return ()

    @property
    def mean(self) -> str:
        """Of an ensemble, "geometric" or "arithmetic"."""
        return ""

    @property
    def net(self) -> tuple[Run, int] | tuple[()]:
        """The run of ours and the seed whose net answers; empty for anything else."""
        return ()

    @property
    def runs(self) -> list[Run]:
        """The runs of ours whose nets answer, this teacher's own or its members', each once."""
        own = [self.net[0]] if self.net else []
        runs = [*own, *(run for member in self.members for run in member.runs)]
        return list({run.directory: run for run in runs}.values())

    @property
    def parameters(self) -> int:
        """How many numbers its nets learned; 0 where that is not known of all of them."""
        own = [self.net[0].parameters] if self.net else []
        counts = [*own, *(member.parameters for member in self.members)]
        return sum(counts) if all(counts) else 0

    def to_json(self) -> dict[str, Any]:
        """What a manifest says of it."""
        own: dict[str, Any] = {"name": self.name, "fingerprint": self.fingerprint}
        own |= {"parameters": self.parameters} if self.parameters else {}
        if not self.members:
            return own
        return {**own, "mean": self.mean, "members": [m.to_json() for m in self.members]}

    @final
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
        self.check_known(examples)

    @final
    def ask(self, inputs: Array, keys: Array, whose: str) -> Array:
        """The scores of a batch, checked: float32 `(batch, classes)`.

        Raises:
            TeacherError: it fails on these inputs, or answers with another number of classes,
                NaN or infinity.
        """
        try:
            by_key = self.answers_keys
            scores = self.predict_by_key(inputs, keys) if by_key else self.predict(inputs)
        except LimbeckError:
            raise
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            # What a net says of inputs it was not made for; the whole story is chained.
            reason = str(error).strip().split("\n")[0]
            raise TeacherError(
                f"{whose} cannot answer inputs of shape {inputs.shape} and type {inputs.dtype}: "
                f"{reason}"
            ) from error
        return check_answer(scores, keys, self.classes, self.kind, whose)

    @final
    def answers(self, examples: Examples, whose: str) -> Array:
        """The scores of all plain examples, checked as in `ask`: float32 `(examples, classes)`."""
        self.check_asked(examples, Plain())
        starts = range(0, len(examples), BATCH)
        parts = [slice(start, start + BATCH) for start in starts]
        scores = [self.ask(examples.inputs[rows], examples.keys[rows], whose) for rows in parts]
        return np.concatenate(scores)

    def reopen(self) -> "Teacher":
        """The same teacher, opened anew as another process opens it.

        Raises:
            TeacherError: it was made of an object in memory, so nothing opens it.
            MismatchError: what its text names has changed since.
            TrustError: it runs code, and who opened it gave no trust.
            Whatever `read` raises.
        """
        if not self._is_text:
            raise TeacherError(
                f"{self.name} was made of an object in memory, and no text opens it again: "
                f"{_REMEDY}"
            )
        return _reopened(*self._text)

    @property
    def _is_text(self) -> bool:
        """Whether the text alone opens this very teacher again."""
        return isinstance(self.source, str) and bool(self.source)

    @property
    def _text(self) -> tuple[Any, ...]:
        return self.source, self.classes, self.kind, self.is_trusted, self.name, self.fingerprint

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle: the text that opens it, else what it holds.

        Raises:
            TeacherError: it holds an object that cannot be pickled.
        """
        if self._is_text:
            return _reopened, self._text
        state = self._state()
        try:
            # Here too, and not by whoever pickles alone: that error would not name the teacher.
            _Trial(_Nowhere(), protocol=5).dump(state)
        except Exception as error:  # objects of anybody's may raise anything
            raise TeacherError(
                f"{self.name} holds an object that cannot be pickled for another process "
                f"({str(error).strip().split(chr(10))[0]}): {_REMEDY}"
            ) from error
        return _restored, (type(self), state)

    def _state(self) -> dict[str, Any]:
        """What it holds, as another process needs it."""
        return dict(self.__dict__)

    # Nothing in it changes, and to copy it by its pickle would open it anew.
    def __copy__(self) -> "Teacher":
        """Itself."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Teacher":
        """Itself."""
        return self


_REMEDY = (
    "write the model to a file and open that, define the function or class at the top of a "
    "module, or open the teacher by text, teachers.from_text('file.py:name', trust=True)"
)


def _reopened(
    source: str, classes: tuple[str, ...], kind: Kind, trust: bool, name: str, fingerprint: str
) -> Teacher:
    # By name and not imported: what opens texts imports this module, and not the other way round.
    package = sys.modules[__package__]
    again: Teacher = package.as_teacher(package.from_text(source, classes, trust=trust), classes)
    if again.fingerprint != fingerprint:
        raise MismatchError(
            f"{source} opens another teacher than {name} was ({again.fingerprint}, not "
            f"{fingerprint}): what it names has changed since"
        )
    return replace(again, name=name, kind=kind, source=source)


def _restored(kind: type[Teacher], state: dict[str, Any]) -> Teacher:
    teacher = kind.__new__(kind)
    teacher.__dict__.update(state)
    return teacher


class _Nowhere:
    """A file that keeps nothing."""

    def write(self, content: Any) -> int:
        return memoryview(content).nbytes


class _Trial(pickle.Pickler):
    """Pickles to see whether that can be done; members are passed over, who try themselves."""

    def persistent_id(self, value: Any) -> str | None:
        return value.name if isinstance(value, Teacher) else None


def names_of(name: str, classes: Sequence[str] | int, kind: str) -> tuple[str, ...]:
    """The class names; columns that have none, of embeddings and values, have their numbers.

    Raises:
        TeacherError: there is only a number of classes where they have names.
    """
    if not isinstance(classes, int):
        return tuple(classes)
    if kind not in NAMELESS:
        raise TeacherError(f"{name} answers with {kind}: give its classes by name, not {classes}")
    return tuple(map(str, range(classes)))
