"""Training: the identical end after a crash, an honest control, decisions on held-out examples."""

import json
import math
import re
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from worlds import CLASSES, blobs, killed_at, pictures, rule, tilted

from limbeck import Plan, TransferSet, objectives, score, students, teachers, train, views
from limbeck.errors import (
    CorruptError,
    InputError,
    LabelsError,
    MismatchError,
    MissingError,
    OccupiedError,
    TrustError,
)
from limbeck.students import Run
from limbeck.training import FRESH, _loop
from limbeck.training._control import FEW
from limbeck.training._job import Job
from limbeck.training._nets import Nets, Task
from limbeck.training._sources import Stored

TEACHER = teachers.function(rule, CLASSES, name="rule")
NET = students.mlp([8])
SOFT = objectives.SoftTargets(2.0)
QUICK = Plan(epochs=3, batch=16, learning_rate=0.01)


@pytest.fixture
def scores(tmp_path):
    return score(TEACHER, blobs(80), to=tmp_path / "scores", count=2)


def state(run: Run, seed: int | None = None):
    return run.model(seed).state_dict()


def same(one, other) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def accuracy(run: Run, points) -> float:
    with torch.no_grad():
        answers = run.model()(torch.tensor(points.inputs)).argmax(1).numpy()
    return float((answers == points.labels).mean())


