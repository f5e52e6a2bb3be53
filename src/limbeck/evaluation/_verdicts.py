"""The questions that a report answers in sentences."""

from collections.abc import Mapping
from typing import Any

from limbeck.metrics import Title, is_number, title_of

Document = Mapping[str, Any]


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
    side, shown = "lower" if found["difference"] < 0 else "higher", title_of(metric)
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


def _interval(found: Mapping[str, Any], shown: Title = Title("", 100, 2)) -> str:
    bounds = f"95 % interval {shown.number(found['low'])} to {shown.number(found['high'])}"
    return f"({'; '.join(filter(None, [bounds, found.get('test', '')]))})"
