"""What teachers that are files share: what the file says of itself, takes, and is opened by."""

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from limbeck.artifacts import fingerprint as name_by_content
from limbeck.errors import MismatchError, MissingError, TeacherError
from limbeck.examples import Array
from limbeck.scores import KINDS

ANY = -1  # a side of any length


def present(path: str | Path) -> Path:
    """The file itself, absolute and behind any link.

    Raises:
        MissingError: there is none.
    """
    file = Path(path).resolve()
    if not file.is_file():
        raise MissingError(f"there is no file {path}")
    return file


def fingerprint(files: Iterable[Path], *chosen: str) -> str:
    """Named by the content of the files, wherever they lie, and by what was chosen of them."""
    sums = []
    for file in files:
        with file.open("rb") as content:
            sums.append(hashlib.file_digest(content, "sha256").hexdigest())
    return name_by_content([sums, *chosen])


def call(maker: str, file: Path, **options: object) -> str:
    """The text that opens the teacher again; an option that is empty is the default."""
    shown = [f"{name}={value!r}" for name, value in options.items() if value]
    return f"{maker}({', '.join([repr(str(file)), *shown])})"


@dataclass(frozen=True)
class Notes:
    """What a file says of its scores.

    Attributes:
        classes: the class names in the order of the scores; none where it does not say.
        kind: what the scores are; empty where it does not say.
    """

    classes: tuple[str, ...] = ()
    kind: str = ""

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> "Notes":
        """From the texts in a file; those that are not written as ours are somebody else's."""
        classes: object = None
        with contextlib.suppress(ValueError):
            classes = json.loads(texts.get("classes", ""))
        if not isinstance(classes, list) or not all(isinstance(one, str) for one in classes):
            classes = []
        kind = texts.get("kind", "")
        return cls(tuple(classes), kind if kind in KINDS else "")

    def named(self, given: Sequence[str], whose: str) -> tuple[str, ...]:
        """The class names: the file's in its order, else those that were given.

        Raises:
            MismatchError: both name classes, and other ones.
        """
        if self.classes and given and sorted(self.classes) != sorted(given):
            raise MismatchError(
                f"{whose} says that its classes are {', '.join(self.classes)}, not "
                f"{', '.join(given)}: give the same names, or none"
            )
        return self.classes or tuple(given)


@dataclass(frozen=True)
class Slot:
    """The one input of a model in a file.

    Attributes:
        name: the model's own name for it.
        shape: with the batch first, `ANY` for a side of any length; empty where it is not known.
        type: what its numbers are; "object" for texts.
    """

    name: str
    shape: tuple[int, ...]
    type: np.dtype

    def check_batch(self, whose: str, example: str) -> None:
        """Raises an error if the model takes batches of one size alone.

        Raises:
            TeacherError: it does.
        """
        if self.shape and self.shape[0] != ANY:
            raise TeacherError(
                f"{whose} takes batches of exactly {self.shape[0]}: its input {self.name!r} has "
                f"the shape {shape_text(self.shape)}; export it with a batch of any size, {example}"
            )

    def fitted(self, inputs: Array, whose: str) -> Array:
        """Raw inputs in the model's own type, if that holds them.

        Raises:
            TeacherError: inputs of another shape, or such as the type cannot hold.
        """
        self._check_shape(inputs, whose)
        dtype = self.type
        if dtype.kind == "O" and inputs.dtype.kind in "UO":
            return inputs.astype(object)
        if inputs.dtype.kind not in _TAKEN.get(dtype.kind, ""):
            raise TeacherError(
                f"{whose} takes {_WORDS[dtype.kind]} ({_type_name(dtype)}), and these inputs are "
                f"{inputs.dtype}"
            )
        if np.can_cast(inputs.dtype, dtype, "safe"):
            return inputs.astype(dtype, copy=False)
        return _narrowed(inputs, dtype, whose)

    def _check_shape(self, inputs: Array, whose: str) -> None:
        sides = zip(inputs.shape[1:], self.shape[1:], strict=False)
        is_alike = len(inputs.shape) == len(self.shape) and all(b in (ANY, a) for a, b in sides)
        if self.shape and not is_alike:
            raise TeacherError(
                f"{whose} takes inputs of shape {shape_text(self.shape)}, not "
                f"{shape_text((ANY, *inputs.shape[1:]))}"
            )


# By the letter of numpy's kind: which kinds a model's input takes, and what it is in words.
_TAKEN = {"f": "fiub", "i": "iub", "u": "iub", "b": "b"}
_WORDS = {"f": "numbers", "i": "whole numbers", "u": "whole numbers", "b": "truths", "O": "texts"}


def shape_text(shape: Sequence[int]) -> str:
    """A shape in words, the batch first: `(batch, 3, any)`."""
    first = ["batch" if side == ANY else str(side) for side in shape[:1]]
    return f"({', '.join([*first, *('any' if side == ANY else str(side) for side in shape[1:])])})"


def check_scores(shape: Sequence[int], classes: Sequence[str], whose: str) -> None:
    """Raises an error if an answer of that shape is not a score of each class.

    Raises:
        TeacherError: it is not.
    """
    if len(shape) != 2:
        raise TeacherError(
            f"{whose} answers with the shape {shape_text(shape)}; scores are (batch, classes)"
        )
    if classes and shape[1] not in (ANY, len(classes)):
        raise TeacherError(
            f"{whose} answers with {shape[1]} scores for each example, and {len(classes)} classes "
            f"are named: {', '.join(classes)}"
        )


def _narrowed(inputs: Array, dtype: np.dtype, whose: str) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        changed: Array = inputs.astype(dtype)
        if inputs.dtype.kind == "f":  # a rounded number is still that number, infinity is not
            is_kept = np.isfinite(changed) == np.isfinite(inputs)
        else:
            is_kept = changed.astype(inputs.dtype) == inputs
    if not is_kept.all():
        raise TeacherError(
            f"{whose} takes {_type_name(dtype)}, which cannot hold {inputs[~is_kept][0]}, one of "
            f"these {inputs.dtype} inputs"
        )
    return changed


def _type_name(kind: np.dtype) -> str:
    return "string" if kind.kind == "O" else kind.name