def test_a_slow_disk_takes_a_small_share_of_the_training(scores, tmp_path, monkeypatch):
    real, took = Nets.save, []

    def slowly(nets):
        began = time.monotonic()
        time.sleep(0.05)
        real(nets)
        took.append(time.monotonic() - began)

    monkeypatch.setattr(_loop, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(_loop, "CHECKPOINT_SHARE", 0.5)
    monkeypatch.setattr(Nets, "save", slowly)
    plan = replace(QUICK, epochs=40)
    run = train(NET, scores, SOFT, to=tmp_path / "run", plan=plan, control=False)
    training = run.seconds(0)[-1]
    assert 1 <= len(took) < 200
    assert sum(took[:-1]) <= 0.5 * training + 0.01


def test_a_student_learns_the_rule_and_agrees_with_its_teacher(tmp_path):
    unlabelled = score(TEACHER, blobs(400, labelled=False), to=tmp_path / "scores")
    plan = Plan(epochs=60, batch=32, learning_rate=0.02)
    run = train(NET, unlabelled, SOFT, to=tmp_path / "run", plan=plan)
    test = blobs(500, seed=9, name="test")
    perfect = float((rule(test.inputs).argmax(1) == test.labels).mean())
    assert accuracy(run, test) > perfect - 0.03
    assert run.control is None
    assert run.notes == ["there is no control: the examples have no labels"]


def test_training_too_short_to_learn_anything_is_noted(tmp_path, scores):
    short = train(NET, scores, SOFT, to=tmp_path / "short", plan=QUICK)
    assert short.notes == [
        "training was only 15 steps: more epochs or a smaller batch may do better"
    ]


HARD = {
    "sgd": Plan(epochs=4, batch=16, optimizer="sgd", learning_rate=0.05, clip_norm=1.0),
    "adamw": Plan(epochs=4, batch=16, weight_decay=0.01, average=0.9),
    "patience": Plan(epochs=8, batch=16, learning_rate=0.05, patience=2, max_norm=1.0),
    "bfloat16": Plan(epochs=4, batch=16, precision="bfloat16"),
}


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("dies_at", [1, 5, 9, 13])
def test_training_goes_on_from_a_kill_to_the_identical_student(
    name, dies_at, tmp_path, scores, monkeypatch
):
    net = students.mlp([8], dropout=0.3)
    whole = train(net, scores, SOFT, to=tmp_path / "whole", plan=HARD[name])
    with killed_at(dies_at, monkeypatch):
        train(net, scores, SOFT, to=tmp_path / "broken", plan=HARD[name])
    broken = train(net, scores, SOFT, to=tmp_path / "broken", plan=HARD[name])
    for role in ("student", "control"):
        file = f"{role}-0/model.safetensors"
        assert (tmp_path / "broken" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()
    assert broken.history(0) == whole.history(0)
    assert len(broken.seconds(0)) == len(broken.history(0))
    assert sorted(broken.seconds(0)) == broken.seconds(0)
    assert not list((tmp_path / "broken").rglob("checkpoint*"))


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_convolutional_net_goes_on_from_a_kill_too(optimizer, tmp_path, monkeypatch):
    images, goal = pictures(40), objectives.Labels()
    transfer = TransferSet(images, views.jitter(1), FRESH)
    plan = Plan(epochs=3, batch=16, optimizer=optimizer, learning_rate=0.01)
    net = students.convnet("tiny")
    train(net, transfer, goal, to=tmp_path / "whole", plan=plan)
    with killed_at(5, monkeypatch):
        train(net, transfer, goal, to=tmp_path / "broken", plan=plan)
    train(net, transfer, goal, to=tmp_path / "broken", plan=plan)
    file = "student-0/model.safetensors"
    assert (tmp_path / "broken" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


def test_the_same_seed_gives_the_same_student_and_another_seed_another(tmp_path, scores):
    one = train(NET, scores, SOFT, to=tmp_path / "one", plan=QUICK, seeds=2)
    again = train(NET, scores, SOFT, to=tmp_path / "again", plan=QUICK, seeds=[1])
    assert same(state(one, 1), state(again, 1))
    assert not same(state(one, 0), state(one, 1))


def test_training_leaves_the_callers_random_numbers_alone(tmp_path, scores):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    train(NET, scores, SOFT, to=tmp_path / "run", plan=QUICK)
    assert torch.equal(torch.rand(2), expected)


def job_of(scores, tmp_path, **other) -> Job:
    return Job(
        student=NET,
        transfer=TransferSet.of(scores, other.pop("labelled", None)),
        objective=SOFT,
        to=tmp_path / "run",
        plan=other.pop("plan", QUICK),
        seeds=other.pop("seeds", (0,)),
        wants_control=True,
        start={},
    )


def tasks_of(scores, tmp_path, **other) -> dict[str, Task]:
    job = job_of(scores, tmp_path, **other)
    return {task.members[0].to.name.split("-")[0]: task for task in job.tasks()}


def test_the_control_differs_in_what_it_is_asked_and_nothing_else(tmp_path, scores):
    tasks = tasks_of(scores, tmp_path)
    student, control = tasks["student"], tasks["control"]
    assert same(student.student.build(0).state_dict(), control.student.build(0).state_dict())
    assert (student.steps, student.plan, student.order) == (
        control.steps,
        control.plan,
        control.order,
    )
    assert np.array_equal(student.rows, control.rows)
    assert np.array_equal(student.held_out, control.held_out)
    for step in (0, 3, 11):
        seen, shown = (t.transfer.batch(*_loop._rows(t, step)) for t in (student, control))
        assert torch.equal(seen.inputs, shown.inputs)
        assert list(seen.keys) == list(shown.keys)
        assert seen.scores.numel() > 0
        assert shown.scores.numel() == 0
    assert control.members[0].objective.text == "Labels()"
    assert student.members[0].objective is SOFT


def test_every_view_of_every_example_is_seen_once_in_as_many_epochs(tmp_path):
    scores = score(TEACHER, blobs(30), to=tmp_path / "s", count=3)
    transfer = TransferSet.of(scores)
    rows = np.arange(30)
    seen = {
        (row, int(n))
        for epoch in range(3)
        for row, n in zip(rows, transfer.numbers(rows, epoch), strict=True)
    }
    assert len(seen) == 90
    assert {n for _, n in seen} == {0, 1, 2}


def test_fresh_views_never_repeat():
    transfer = TransferSet(pictures(10), views.jitter(2), FRESH)
    rows = np.arange(10)
    numbers = [tuple(transfer.numbers(rows, epoch)) for epoch in range(50)]
    assert all(len(set(of_one)) == 50 for of_one in zip(*numbers, strict=True))


def test_every_example_comes_once_an_epoch(tmp_path, scores):
    task = tasks_of(scores, tmp_path)["student"]
    per_epoch = math.ceil(len(task.rows) / task.plan.batch)
    for epoch in (0, 2):
        steps = range(epoch * per_epoch, (epoch + 1) * per_epoch)
        rows = np.concatenate([_loop._rows(task, step)[0] for step in steps])
        assert sorted(rows) == sorted(task.rows)


def test_held_out_examples_are_never_trained_on(tmp_path, scores):
    task = tasks_of(scores, tmp_path)["student"]
    assert not set(task.rows) & set(task.held_out)
    assert len(task.rows) + len(task.held_out) == 80
    assert len(task.held_out) == 8


def test_the_seed_of_the_lowest_held_out_loss_is_shipped(tmp_path, scores):
    run = train(NET, scores, SOFT, to=tmp_path / "run", plan=QUICK, seeds=4)
    losses = [run.history(seed)[-1]["held_out"] for seed in run.seeds]
    assert run.shipped == int(np.argmin(losses))
    assert same(state(run), state(run, run.shipped))


def test_early_stopping_ships_the_best_epoch(tmp_path, scores):
    plan = Plan(epochs=40, batch=8, learning_rate=0.3, schedule="constant", patience=4)
    run = train(NET, scores, SOFT, to=tmp_path / "run", plan=plan, control=False)
    losses = [record["held_out"] for record in run.history(0)]
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 4 < 40
    assert run.manifest["nets"]["student"]["0"]["held_out_loss"] == losses[best]
    assert run.history(0)[best]["step"] == (best + 1) * math.ceil(72 / 8)


@pytest.mark.slow
def test_with_few_labels_the_control_stops_early_and_says_so(tmp_path):
    scores = score(TEACHER, blobs(400, labelled=False), to=tmp_path / "s")
    few = blobs(400).take(np.arange(40))
    plan = Plan(epochs=60, batch=16, learning_rate=0.05, schedule="constant")
    run = train(NET, scores, SOFT, to=tmp_path / "run", plan=plan, labelled=few)
    history = run.control.history(0)
    student = run.history(0)
    assert len(student) == 60
    assert len(history) < 60
    (note,) = run.control.notes
    assert note.startswith("the control had ")
    assert "stopped early on" in note
    tasks = tasks_of(scores, tmp_path, labelled=few, plan=plan)
    assert tasks["control"].steps == tasks["student"].steps
    assert len(tasks["student"].rows) > FEW * len(tasks["control"].rows)


def test_labelled_examples_of_their_own_feed_the_hard_part_and_the_control(tmp_path):
    scores = score(TEACHER, blobs(60, labelled=False), to=tmp_path / "s")
    labelled = blobs(50, seed=4, name="labelled")
    objective = objectives.SoftTargets(2.0, hard_weight=0.5)
    run = train(NET, scores, objective, to=tmp_path / "run", plan=QUICK, labelled=labelled)
    assert run.manifest["examples"]["labelled"] == 50
    assert run.control is not None
    assert run.history(0)[-1]["hard"] > 0
    plain = train(NET, scores, SOFT, to=tmp_path / "plain", plan=QUICK, labelled=labelled)
    assert "hard" not in plain.history(0)[-1]


@pytest.mark.slow
def test_a_standardised_student_answers_in_the_teachers_units(tmp_path):
    points = blobs(300)
    big = teachers.function(lambda x: rule(x) * [1, 10, 100] + [0, 50, -500], CLASSES, name="big")
    scores = score(big, points, to=tmp_path / "s")
    objective = objectives.MatchLogits("standardized")
    plan = Plan(epochs=80, batch=32, learning_rate=0.02)
    run = train(students.mlp([32]), scores, objective, to=tmp_path / "run", plan=plan)
    with torch.no_grad():
        answers = run.model()(torch.tensor(points.inputs)).numpy()
    for column in range(3):
        said = big.predict(points.inputs)[:, column]
        assert np.corrcoef(answers[:, column], said)[0, 1] > 0.97
        assert answers[:, column].std() == pytest.approx(said.std(), rel=0.2)
    start = run.control.model()
    assert torch.equal(start.scale, torch.ones(3))


@dataclass(frozen=True, eq=False)
class Counted(Stored):
    """Scores that count the rows of each reading."""

    read: list[int] = field(default_factory=list)

    def scores(self, show, rows, numbers):
        self.read.append(len(rows))
        return super().scores(show, rows, numbers)


def test_the_scores_are_read_whole_once_for_all_seeds_and_their_controls(tmp_path, scores):
    stored = TransferSet.of(scores)
    source = Counted(scores, stored.source.positions)
    transfer = replace(stored, scores=source)
    objective = objectives.MatchLogits("standardized")
    train(NET, transfer, objective, to=tmp_path / "run", plan=QUICK, seeds=3)
    steps = 3 * 3 * math.ceil(72 / 16)
    assert sum(n == 80 for n in source.read) == scores.count  # for the moments, view by view
    assert len(source.read) == scores.count + steps + 3 * 3  # the last for the held-out loss
    assert source.read.count(8) == 2 * 3 * 3  # 8 are held out, and end an epoch


def test_all_seeds_learn_from_one_transfer_set_and_their_controls_from_one(tmp_path, scores):
    tasks = list(job_of(scores, tmp_path, seeds=(0, 1, 2)).tasks())
    assert len(tasks) == 6
    assert len({id(task.transfer) for task in tasks[::2]}) == 1
    assert len({id(task.transfer) for task in tasks[1::2]}) == 1


def test_a_net_is_trained_on_labels_over_views_of_its_own(tmp_path):
    images = pictures(60)
    transfer = TransferSet(images, views.jitter(1), FRESH)
    plan = Plan(epochs=6, batch=16, learning_rate=0.01, precision="bfloat16")
    run = train(
        students.convnet("tiny"), transfer, objectives.Labels(), to=tmp_path / "r", plan=plan
    )
    assert accuracy(run, pictures(100, seed=8)) > 0.9
    assert run.control is None
    assert not any("control" in note for note in run.notes)


def test_training_begins_with_the_weights_it_is_given(tmp_path, scores):
    first = train(NET, scores, SOFT, to=tmp_path / "first", plan=QUICK)
    still = replace(QUICK, epochs=1, learning_rate=1e-30)
    kept = train(NET, scores, SOFT, to=tmp_path / "kept", plan=still, start=state(first))
    assert same(state(first), state(kept))
    head = {k: v for k, v in state(first).items() if k.startswith("body.3")}
    part = train(NET, scores, SOFT, to=tmp_path / "part", plan=still, start=head)
    assert torch.equal(state(part)["body.3.weight"], state(first)["body.3.weight"])
    assert not torch.equal(state(part)["body.1.weight"], state(first)["body.1.weight"])


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        ({"body.9.weight": torch.zeros(3)}, "start gives 'body.9.weight' of shape (3,); in this"),
        ({"body.3.bias": torch.zeros(4)}, "of shape (4,); in this student it is (3,)"),
    ],
)
def test_weights_that_are_not_the_students_are_refused(start, sentence, tmp_path, scores):
    with pytest.raises(InputError, match=re.escape(sentence)):
        train(NET, scores, SOFT, to=tmp_path / "run", plan=QUICK, start=start)
    assert not (tmp_path / "run").exists()


def test_a_factory_of_your_own_is_loaded_only_with_trust(tmp_path, scores):
    run = train(students.factory(tilted), scores, SOFT, to=tmp_path / "run", plan=QUICK)
    run.model()
    with pytest.raises(TrustError, match="worlds:tilted runs code that this text names"):
        Run.open(tmp_path / "run").model()
    again = Run.open(tmp_path / "run", trust=True)
    assert same(state(again), state(run))


def test_a_damaged_model_is_named(tmp_path, scores):
    run = train(NET, scores, SOFT, to=tmp_path / "run", plan=QUICK)
    file = tmp_path / "run" / "student-0" / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-2] ^= 1
    file.write_bytes(content)
    with pytest.raises(CorruptError, match=r"student-0/model.safetensors was altered"):
        run.model()
    with pytest.raises(MissingError, match=r"has no seed 7; it has \[0\]"):
        run.model(7)


