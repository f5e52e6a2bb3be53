"""A sweep over sizes of the transfer set: nested parts, the same number of steps, a table."""

import numpy as np
import pytest
import torch
from worlds import CLASSES, blobs, killed_at, rule

from limbeck import Examples, Plan, artifacts, objectives, score, students, sweep, teachers, views
from limbeck.errors import ExamplesError, InputError, LabelsError, MismatchError, OccupiedError
from limbeck.selection import by_size
from limbeck.training import TransferSet

TEACHER = teachers.function(rule, CLASSES, name="rule")
NET = students.mlp([6])
PLAN = Plan(epochs=4, batch=16, learning_rate=0.01)
SOFT = {"soft": objectives.SoftTargets(2.0)}
SIZES = (20, 40, 80)
POINTS = blobs(80)
TEST = blobs(60, seed=5, name="test")


@pytest.fixture
def scores(tmp_path):
    return score(TEACHER, POINTS, to=tmp_path / "scores")


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    place = tmp_path_factory.mktemp("swept")
    made = score(TEACHER, POINTS, to=place / "scores")
    return sweep(NET, made, SOFT, to=place / "s", plan=PLAN, seeds=2, sizes=SIZES)


def weights(runs):
    """The checksums of all seeds' weights."""
    nets = {name: run.manifest["nets"]["student"] for name, run in runs.items()}
    return {name: [net["sha256"] for net in of_run.values()] for name, of_run in nets.items()}


def test_each_size_has_its_runs_and_its_control(swept):
    assert list(swept) == [f"{size}/{name}" for size in SIZES for name in ("soft", "control")]
    assert [swept[f"{size}/soft"].manifest["examples"]["n"] for size in SIZES] == [20, 40, 80]
    assert all(run.seeds == [0, 1] for run in swept.values())


def test_the_smaller_part_is_in_the_larger(swept):
    seen = [set(swept[f"{size}/soft"].seen().tolist()) for size in SIZES]
    assert seen[0] < seen[1] < seen[2] == set(POINTS.content_hashes.tolist())


def test_which_examples_a_part_holds_does_not_depend_on_their_order(scores):
    transfer = TransferSet.of(scores)
    order = np.random.default_rng(0).permutation(80)
    part, other = transfer.of_size(30), transfer.take(order).of_size(30)
    assert set(part.examples.keys) == set(other.examples.keys)
    by_hash = POINTS.keys[np.argsort(POINTS.key_hashes)[:30]]
    assert set(part.examples.keys) == set(by_hash)


def test_a_part_keeps_each_example_with_its_scores(scores):
    part = TransferSet.of(scores).of_size(30)
    batch = part.batch(np.arange(30), np.zeros(30, dtype=int))
    expected = torch.from_numpy(rule(part.examples.inputs))
    torch.testing.assert_close(batch.scores, expected, rtol=0, atol=0.02)


def test_all_sizes_take_the_same_number_of_steps(swept):
    steps = {
        name: [n["steps"] for n in run.manifest["nets"]["student"].values()]
        for name, run in swept.items()
    }
    # 72 of 80 are trained on in 5 batches, 4 times; the same for 18 of 20.
    assert {tuple(steps[f"{size}/soft"]) for size in SIZES} == {(20, 20)}
    assert steps["80/control"] == [20, 20]


def test_a_control_that_would_see_its_labels_too_often_stops_early_and_says_so(swept):
    notes = {size: " ".join(swept[f"{size}/control"].notes) for size in SIZES}
    assert "the control had 16 labels to learn from and stopped early on 4 held-out" in notes[20]
    assert "stopped early" not in notes[40] + notes[80]
    assert swept["20/control"].manifest["pace"] == 72


def test_the_largest_size_of_all_is_the_sweep_without_sizes(swept, scores, tmp_path):
    alone = sweep(NET, scores, SOFT, to=tmp_path / "alone", plan=PLAN, seeds=2)
    for name in ("soft", "control"):
        assert weights({"": alone[name]}) == weights({"": swept[f"80/{name}"]})


def test_an_interrupted_sweep_over_sizes_goes_on_to_the_same_nets(
    swept, scores, tmp_path, monkeypatch
):
    asked = {"to": tmp_path / "s", "plan": PLAN, "seeds": 2, "sizes": SIZES}
    with killed_at(50, monkeypatch):
        sweep(NET, scores, SOFT, **asked)
    made = sweep(NET, scores, SOFT, **asked)
    assert weights(made) == weights(swept)
    assert not list(tmp_path.glob("s/**/checkpoint*"))


