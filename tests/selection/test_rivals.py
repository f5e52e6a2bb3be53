"""A student among its rivals: the rule, the rows, their sizes and times, and what is refused."""

import json
import math
import pickle
import time
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info
from worlds import CLASSES, blobs, pictures, rule

import limbeck
from limbeck import Examples, Plan, cli, objectives, students, teachers
from limbeck.errors import (
    ExamplesError,
    InputError,
    LabelsError,
    MismatchError,
    OccupiedError,
    TeacherError,
)
from limbeck.evaluation import _cost
from limbeck.selection._baselines import _linear, baselines, in_int8, pickled_bytes
from limbeck.selection._decision import Contender, Decision, decide
from limbeck.selection._flat_trees import FlatTrees

PLAN = Plan(epochs=15, learning_rate=0.02, batch=32)
BUDGET = 40.0  # milliseconds: a busy machine answers within it, and the slow teachers do not


def slow(answer):
    """The same function, slower than the budget."""

    def slowly(inputs):
        time.sleep(BUDGET / 1000 * 1.5)
        return answer(inputs)

    return slowly


@pytest.fixture(autouse=True)
def short_times(monkeypatch):
    """Times are taken for a moment only."""
    monkeypatch.setattr(_cost, "SECONDS", 0.01)
    monkeypatch.setattr(_cost, "LONGEST", 0.3)


@pytest.fixture(scope="module")
def teacher():
    return teachers.function(slow(rule), CLASSES, name="slow rule")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A student of the blobs with its control, two seeds each."""
    place = tmp_path_factory.mktemp("rivals")
    scores = limbeck.score(
        teachers.function(rule, CLASSES), blobs(150, labelled=True), to=place / "scores"
    )
    return limbeck.train(
        students.mlp([8]), scores, objectives.SoftTargets(), to=place / "run", plan=PLAN, seeds=2
    )


def labelled():
    return blobs(300, seed=1, name="labelled")


def held_out():
    return blobs(200, seed=2, name="test")


@pytest.fixture(scope="module")
def found(trained, teacher, tmp_path_factory):
    """The rivals of that student, where labels are plenty."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_cost, "SECONDS", 0.01)
        patched.setattr(_cost, "LONGEST", 0.5)
        return limbeck.rivals(
            trained,
            held_out(),
            teacher=teacher,
            labelled=labelled(),
            to=tmp_path_factory.mktemp("rivals") / "r",
            budget_ms=BUDGET,
        )


def xor(n, seed, *, with_labels=True, name="xor"):
    drawn = np.random.default_rng(seed)
    inputs = drawn.normal(0, 1, (n, 2)).astype(np.float32)
    labels = (inputs[:, 0] * inputs[:, 1] > 0).astype(int)
    keys = [f"{name}-{row}" for row in range(n)]
    given = labels if with_labels else None
    return Examples.of(inputs, given, keys=keys, classes=("apart", "alike"), name=name)


def xor_rule(inputs):
    product = 6 * inputs[:, 0] * inputs[:, 1]
    return np.stack([-product, product], axis=1)


S = Contender("student", "student", 0.80, 0.1, 1000)
SLOW_TEACHER = Contender("teacher", "teacher", 0.85, 9.0, 9000, (-0.06, -0.04))
QUICK_TEACHER = replace(SLOW_TEACHER, p50=0.5)
WORSE_TEACHER = replace(QUICK_TEACHER, ahead=(0.01, 0.02))
MEMBER = Contender("first member", "cheaper teacher", 0.8, 0.9, 900, (-0.01, 0.01))
TREES = Contender("baseline", "baseline", 0.81, 0.2, 500, (-0.02, 0.001))
WORSE_TREES = replace(TREES, ahead=(0.001, 0.03))
CONTROL = Contender("control", "control", 0.82, 0.1, 1000, (-0.03, 0.0))
INT8 = Contender("student int8", "student int8", 0.80, 0.1, 300, (-0.001, 0.004))


