"""Votes: the answers of a teacher that names a class and says no more, as rows with a single 1."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from limbeck._labels import brief
from limbeck.errors import TeacherError
from limbeck.examples import Array


def one_hot(answer: object, keys: Array, classes: Sequence[str], whose: str) -> Array:
    """Votes `(batch, classes)`, float32, from positions or names `(batch,)`, or from such rows.

    Raises:
        TeacherError: another shape, or an answer that is not one of the classes.
    """
    given = answer.detach().cpu().numpy() if isinstance(answer, Tensor) else np.asarray(answer)
    if given.shape == (len(keys), len(classes)):
        return _rows(given, keys, whose)
    if given.shape != (len(keys),):
        raise TeacherError(
            f"{whose} answered {len(keys)} examples with shape {given.shape}; votes are positions "
            f"or names {(len(keys),)}, or rows with a single 1 {(len(keys), len(classes))}"
        )
    positions = _positions(given, classes)
    wrong = (positions < 0) | (positions >= len(classes))
    if wrong.any():
        raise TeacherError(
            f"{whose} votes for {given[wrong].tolist()[0]!r} on example {str(keys[wrong][0])!r}; a "
            f"vote is the position or the name of one of its classes {brief(classes)}"
        )
    return np.eye(len(classes), dtype=np.float32)[positions]


def _positions(given: Array, classes: Sequence[str]) -> Array:
    """Where each vote is among the classes; -1 for what is none of them."""
    if given.dtype.kind in "iu":
        return given.astype(np.int64)
    where = {name: position for position, name in enumerate(classes)}
    names = given.tolist() if given.dtype.kind in "UO" else []
    found = [where.get(name, -1) if isinstance(name, str) else -1 for name in names]
    return np.array(found or [-1] * len(given), dtype=np.int64)


def _rows(given: Array, keys: Array, whose: str) -> Array:
    right = ((given == 0) | (given == 1)).all(axis=1) & ((given == 1).sum(axis=1) == 1)
    if not right.all():
        row, key = given[~right].tolist()[0], str(keys[~right][0])
        raise TeacherError(
            f"{whose} votes {row} on example {key!r}: a vote is a row with a single 1"
        )
    return np.asarray(given, dtype=np.float32)
