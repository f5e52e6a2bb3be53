"""A student or control that was still learning when it was stopped is no evidence."""

from pathlib import Path

import pytest
from worlds import CLASSES, blobs, rule

import limbeck
from limbeck import Plan, Run, objectives, students, teachers
from limbeck.evaluation._undertrained import STEEP, _fall, undertrained
from limbeck.training import LEAST_STEPS

TEST = blobs(200, seed=1, name="test")


def run_of(place: Path, epochs: int) -> Run:
    scores = limbeck.score(teachers.function(rule, CLASSES), blobs(200), to=place / "scores")
    plan = Plan(epochs=epochs, batch=32)
    return limbeck.train(
        students.mlp([16]), scores, objectives.SoftTargets(2), to=place / f"run-{epochs}", plan=plan
    )


def test_no_verdict_while_the_loss_still_falls(tmp_path: Path) -> None:
    short = limbeck.evaluate({"student": run_of(tmp_path, 6)}, TEST)
    assert short.verdict["answer"] == "undertrained"
    why = str(short.verdict["why"])
    assert "the student's training loss fell by" in why
    assert "and the control's training loss fell by" in why
    assert "in the second half of 36 steps" in why
    assert "train longer (epochs) before comparing" in why
    head, _, table = short.to_markdown().partition("| ")
    assert "Did distillation help? Undertrained: the student's training loss" in head  # above
    assert "accuracy" in table
    asked = limbeck.evaluate({"student": run_of(tmp_path, 6)}, TEST, require=["verdict=yes"])
    [bar] = asked.document["requirements"]
    assert (bar["met"], bar["measured"]) == (False, "the verdict is undertrained")


def test_the_default_plan_trains_to_the_end(tmp_path: Path) -> None:
    run = run_of(tmp_path, 0)
    assert run.history(0)[-1]["step"] >= LEAST_STEPS
    assert undertrained({"student": run, "control": run.control}) == ""
    assert limbeck.evaluate({"student": run}, TEST).verdict["answer"] in ("yes", "no", "undecided")


def test_the_share_is_that_of_the_second_half() -> None:
    losses = [10.0, 6.0, 4.0, 3.0, 2.0, 2.0]
    epochs = [
        {"step": n, "soft": loss / 2, "hard": loss / 2, "held_out": 1.0}
        for n, loss in enumerate(losses)
    ]
    assert _fall(epochs) == pytest.approx((3.0 - 2.0) / (10.0 - 2.0))
    assert _fall(epochs[::-1]) == 0  # it rose
    assert _fall(epochs) > STEEP


def test_teachers_are_not_asked_how_they_were_trained() -> None:
    assert undertrained({"student": teachers.function(rule, CLASSES)}) == ""


@pytest.mark.parametrize(
    ("examples", "batch", "epochs"), [(1000, 128, 250), (100, 128, 2000), (60_000, 128, 30)]
)
def test_few_examples_are_seen_more_often(examples: int, batch: int, epochs: int) -> None:
    assert Plan(batch=batch).suited(examples).epochs == epochs
    assert Plan(epochs=3, batch=batch).suited(examples) == Plan(epochs=3, batch=batch)