@pytest.mark.parametrize(
    ("others", "answer", "ship", "by_rule"),
    [
        ([QUICK_TEACHER, MEMBER, TREES], "do not distil", "teacher", 1),
        ([SLOW_TEACHER, MEMBER, TREES], "do not distil", "first member", 1),
        ([WORSE_TEACHER, TREES], "do not distil", "baseline", 2),
        ([WORSE_TEACHER, MEMBER], "do not distil", "first member", 1),
        ([SLOW_TEACHER, replace(MEMBER, ahead=(0.002, 0.01))], "ship the student", "student", 3),
        ([SLOW_TEACHER, replace(MEMBER, p50=1.1)], "ship the student", "student", 3),
        ([SLOW_TEACHER, TREES, CONTROL], "do not distil", "control", 2),
        ([SLOW_TEACHER, TREES, WORSE_TREES], "do not distil", "baseline", 2),
        ([SLOW_TEACHER, WORSE_TREES, INT8], "ship the student", "student int8", 3),
        ([SLOW_TEACHER, replace(INT8, ahead=(0.0, 0.006))], "ship the student", "student", 3),
        ([SLOW_TEACHER, replace(INT8, bytes=1000)], "ship the student", "student", 3),
        ([SLOW_TEACHER, replace(INT8, bytes=0)], "ship the student", "student", 3),
        ([SLOW_TEACHER, replace(INT8, p50=2.0)], "ship the student", "student", 3),
        ([replace(QUICK_TEACHER, p50=math.inf)], "ship the student", "student", 3),
        ([Contender("baseline", "baseline", p50=0.1)], "ship the student", "student", 3),
    ],
)
def test_the_rule_ships_this(others, answer, ship, by_rule):
    assert decide([*others, S], 1.0, 0.005) == Decision(answer, ship, by_rule)


def test_a_student_that_is_too_slow_is_not_shipped_unless_its_int8_is_quick():
    heavy = replace(S, p50=2.0)
    assert decide([SLOW_TEACHER, heavy], 1.0, 0.005) == Decision("ship nothing yet", "", 3)
    assert decide([heavy, INT8], 1.0, 0.005).ship == "student int8"


def test_where_labels_are_plenty_it_says_not_to_distil(found):
    assert found.decision["answer"] == "do not distil"
    assert found.decision["rule"] == 2
    assert found.decision["ship"] in ("baseline", "linear baseline", "control")
    shipped = found.row(found.decision["ship"])
    assert found.sentence.startswith(f"Do not distil: ship {shipped['name']} (accuracy ")
    assert (
        f"p50 {shipped['latency_ms']['p50']:.3g} ms, {shipped['bytes']:,} bytes" in found.sentence
    )
    assert str(found).endswith(found.sentence.replace("[", "\\["))
    assert found.sentence.count("200 test examples") == 1


@pytest.mark.slow
def test_where_labels_are_few_the_student_is_shipped(tmp_path):
    teacher = teachers.function(slow(xor_rule), ("apart", "alike"), name="slow rule")
    few, test = xor(20, 1, name="few"), xor(1000, 2, name="test")
    scores = limbeck.score(teacher, xor(500, 0, with_labels=False), to=tmp_path / "scores")
    run = limbeck.train(
        students.mlp([32]),
        scores,
        objectives.SoftTargets(),
        to=tmp_path / "run",
        plan=Plan(epochs=40, learning_rate=0.02, batch=32),
        labelled=few,
    )
    found = limbeck.rivals(
        run, test, teacher=teacher, labelled=few, to=tmp_path / "r", budget_ms=BUDGET
    )
    assert found.document["metric"] == "auc"
    assert found.decision["answer"] == "ship the student"
    assert found.sentence.startswith("Ship student")
    assert "teacher (AUC " in found.sentence
    assert "is slower" in found.sentence
    for name in ("baseline", "linear baseline", "control"):
        assert found.row(name)["student_ahead"]["low"] > 0
    slower = limbeck.rivals(
        run, test, teacher=teacher, labelled=few, to=tmp_path / "none", budget_ms=1e-6
    )
    assert slower.decision["answer"] == "ship nothing yet"
    assert slower.sentence.startswith("Ship nothing yet: student (AUC ")


