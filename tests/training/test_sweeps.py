"""Many students at once: each learns as it would alone, and one control serves them all."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from worlds import CLASSES, blobs, double, killed_at, pictures, rule, tilted

from limbeck import Examples, Plan, objectives, score, students, sweep, teachers, train
from limbeck.errors import InputError, OccupiedError
from limbeck.examples import Batch
from limbeck.students import IDENTITY, Model
from limbeck.training import TransferSet, _loop
from limbeck.training._nets import Nets, Task
from limbeck.training._stack import Apart, Together, stack

TEACHER = teachers.function(rule, CLASSES, name="rule")
NET = students.mlp([8, 5])
PLAN = Plan(epochs=4, batch=16, learning_rate=0.01)
ASKED = {
    "cool": objectives.SoftTargets(1.0),
    "warm": objectives.SoftTargets(4.0, hard_weight=0.3),
    "logits": objectives.MatchLogits(),
    "standard": objectives.MatchLogits("standardized"),
    "probabilities": objectives.MatchProbabilities(),
    "labels": objectives.Labels(),
}


@pytest.fixture
def scores(tmp_path):
    return score(TEACHER, blobs(80), to=tmp_path / "scores", count=2)


def state(run, seed=0):
    return run.model(seed).state_dict()


def close(one, other, **tolerance):
    assert one.keys() == other.keys()
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], **tolerance)


# Identities, in float64.

STUDENTS = {
    "deep": students.mlp([7, 5]),
    "linear": students.mlp([]),
    "shallow": students.shallow(6),
    "bottleneck": students.shallow(6, bottleneck=3),
}


def models(student, seeds):
    sized = student.sized((4,), 3)
    return [Model(sized.build(seed), IDENTITY, 3).double() for seed in seeds]


def batch(n=16):
    labels = torch.arange(n) % 4 - 1  # some have none
    return Batch(
        np.arange(n).astype(str),
        double(n, 4, scale=1.0),
        labels,
        double(n, 3, seed=1),
        torch.arange(n) % 5 != 0,
        torch.tensor([1.0, 2.0, 0.5]).double(),
    )


@pytest.mark.parametrize("student", STUDENTS.values(), ids=STUDENTS)
def test_gradients_of_a_step_are_those_of_each_net_alone(student):
    asked = [one for one in ASKED.values() for _ in range(3)]
    seeds = [0, 1, 2] * len(ASKED)
    together, apart = (kind(models(student, seeds), asked, seeds) for kind in (Together, Apart))
    for nets in (together, apart):
        parts = nets.losses(batch(), "float32")
        torch.stack([p for of_net in parts for p in of_net.values()]).sum().backward()
    gradients = {name: p.grad for name, p in together.named_parameters()}
    for i, model in enumerate(apart.models):
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(gradients[name][i], parameter.grad, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "plan",
    [
        PLAN,
        replace(PLAN, optimizer="sgd", momentum=0.9, weight_decay=0.1),
        replace(PLAN, clip_norm=0.05, max_norm=0.4, average=0.9, weight_decay=0.1),
    ],
    ids=["adamw", "sgd", "clipped"],
)
def test_many_steps_of_every_optimiser_end_where_each_net_ends_alone(plan, tmp_path):
    asked, seeds = [*ASKED.values()], [0, 1, 2, 0, 1, 2]
    ends = []
    for kind in (Together, Apart):
        nets = kind(models(STUDENTS["deep"], seeds), asked, seeds)
        task = _task(tmp_path, plan)
        trained = _nets_of(task, nets, plan, tmp_path)
        for _ in range(8):
            _loop._step(task, trained)
            trained.progress.step += 1
        final = trained.candidates().state_dict()
        ends.append([nets.of_net(final, i) for i in range(len(seeds))])
    for one, other in zip(*ends, strict=True):
        close(one, other, rtol=1e-10, atol=1e-10)


class _Same(TransferSet):
    """A transfer set of one batch."""

    moments = (torch.zeros(3), torch.ones(3))

    def batch(self, rows, numbers):
        return batch()

    def numbers(self, rows, epoch):
        return rows


def _task(tmp_path, plan):
    return Task(
        what="t",
        members=(),
        student=NET,
        encoding=IDENTITY,
        start={},
        transfer=_Same(blobs(16)),
        plan=plan,
        order=0,
        rows=np.arange(16),
        held_out=np.arange(0),
        steps=8,
        steps_per_record=8,
        patience=0,
        checkpoint=tmp_path / "c",
    )


def _nets_of(task, nets, plan, tmp_path):
    return Nets(nets, plan, [tmp_path] * len(nets.seeds), task.checkpoint)


def test_nets_of_linear_layers_are_computed_together_and_others_apart():
    soft, seeds = [ASKED["cool"]] * 2, [0, 1]
    assert isinstance(stack(models(NET, seeds), soft, seeds), Together)
    assert isinstance(stack(models(NET, [0]), soft[:1], [0]), Apart)
    dropping = students.mlp([8], dropout=0.5)
    assert isinstance(stack(models(dropping, seeds), soft, seeds), Apart)


class Skipping(nn.Module):
    """Linear layers whose order nobody can read off them."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, inputs):
        return self.two(inputs + self.one(inputs))


