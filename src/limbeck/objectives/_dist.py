"""DIST: correlations between classes and between examples."""

from dataclasses import dataclass

from torch import Tensor

from limbeck.examples import Batch
from limbeck.objectives import losses
from limbeck.objectives._objective import Objective
from limbeck.objectives._reductions import check_temperature, check_weights, hard_part, over_scored


@dataclass(frozen=True)
class DIST(Objective):
    """One less the correlation of the probabilities, along each row and down each column.

    Huang et al. 2022, arXiv:2205.10536: relations between classes within an example (inter) and
    between examples within a class (intra), for teachers much stronger than the student. All
    weights are 1, as in the paper. Both parts are means: over rows, and over classes times the
    share of rows that have scores. The temperature is not squared (see `losses.rows_apart`).
    """

    inter_weight: float = 1.0
    intra_weight: float = 1.0
    temperature: float = 1.0
    hard_weight: float = 1.0
    needs_scores = True
    vectorizes = True

    def __post_init__(self) -> None:
        check_temperature(self, self.temperature)
        check_weights(self, self.inter_weight, self.intra_weight, self.hard_weight)

    @property
    def needs_labels(self) -> bool:
        """Whether the hard part is weighted."""
        return self.hard_weight > 0

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"inter": ..., "intra": ...}` and, where weighted, `{"hard": ...}`, in nats."""
        rows = losses.rows_apart(output, batch.scores, self.temperature)
        columns = losses.columns_apart(output, batch.scores, batch.is_scored, self.temperature)
        share = batch.is_scored.to(columns.dtype).mean()
        return {
            "inter": self.inter_weight * over_scored(rows, batch),
            "intra": self.intra_weight * columns.mean() * share,
            **hard_part(self.hard_weight, output, batch),
        }