@pytest.mark.slow
def test_a_quick_teacher_is_shipped_itself(trained, tmp_path):
    quick = teachers.function(rule, CLASSES, name="rule")
    found = limbeck.rivals(
        trained, held_out(), teacher=quick, labelled=labelled(), to=tmp_path / "r",
        budget_ms=BUDGET,
    )  # fmt: skip
    assert found.decision["ship"] == "teacher"
    assert "bytes unknown" in found.sentence


def test_every_row_is_there_with_its_metric_size_and_times(found, trained):
    names = [row["name"] for row in found.rows]
    assert names == ["teacher", "baseline", "linear baseline", "control", "student", "student int8"]
    for row in found.rows:
        taken = row["latency_ms"]
        assert 0 < taken["p50"] <= taken["p95"] <= taken["p99"]
        assert row["throughput_per_second"] > 0
        assert row["metric"]["low"] <= row["metric"]["mean"] <= row["metric"]["high"]
        assert row["metric"]["n"] == 200
    assert [row["seeds"] for row in found.rows] == [1, 1, 1, 2, 2, 1]
    file = trained.directory / f"student-{trained.shipped}" / "model.safetensors"
    assert found.row("student")["bytes"] == file.stat().st_size
    assert found.row("teacher")["bytes"] == 0
    assert found.row("student")["student_ahead"] is None


def test_a_p99_has_two_hundred_calls_and_a_slow_model_fewer(found):
    assert found.row("student")["latency_ms"]["calls"] >= 200
    assert found.row("student int8")["latency_ms"]["calls"] >= 200
    assert found.row("teacher")["latency_ms"]["calls"] < 10


def test_the_numbers_are_those_of_evaluate(found, trained):
    report = limbeck.evaluate({"student": trained}, held_out())
    for name in ("student", "control"):
        assert found.row(name)["metric"] == report.row(name)["metrics"]["accuracy"]
    ahead, verdict = found.row("control")["student_ahead"], report.verdict
    assert [ahead[k] for k in ("difference", "low", "high", "n")] == [
        verdict[k] for k in ("difference", "low", "high", "n")
    ]


@pytest.mark.slow
def test_where_lower_is_better_ahead_still_means_better(trained, teacher, tmp_path):
    found = limbeck.rivals(
        trained, held_out(), teacher=teacher, labelled=labelled(), to=tmp_path / "r",
        metric="nll_nats", budget_ms=BUDGET,
    )  # fmt: skip
    row, student = found.row("baseline"), found.row("student")
    better = row["metric"]["mean"] - student["metric"]["mean"]
    assert row["student_ahead"]["difference"] == pytest.approx(better)


def test_it_is_an_artifact_that_is_read_shown_and_never_made_twice(found, trained, teacher):
    place = found.directory
    assert limbeck.load(place).document == found.document
    assert limbeck.show(place)["whole"] == "yes"
    assert limbeck.show(place)["artifact"] == "rivals"
    page = (place / "rivals.md").read_text()
    assert str(found) in page
    assert json.loads((place / "rivals.json").read_text())["decision"] == found.decision
    asked = {"teacher": teacher, "labelled": labelled(), "to": place}
    again = limbeck.rivals(trained, held_out(), budget_ms=BUDGET, **asked)
    assert again.document == found.document
    with pytest.raises(OccupiedError, match="other budget_ms"):
        limbeck.rivals(trained, held_out(), budget_ms=2 * BUDGET, **asked)
    with pytest.raises(InputError, match="these rivals have no row 'trees'; they are teacher, "):
        found.row("trees")


