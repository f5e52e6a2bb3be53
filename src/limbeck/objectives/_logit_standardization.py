"""LogitStandardization: soft targets of z-scored logits."""

from dataclasses import dataclass

from torch import Tensor

from limbeck.examples import Batch
from limbeck.objectives import losses
from limbeck.objectives._objective import Objective
from limbeck.objectives._reductions import check_temperature, check_weights, hard_part, over_scored


@dataclass(frozen=True)
class LogitStandardization(Objective):
    """`T^2 KL` of z-scored logits: each example's logits less their mean, over their deviation.

    Sun et al. 2024, arXiv:2403.01427. The student is asked for the order and the relative size
    of the teacher's logits, not for their scale. Defaults are those of the authors' code: base
    temperature 2 (3 to 4 for some pairs), weight 9 (6 to 18), labels 0.1. What the student says
    of its own certainty is then hardly taught: look at its calibration.
    """

    temperature: float = 2.0
    soft_weight: float = 9.0
    hard_weight: float = 0.1
    needs_scores = True
    vectorizes = True

    def __post_init__(self) -> None:
        check_temperature(self, self.temperature)
        check_weights(self, self.soft_weight, self.hard_weight)

    @property
    def needs_labels(self) -> bool:
        """Whether the hard part is weighted."""
        return self.hard_weight > 0

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"soft": ...}` and, where weighted, `{"hard": ...}`, in nats."""
        rows = losses.standardized_rows(output), losses.standardized_rows(batch.scores)
        per_example = losses.soft_targets(*rows, self.temperature)
        soft = self.soft_weight * over_scored(per_example, batch)
        return {"soft": soft, **hard_part(self.hard_weight, output, batch)}
