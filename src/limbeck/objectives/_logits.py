"""MatchLogits and MatchProbabilities: squared differences, as in Ba & Caruana 2014."""

from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor

from limbeck.errors import InputError
from limbeck.examples import Batch
from limbeck.objectives import losses
from limbeck.objectives._objective import Objective
from limbeck.objectives._reductions import over_scored
from limbeck.scores import OF_ONE_SOFTMAX, Kind

LogitForm = Literal["raw", "centered", "standardized"]


@dataclass(frozen=True)
class MatchLogits(Objective):
    """Regression on the teacher's logits, `1/(2 batch) sum ||g(x) - z||^2`.

    Ba & Caruana 2014, section 2, arXiv:1312.6184. Forms: "raw" as there; "centered" leaves out the
    offset of a row, which no softmax sees; "standardized" divides each class's error by the
    deviation of that class's logit over the transfer set, and the student keeps the scale and
    shift (the paper's normalised targets).
    """

    form: LogitForm | str = "raw"
    needs_scores = True
    needs_labels = False
    vectorizes = True

    @property
    def standardizes(self) -> bool:
        """Whether the student's output is to be scaled to the scores' mean and deviation."""
        return self.form == "standardized"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """But for the centered form also those whose columns mean something each for itself."""
        apart: tuple[Kind, ...] = ("independent-logits", "values")
        return OF_ONE_SOFTMAX if self.form == "centered" else (*OF_ONE_SOFTMAX, *apart)

    def __post_init__(self) -> None:
        if self.form not in get_args(LogitForm):
            forms = ", ".join(get_args(LogitForm))
            raise InputError(f"MatchLogits has no form {self.form!r}; known are {forms}")

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"logits": ...}`, in squared units of the logits (or of their deviation)."""
        if self.form == "centered":
            per_example = losses.logits(losses.centered(output), losses.centered(batch.scores))
        elif self.form == "standardized":
            scale = batch.scale
            per_example = losses.logits(output / scale, batch.scores / scale)
        else:
            per_example = losses.logits(output, batch.scores)
        return {"logits": over_scored(per_example, batch)}


@dataclass(frozen=True)
class MatchProbabilities(Objective):
    """Regression on the teacher's probabilities, `1/(2 batch) sum ||q - p||^2`.

    Ba & Caruana's comparison, weaker than logits: it hardly sees the small probabilities.
    """

    needs_scores = True
    needs_labels = False
    vectorizes = True

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"probabilities": ...}`."""
        per_example = losses.probabilities(output, batch.scores)
        return {"probabilities": over_scored(per_example, batch)}