@pytest.mark.slow
def test_an_ensemble_has_its_first_member_and_a_run_its_int8(trained, tmp_path):
    asked = {"labelled": labelled(), "budget_ms": BUDGET}
    both = limbeck.rivals(
        trained, held_out(), teacher=teachers.ensemble([trained]), to=tmp_path / "e", **asked
    )
    member, whole = both.row("first member"), both.row("teacher")
    assert 2 * member["bytes"] == whole["bytes"]
    assert "the first of 2 members" in member["what"]
    alone = limbeck.rivals(trained, held_out(), teacher=trained, to=tmp_path / "r", **asked)
    assert [row["part"] for row in alone.rows][:2] == ["teacher", "cheaper teacher"]
    assert alone.row("teacher int8")["bytes"] == alone.row("student int8")["bytes"]


@pytest.mark.slow
def test_boosted_trees_have_a_tenth_of_their_trees(trained, tmp_path):
    asked = []

    @dataclass(frozen=True, eq=False, kw_only=True)
    class Trees(teachers.Teacher):
        has_trees = True

        def predict(self, inputs):
            return rule(inputs)

        def with_trees(self, share):
            asked.append(share)
            return teachers.function(rule, CLASSES, name="few trees")

    teacher = Trees(name="trees", classes=CLASSES, kind="logits", fingerprint="t")
    found = limbeck.rivals(
        trained, held_out(), teacher=teacher, labelled=labelled(), to=tmp_path / "r"
    )
    assert asked == [0.1]
    assert found.row("fewer trees")["what"] == "the first 10% of its trees"


@pytest.mark.slow
def test_classes_in_another_order_change_nothing(found, trained, tmp_path):
    turned = teachers.function(lambda x: rule(x)[:, ::-1], CLASSES[::-1], name="turned")
    other = limbeck.rivals(
        trained, held_out(), teacher=turned, labelled=labelled(), to=tmp_path / "r"
    )
    assert other.row("teacher")["metric"] == found.row("teacher")["metric"]


def threads_now():
    pools = {(p["filepath"], p["num_threads"]) for p in threadpool_info()}
    return torch.get_num_threads(), pools


@pytest.mark.slow
def test_threads_are_put_back(trained, teacher, tmp_path):
    before, inside = threads_now(), []

    def answer(inputs):
        inside.append(torch.get_num_threads())
        return rule(inputs)

    watching = teachers.function(answer, CLASSES, name="watching")
    other = 1 if before[0] > 1 else 2
    asked = {"labelled": labelled(), "to": tmp_path / "r", "threads": other}
    limbeck.rivals(trained, held_out(), teacher=watching, **asked)
    assert inside[-1] == other
    assert threads_now() == before


def test_threads_are_put_back_after_a_failure():
    before = threads_now()
    with pytest.raises(RuntimeError), _cost.threads_limited(before[0] + 1):
        raise RuntimeError
    assert threads_now() == before


def test_an_onnx_teacher_is_opened_again_for_the_threads(trained, tmp_path):
    exported = limbeck.export(trained, to=tmp_path / "m.onnx", check=held_out())
    opened = teachers.onnx(exported.path)
    again = opened.with_threads(2)
    assert "threads=2" in again.source
    assert again.fingerprint == opened.fingerprint
    assert again.bytes == exported.path.stat().st_size
    other = teachers.function(rule, CLASSES)
    assert other.with_threads(2) is other


def test_a_net_in_int8_whose_file_is_gone_cannot_go_to_another_process(trained):
    made = in_int8("small", trained, held_out().inputs, 1)
    assert made.teacher.bytes == made.bytes > 0
    with pytest.raises(TeacherError, match="small holds an object that cannot be pickled"):
        pickle.dumps(made.teacher)