def _twice():
    layer = nn.Linear(4, 4)
    return nn.Sequential(layer, nn.ReLU(), layer, nn.Linear(4, 3))


def _frozen():
    body = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
    body[0].requires_grad_(False)
    return body


@pytest.mark.parametrize("body", [Skipping, _twice, _frozen])
def test_a_net_whose_layers_are_not_all_there_is_to_it_is_computed_apart(body):
    both = [Model(body(), IDENTITY, 3) for _ in range(2)]
    assert isinstance(stack(both, [ASKED["cool"]] * 2, [0, 1]), Apart)


# Whole sweeps.


def test_a_sweep_is_its_students_trained_one_by_one(tmp_path, scores):
    many = sweep(NET, scores, ASKED, to=tmp_path / "many", plan=PLAN, seeds=3)
    assert list(many) == [*ASKED, "control"]
    for name, objective in ASKED.items():
        for seed in (0, 2):
            place = tmp_path / f"{name}-{seed}"
            asked = {name: objective}
            one = sweep(NET, scores, asked, to=place, plan=PLAN, seeds=[seed], control=False)
            close(state(many[name], seed), state(one[name], seed), rtol=1e-4, atol=1e-5)
            for a, b in zip(many[name].history(seed), one[name].history(seed), strict=True):
                assert a == pytest.approx(b, rel=1e-4)
    # Labels without scores and the control are the same thing.
    close(state(many["labels"], 1), state(many["control"], 1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["dropout", "convnet", "own"])
def test_nets_that_are_computed_apart_end_with_the_same_bits_as_alone(kind, tmp_path):
    net, examples = {
        "dropout": (students.mlp([8], dropout=0.4), blobs(60)),
        "convnet": (students.convnet(widths=[3]), pictures(40)),
        "own": (students.factory(tilted), blobs(60)),
    }[kind]
    teacher = TEACHER if kind != "convnet" else teachers.function(_bright, ("left", "right"))
    scores = score(teacher, examples, to=tmp_path / "s")
    asked = {"soft": ASKED["cool"], "logits": ASKED["logits"]}
    many = sweep(net, scores, asked, to=tmp_path / "many", plan=PLAN, seeds=2)
    alone = sweep(
        net, scores, {"logits": asked["logits"]}, to=tmp_path / "one", plan=PLAN, seeds=[1]
    )
    close(state(many["logits"], 1), state(alone["logits"], 1), rtol=0, atol=0)
    close(state(many["control"], 1), state(alone["control"], 1), rtol=0, atol=0)


def _bright(inputs):
    half = inputs.shape[-1] // 2
    left, right = (
        part.reshape(len(inputs), -1).mean(1) for part in (inputs[..., :half], inputs[..., half:])
    )
    return np.stack([left, right], axis=1).astype(np.float32) / 20


def test_a_sweep_goes_on_from_a_kill_to_the_identical_students(tmp_path, scores, monkeypatch):
    asked = {"soft": ASKED["cool"], "standard": ASKED["standard"]}
    plan = replace(PLAN, average=0.9, patience=2, learning_rate=0.05)
    whole = sweep(NET, scores, asked, to=tmp_path / "whole", plan=plan, seeds=2)
    with killed_at(7, monkeypatch):
        sweep(NET, scores, asked, to=tmp_path / "broken", plan=plan, seeds=2)
    broken = sweep(NET, scores, asked, to=tmp_path / "broken", plan=plan, seeds=2)
    for name, run in whole.items():
        assert run.history(1) == broken[name].history(1)
        close(state(run, 1), state(broken[name], 1), rtol=0, atol=0)
    assert not list((tmp_path / "broken").rglob("checkpoint*"))


def test_a_checkpoint_of_other_objectives_does_not_stay_behind(tmp_path, scores, monkeypatch):
    with killed_at(7, monkeypatch):
        sweep(NET, scores, {"cool": ASKED["cool"]}, to=tmp_path / "s", plan=PLAN, seeds=2)
    assert list((tmp_path / "s").glob("checkpoint-*"))
    asked = {"cool": ASKED["cool"], "warm": ASKED["warm"]}
    again = sweep(NET, scores, asked, to=tmp_path / "s", plan=PLAN, seeds=2)
    assert not list((tmp_path / "s").glob("checkpoint-*"))
    alone = sweep(NET, scores, asked, to=tmp_path / "alone", plan=PLAN, seeds=2)
    close(state(again["cool"], 1), state(alone["cool"], 1), rtol=0, atol=0)


def test_an_objective_added_later_costs_its_own_nets_alone(tmp_path, scores, monkeypatch):
    first = sweep(NET, scores, {"cool": ASKED["cool"]}, to=tmp_path / "s", plan=PLAN, seeds=2)
    before = state(first["cool"], 1)
    trained = []
    real = _loop.fit
    monkeypatch.setattr(
        "limbeck.training._train.fit", lambda task: (trained.extend(task.members), real(task))
    )
    asked = {"cool": ASKED["cool"], "warm": ASKED["warm"]}
    second = sweep(NET, scores, asked, to=tmp_path / "s", plan=PLAN, seeds=2)
    assert [member.what for member in trained] == ["warm student 0", "warm student 1"]
    close(state(second["cool"], 1), before, rtol=0, atol=0)
    sweep(NET, scores, asked, to=tmp_path / "s", plan=PLAN, seeds=2)
    assert len(trained) == 2


def test_with_few_labels_the_control_of_a_sweep_stops_early_and_says_so(tmp_path):
    points = blobs(100)
    few = points.take(np.arange(20))
    scores = score(TEACHER, points.without_labels(), to=tmp_path / "s")
    made = sweep(NET, scores, {"soft": ASKED["cool"]}, to=tmp_path / "few", plan=PLAN, labelled=few)
    assert made["control"].notes[-1].startswith("the control had 1")
    beside = train(NET, scores, ASKED["cool"], to=tmp_path / "t", plan=PLAN, labelled=few)
    steps = {run.history(0)[-1]["step"] for run in (made["soft"], beside)}
    assert len(steps) == 1
    assert beside.control.notes == made["control"].notes[-1:]


def test_without_labels_there_is_no_control(tmp_path):
    scores = score(TEACHER, blobs(60, labelled=False), to=tmp_path / "s")
    asked = {"soft": ASKED["cool"], "logits": ASKED["logits"]}
    assert list(sweep(NET, scores, asked, to=tmp_path / "r", plan=PLAN)) == ["soft", "logits"]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({}, "a sweep takes one objective or more"),
        ({"control": ASKED["cool"]}, "'control' is not a name for one (it is the control's)"),
        ({"a/b": ASKED["cool"]}, "'a/b' is not a name for one"),
        ({"soft": print}, "an objective says its text, needs_scores and needs_labels"),
    ],
)
def test_what_is_no_sweep_is_refused_and_nothing_written(asked, sentence, tmp_path, scores):
    with pytest.raises(InputError, match=re.escape(sentence)):
        sweep(NET, scores, asked, to=tmp_path / "s", plan=PLAN)
    assert not (tmp_path / "s").exists()