def test_labels_apart_are_in_every_part(tmp_path):
    bare = score(TEACHER, blobs(60, labelled=False), to=tmp_path / "scores")
    few = blobs(15, seed=7, name="few")
    made = sweep(NET, bare, SOFT, to=tmp_path / "s", plan=PLAN, labelled=few, sizes=[10, 30])
    assert [run.manifest["examples"]["n"] for run in made.values()] == [25, 25, 45, 45]
    assert {run.manifest["examples"]["labelled"] for run in made.values()} == {15}


def test_labels_alone_make_a_learning_curve(tmp_path):
    asked = {"labels": objectives.Labels()}
    made = sweep(NET, POINTS, asked, to=tmp_path / "s", plan=PLAN, sizes=[20, 80])
    assert list(made) == ["20/labels", "80/labels"]
    assert {
        net["steps"] for r in made.values() for net in r.manifest["nets"]["student"].values()
    } == {20}


@pytest.mark.parametrize("sizes", [[0, 10], [20, 10], [10, 10], [-5]])
def test_sizes_that_do_not_increase_are_refused(sizes, scores, tmp_path):
    with pytest.raises(InputError, match=r"whole numbers of 1 or more, each larger .* not \["):
        sweep(NET, scores, SOFT, to=tmp_path / "s", plan=PLAN, sizes=sizes)
    assert not (tmp_path / "s").exists()


def test_a_size_larger_than_the_set_is_refused_before_any_work(scores, tmp_path):
    with pytest.raises(
        InputError, match="a sweep of size 81 needs as many examples with scores; blobs has 80"
    ):
        sweep(NET, scores, SOFT, to=tmp_path / "s", plan=PLAN, sizes=[20, 81])
    assert not (tmp_path / "s").exists()


def test_another_largest_size_is_another_sweep(swept, scores, tmp_path):
    sweep(NET, scores, SOFT, to=tmp_path / "s", plan=PLAN, sizes=[20, 40])
    with pytest.raises(OccupiedError, match=r"another request \(other pace\)"):
        sweep(NET, scores, SOFT, to=tmp_path / "s", plan=PLAN, sizes=[20, 80])
    assert not (tmp_path / "s" / "80").exists()


def test_a_part_of_mixed_examples_is_refused(tmp_path):
    mixed = score(TEACHER, POINTS, to=tmp_path / "scores", views=views.mixup(), count=2)
    with pytest.raises(MismatchError, match="a part of them would be mixed otherwise"):
        sweep(NET, mixed, SOFT, to=tmp_path / "s", plan=PLAN, sizes=[20])


def test_the_table_has_each_size_with_its_gain_over_its_control(swept, tmp_path):
    table = by_size(swept, TEST)
    row = table.row(20, "soft")
    said = teachers.run(swept["20/soft"], 1).answers(TEST, "it").argmax(1)
    accuracy = [
        np.mean(teachers.run(swept["20/soft"], seed).answers(TEST, "it").argmax(1) == TEST.labels)
        for seed in (0, 1)
    ]
    assert said.shape == (60,)
    assert row["metrics"]["accuracy"]["mean"] == pytest.approx(np.mean(accuracy))
    gain = (
        row["metrics"]["accuracy"]["mean"] - table.row(20, "control")["metrics"]["accuracy"]["mean"]
    )
    assert row["against_control"]["mean"] == pytest.approx(gain)
    assert row["metrics"]["nll_nats"]["n"] == 60
    assert "against_control" not in table.row(20, "control")
    lines = str(table).splitlines()
    assert "soft less control, points" in lines[0]
    assert [line.split("|")[1].strip() for line in lines[2:5]] == ["20", "40", "80"]
    table.write(tmp_path / "t")
    assert artifacts.read_json(tmp_path / "t" / "sizes.json") == table.document
    assert (tmp_path / "t" / "sizes.md").read_text() == f"{table}\n"


def test_what_no_table_can_be_made_of_is_said(swept):
    with pytest.raises(InputError, match="there is no row 30/soft; there are 20/soft, 20/control"):
        by_size(swept, TEST).row(30, "soft")
    with pytest.raises(InputError, match="by_size takes one run or more"):
        by_size({}, TEST)
    with pytest.raises(InputError, match=r"runs named SIZE/NAME, .*: not 'soft'"):
        by_size({"soft": swept["20/soft"]}, TEST)
    with pytest.raises(LabelsError, match="needs a label for every example of test"):
        by_size(swept, TEST.without_labels())
    with pytest.raises(ExamplesError, match="were seen in training by 20/soft"):
        by_size(swept, POINTS)
    others = Examples.of(TEST.inputs, TEST.labels, classes=("a", "b", "c"))
    with pytest.raises(MismatchError, match="names the classes"):
        by_size(swept, others)