def test_the_size_of_a_model_of_scikit_learn_is_that_of_its_pickle():
    points = labelled()
    model = LogisticRegression().fit(points.inputs, points.labels)
    assert pickled_bytes(model) == len(pickle.dumps(model, protocol=5))
    teacher = teachers.function(model.predict_proba, CLASSES, kind="probabilities")
    assert teacher.bytes == pickled_bytes(model)


def texts(n, name):
    drawn = np.random.default_rng(len(name))
    labels = drawn.integers(0, 2, n)
    words = np.array([["good", "fine", "great"], ["bad", "poor", "awful"]])
    said = [f"{words[label, drawn.integers(3)]} {name} {k}" for k, label in enumerate(labels)]
    keys = [f"{name}-{row}" for row in range(n)]
    return Examples.of(said, labels, keys=keys, classes=("praise", "blame"), name=name)


@pytest.mark.slow
def test_texts_are_held_against_words_and_pairs_of_words(tmp_path):
    train, test = texts(60, "train"), texts(50, "tests")
    run = limbeck.train(
        students.ngrams(buckets=64, dimensions=4),
        train,
        objectives.Labels(),
        to=tmp_path / "run",
        plan=Plan(epochs=2),
    )
    teacher = teachers.function(lambda said: np.zeros((len(said), 2)), ("praise", "blame"))
    found = limbeck.rivals(run, test, teacher=teacher, labelled=train, to=tmp_path / "r")
    assert found.row("baseline")["metric"]["mean"] == 1
    assert "TF-IDF" in found.row("baseline")["what"]
    assert "there is no control: the run was trained without one" in found.document["notes"]
    assert found.row("student int8")["latency_ms"]["p50"] > 0


def test_pictures_are_held_against_a_linear_model():
    (made,) = baselines(pictures(40), ("left", "right"))
    assert "logistic regression on standardised inputs" in made.what
    right = (
        made.teacher.answers(pictures(40, seed=5), "it").argmax(1) == pictures(40, seed=5).labels
    )
    assert right.mean() > 0.8


@pytest.mark.parametrize("classes", [2, 3])
def test_flat_trees_answer_as_scikit_learn_does(classes):
    drawn = np.random.default_rng(0)
    rows = drawn.normal(0, 1, (500, 4)).astype(np.float32)
    labels = np.digitize(rows[:, 0] * rows[:, 1] + drawn.normal(0, 0.3, 500), [-0.4, 0.4])
    model = HistGradientBoostingClassifier(max_iter=20).fit(rows, np.minimum(labels, classes - 1))
    said, right = FlatTrees.of(model).probabilities(rows), model.predict_proba(rows)
    np.testing.assert_allclose(said, right, rtol=0, atol=1e-12)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_linear_model_answers_as_scikit_learn_does(classes):
    points = labelled()
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(points.inputs, np.minimum(points.labels, classes - 1))
    said = _linear(model)(points.inputs)
    np.testing.assert_allclose(said, model.predict_proba(points.inputs), rtol=0, atol=1e-6)


def test_a_class_without_labels_has_probability_zero_and_the_unlabelled_are_left_out():
    points = labelled()
    labels = np.where(points.labels == 2, -1, points.labels)
    made, _ = baselines(replace(points, labels=labels), CLASSES)
    said = made.teacher.answers(held_out(), "it")
    assert said.shape == (200, 3)
    assert (said[:, 2] == 0).all()
    assert f"fitted to {int((labels >= 0).sum())} labels" in made.what


