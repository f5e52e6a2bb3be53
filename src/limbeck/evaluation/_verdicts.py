"""The questions that a report answers in sentences."""

from collections.abc import Mapping
from typing import Any

from limbeck.metrics import Title, is_number, title_of

Document = Mapping[str, Any]


def _verdict(document: Document) -> tuple[str, str, str]:
    """Question, answer and reason: did distillation help?"""
    verdict = document["verdict"]
    count = verdict.get("n", document["examples"]["n"])  # of which some may have no label
    reason = verdict.get("why", "there is no control to compare with").rstrip(".")
    if is_number(verdict.get("difference")):
        reason = _compared(verdict, count)
        if verdict["answer"] == "undertrained":
            reason = f"{verdict['why']} (so far {reason})"
        if verdict["answer"] == "no":
            reason = f"it is worse: {reason}"
        if verdict["answer"] == "undecided" and verdict["low"] <= 0 <= verdict["high"]:
            reason += ", and the interval includes zero"
    return "Did distillation help?", verdict["answer"], reason


def _compared(verdict: Mapping[str, Any], count: int) -> str:
    """The student against its control, by the metric that decides."""
    than = f"{count:,} test examples than the same net trained on labels"
    how = {"accuracy": "right", "subset_accuracy": "right in every column"}
    metric = verdict.get("metric", "accuracy")
    if metric in how:
        side = "fewer" if verdict["difference"] < 0 else "more"
        points = f"{abs(verdict['difference']) * 100:.2f} percentage points {side}"
        return f"the student is {how[metric]} on {points} of {than} {_interval(verdict)}"
    side, shown = "lower" if verdict["difference"] < 0 else "higher", title_of(metric)
    title, size = shown.title, shown.number(abs(verdict["difference"]))
    return f"the student's {title} is {size} {side} on {than} {_interval(verdict, shown)}"


def _within_margin(document: Document) -> tuple[str, str, str]:
    """Question, answer and reason of the second verdict."""
    verdict, other = document["within_margin"], document.get("reference") or "teacher"
    question = f"Is the student within {verdict['margin'] * 100:.2f} points of the {other}?"
    reason = verdict.get("why", "it was not measured").rstrip(".")
    if is_number(verdict.get("difference")):
        side = "below" if verdict["difference"] < 0 else "above"
        points = f"{abs(verdict['difference']) * 100:.2f} percentage points {side}"
        right = "share of examples with every column right" if verdict.get("metric") else "accuracy"
        reason = f"its {right} is {points} the {other}'s {_interval(verdict)}"
    return question, verdict["answer"], reason


def verdicts(document: Document) -> list[tuple[str, str, str]]:
    """Question, answer and reason of each verdict."""
    second = [_within_margin(document)] if document.get("within_margin") else []
    return [_verdict(document), *second]


def _interval(verdict: Mapping[str, Any], shown: Title = Title("", 100, 2)) -> str:
    bounds = f"95 % interval {shown.number(verdict['low'])} to {shown.number(verdict['high'])}"
    return f"({'; '.join(filter(None, [bounds, verdict.get('test', '')]))})"
