"""The rule that says what to ship: the student, one of its rivals, or nothing yet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from limbeck.metrics import title_of

Part = Literal["teacher", "cheaper teacher", "baseline", "control", "student", "student int8"]
Answer = Literal["do not distil", "ship the student", "ship nothing yet"]
Row = Mapping[str, Any]

TEACHERS = ("teacher", "cheaper teacher")
PLAIN = ("baseline", "control")


@dataclass(frozen=True)
class Contender:
    """What the rule looks at in a row.

    Attributes:
        score: the metric, turned so that more is better.
        p50: milliseconds for one example; infinite where it was not timed.
        bytes: what it takes on disk; 0 where it is not known.
        ahead: the ends of the paired interval of the student's score minus this one's; `int8` is
            held against the seed it was made of. Where it could not be measured, all of it is
            above zero.
    """

    name: str
    part: Part
    score: float = 0.0
    p50: float = float("inf")
    bytes: int = 0
    ahead: tuple[float, float] = (float("inf"), float("inf"))

    @property
    def is_as_good(self) -> bool:
        """Whether the student was not seen to be better."""
        return self.ahead[0] <= 0


@dataclass(frozen=True)
class Decision:
    """What to ship, by which of the three rules; `ship` is the name of a row, or "" for nothing."""

    answer: Answer
    ship: str
    rule: int


def decide(contenders: Sequence[Contender], budget_ms: float, margin: float) -> Decision:
    """What to ship of these, among which there is a student.

    1. The teacher, else a cheaper teacher, within the budget that the student was not seen to be
       better than: there is nothing to distil for.
    2. Else the better of baseline and control that is within the budget and as good in the same
       sense: the teacher is not what makes the student good.
    3. Else the student; in int8 where that is smaller and at most the margin worse, by the worse
       end of the paired interval. A student slower than the budget is not shipped.
    """
    fitting = [one for one in contenders if one.p50 <= budget_ms]
    for rule, contender in ((1, _first(TEACHERS, fitting)), (2, _best(PLAIN, fitting))):
        if contender:
            return Decision("do not distil", contender.name, rule)
    student = next(one for one in contenders if one.part == "student")
    small = [one for one in fitting if _stands_in(one, student, margin)]
    for one in [*small, *(one for one in fitting if one is student)]:
        return Decision("ship the student", one.name, 3)
    return Decision("ship nothing yet", "", 3)


def _first(parts: Sequence[str], fitting: Sequence[Contender]) -> Contender | None:
    able = [one for part in parts for one in fitting if one.part == part and one.is_as_good]
    return able[0] if able else None


def _best(parts: Sequence[str], fitting: Sequence[Contender]) -> Contender | None:
    able = [one for one in fitting if one.part in parts and one.is_as_good]
    return max(able, key=lambda one: one.score, default=None)


def _stands_in(one: Contender, student: Contender, margin: float) -> bool:
    is_smaller = 0 < one.bytes < student.bytes
    return one.part == "student int8" and is_smaller and one.ahead[1] <= margin


def sentence(rows: Sequence[Row], decision: Decision, metric: str, budget_ms: float) -> str:
    """The decision in one sentence, with the figures that it was made by."""
    named = {row["name"]: row for row in rows}
    student = next(row for row in rows if row["part"] == "student")
    if decision.answer == "do not distil":
        chosen = named[decision.ship]
        return (
            f"Do not distil: ship {_figures(chosen, metric)}, within the {budget_ms:g} ms; "
            f"{_figures(student, metric)} is not better for sure, its {_words(metric)} is "
            f"{_ahead(chosen, metric)} than that of {chosen['name']}."
        )
    why = "; ".join(_reasons(rows, metric, budget_ms))
    if decision.answer == "ship nothing yet":
        return (
            f"Ship nothing yet: {_figures(student, metric)} is not within the {budget_ms:g} ms, "
            f"and no rival within it is as good: {why}."
        )
    chosen = named[decision.ship]
    loses = f", whose own {_words(metric)} is {_ahead(chosen, metric)}" * (chosen is not student)
    of = f" (made of {_figures(student, metric)}{loses})" * (chosen is not student)
    return (
        f"Ship {_figures(chosen, metric)}, within the {budget_ms:g} ms{of}: no rival within it is "
        f"as good: {why}."
    )


def _reasons(rows: Sequence[Row], metric: str, budget_ms: float) -> Iterator[str]:
    for row in rows:
        if row["part"] in ("student", "student int8"):
            continue
        p50 = row.get("latency_ms", {}).get("p50")
        if p50 is None:
            yield f"{_figures(row, metric)} is a table of scores and no model"
        elif p50 > budget_ms:
            yield f"{_figures(row, metric)} is slower"
        else:
            yield f"against {_figures(row, metric)} the student's is {_ahead(row, metric)}"


def _figures(row: Row, metric: str) -> str:
    """A row's name with what was measured of it."""
    return f"{row['name']} ({score(row, metric)}, {_time(row)}, {size(row)})"


def _words(metric: str) -> str:
    return title_of(metric).title.partition(", ")[0]


def score(row: Row, metric: str) -> str:
    """The metric with its interval, in words."""
    words, _, unit = title_of(metric).title.partition(", ")
    metric_of_row = row["metric"]
    if metric_of_row is None:
        return f"{words} not measured"
    mean, low, high = (_number(metric_of_row[key], metric) for key in ("mean", "low", "high"))
    return f"{words} {mean}{' ' * bool(unit)}{unit}, {low} to {high}"


def _number(value: float | None, metric: str) -> str:
    return "unbounded" if value is None else title_of(metric).number(value)


def _time(row: Row) -> str:
    latency = row.get("latency_ms")
    return f"p50 {latency['p50']:.3g} ms" if latency else "not timed"


def size(row: Row) -> str:
    """Bytes in words."""
    return f"{row['bytes']:,} bytes" if row["bytes"] else "bytes unknown"


def _ahead(row: Row, metric: str) -> str:
    """By how much the student is better than the row, in words."""
    gap = row["student_ahead"]
    if gap is None:
        return "not comparable"
    side = "better" if gap["difference"] >= 0 else "worse"
    ends = [_number(gap[key], metric) for key in ("low", "high")]
    return (
        f"{_number(abs(gap['difference']), metric)} {side} ({ends[0]} to {ends[1]} on "
        f"{gap['n']:,} test examples)"
    )
