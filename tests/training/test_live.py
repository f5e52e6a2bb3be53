"""A teacher in the loop is interchangeable with a score set."""

import numpy as np
import pytest
import torch
from worlds import CLASSES, Tilted, blobs, rule

from limbeck import Plan, live, objectives, score, students, sweep, teachers, train, views
from limbeck.errors import InputError, LabelsError, MismatchError
from limbeck.examples.views import Mixup
from limbeck.scores import FLOOR
from limbeck.scoring import Storage
from limbeck.training import FRESH, TransferSet

TEACHER = teachers.function(rule, CLASSES, name="rule")
NET = students.mlp([8])
PLAN = Plan(epochs=4, batch=16, learning_rate=0.01)


def same(one, other, atol=0.0):
    for name, value in one.model().state_dict().items():
        torch.testing.assert_close(value, other.model().state_dict()[name], rtol=0, atol=atol)


@pytest.mark.parametrize(
    "objective",
    [objectives.SoftTargets(2.0), objectives.MatchLogits(), objectives.MatchLogits("standardized")],
    ids=lambda one: one.text,
)
@pytest.mark.parametrize("view", [views.plain(), Mixup()], ids=lambda view: view.text)
def test_a_live_teacher_gives_the_student_that_its_score_set_gives(view, objective, tmp_path):
    points = blobs(60)
    stored = score(TEACHER, points, to=tmp_path / "s", views=view, count=3, seed=5)
    asked = live(TEACHER, points, views=view, count=3, seed=5)
    one = train(NET, stored, objective, to=tmp_path / "stored", plan=PLAN)
    other = train(NET, asked, objective, to=tmp_path / "live", plan=PLAN)
    same(one, other)
    same(one.control, other.control)


def test_a_module_teaches_live_in_eval_mode_and_is_left_as_it_was(tmp_path):
    module, points = Tilted().train(), blobs(60)
    before = {k: v.clone() for k, v in module.state_dict().items()}
    stored = score(module, points, to=tmp_path / "s")
    objective = objectives.SoftTargets(2.0)
    one = train(NET, stored, objective, to=tmp_path / "stored", plan=PLAN)
    other = train(NET, live(module, points, count=1), objective, to=tmp_path / "l", plan=PLAN)
    # Products of other batches may round a score to its neighbour in float16.
    same(one, other, atol=1e-3)
    assert module.training
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())


def likely(inputs):
    raised = np.exp(rule(inputs).astype(np.float64))
    return raised / raised.sum(axis=1, keepdims=True)


LIKELY = teachers.function(likely, CLASSES, kind="probabilities", name="likely")
LOGS = teachers.function(
    lambda inputs: np.log(np.maximum(likely(inputs), FLOOR)),
    CLASSES,
    kind="log-probabilities",
    name="logs",
)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_soft_targets_of_probabilities_are_those_of_their_logarithms(temperature, tmp_path):
    points, soft = blobs(60), objectives.SoftTargets(temperature)
    kept = [
        score(teacher, points, to=tmp_path / teacher.name, storage=Storage("float32"))
        for teacher in (LIKELY, LOGS)
    ]
    rows, views_ = np.arange(60), np.zeros(60, int)
    batches = [TransferSet.of(scores).batch(rows, views_) for scores in kept]
    batches += [live(teacher, points, count=1).batch(rows, views_) for teacher in (LIKELY, LOGS)]
    output = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    first, *others = [float(soft(output, batch)["soft"]) for batch in batches]
    # What is kept of a probability is right to within 6e-8, of the least ones a few percent.
    assert others == pytest.approx([first] * 3, rel=2e-3)
    assert torch.allclose(batches[0].scores, batches[1].scores, atol=0.07)


def test_a_student_learns_probabilities_from_a_store_and_live_alike(tmp_path):
    points, soft = blobs(60), objectives.SoftTargets(2.0)
    stored = train(
        NET, score(LIKELY, points, to=tmp_path / "s"), soft, to=tmp_path / "stored", plan=PLAN
    )
    same(stored, train(NET, live(LIKELY, points, count=1), soft, to=tmp_path / "live", plan=PLAN))
    assert stored.kind == "logits"


def test_fresh_views_are_scored_as_they_are_shown():
    transfer = live(TEACHER, blobs(30), views=Mixup())
    assert transfer.count == FRESH
    rows = np.arange(5)
    for epoch in (0, 7):
        batch = transfer.batch(rows, transfer.numbers(rows, epoch))
        np.testing.assert_allclose(batch.scores, rule(batch.inputs.numpy()), atol=2e-2)


def test_students_of_a_sweep_share_each_answer(tmp_path):
    calls = []

    def counted(inputs):
        calls.append(len(inputs))
        return rule(inputs)

    asked = {f"t{t}": objectives.SoftTargets(float(t)) for t in (1, 2, 4)}
    teacher = teachers.function(counted, CLASSES, name="counted")
    sweep(NET, live(teacher, blobs(64)), asked, to=tmp_path / "s", plan=PLAN, seeds=3)
    steps = 4 * 4  # 58 examples not held out, in batches of 16, 4 epochs
    assert len(calls) == 2 + steps + 4  # the sample, and the held-out ones at each epoch


def test_a_live_teacher_is_heard_by_the_names_of_its_classes():
    turned = teachers.function(lambda x: rule(x)[:, [2, 0, 1]], ("star", "round", "square"))
    rows, numbers = np.arange(5), np.zeros(5, int)
    one, other = (live(t, blobs(30)).batch(rows, numbers).scores for t in (TEACHER, turned))
    assert torch.equal(one, other)


def test_what_cannot_be_taught_live_is_refused():
    with pytest.raises(InputError, match="1 view or more, not 0"):
        live(TEACHER, blobs(10), count=0)
    with pytest.raises(MismatchError, match="the teacher rule names"):
        live(teachers.function(rule, ("a", "b", "c"), name="rule"), blobs(10))
    with pytest.raises(LabelsError, match="was given as labelled"):
        live(TEACHER, blobs(10), labelled=blobs(5, labelled=False))
