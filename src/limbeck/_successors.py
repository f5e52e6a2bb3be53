"""LogitStandardisation, DIST, DKD: objectives that came after soft targets, with evidence."""

from dataclasses import dataclass

from torch import Tensor

from limbeck import losses
from limbeck._calls import text_of
from limbeck._rows import cross_entropy, over_scored
from limbeck.errors import InputError, LabelsError
from limbeck.examples import Batch


@dataclass(frozen=True)
class LogitStandardisation:
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
    vectorises = True

    def __post_init__(self) -> None:
        _check_temperature(self, self.temperature)
        _check_weights(self, self.soft_weight, self.hard_weight)

    @property
    def needs_labels(self) -> bool:
        """Whether the hard part is weighted."""
        return self.hard_weight > 0

    @property
    def text(self) -> str:
        """The call that makes it again."""
        return text_of("LogitStandardisation", self)

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"soft": ...}` and, where weighted, `{"hard": ...}`, in nats."""
        rows = losses.standardised_rows(output), losses.standardised_rows(batch.scores)
        per_example = losses.soft_targets(*rows, self.temperature)
        soft = self.soft_weight * over_scored(per_example, batch)
        return {"soft": soft, **_hard(self.hard_weight, output, batch)}


@dataclass(frozen=True)
class DIST:
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
    vectorises = True

    def __post_init__(self) -> None:
        _check_temperature(self, self.temperature)
        _check_weights(self, self.inter_weight, self.intra_weight, self.hard_weight)

    @property
    def needs_labels(self) -> bool:
        """Whether the hard part is weighted."""
        return self.hard_weight > 0

    @property
    def text(self) -> str:
        """The call that makes it again."""
        return text_of("DIST", self)

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"inter": ..., "intra": ...}` and, where weighted, `{"hard": ...}`, in nats."""
        rows = losses.rows_apart(output, batch.scores, self.temperature)
        columns = losses.columns_apart(output, batch.scores, batch.is_scored, self.temperature)
        share = batch.is_scored.to(columns.dtype).mean()
        return {
            "inter": self.inter_weight * over_scored(rows, batch),
            "intra": self.intra_weight * columns.mean() * share,
            **_hard(self.hard_weight, output, batch),
        }


@dataclass(frozen=True)
class DKD:
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
    vectorises = True
    needs_labels = True

    def __post_init__(self) -> None:
        _check_temperature(self, self.temperature)
        _check_weights(self, self.alpha, self.beta, self.hard_weight)
        if not 0 <= self.warmup < 1:
            raise InputError(f"DKD: a warm-up is 0 or more and below 1, not {self.warmup}")

    @property
    def text(self) -> str:
        """The call that makes it again."""
        return text_of("DKD", self)

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
        given = (output, batch.scores, batch.labels, self.temperature)
        risen = self._risen(batch)
        return {
            "label": risen * self.alpha * over_scored(losses.label_versus_rest(*given), batch),
            "rest": risen * self.beta * over_scored(losses.among_the_rest(*given), batch),
            **_hard(self.hard_weight, output, batch),
        }

    def _risen(self, batch: Batch) -> float:
        rising = self.warmup * batch.steps
        return min(1.0, (batch.step + 1) / rising) if rising else 1.0


def _hard(weight: float, output: Tensor, batch: Batch) -> dict[str, Tensor]:
    return {"hard": weight * cross_entropy(output, batch)} if weight > 0 else {}


def _check_temperature(objective: object, temperature: float) -> None:
    if not temperature > 0:
        name = type(objective).__name__
        raise InputError(f"{name}: a temperature is above 0, not {temperature}")


def _check_weights(objective: object, *weights: float) -> None:
    for weight in weights:
        if not weight >= 0:
            raise InputError(f"{type(objective).__name__}: a weight is 0 or more, not {weight}")
