"""Titles and units of the metrics, as reports and figures show them."""

import math
from dataclasses import dataclass

Number = int | float  # to beartype an int is no float


@dataclass(frozen=True)
class Title:
    """How a metric is shown: its title with the unit, times what, how many digits, how read."""

    title: str
    scale: Number = 1
    digits: int = 4
    reading: str = "higher is better"

    def number(self, value: Number) -> str:
        """The value in the unit of the title."""
        return f"{value * self.scale:,.{self.digits if abs(value) < 100 else 1}f}"


TITLES = {
    "accuracy": Title("accuracy, %", 100, 2),
    "errors": Title("errors", digits=1),
    "macro_f1": Title("macro-F1"),
    "auc": Title("AUC"),
    "average_precision": Title("average precision"),
    "nll_nats": Title("negative log-likelihood, nats"),
    "ece": Title("calibration error, %", 100, 2),
    "agreement": Title("agreement with reference, %", 100, 2),
    "agreement_kappa": Title("agreement, kappa"),
    "agreement_on_reference_errors": Title("agreement on reference errors, %", 100, 2),
    "subset_accuracy": Title("every column right, %", 100, 2),
    "micro_f1": Title("micro-F1"),
    "log_loss_nats": Title("log loss, nats a column", reading="lower is better"),
    "rmse": Title("root mean squared error", reading="lower is better"),
    "mae": Title("mean absolute error", reading="lower is better"),
    "r2": Title("R2"),
    "rmse_from_reference": Title("RMSE from reference", reading="lower is closer"),
    "mae_from_reference": Title("MAE from reference", reading="lower is closer"),
    "r2_from_reference": Title("R2 of reference"),
    "cosine_similarity": Title("cosine similarity to reference"),
    "l2_distance": Title("distance from reference", reading="lower is closer"),
    "neighbor_agreement": Title("10 nearest neighbours shared with reference, %", 100, 2),
    "kl_nats": Title("KL from reference, nats", reading="lower is closer"),
}


# As figures, where they were measured.
DRAWN = ("accuracy", "subset_accuracy", "agreement", "kl_nats", "rmse", "rmse_from_reference",
         "cosine_similarity", "neighbor_agreement")  # fmt: skip


def title_of(name: str) -> Title:
    """How that metric is shown; one of your own under its name."""
    return TITLES.get(name) or Title(name)


def is_number(value: object) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)
