"""Titles and units of the metrics, and the questions a report answers about them in sentences."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
Number = int | float  # to beartype an int is no float


@dataclass(frozen=True)
class Measure:
    """How a metric is shown: its title with the unit, times what, how many digits, how read."""

    title: str
    scale: Number = 1
    digits: int = 4
    reading: str = "higher is better"

    def number(self, value: Number) -> str:
        """The value in the unit of the title."""
        return f"{value * self.scale:,.{self.digits if abs(value) < 100 else 1}f}"


MEASURES = {
    "accuracy": Measure("accuracy, %", 100, 2),
    "errors": Measure("errors", digits=1),
    "macro_f1": Measure("macro-F1"),
    "auc": Measure("AUC"),
    "average_precision": Measure("average precision"),
    "nll_nats": Measure("negative log-likelihood, nats"),
    "ece": Measure("calibration error, %", 100, 2),
    "agreement": Measure("agreement with reference, %", 100, 2),
    "agreement_kappa": Measure("agreement, kappa"),
    "agreement_on_reference_errors": Measure("agreement on reference errors, %", 100, 2),
    "subset_accuracy": Measure("every column right, %", 100, 2),
    "micro_f1": Measure("micro-F1"),
    "log_loss_nats": Measure("log loss, nats a column", reading="lower is better"),
    "rmse": Measure("root mean squared error", reading="lower is better"),
    "mae": Measure("mean absolute error", reading="lower is better"),
    "r2": Measure("R2"),
    "rmse_from_reference": Measure("RMSE from reference", reading="lower is closer"),
    "mae_from_reference": Measure("MAE from reference", reading="lower is closer"),
    "r2_from_reference": Measure("R2 of reference"),
    "cosine_similarity": Measure("cosine similarity to reference"),
    "l2_distance": Measure("distance from reference", reading="lower is closer"),
    "neighbour_agreement": Measure("10 nearest neighbours shared with reference, %", 100, 2),
    "kl_nats": Measure("KL from reference, nats", reading="lower is closer"),
}


# As figures, where they were measured.
DRAWN = ("accuracy", "subset_accuracy", "agreement", "kl_nats", "rmse", "rmse_from_reference",
         "cosine_similarity", "neighbour_agreement")  # fmt: skip


def measure_of(name: str) -> Measure:
    """How that metric is shown; one of your own under its name."""
    return MEASURES.get(name) or Measure(name)


def is_number(value: object) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)


def _verdict(document: Document) -> tuple[str, str, str]:
    """Question, answer and reason: did distillation help?"""
    found = document["verdict"]
    count = found.get("n", document["examples"]["n"])  # of which some may have no label
    reason = found.get("why", "there is no control to compare with").rstrip(".")
    if is_number(found.get("difference")):
        reason = _compared(found, count)
        if found["answer"] == "no":
            reason = f"it is worse: {reason}"
        if found["answer"] == "undecided" and found["low"] <= 0 <= found["high"]:
            reason += ", and the interval includes zero"
    return "Did distillation help?", found["answer"], reason


def _compared(found: Mapping[str, Any], count: int) -> str:
    """The student against its control, by the metric that decides."""
    than = f"{count:,} test examples than the same net trained on labels"
    how = {"accuracy": "right", "subset_accuracy": "right in every column"}
    metric = found.get("metric", "accuracy")
    if metric in how:
        side = "fewer" if found["difference"] < 0 else "more"
        points = f"{abs(found['difference']) * 100:.2f} percentage points {side}"
        return f"the student is {how[metric]} on {points} of {than} {_interval(found)}"
    side, shown = "lower" if found["difference"] < 0 else "higher", measure_of(metric)
    title, size = shown.title, shown.number(abs(found["difference"]))
    return f"the student's {title} is {size} {side} on {than} {_interval(found, shown)}"


def _within_margin(document: Document) -> tuple[str, str, str]:
    """Question, answer and reason of the second verdict."""
    found, other = document["within_margin"], document.get("reference") or "teacher"
    question = f"Is the student within {found['margin'] * 100:.2f} points of the {other}?"
    reason = found.get("why", "it was not measured").rstrip(".")
    if is_number(found.get("difference")):
        side = "below" if found["difference"] < 0 else "above"
        points = f"{abs(found['difference']) * 100:.2f} percentage points {side}"
        right = "share of examples with every column right" if found.get("metric") else "accuracy"
        reason = f"its {right} is {points} the {other}'s {_interval(found)}"
    return question, found["answer"], reason


def verdicts(document: Document) -> list[tuple[str, str, str]]:
    """Question, answer and reason of each verdict."""
    second = [_within_margin(document)] if document.get("within_margin") else []
    return [_verdict(document), *second]


def _interval(found: Mapping[str, Any], shown: Measure = Measure("", 100, 2)) -> str:
    bounds = f"95 % interval {shown.number(found['low'])} to {shown.number(found['high'])}"
    return f"({'; '.join(filter(None, [bounds, found.get('test', '')]))})"
