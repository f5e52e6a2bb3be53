"""Votes: the class that a teacher names."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from limbeck.errors import InputError
from limbeck.examples import Batch
from limbeck.objectives import losses
from limbeck.objectives._objective import Objective
from limbeck.objectives._reductions import over_scored
from limbeck.scores import Kind


@dataclass(frozen=True)
class Votes(Objective):
    """Cross-entropy with the votes of a teacher that names a class and says no more.

    A vote is a label from another hand: what it teaches beyond labels is where the labels are
    missing or wrong. `smoothing` is the share of each vote that goes evenly to all classes.
    """

    smoothing: float = 0.0
    kinds: ClassVar[tuple[Kind, ...]] = ("votes",)
    needs_scores = True
    needs_labels = False
    vectorizes = True

    def __post_init__(self) -> None:
        if not 0 <= self.smoothing < 1:
            raise InputError(f"Votes: smoothing is 0 or more and below 1, not {self.smoothing}")

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"votes": ...}`, in nats."""
        return {"votes": over_scored(losses.votes(output, batch.scores, self.smoothing), batch)}
