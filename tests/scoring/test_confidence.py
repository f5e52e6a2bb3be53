"""What was held out from a teacher, how sure it is of either part, and when that is a warning."""

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save
from worlds import CLASSES, blobs, rule

from limbeck import (
    Examples,
    Plan,
    combine,
    correct,
    evaluate,
    objectives,
    score,
    show,
    students,
    teachers,
    train,
)
from limbeck import artifacts as artifacts
from limbeck.artifacts import file_entry
from limbeck.errors import InputError, MismatchError, ScoresWarning
from limbeck.metrics import Estimate
from limbeck.recipes import load_scores
from limbeck.scoring import Storage, confidence
from limbeck.scoring._confidence import Confidence, confidence_of

TEACHER = teachers.function(rule, CLASSES, name="rule")
# Sixteen numbers of which one tells the label, and that badly: there is much to learn by heart.
LEARNT = Plan(epochs=150, batch=50, learning_rate=0.02, held_out=0.5)
FEW = Plan(epochs=3, batch=50, learning_rate=0.02, held_out=0.5)


def noise(n: int, seed: int = 0, name: str = "noise") -> Examples:
    drawn = np.random.default_rng(seed)
    inputs = drawn.normal(size=(n, 16)).astype(np.float32)
    labels = (inputs[:, 0] + drawn.normal(size=n) > 0).astype(int)
    keys = [f"{name}-{row}" for row in range(n)]
    return Examples.of(inputs, labels, keys=keys, classes=("a", "b"), name=name)


POINTS = noise(200)
OTHERS = noise(150, seed=1, name="others")


@pytest.fixture(scope="module")
def by_heart(tmp_path_factory):
    to = tmp_path_factory.mktemp("teachers") / "by-heart"
    return train(students.mlp([64]), POINTS, objectives.Labels(), to=to, plan=LEARNT)


@pytest.fixture(scope="module")
def generalising(tmp_path_factory):
    to = tmp_path_factory.mktemp("teachers") / "generalising"
    return train(students.mlp([4]), POINTS, objectives.Labels(), to=to, plan=FEW)


def own_half(run):
    return POINTS.take(np.flatnonzero(np.isin(POINTS.content_hashes, run.trained_on())))


def test_a_run_knows_what_it_was_trained_on_and_what_it_only_decided_on(by_heart):
    held = POINTS.split(0.5)[1]
    assert len(by_heart.seen()) == 200
    assert len(by_heart.trained_on()) == 100
    assert not np.isin(held.content_hashes, by_heart.trained_on()).any()
    assert np.isin(held.content_hashes, by_heart.seen()).all()


def test_a_control_with_few_labels_was_trained_on_fewer(tmp_path):
    scores = score(TEACHER, blobs(100, labelled=False), to=tmp_path / "s")
    few = blobs(20, seed=3, name="few")
    plan = Plan(epochs=2, batch=20)
    asked = {"to": tmp_path / "r", "plan": plan, "labelled": few}
    run = train(students.mlp([4]), scores, objectives.SoftTargets(), **asked)
    assert len(run.trained_on()) == 90
    assert len(run.control.trained_on()) == 16


def test_a_corrected_run_was_trained_on_what_the_first_was(generalising, tmp_path):
    made = correct(generalising, OTHERS, classes=["a"], how="held-out", to=tmp_path / "c")
    assert len(made.seen()) == 350
    assert set(made.trained_on()) == set(generalising.trained_on())


