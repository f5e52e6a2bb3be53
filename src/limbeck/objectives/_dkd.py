"""DKD: the label against the rest, and the rest among themselves."""

from dataclasses import dataclass

from torch import Tensor

from limbeck.errors import InputError, LabelsError
from limbeck.examples import Batch
from limbeck.objectives import losses
from limbeck.objectives._objective import Objective
from limbeck.objectives._reductions import check_temperature, check_weights, hard_part, over_scored


@dataclass(frozen=True)
class DKD(Objective):
    """Soft targets in two parts with weights of their own: the label's class, and the rest.

    Zhao et al. 2022, arXiv:2203.08679. `alpha` weighs the label's class against all others,
    `beta` the distribution among the others, which plain soft targets weigh by 1 - p(label) and
    so leave out where the teacher is sure. Both carry T^2. Defaults are those of the authors'
    code for CIFAR-100 (beta from 0.5 to 8 by pair, 0.5 at T = 1 on ImageNet). Over the first
    `warmup` of all steps both parts rise linearly: 0.08 is about their 20 of 240 epochs.

    Rows without a label or without scores add nothing to them. It is defined for one label an
    example and refuses the mixed labels of a mixing view.
    """

    alpha: float = 1.0
    beta: float = 8.0
    temperature: float = 4.0
    hard_weight: float = 1.0
    warmup: float = 0.08
    needs_scores = True
    vectorizes = True
    needs_labels = True

    def __post_init__(self) -> None:
        check_temperature(self, self.temperature)
        check_weights(self, self.alpha, self.beta, self.hard_weight)
        if not 0 <= self.warmup < 1:
            raise InputError(f"DKD: a warm-up is 0 or more and below 1, not {self.warmup}")

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"label": ..., "rest": ...}` and, where weighted, `{"hard": ...}`, in nats.

        Raises:
            LabelsError: the labels are mixed.
        """
        if batch.labels.dim() == 2:
            raise LabelsError(
                "DKD needs one label for each example, and this view mixes them: "
                "take a view that does not mix, or SoftTargets"
            )
        arguments = (output, batch.scores, batch.labels, self.temperature)
        risen = self._risen(batch)
        return {
            "label": risen * self.alpha * over_scored(losses.label_versus_rest(*arguments), batch),
            "rest": risen * self.beta * over_scored(losses.among_the_rest(*arguments), batch),
            **hard_part(self.hard_weight, output, batch),
        }

    def _risen(self, batch: Batch) -> float:
        rising = self.warmup * batch.steps
        return min(1.0, (batch.step + 1) / rising) if rising else 1.0
