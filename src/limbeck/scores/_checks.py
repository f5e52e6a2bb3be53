"""Checks of what a teacher answers, and votes as rows with a single 1."""

import warnings
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from torch import Tensor

from limbeck.errors import ScoresWarning, TeacherError
from limbeck.examples import Array, brief_names
from limbeck.scores._dense import LOWEST
from limbeck.scores._kinds import Kind


def one_hot(answer: object, keys: Array, classes: Sequence[str], whose: str) -> Array:
    """Votes `(batch, classes)`, float32, from positions or names `(batch,)`, or from such rows.

    Raises:
        TeacherError: another shape, or an answer that is not one of the classes.
    """
    votes = answer.detach().cpu().numpy() if isinstance(answer, Tensor) else np.asarray(answer)
    if votes.shape == (len(keys), len(classes)):
        return _rows(votes, keys, whose)
    if votes.shape != (len(keys),):
        raise TeacherError(
            f"{whose} answered {len(keys)} examples with shape {votes.shape}; votes are positions "
            f"or names {(len(keys),)}, or rows with a single 1 {(len(keys), len(classes))}"
        )
    positions = _positions(votes, classes)
    wrong = (positions < 0) | (positions >= len(classes))
    if wrong.any():
        raise TeacherError(
            f"{whose} votes for {votes[wrong].tolist()[0]!r} on example {str(keys[wrong][0])!r}; a "
            f"vote is the position or the name of one of its classes {brief_names(classes)}"
        )
    return np.eye(len(classes), dtype=np.float32)[positions]


def _positions(votes: Array, classes: Sequence[str]) -> Array:
    """Where each vote is among the classes; -1 for what is none of them."""
    if votes.dtype.kind in "iu":
        return votes.astype(np.int64)
    where = {name: position for position, name in enumerate(classes)}
    names = votes.tolist() if votes.dtype.kind in "UO" else []
    positions = [where.get(name, -1) if isinstance(name, str) else -1 for name in names]
    return np.array(positions or [-1] * len(votes), dtype=np.int64)


def _rows(votes: Array, keys: Array, whose: str) -> Array:
    right = ((votes == 0) | (votes == 1)).all(axis=1) & ((votes == 1).sum(axis=1) == 1)
    if not right.all():
        row, key = votes[~right].tolist()[0], str(keys[~right][0])
        raise TeacherError(
            f"{whose} votes {row} on example {key!r}: a vote is a row with a single 1"
        )
    return np.asarray(votes, dtype=np.float32)


MANY = 30  # examples, with fewer of which the logits of a net that is unsure may all lie in [0, 1]
SUM_TOLERANCE = 1e-3  # how far the probabilities of a row may be from summing to one
OUTSIDE = 1e-6  # how far rounding may take a probability below 0 or above 1


def check_answer(
    answer: object, keys: Array, classes: Sequence[str], kind: Kind, whose: str
) -> Float[np.ndarray, "examples classes"]:
    """A teacher's answer to a batch as float32 `(examples, classes)`.

    Raises:
        TeacherError: another shape, NaN or infinity (naming the example), or no vote where it
            gives votes.
    """
    if kind == "votes":
        return one_hot(answer, keys, classes, whose)
    raw = _as_array(answer, whose)
    shape = (len(keys), len(classes))
    if raw.shape != shape:
        raise TeacherError(
            f"{whose} answered {len(keys)} examples with shape {raw.shape}; "
            f"{len(classes)} classes need {shape}"
        )
    bad = ~np.isfinite(raw).all(axis=1)
    if kind == "log-probabilities":
        # A probability of exactly 0 is a legitimate answer; its log is stored as the lowest.
        bad = (
            np.isnan(raw).any(axis=1) | np.isposinf(raw).any(axis=1) | np.isneginf(raw).all(axis=1)
        )
        raw = np.maximum(raw, LOWEST)
    if bad.any():
        is_masked = kind == "logits" and not (np.isnan(raw) | np.isposinf(raw)).any()
        remedy = (
            "; a class that is impossible, -inf, has a place in log-probabilities: take "
            "log_softmax of these and pass kind='log-probabilities'"
        )
        raise TeacherError(
            f"{whose} answered NaN or infinity for {int(bad.sum())} of {len(keys)} examples, "
            f"the first is {str(keys[bad][0])!r}{remedy * is_masked}"
        )
    if kind in ("probabilities", "independent-probabilities"):
        _check_range(raw, keys, whose)
    if kind == "probabilities":
        _check_sums(raw, keys, whose)
    return raw


def _check_range(raw: Array, keys: Array, whose: str) -> None:
    outside = ((raw < -OUTSIDE) | (raw > 1 + OUTSIDE)).any(axis=1)
    if outside.any():
        row, key = raw[outside][0], str(keys[outside][0])
        worst = row[np.abs(row - 0.5).argmax()]
        raise TeacherError(
            f"{whose} answered with {worst:.4g} among the probabilities of example {key!r}, and so "
            f"for {int(outside.sum())} of {len(keys)}: a probability lies between 0 and 1; is kind "
            "what it answers with?"
        )


def _check_sums(raw: Array, keys: Array, whose: str) -> None:
    sums = raw.sum(axis=1, dtype=np.float64)
    wrong = np.abs(sums - 1) > SUM_TOLERANCE
    if wrong.any():
        raise TeacherError(
            f"{whose} answered with probabilities of example {str(keys[wrong][0])!r} that sum to "
            f"{sums[wrong][0]:.4g}, and so for {int(wrong.sum())} of {len(keys)}: those of one "
            "example sum to 1; where each column has a probability of its own, pass "
            "kind='independent-probabilities'"
        )


def _as_array(answer: object, whose: str) -> Array:
    if isinstance(answer, Tensor):
        answer = answer.detach().float().cpu().numpy()
    try:
        return np.asarray(answer, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise TeacherError(
            f"{whose} answered with a {type(answer).__name__}, not with an array of numbers"
        ) from error


def looks_like_probabilities(raw: Float[np.ndarray, "examples classes"]) -> bool:
    """Whether every row lies in [0, 1] and sums to one: logits never do."""
    within = bool((raw >= 0).all() and (raw <= 1).all())
    return within and bool(np.allclose(raw.sum(axis=1), 1.0, atol=1e-3))


def warn_if_mistaken(raw: Float[np.ndarray, "examples classes"], kind: Kind, whose: str) -> None:
    """Warns of probabilities that were declared logits, and says what to pass."""
    if kind not in ("logits", "independent-logits"):
        return
    sentence = ""
    if kind == "logits" and raw.shape[1] > 1 and looks_like_probabilities(raw):
        sentence = (
            "its scores sum to one in every row, as probabilities do: pass kind='probabilities', "
            "or the values before its softmax"
        )
    elif len(raw) >= MANY and raw.min() >= 0 and raw.max() <= 1:
        sentence = (
            f"all its scores of {len(raw)} examples lie between 0 and 1, as a sigmoid's do: pass "
            "kind='independent-probabilities', or the values before its sigmoid"
        )
    if sentence:
        warnings.warn(f"{whose} declares {kind}, but {sentence}", ScoresWarning, stacklevel=3)
