"""Bars a student has to clear: `agreement>=0.97`, `accuracy>=teacher-0.005`, `verdict=yes`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from limbeck.errors import InputError
from limbeck.runtime import did_you_mean

# What is one number without an interval.
PLAIN = ("parameters", "bytes", "operations", "latency_p50_ms", "latency_p95_ms",
         "throughput_per_second")  # fmt: skip
ANSWERS = ("yes", "no", "undecided")

_FORM = re.compile(
    r"\s*(?P<metric>\w+)\s*(?P<sign>>=|<=|=)\s*"
    r"(?:(?P<row>[A-Za-z_]\w*)\s*(?P<offset>[+-]\s*[\d.eE-]+)?|(?P<number>-?[\d.]+(?:[eE]-?\d+)?))\s*"
)


@dataclass(frozen=True)
class Measured:
    """What was found for a bar: the two ends of an interval, or an answer."""

    low: float = 0.0
    high: float = 0.0
    answer: str = ""

    @classmethod
    def of(cls, row: Mapping[str, Any], metric: str) -> "Measured | None":
        """The metric of a report's row; None where it was not measured."""
        if metric in row["metrics"]:
            entry = row["metrics"][metric]
            return cls(entry["low"], entry["high"])
        plain = {
            **{k: row.get(k) for k in PLAIN},
            "latency_p50_ms": row.get("latency_ms", {}).get("p50"),
            "latency_p95_ms": row.get("latency_ms", {}).get("p95"),
        }
        value = plain.get(metric)
        return None if value is None else cls(value, value)


@dataclass(frozen=True)
class Requirement:
    """A bar, as it was written and as it is meant.

    Attributes:
        bound: the number on the right; beside a row, the offset from it.
        row: the row it is held against, or "".
        answer: the verdict asked for, or "".
    """

    text: str
    metric: str
    sign: str
    bound: float = 0.0
    row: str = ""
    answer: str = ""

    @classmethod
    def parse(cls, text: str, metrics: Sequence[str]) -> "Requirement":
        """The bar in a text.

        Raises:
            InputError: it cannot be read, or names no metric.
        """
        match = _FORM.fullmatch(text)
        if not match:
            raise InputError(
                f"the requirement {text!r} cannot be read; write one like agreement>=0.97, "
                "accuracy>=teacher-0.005 or verdict=yes"
            )
        metric, sign, row = match["metric"], match["sign"], match["row"] or ""
        if metric == "verdict":
            return cls._of_verdict(text, sign, row)
        names = (*metrics, *PLAIN, "verdict")
        if metric not in names:
            raise InputError(
                f"the requirement {text!r} names no metric; {did_you_mean(metric, names)}"
            )
        if sign == "=":
            raise InputError(f"the requirement {text!r} needs >= or <=; = is for the verdict")
        bound = (match["offset"] or "0").replace(" ", "") if row else match["number"]
        return cls(text, metric, sign, _number(text, bound), row)

    @classmethod
    def _of_verdict(cls, text: str, sign: str, answer: str) -> "Requirement":
        if sign != "=" or answer not in ANSWERS:
            raise InputError(f"the requirement {text!r} is one of verdict={'|'.join(ANSWERS)}")
        return cls(text, "verdict", sign, answer=answer)

    def judged(self, measured: Measured | None) -> dict[str, Any]:
        """Whether the bar is met, by the worse end of what was measured, and that in words."""
        if measured is None:
            return {"text": self.text, "met": False, "measured": "not measured"}
        if self.answer:
            met = measured.answer == self.answer
            return {"text": self.text, "met": met, "measured": f"the verdict is {measured.answer}"}
        worse = measured.low if self.sign == ">=" else measured.high
        met = worse >= self.bound if self.sign == ">=" else worse <= self.bound
        versus = f" against {self.row}" if self.row else ""
        sentence = f"{self.metric}{versus} is {worse:.6g} at the interval's worse end"
        return {"text": self.text, "met": met, "measured": sentence}


def _number(text: str, number: str) -> float:
    try:
        return float(number)
    except ValueError as error:
        raise InputError(f"the requirement {text!r} ends in {number!r}, not in a number") from error
