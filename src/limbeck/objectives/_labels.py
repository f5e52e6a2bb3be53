"""Labels: hard labels, which is what a control is trained on."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from torch import Tensor

from limbeck.errors import InputError
from limbeck.examples import Batch
from limbeck.objectives._objective import Objective
from limbeck.objectives._reductions import of_labels
from limbeck.scores import OF_ONE_SOFTMAX, Kind

LabelsForm = Literal["", "standardized"]


@dataclass(frozen=True)
class Labels(Objective):
    """What the labels ask for: how teachers and controls are trained.

    Cross-entropy with classes; with a 0 or 1 for each column the binary one, summed over columns;
    with real values half the squared distance, as `MatchLogits` has it. The form "standardized" is
    for values alone: each output's error is divided by the deviation of its labels, and the student
    keeps the scale and shift.
    """

    form: LabelsForm | str = ""
    needs_scores = False
    needs_labels = True
    vectorizes = True

    def __post_init__(self) -> None:
        if self.form not in get_args(LabelsForm):
            raise InputError(f"Labels has no form {self.form!r}; known is 'standardized'")

    @property
    def standardizes(self) -> bool:
        """Whether the student's output is to be scaled to the labels' mean and deviation."""
        return self.form == "standardized"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """All that labels are of; standardized, values alone."""
        every: tuple[Kind, ...] = (*OF_ONE_SOFTMAX, "votes", "independent-logits", "values")
        return ("values",) if self.standardizes else every

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"labels": ...}`, in nats; of values in their squared units (or of their deviation)."""
        if self.standardizes:
            scaled = replace(batch, labels=batch.labels / batch.scale)
            return {"labels": of_labels(output / batch.scale, scaled)}
        return {"labels": of_labels(output, batch)}