def test_a_sweep_does_not_pass_for_a_training_of_its_own_order(tmp_path, scores):
    sweep(NET, scores, {"soft": ASKED["cool"]}, to=tmp_path / "s", plan=PLAN, control=False)
    with pytest.raises(OccupiedError, match="other order"):
        train(NET, scores, ASKED["cool"], to=tmp_path / "s/soft", plan=PLAN, control=False)


# Objectives that ask for more.


class Hinted(nn.Module):
    """Asks for a feature, holds parameters, sees the step."""

    text = "Hinted()"
    needs_scores, needs_labels = True, False
    features = ("1",)

    def __init__(self, units=8):
        super().__init__()
        self.guess = nn.Linear(units, 3)
        self.seen = []

    def forward(self, output, batch):
        self.seen.append((batch.step, batch.steps, tuple(batch.features["1"].shape)))
        hint = (self.guess(batch.features["1"]) - batch.scores).square().mean()
        return {"soft": (output - batch.scores).square().mean(), "hint": hint}


def test_an_objective_sees_features_and_steps_and_its_parameters_are_trained(
    tmp_path, scores, monkeypatch
):
    asked, kept = Hinted(), []
    real = Task.nets
    monkeypatch.setattr(Task, "nets", lambda task: kept.append(real(task)) or kept[-1])
    plan = replace(PLAN, epochs=20, held_out=0.0, learning_rate=0.05)
    run = train(NET, scores, asked, to=tmp_path / "run", plan=plan, control=False, seeds=2)
    first, second = (nets.stack.asked[0] for nets in kept)
    assert first is not asked
    assert first.seen[0] == (0, 100, (16, 8))
    assert first.seen[-1] == (99, 100, (16, 8))
    assert not torch.equal(first.guess.weight, second.guess.weight)
    hints = [epoch["hint"] for epoch in run.history(0)]
    assert hints[-1] < hints[0] / 2
    assert not any("guess" in name for name in state(run))


def test_parameters_of_an_objective_go_on_from_a_kill(tmp_path, scores, monkeypatch):
    whole = train(NET, scores, Hinted(), to=tmp_path / "whole", plan=PLAN, control=False)
    with killed_at(9, monkeypatch):
        train(NET, scores, Hinted(), to=tmp_path / "broken", plan=PLAN, control=False)
    broken = train(NET, scores, Hinted(), to=tmp_path / "broken", plan=PLAN, control=False)
    assert whole.history(0) == broken.history(0)


def test_a_feature_that_the_student_does_not_have_is_named(tmp_path, scores):
    asked = Hinted()
    asked.features = ("hidden",)
    with pytest.raises(InputError, match="asks for the feature 'hidden', which this student"):
        train(NET, scores, asked, to=tmp_path / "run", plan=PLAN)
    assert not (tmp_path / "run").exists()


def test_examples_alone_can_be_swept_over_labels(tmp_path):
    points: Examples = blobs(60)
    made = sweep(NET, points, {"plain": objectives.Labels()}, to=tmp_path / "s", plan=PLAN)
    assert list(made) == ["plain"]
