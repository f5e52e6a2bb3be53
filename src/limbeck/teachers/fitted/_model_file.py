"""What models of other libraries share as teachers: their files, class names, rows and columns."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.errors import CorruptError, InputError, MismatchError, TeacherError
from limbeck.examples import Array
from limbeck.teachers import _files

OPENED_BY = {  # whose file it is, and what opens it
    "LightGBM": "teachers.lightgbm",
    "XGBoost": "teachers.xgboost",
    "skops": "teachers.sklearn",
    "pickle": "teachers.sklearn with trust=True",
}


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A file that holds a model, read once: what is checked and named is what is opened."""

    path: Path
    content: bytes

    @classmethod
    def of(cls, path: str | Path) -> "ModelFile":
        """The file there.

        Raises:
            MissingError: there is none.
            CorruptError: it is empty.
        """
        place = _files.present(path)
        content = place.read_bytes()
        if not content:
            raise CorruptError(f"the model {place} is empty")
        return cls(place, content)

    @property
    def fingerprint(self) -> str:
        """Names the file by its content."""
        return hashlib.blake2b(self.content, digest_size=8).hexdigest()

    @property
    def writer(self) -> str:
        """Who wrote such files, as far as the beginning tells; "" where it does not."""
        head = self.content[:256].lstrip()
        if head.startswith((b"tree\n", b"tree\r\n")):
            return "LightGBM"
        if head.startswith(b"{") and any(word in head for word in (b"learner", b"Config")):
            return "XGBoost"
        if head.startswith(b"PK\x03\x04"):
            return "skops"
        return "pickle" if head.startswith(b"\x80") else ""

    def check_writer(self, *wanted: str) -> None:
        """Refuses a file that is seen to be another library's.

        Raises:
            InputError: it is; says what opens it.
        """
        version = self.writer
        if version and version not in wanted:
            raise InputError(
                f"{self.path} is a {version} file, not one of {wanted[0]}'s: "
                f"{OPENED_BY[version]} opens it"
            )


def class_names(own: Sequence[Any], given: Sequence[str], whose: str) -> tuple[str, ...]:
    """The names of a model's classes, in its order.

    Given names are its own in any order, or name classes 0, 1, 2, ... in that order.

    Raises:
        MismatchError: they are other names.
    """
    names, expected = [str(name) for name in own], [str(name) for name in given]
    if not expected or sorted(expected) == sorted(names):
        return tuple(names)
    if len(expected) == len(names) and names == [str(number) for number in range(len(names))]:
        return tuple(expected)
    raise MismatchError(
        f"{whose} knows the classes {', '.join(names)}; given were {', '.join(expected)}: they "
        "must be the same names"
    )


def value_names(outputs: int, given: Sequence[str], whose: str) -> tuple[str, ...]:
    """The names of a regressor's outputs: `value`, or `value-0`, `value-1`, ...

    Raises:
        MismatchError: other names are given than there are outputs.
    """
    if given and len(given) != outputs:
        raise MismatchError(
            f"{whose} answers with {outputs} values; given were the names {', '.join(given)}"
        )
    own = ["value"] if outputs == 1 else [f"value-{number}" for number in range(outputs)]
    return tuple(str(name) for name in given or own)


def rows_of(inputs: Array, features: int, whose: str) -> Array:
    """The inputs as rows `(batch, features)`; those of more axes are flattened.

    Raises:
        TeacherError: they hold another number of features; 0 is any.
    """
    rows = np.asarray(inputs).reshape(len(inputs), -1)
    if features and rows.shape[1] != features:
        raise TeacherError(
            f"{whose} takes rows of {features} numbers; one input has shape "
            f"{inputs.shape[1:]}, which is {rows.shape[1]}"
        )
    return rows


# What libraries call the columns of an array, by position: those are no names.
_NUMBERED = re.compile(r"(Column_|feature_|f|x)?\d+")


def named_features(names: Iterable[Any] | None) -> tuple[str, ...]:
    """The columns that a model learned from, where somebody named them; else none."""
    texts = tuple(str(name) for name in (() if names is None else names))
    return () if all(map(_NUMBERED.fullmatch, texts)) else texts


def two_columns(margin: Array) -> Array:
    """The margin m of the second class as logits (0, m): their softmax is its sigmoid."""
    flat = np.asarray(margin).reshape(-1)
    return np.stack([np.zeros_like(flat), flat], axis=1)


def check_trees(trees: int, rounds: int, whose: str) -> None:
    """Refuses a number of boosting rounds that there are not.

    Raises:
        InputError: negative, or more than the model has; says how many it has.
    """
    if not 0 <= trees <= rounds:
        raise InputError(f"{whose} has {rounds} boosting rounds, trees cannot be {trees}")
