"""Dense | TopK | Sampled: what a teacher said, and picking rows of it."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import expit, log_expit, log_softmax
from torch import Tensor

from limbeck._engine import tensor
from limbeck._votes import one_hot
from limbeck.errors import InputError, ScoresWarning, TeacherError
from limbeck.examples import Array, Examples

Kind = Literal[
    "logits",  # of one softmax: an offset of a row changes nothing
    "independent-logits",  # one sigmoid a column: multi-label, or a one-column binary output
    "log-probabilities",
    "probabilities",
    "values",  # regression
    "embeddings",
    "votes",  # a class and no more: rows with a single 1
]
KINDS: tuple[Kind, ...] = get_args(Kind)
SOFTMAX_KINDS: tuple[Kind, ...] = ("logits", "log-probabilities")
OF_ONE_SOFTMAX: tuple[Kind, ...] = (*SOFTMAX_KINDS, "probabilities")


def answered_with(kind: Kind) -> Kind:
    """What a student answers with who learns scores of that kind: of one softmax, logits."""
    return "logits" if kind in (*OF_ONE_SOFTMAX, "votes") else kind


Width = Literal["float16", "float32"]
WIDTHS: tuple[Width, ...] = get_args(Width)

# The least probability whose logarithm is learnt: a smaller one, and 0, counts as this. They are
# kept as float32 below a maximum of up to 1, to within 6e-8, so a logarithm of less would be off by
# more than 0.06; and few counts of votes say less. To a row it adds at most this much a class: at
# temperature 1 a thousand classes of probability 0 take 0.1 % from the others. At temperature T one
# of them weighs FLOOR^(1/T) beside a sure class: 0.001 at 2, 0.03 at 4.
FLOOR = 1e-6

SUM_TOLERANCE = 1e-3  # how far the probabilities of a row may be from summing to one
OUTSIDE = 1e-6  # how far rounding may take a probability below 0 or above 1

# The largest distance below the row's maximum that float16 holds with room to spare;
# e^-60000 is 0 in every float type, so clamping changes no probability.
LOWEST = -60000.0


@dataclass(frozen=True, eq=False)
class Dense:
    """Scores of every class, stored narrow: `values + maximum` is what the teacher said.

    Attributes:
        values: `(examples, classes)` float16 or float32, each row's maximum subtracted.
        maximum: `(examples,)` float32, so that raw logits come back.
    """

    values: Array
    maximum: Array

    @classmethod
    def of(cls, raw: Float[np.ndarray, "examples classes"], width: Width) -> "Dense":
        """Float32 scores in the width asked for."""
        maximum = raw.max(axis=1).astype(np.float32)
        lowered = raw - maximum[:, None]
        if width == "float16":
            lowered = np.maximum(lowered, LOWEST)
        return cls(lowered.astype(width), maximum)

    def __len__(self) -> int:
        return len(self.values)

    def raw(self) -> Float[np.ndarray, "examples classes"]:
        """The scores in float32, as the teacher gave them up to rounding."""
        # Widened first: nothing is ever computed in float16 on a CPU.
        return self.values.astype(np.float32) + self.maximum[:, None]


def default_width(kind: Kind) -> Width:
    """float16 where only differences matter; float32 for kinds whose own size matters."""
    return "float16" if kind in (*SOFTMAX_KINDS, "independent-logits", "votes") else "float32"


def check_kind(kind: str) -> Kind:
    """The kind, if it is one.

    Raises:
        InputError: it is not.
    """
    if kind not in KINDS:
        raise InputError(f"there is no kind of scores {kind!r}; known are {', '.join(KINDS)}")
    return kind


def check_classes(examples: Examples, classes: Sequence[str], kind: str, whose: str) -> None:
    """Refuses class names that are not those of the examples; an embedding's columns have none.

    Raises:
        MismatchError: they differ.
    """
    if kind != "embeddings":
        examples.check_classes(classes, whose)


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
    wanted = (len(keys), len(classes))
    if raw.shape != wanted:
        raise TeacherError(
            f"{whose} answered {len(keys)} examples with shape {raw.shape}; "
            f"{len(classes)} classes need {wanted}"
        )
    bad = ~np.isfinite(raw).all(axis=1)
    if kind == "log-probabilities":
        # A probability of exactly 0 is a legitimate answer; its log is stored as the lowest.
        bad = (
            np.isnan(raw).any(axis=1) | np.isposinf(raw).any(axis=1) | np.isneginf(raw).all(axis=1)
        )
        raw = np.maximum(raw, LOWEST)
    if bad.any():
        raise TeacherError(
            f"{whose} answered NaN or infinity for {int(bad.sum())} of {len(keys)} examples, "
            f"the first is {str(keys[bad][0])!r}"
        )
    if kind == "probabilities":
        _check_probabilities(raw, keys, whose)
    return raw


def _check_probabilities(raw: Array, keys: Array, whose: str) -> None:
    outside = ((raw < -OUTSIDE) | (raw > 1 + OUTSIDE)).any(axis=1)
    if outside.any():
        row, key = raw[outside][0], str(keys[outside][0])
        worst = row[np.abs(row - 0.5).argmax()]
        raise TeacherError(
            f"{whose} answered with {worst:.4g} among the probabilities of example {key!r}, and so "
            f"for {int(outside.sum())} of {len(keys)}: a probability lies between 0 and 1; is kind "
            "what it answers with?"
        )
    sums = raw.sum(axis=1, dtype=np.float64)
    wrong = np.abs(sums - 1) > SUM_TOLERANCE
    if wrong.any():
        raise TeacherError(
            f"{whose} answered with probabilities of example {str(keys[wrong][0])!r} that sum to "
            f"{sums[wrong][0]:.4g}, and so for {int(wrong.sum())} of {len(keys)}: those of one "
            "example sum to 1; is kind what it answers with?"
        )


def learnt_kind(kind: Kind) -> Kind:
    """What scores of that kind are once they are learnt: of probabilities, their logarithms."""
    return "log-probabilities" if kind == "probabilities" else kind


def as_learnt(raw: Array, kind: Kind) -> Array:
    """Scores as they are learnt: of probabilities `log(max(p, FLOOR))`, of others as they are."""
    return np.log(np.maximum(raw, FLOOR)) if kind == "probabilities" else raw


def check_width(kind: Kind, width: str, whose: str) -> None:
    """Refuses a width that the logarithms of small probabilities do not survive.

    Raises:
        InputError: it is float16, and they are probabilities.
    """
    if kind == "probabilities" and width == "float16":
        raise InputError(
            f"{whose} probabilities, and in float16 those below 0.0005 are lost: keep them in "
            "float32, which is the default"
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
    if kind == "logits" and raw.shape[1] > 1 and looks_like_probabilities(raw):
        warnings.warn(
            f"{whose} declares logits, but its scores sum to one in every row, as probabilities "
            "do: pass kind='probabilities', or the values before its softmax",
            ScoresWarning,
            stacklevel=3,
        )


def rounding_nats(raw: Array, stored: Dense, kind: Kind) -> Array:
    """KL in nats from what the teacher said to what is stored, `(examples,)`; 0 for other kinds.

    Of independent logits it is the sum of the columns'.
    """
    if kind == "independent-logits":
        apart = binary_divergence(raw.astype(np.float64), stored.raw().astype(np.float64))
        return np.asarray(apart.sum(axis=1))
    if kind not in SOFTMAX_KINDS:
        return np.zeros(len(raw))
    said = log_softmax(raw.astype(np.float64), axis=1)
    kept = log_softmax(stored.raw().astype(np.float64), axis=1)
    return np.asarray(np.maximum((np.exp(said) * (said - kept)).sum(axis=1), 0.0))


def binary_divergence(teacher: Array, student: Array) -> Array:
    """KL in nats of each column's two-sided outcome, from float64 logits of any one shape."""
    sides = [
        expit(sign * teacher) * (log_expit(sign * teacher) - log_expit(sign * student))
        for sign in (1, -1)
    ]
    return np.asarray(np.maximum(sides[0] + sides[1], 0.0))  # rounding can fall below zero


def as_tensor(raw: Array, device: torch.device) -> Float[Tensor, "examples classes"]:
    """Scores for training: float32, where the student computes."""
    return tensor(raw.astype(np.float32, copy=False)).to(device)