def test_what_cannot_be_used_is_refused(trained, teacher, tmp_path):
    def refused(error, match, *, run=trained, test=None, **changed):
        asked = {"teacher": teacher, "labelled": labelled(), **changed}
        with pytest.raises(error, match=match):
            limbeck.rivals(run, test or held_out(), to=tmp_path / "r", **asked)
        assert not (tmp_path / "r").exists()

    bare = blobs(30, seed=9, labelled=False, name="bare")
    refused(LabelsError, "bare fits the plain model by its labels, and has none", labelled=bare)
    refused(LabelsError, "bare is judged by its labels, and has none", test=bare)
    wide = Examples.of(bare.inputs, np.eye(3, dtype=int)[np.arange(30) % 3], classes=CLASSES)
    refused(LabelsError, "by labels of one class each, and has others", labelled=wide)
    same = replace(bare, labels=np.zeros(30, dtype=int))
    refused(LabelsError, "the labels of bare are of one class alone", labelled=same)
    other = Examples.of(bare.inputs, np.arange(30) % 2, classes=("a", "b"), name="other")
    refused(MismatchError, r"other names the classes \(a, b\), test names", labelled=other)
    stranger = teachers.function(rule, ("a", "b", "c"))
    refused(
        MismatchError,
        r"test names the classes .*it lacks \(round, square, star\)",
        teacher=stranger,
    )
    refused(InputError, "threads are 1 or more, not 0", threads=0)
    refused(InputError, "no.* metric 'acuracy'; did you mean 'accuracy'", metric="acuracy")
    refused(InputError, "not held to a metric 'agreement'", metric="agreement")
    refused(InputError, "a budget is more than 0 ms, not 0", budget_ms=0)
    refused(InputError, "a margin is zero or more, not -1", margin=-1)
    refused(ExamplesError, "the test examples", labelled=held_out())
    seen = blobs(150)
    refused(ExamplesError, "were seen in training by student", test=seen)
    votes = teachers.function(lambda x: rule(x).argmax(1), CLASSES, kind="votes", name="votes")
    refused(InputError, "auc reads probabilities, and the teacher votes gives", teacher=votes,
            metric="auc")  # fmt: skip
    cubes = Examples.of(np.ones((4, 5), np.float32) * np.arange(4)[:, None], [0, 1, 2, 0],
                        classes=CLASSES, name="cubes")  # fmt: skip
    refused(MismatchError, r"run takes inputs of shape \(2,\), cubes has \(5,\)", test=cubes)
    values = teachers.function(rule, CLASSES, kind="values")
    refused(MismatchError, "the model teacher answers with values", teacher=values)


def test_a_run_of_another_kind_is_refused(teacher, tmp_path):
    points = blobs(60)
    values = Examples.of(points.inputs, points.inputs, keys=points.keys, name="values")
    run = limbeck.train(
        students.mlp([2]), values, objectives.Labels(), to=tmp_path / "v", plan=Plan(epochs=1)
    )
    with pytest.raises(MismatchError, match="v answers with values; rivals are compared where"):
        limbeck.rivals(run, held_out(), teacher=teacher, labelled=labelled(), to=tmp_path / "r")


def rule_teacher():
    """Named on command lines as `tests.selection.test_rivals:rule_teacher`."""
    return teachers.function(rule, CLASSES, name="rule")


@pytest.mark.slow
def test_the_command_prints_the_table_and_the_sentence(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, points in (("few", labelled()), ("test", held_out())):
        arrays = {"labels": points.labels, "classes": np.array(CLASSES), "keys": points.keys}
        np.savez(tmp_path / f"{name}.npz", inputs=points.inputs, **arrays)
    given = ["rivals", "--run", str(trained.directory), "--teacher",
             "tests.selection.test_rivals:rule_teacher",
             "--trust", "--labelled", "few.npz", "--test", "test.npz", "--to", "r",
             "--budget-ms", str(BUDGET)]  # fmt: skip
    with pytest.raises(SystemExit) as left:
        cli.main(given)
    said = capsys.readouterr()
    assert left.value.code == 0
    assert "| teacher " in said.out
    assert said.out.strip().split("\n")[-1].startswith("Do not distil: ship teacher (accuracy ")
    assert "timing teacher, baseline, linear baseline, control, student, student int8" in said.err
    with pytest.raises(SystemExit):
        cli.main([*given, "--json"])
    assert json.loads(capsys.readouterr().out)["decision"]["ship"] == "teacher"
