"""Probabilities of a sigmoid a column are a kind of their own, which is learnt as logits."""

import numpy as np
import pytest
import torch
from scipy.special import expit, logit

from limbeck import Examples, Plan, evaluate, objectives, score, students, teachers, train
from limbeck.errors import InputError, ScoresWarning, TeacherError
from limbeck.scores import FLOOR, Dense, as_learnt, learnt_kind, rounding_nats
from limbeck.scoring import Storage

NAMES = ("p", "q")


def tags(n: int = 300) -> Examples:
    inputs = np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32)
    return Examples.of(inputs, (inputs[:, :2] > 0).astype(int), classes=NAMES)


def sigmoids(inputs):
    return expit(5 * inputs[:, :2])


def tagger(kind: str) -> teachers.Teacher:
    return teachers.function(sigmoids, NAMES, kind=kind, name="tagger")


@pytest.mark.filterwarnings("error::limbeck.errors.ScoresWarning")
@pytest.mark.slow
def test_a_student_of_sigmoids_learns_what_one_of_their_logits_learns(tmp_path):
    examples, plan = tags(), Plan(epochs=60, learning_rate=0.02)
    scores = score(tagger("independent-probabilities"), examples, to=tmp_path / "s")
    rows, first = np.arange(300), np.zeros(300, int)
    np.testing.assert_allclose(scores.read(rows, first), sigmoids(examples.inputs), atol=1e-6)
    assert scores.record.sanity["accuracy"] == 1.0
    soft = objectives.SoftTargets(1.0)
    run = train(students.mlp([16]), scores, soft, to=tmp_path / "r", plan=plan)
    assert run.kind == "independent-logits"
    with torch.no_grad():
        answers = run.model()(torch.tensor(examples.inputs)).numpy() > 0
    assert (answers == (examples.labels == 1)).mean() > 0.97


@pytest.mark.parametrize("kind", ["independent-logits", "logits"])
def test_probabilities_that_are_declared_logits_are_warned_of(kind, tmp_path):
    examples = tags() if kind == "independent-logits" else tags().without_labels()
    with pytest.warns(ScoresWarning, match="lie between 0 and 1, as a sigmoid's do: pass kind='in"):
        score(tagger(kind), examples, to=tmp_path / "s")


def test_where_they_are_declared_of_one_softmax_the_remedy_is_named_and_works(tmp_path):
    with pytest.raises(TeacherError, match="kind='independent-probabilities'"):
        score(tagger("probabilities"), tags(), to=tmp_path / "s")
    assert len(score(tagger("independent-probabilities"), tags(), to=tmp_path / "s")) == 300


@pytest.mark.parametrize("wrong", [-0.1, 1.1, np.nan])
def test_what_is_no_probability_is_refused(wrong, tmp_path):
    def answer(inputs):
        return np.where(np.arange(len(inputs))[:, None] == 1, wrong, sigmoids(inputs))

    asked = teachers.function(answer, NAMES, kind="independent-probabilities")
    with pytest.raises(TeacherError):
        score(asked, tags(), to=tmp_path / "s")
    with pytest.raises(InputError, match="independent-probabilities, and in float16"):
        score(tagger("independent-probabilities"), tags(), to=tmp_path / "s",
              storage=Storage("float16"))  # fmt: skip


def test_they_are_learnt_as_their_logits_and_a_certain_one_as_far_as_the_floor():
    p = np.array([[0.0, 1.0], [0.25, 0.75], [1e-9, 0.5]])
    clipped = np.clip(p, FLOOR, 1 - FLOOR)
    slow = np.array([[np.log(one / (1 - one)) for one in row] for row in clipped])
    np.testing.assert_allclose(as_learnt(p, "independent-probabilities"), slow)
    np.testing.assert_allclose(as_learnt(p, "independent-probabilities"), logit(clipped))
    assert learnt_kind("independent-probabilities") == "independent-logits"
    raw = expit(np.random.default_rng(0).normal(size=(5, 2))).astype(np.float32)
    nats = rounding_nats(raw, Dense.of(raw, "float32"), "independent-probabilities")
    assert nats.max() < 1e-10


def test_teacher_and_student_are_evaluated_beside_each_other(tmp_path):
    asked = tagger("independent-probabilities")
    test = tags(100)
    report = evaluate({"teacher": asked}, test)
    assert report.rows[0]["metrics"]["subset_accuracy"]["mean"] == 1.0
