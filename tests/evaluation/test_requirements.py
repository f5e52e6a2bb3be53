"""Bars are met by the worse end of the interval alone, and a missing number misses them."""

import pytest

from limbeck.errors import InputError
from limbeck.evaluation import Requirement
from limbeck.evaluation._requirements import Measured

METRICS = ["accuracy", "errors", "agreement"]


def judged(text: str, measured: Measured | None) -> bool:
    return Requirement.parse(text, METRICS).judged(measured)["met"]


def test_a_bar_is_met_by_the_worse_end_alone():
    found = Measured(0.96, 0.98)
    assert judged("agreement>=0.96", found)
    assert not judged("agreement>=0.97", found)
    assert judged("errors<=75", Measured(50, 75))
    assert not judged("errors<=75", Measured(50, 75.1))


def test_a_bar_beside_a_row_is_about_the_difference():
    parsed = Requirement.parse("accuracy >= teacher - 0.005", METRICS)
    assert (parsed.metric, parsed.row, parsed.bound) == ("accuracy", "teacher", -0.005)
    assert parsed.judged(Measured(-0.004, 0.01))["met"]
    assert not parsed.judged(Measured(-0.006, 0.01))["met"]
    assert Requirement.parse("accuracy>=teacher", METRICS).bound == 0
    assert Requirement.parse("errors<=control+1e1", METRICS).bound == 10


def test_the_verdict_can_be_asked_for():
    assert judged("verdict=yes", Measured(answer="yes"))
    assert not judged("verdict=yes", Measured(answer="undecided"))


def test_what_was_not_measured_misses_the_bar():
    result = Requirement.parse("agreement>=0.1", METRICS).judged(None)
    assert result == {"text": "agreement>=0.1", "met": False, "measured": "not measured"}


def test_size_and_speed_can_be_asked_for():
    row = {"metrics": {}, "parameters": 50, "latency_ms": {"p50": 0.1, "p95": 0.4}}
    assert judged("parameters<=50", Measured.of(row, "parameters"))
    assert not judged("latency_p95_ms<=0.3", Measured.of(row, "latency_p95_ms"))
    assert Measured.of(row, "bytes") is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("accuracy", "cannot be read; write one like agreement>=0.97"),
        ("acuracy>=0.9", "names no metric; did you mean 'accuracy'"),
        ("accuracy=0.9", "needs >= or <=; = is for the verdict"),
        ("verdict>=yes", "is one of verdict=yes|no|undecided"),
        ("verdict=maybe", "is one of verdict=yes|no|undecided"),
        ("accuracy>=0.9.1", "ends in '0.9.1', not in a number"),
    ],
)
def test_a_bar_that_cannot_be_read_is_refused(text, sentence):
    with pytest.raises(InputError, match=sentence.replace("|", r"\|")):
        Requirement.parse(text, METRICS)
