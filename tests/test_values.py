"""Regression: scores of the kind "values" are learnt as they are."""

import numpy as np
import pytest

import limbeck
from limbeck import objectives, students, teachers
from limbeck.errors import InputError, MismatchError

PLAN = limbeck.Plan(epochs=60, batch=32, learning_rate=0.02)


REFUSED = r"learns logits, .*, and is given values: MatchLogits\(\) would do"


def line(inputs: np.ndarray) -> np.ndarray:
    return 1000 + 50 * inputs[:, :1] - 20 * inputs[:, 1:]


TEACHER = teachers.function(line, ["height"], kind="values", name="line")


def points(n: int = 200, seed: int = 0, labels=None) -> limbeck.Examples:
    inputs = np.random.default_rng(seed).normal(size=(n, 2)).astype(np.float32)
    return limbeck.Examples.of(inputs, labels, name=f"points {seed}")


def test_a_student_learns_values_and_answers_with_values(tmp_path):
    scores = limbeck.score(TEACHER, points(), to=tmp_path / "scores")
    objective = objectives.MatchLogits("standardised")
    run = limbeck.train(students.mlp([]), scores, objective, to=tmp_path / "run", plan=PLAN)
    assert run.kind == "values"
    new = points(50, seed=1)
    student = teachers.run(run)
    assert student.kind == "values"
    said = student.ask(new.inputs, new.keys, "student")
    np.testing.assert_allclose(said, line(new.inputs), atol=0.5)


def test_a_live_teacher_of_values_teaches_the_same(tmp_path):
    transfer = limbeck.live(TEACHER, points(), count=1)
    run = limbeck.train(students.mlp([]), transfer, objectives.MatchLogits(), to=tmp_path / "run")
    assert run.kind == "values"


@pytest.mark.parametrize("text", ["SoftTargets(4)", "MatchLogits('centred')", "DIST()"])
def test_objectives_of_classes_refuse_values(text, tmp_path):
    scores = limbeck.score(TEACHER, points(), to=tmp_path / "scores")
    with pytest.raises(InputError, match=REFUSED):
        limbeck.train(students.mlp([]), scores, objectives.read(text), to=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_labels_are_no_control_of_values_and_the_run_says_so(tmp_path):
    two = teachers.function(
        lambda x: np.stack([x[:, 0], x[:, 1]], 1), ["0", "1"], kind="values", name="two"
    )
    examples = points(labels=np.arange(200) % 2)
    scores = limbeck.score(two, examples, to=tmp_path / "scores")
    how = {"plan": limbeck.Plan(epochs=1), "to": tmp_path / "run"}
    run = limbeck.train(students.mlp([]), scores, objectives.MatchLogits(), **how)
    assert run.control is None
    assert (
        "there is no control: the scores are values, and the labels are one class each" in run.notes
    )
    runs = limbeck.sweep(
        students.mlp([]),
        scores,
        {"a": objectives.MatchLogits()},
        to=tmp_path / "sweep",
        plan=limbeck.Plan(epochs=1),
    )
    assert set(runs) == {"a"}


def test_evaluate_and_distill_of_values_are_refused(tmp_path):
    scores = limbeck.score(TEACHER, points(), to=tmp_path / "scores")
    how = {"plan": limbeck.Plan(epochs=1), "to": tmp_path / "run"}
    run = limbeck.train(students.mlp([]), scores, objectives.MatchLogits(), **how)
    with pytest.raises(MismatchError, match="the model student answers with values, not with log"):
        limbeck.evaluate({"student": run}, points(20, seed=2))
    with pytest.raises(InputError, match=REFUSED):
        limbeck.distill(TEACHER, points(), students.mlp([]), to=tmp_path / "all")