def test_a_run_from_before_this_was_recorded_gives_all_it_saw(by_heart, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(by_heart.directory, old)
    content = save({"content": by_heart.seen()})
    (old / "seen.safetensors").write_bytes(content)
    manifest = artifacts.read_json(old / "manifest.json")
    manifest["seen"] |= file_entry(content)
    artifacts.write_json(old / "manifest.json", manifest)
    assert len(type(by_heart).open(old).trained_on()) == 200


def test_a_score_set_records_that_a_run_was_trained_on_half_and_warns_with_the_figure(
    by_heart, tmp_path
):
    with pytest.warns(ScoresWarning) as raised:
        scores = score(by_heart, POINTS, to=tmp_path / "s")
    said = scores.manifest["held_out"]
    assert said == {"answer": "partly", "by": "teacher", "own": 100, "held_out": 100}
    own = np.isin(POINTS.content_hashes, by_heart.trained_on())
    raw = teachers.run(by_heart).answers(POINTS, "it").astype(np.float64)
    highest = (np.exp(raw) / np.exp(raw).sum(1, keepdims=True)).max(1)
    recorded = scores.manifest["confidence"]
    assert recorded["own"]["mean"] == pytest.approx(highest[own].mean(), abs=1e-3)
    assert recorded["held_out"]["mean"] == pytest.approx(highest[~own].mean(), abs=1e-3)
    sentence = str(raised[0].message)
    assert f"is {recorded['own']['mean']:.4f} (" in sentence
    assert "n = 100) sure of its own training points and " in sentence
    assert "its soft targets teach little beyond labels; score points it was not" in sentence
    assert show(scores.directory)["warning"] == sentence
    with pytest.warns(ScoresWarning):  # also when it is whole
        score(by_heart, POINTS, to=tmp_path / "s")


def test_a_teacher_that_generalises_is_scored_without_a_warning(generalising, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = score(generalising, POINTS, to=tmp_path / "s")
    assert scores.held_out == "partly"
    assert "warning" not in show(scores.directory)


def test_an_ensemble_knows_what_any_of_its_members_was_trained_on(by_heart, tmp_path):
    other = train(students.mlp([4]), OTHERS, objectives.Labels(), to=tmp_path / "o", plan=FEW)
    both = teachers.ensemble([by_heart, other])
    every = POINTS.joined(OTHERS)
    scores = score(both, every, to=tmp_path / "s")
    assert scores.manifest["held_out"]["own"] == 175
    mixed = teachers.ensemble([by_heart, teachers.function(lambda x: x[:, :2], ("a", "b"))])
    assert score(mixed, every, to=tmp_path / "m").held_out == "unknown"


@pytest.mark.parametrize(("said", "answer"), [(True, "yes"), (False, "no"), ("unknown", "unknown")])
def test_what_is_said_of_a_teacher_of_your_own_is_recorded(said, answer, tmp_path):
    scores = score(TEACHER, blobs(30), to=tmp_path / "s", held_out=said)
    assert scores.held_out == answer
    assert show(scores.directory)["held_out"]["answer"] == answer
    part = {"yes": "held_out", "no": "own", "unknown": "all"}[answer]
    assert scores.manifest["confidence"][part]["n"] == 30


def test_a_flag_that_the_run_contradicts_is_refused_before_any_work(by_heart, tmp_path):
    with pytest.raises(MismatchError) as raised:
        score(by_heart, POINTS, to=tmp_path / "s", held_out=True)
    assert str(raised.value).startswith(
        "held_out says that by-heart was trained on none of these examples, but it was on 100 of "
        "the 200 of noise, the first is 'noise-"
    )
    with pytest.raises(MismatchError, match="on none of the 150 of others: leave held_out away"):
        score(by_heart, OTHERS, to=tmp_path / "s", held_out=False)
    with pytest.raises(InputError, match="held_out is true, false or 'unknown', not 'maybe'"):
        score(TEACHER, blobs(30), to=tmp_path / "s", held_out="maybe")
    assert not (tmp_path / "s").exists()
    assert score(by_heart, OTHERS, to=tmp_path / "s", held_out=True).held_out == "yes"


def test_a_set_that_did_not_know_learns_it_without_asking_anybody_again(tmp_path):
    old = tmp_path / "scores-1"
    shutil.copytree(Path(__file__).parents[1] / "formats" / "scores-1", old)
    before = load_scores(old, blobs(6))
    assert before.held_out == "unknown"
    assert show(old)["held_out"] == {"answer": "unknown", "by": ""}
    storage = Storage("float32")

    def dead(inputs):
        raise AssertionError("nobody should ask")

    asked = teachers.function(dead, CLASSES, name="rule")
    made = score(asked, blobs(6), to=old, storage=storage, held_out=False)
    assert (made.held_out, made.fingerprint) == ("no", before.fingerprint)
    assert made.manifest["provenance"] == before.manifest["provenance"]
    assert made.manifest["confidence"]["own"]["n"] == 6
    assert score(asked, blobs(6), to=old, storage=storage).held_out == "no"
    with pytest.raises(MismatchError, match="is recorded with held_out = 'no', not 'yes'; nothing"):
        score(asked, blobs(6), to=old, storage=storage, held_out=True)


def test_two_score_sets_of_one_teacher_are_compared(by_heart, generalising, tmp_path):
    own = score(by_heart, own_half(by_heart), to=tmp_path / "own")
    others = score(by_heart, OTHERS, to=tmp_path / "others")
    assert (own.held_out, others.held_out) == ("no", "yes")
    found = confidence(own, others)
    assert found.is_far_apart
    assert found.own.mean == own.manifest["confidence"]["own"]["mean"]
    assert found.to_json()["sentence"] == str(found)
    with pytest.raises(MismatchError, match=r"others is recorded as held out from the teacher \("):
        confidence(others, own)
    calm = score(generalising, OTHERS, to=tmp_path / "calm")
    with pytest.raises(MismatchError, match=r"of two teachers \(by-heart and generalising\)"):
        confidence(own, calm)
    half = score(generalising, own_half(generalising), to=tmp_path / "half")
    assert not confidence(half, calm).is_far_apart
    assert str(confidence(half, calm)).endswith(": not far apart")


def test_scores_that_are_no_distribution_have_no_confidence(tmp_path):
    numbers = teachers.function(rule, CLASSES, kind="values")
    scores = score(numbers, blobs(30), to=tmp_path / "s")
    assert scores.manifest["confidence"] == {}
    with pytest.raises(InputError, match="holds values, of which none is a confidence"):
        confidence(scores, scores)


def test_confidence_of_several_views_is_each_examples_mean(tmp_path):
    # Of each view the means are 0.9 and 0.6; the first is a sample, of which half is asked again.
    first = np.log([[0.88, 0.12], [0.92, 0.08]] * 2)
    second = np.log([[0.4, 0.6]] * 4)
    answers = iter([first, first[:2], second])
    teacher = teachers.function(lambda _: next(answers), ("a", "b"), kind="log-probabilities")
    points = noise(4)
    scores = score(teacher, points, to=tmp_path / "s", count=2)
    assert scores.manifest["confidence"]["all"]["mean"] == pytest.approx(0.75, abs=1e-3)


def test_the_score_set_of_an_ensemble_is_held_out_where_every_members_is(tmp_path):
    points = blobs(20)
    said = {"a": True, "b": True, "c": False, "d": "unknown"}
    sets = {
        name: score(
            teachers.function(rule, CLASSES, name=name), points, to=tmp_path / name, held_out=flag
        )
        for name, flag in said.items()
    }
    answers = {
        names: combine([sets[name] for name in names], to=tmp_path / names).held_out
        for names in ("ab", "ac", "ad", "cd")
    }
    assert answers == {"ab": "yes", "ac": "no", "ad": "unknown", "cd": "no"}


@pytest.mark.slow
def test_a_report_says_that_its_teacher_knew_its_training_points_by_heart(by_heart, tmp_path):
    own = score(by_heart, own_half(by_heart), to=tmp_path / "own")
    plan = Plan(epochs=2)
    student = train(
        students.mlp([4]), own, objectives.SoftTargets(), to=tmp_path / "run", plan=plan
    )
    assert student.manifest["teacher"]["held_out"]["answer"] == "no"
    models = {"teacher": by_heart, "student": student}
    [note] = evaluate(models, OTHERS).document["notes"]
    assert note.startswith("the teacher by-heart is 0.9")
    assert (
        "n = 150) of points held out from it: on its own points its soft targets teach little"
        in note
    )
    assert evaluate({"student": student}, OTHERS).document["notes"] == []


@pytest.mark.slow
def test_a_report_of_a_teacher_that_generalises_says_nothing(generalising, tmp_path):
    own = score(generalising, own_half(generalising), to=tmp_path / "own")
    plan = Plan(epochs=2)
    student = train(
        students.mlp([4]), own, objectives.SoftTargets(), to=tmp_path / "run", plan=plan
    )
    report = evaluate({"teacher": generalising, "student": student}, OTHERS)
    assert report.document["notes"] == []


def estimate(mean: float, half: float, n: int = 100) -> Estimate:
    return Estimate(mean, max(mean - half, 0.0), min(mean + half, 1.0), n)


@pytest.mark.parametrize(
    ("own", "held_out", "is_far"),
    [
        (estimate(0.998, 0.001), estimate(0.91, 0.01), True),
        (estimate(0.998, 0.001), estimate(0.91, 0.10), False),  # the interval holds 0.01
        (estimate(0.999, 0.0001), estimate(0.994, 0.0001), False),  # nearly certain of all
        (estimate(0.90, 0.001), estimate(0.85, 0.001), False),  # leaves others two thirds as much
        (estimate(0.90, 0.001), estimate(0.79, 0.001), True),
        (estimate(0.85, 0.001), estimate(0.95, 0.001), False),  # surer of what it never saw
    ],
)
def test_far_more_confident_is_half_as_much_left_and_a_gap_with_its_whole_interval(
    own, held_out, is_far
):
    assert Confidence("t", own, held_out).is_far_apart is is_far


def test_the_interval_of_the_gap_covers_as_often_as_it_says():
    drawn = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        own, other = drawn.beta(20, 1, 80), drawn.beta(3, 1, 60)
        gap = Confidence("t", confidence_of(own), confidence_of(other)).gap
        covered += gap.low <= 20 / 21 - 3 / 4 <= gap.high
    assert 0.92 < covered / 400 < 0.98