def test_a_damaged_checkpoint_is_named(tmp_path, scores):
    folder = tmp_path / "run" / "student-0"
    train(NET, scores, SOFT, to=tmp_path / "run", plan=QUICK)
    (tmp_path / "run" / "manifest.json").unlink()
    (folder / "model.safetensors").unlink()
    (folder / "checkpoint.safetensors").write_bytes(b"half a checkpoint")
    with pytest.raises(
        CorruptError, match=r"checkpoint.safetensors is damaged; remove it to start"
    ):
        train(NET, scores, SOFT, to=tmp_path / "run", plan=QUICK)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"objective": SOFT}, InputError, "needs a teacher's scores; blobs has none: score it"),
        (
            {"data": blobs(20, labelled=False), "objective": objectives.Labels()},
            LabelsError,
            r"Labels\(\) needs labels, and blobs has none",
        ),
        (
            {"objective": objectives.Labels(), "seeds": 0},
            InputError,
            "seeds are a count of 1 or more, or different numbers from 0; got 0",
        ),
        (
            {"objective": objectives.Labels(), "student": students.mlp([3]).sized((5,), 3)},
            InputError,
            r"takes inputs of shape \(5,\) to 3 classes; these examples have shape \(2,\)",
        ),
        (
            {"objective": objectives.Labels(), "labelled": blobs(5, labelled=False)},
            LabelsError,
            "blobs was given as labelled, and has no labels",
        ),
        (
            {"objective": objectives.Labels(), "labelled": blobs(5)},
            MismatchError,
            "labelled= goes with a score set",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused_and_nothing_written(
    arguments, error, sentence, tmp_path
):
    data = arguments.pop("data", blobs(20))
    student = arguments.pop("student", NET)
    with pytest.raises(error, match=sentence):
        train(student, data, to=tmp_path / "run", plan=QUICK, **arguments)
    assert not (tmp_path / "run").exists()


def test_an_objective_that_says_too_little_is_refused(tmp_path, scores):
    with pytest.raises(
        InputError, match="an objective says its text, needs_scores and needs_labels"
    ):
        train(NET, scores, lambda output, batch: {}, to=tmp_path / "run", plan=QUICK)


@dataclass(frozen=True)
class Halved(views.View):
    """A view of one's own, which no text makes again."""

    text = "halved()"

    def show(self, examples, rows, numbers, seed):
        shown = views.plain().show(examples, rows, numbers, seed)
        return replace(shown, inputs=shown.inputs / 2)


def test_a_view_of_your_own_is_scored_and_trained_on(tmp_path):
    scores = score(TEACHER, blobs(60), to=tmp_path / "s", views=Halved())
    train(NET, scores, SOFT, to=tmp_path / "run", plan=QUICK)
    batch = TransferSet.of(scores).batch(np.arange(60), np.zeros(60, int))
    np.testing.assert_allclose(batch.scores.numpy(), rule(blobs(60).inputs / 2), atol=1e-2)


def test_the_hard_part_without_labels_is_refused(tmp_path):
    scores = score(TEACHER, blobs(20, labelled=False), to=tmp_path / "s")
    objective = objectives.SoftTargets(2.0, hard_weight=0.1)
    with pytest.raises(LabelsError, match="needs labels, and blobs has none"):
        train(NET, scores, objective, to=tmp_path / "run", plan=QUICK)


def test_a_loss_that_is_no_number_stops_training_with_advice(tmp_path, scores):
    plan = Plan(epochs=50, batch=16, optimizer="sgd", learning_rate=1e18, held_out=0.0)
    with pytest.raises(InputError, match=r"no longer a number at step .*; lower the learning rate"):
        train(NET, scores, objectives.MatchLogits(), to=tmp_path / "run", plan=plan)


def test_a_run_of_another_request_is_not_overwritten(tmp_path, scores):
    train(NET, scores, SOFT, to=tmp_path / "run", plan=QUICK)
    before = (tmp_path / "run" / "student-0" / "model.safetensors").read_bytes()
    with pytest.raises(OccupiedError, match=r"a run of another request \(other objective, plan\)"):
        train(NET, scores, objectives.MatchLogits(), to=tmp_path / "run", plan=Plan(epochs=2))
    assert (tmp_path / "run" / "student-0" / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ({"epochs": -1}, "a plan's epochs is 1 or more, or 0 for enough, not -1"),
        ({"optimizer": "adam"}, "a plan's optimizer is one of sgd, nesterov, adamw, not 'adam'"),
        ({"learning_rate": 0.0}, "a plan's learning_rate is above 0, not 0.0"),
        ({"held_out": 1.0}, "a plan's held_out is 0 or more and below 1, not 1.0"),
        ({"patience": 3, "held_out": 0.0}, "patience stops on held-out examples"),
        ({"optimizer": "nesterov", "momentum": 0.0}, "set momentum above 0"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(numbers, sentence):
    # Through dictionaries: the type checker of the tests would refuse some of these before us.
    with pytest.raises(InputError, match=sentence):
        Plan(**numbers)


def test_students_and_controls_are_trained_on_mixed_examples_too(tmp_path):
    points = blobs(60)
    scores = score(TEACHER, points, to=tmp_path / "s", views=views.mixup(), count=3)
    run = train(NET, scores, SOFT, to=tmp_path / "run", plan=Plan(epochs=30, learning_rate=0.02))
    test = blobs(300, seed=9, name="test")
    assert accuracy(run, test) > 0.8
    assert accuracy(run.control, test) > 0.8


def test_the_manifest_says_what_the_run_is(tmp_path, scores):
    train(NET, scores, SOFT, to=tmp_path / "run", plan=QUICK, seeds=2)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["objective"] == "SoftTargets(temperature=2.0)"
    assert manifest["student"] == "mlp(inputs=[2], outputs=3, hidden=[8])"
    assert manifest["scores"] == scores.fingerprint
    assert manifest["seeds"] == [0, 1]
    assert set(manifest["nets"]) == {"student", "control"}
    assert {"limbeck", "torch", "machine", "commit", "command"} <= manifest["provenance"].keys()


def test_the_loop_is_short_enough_to_be_read():
    assert len(Path(_loop.__file__).read_text().splitlines()) <= 150


def test_the_same_run_made_again_is_known_by_the_same_fingerprint(scores, tmp_path):
    """However long it took: a report of the first is one of the second."""
    one, other = (train(NET, scores, SOFT, to=tmp_path / name, plan=QUICK) for name in "ab")
    assert (
        one.manifest["nets"]["student"]["0"]["sha256"]
        == (other.manifest["nets"]["student"]["0"]["sha256"])
    )
    assert one.fingerprint == other.fingerprint
    assert one.control.fingerprint == other.control.fingerprint != one.fingerprint
    third = train(NET, scores, SOFT, to=tmp_path / "c", plan=replace(QUICK, epochs=4))
    assert third.fingerprint != one.fingerprint
