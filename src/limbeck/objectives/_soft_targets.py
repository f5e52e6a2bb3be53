"""SoftTargets: softened probabilities at a temperature, as in Hinton et al. 2015."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from limbeck.errors import InputError
from limbeck.examples import Batch
from limbeck.objectives import losses
from limbeck.objectives._objective import Objective
from limbeck.objectives._reductions import of_labels, over_scored
from limbeck.scores import OF_ONE_SOFTMAX, Kind


@dataclass(frozen=True)
class SoftTargets(Objective):
    """`T^2 KL(teacher || student)` at temperature T, plus the labels at temperature 1 if weighted.

    Hinton, Vinyals & Dean 2015, section 2, arXiv:1503.02531: the weight of the labels is best
    "considerably lower" than that of the soft part, here 1. Only labelled rows enter the hard part.
    Of independent logits both parts are sums over columns, each with a sigmoid of its own.
    """

    temperature: float = 4.0
    hard_weight: float = 0.0
    kinds: ClassVar[tuple[Kind, ...]] = (*OF_ONE_SOFTMAX, "independent-logits")
    needs_scores = True
    vectorizes = True

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise InputError(f"SoftTargets: a temperature is above 0, not {self.temperature}")
        if self.hard_weight < 0:
            raise InputError(f"SoftTargets: a weight is 0 or more, not {self.hard_weight}")

    @property
    def needs_labels(self) -> bool:
        """Whether the hard part is weighted."""
        return self.hard_weight > 0

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"soft": ...}` and, where weighted, `{"hard": ...}`, in nats."""
        is_apart = batch.kind == "independent-logits"
        loss = losses.binary_soft_targets if is_apart else losses.soft_targets
        parts = {"soft": over_scored(loss(output, batch.scores, self.temperature), batch)}
        if self.hard_weight > 0:
            parts["hard"] = self.hard_weight * of_labels(output, batch)
        return parts
