"""Dense scores: a number for each example and class, in float16 or float32."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import expit, log_expit, log_softmax
from torch import Tensor

from limbeck.errors import InputError
from limbeck.examples import Array, tensor
from limbeck.scores._kinds import INDEPENDENT_KINDS, SOFTMAX_KINDS, Kind, as_learnt

Width = Literal["float16", "float32"]
WIDTHS: tuple[Width, ...] = get_args(Width)

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


def check_width(kind: Kind, width: str, whose: str) -> None:
    """Refuses a width that the logarithms of small probabilities do not survive.

    Raises:
        InputError: it is float16, and they are probabilities.
    """
    if kind.endswith("probabilities") and not kind.startswith("log") and width == "float16":
        raise InputError(
            f"{whose} {kind}, and in float16 those below 0.0005 are lost: keep them in "
            "float32, which is the default"
        )


def rounding_nats(raw: Array, stored: Dense, kind: Kind) -> Array:
    """KL in nats from what the teacher said to what is stored, `(examples,)`; 0 for other kinds.

    Of independent logits it is the sum of the columns'.
    """
    if kind in INDEPENDENT_KINDS:
        sides = (as_learnt(each.astype(np.float64), kind) for each in (raw, stored.raw()))
        apart = binary_divergence(*sides)
        return np.asarray(apart.sum(axis=1))
    if kind not in SOFTMAX_KINDS:
        return np.zeros(len(raw))
    exact = log_softmax(raw.astype(np.float64), axis=1)
    rounded = log_softmax(stored.raw().astype(np.float64), axis=1)
    return np.asarray(np.maximum((np.exp(exact) * (exact - rounded)).sum(axis=1), 0.0))


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
