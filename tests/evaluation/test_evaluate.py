"""Evaluation: numbers that hold, bars that bite, and nothing flattered."""

import json

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score
from torch import nn
from worlds import CLASSES, Tilted, blobs, rule

from limbeck import (
    Examples,
    Plan,
    Report,
    evaluate,
    metrics,
    objectives,
    score,
    students,
    teachers,
    train,
)
from limbeck.errors import ExamplesError, InputError, MismatchError, OccupiedError, TeacherError
from limbeck.evaluation import Comparison, cost

TEACHER = teachers.function(rule, CLASSES, name="rule")
TEST = blobs(300, seed=77, name="test")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate")
    scores = score(TEACHER, blobs(120), to=folder / "scores")
    plan = Plan(epochs=60, batch=16, learning_rate=0.02)
    objective = objectives.SoftTargets(2.0)
    return train(students.mlp([8]), scores, objective, to=folder / "run", plan=plan, seeds=3)


@pytest.fixture(scope="module")
def report(run):
    return evaluate({"teacher": TEACHER, "student": run}, TEST, reference="teacher")


def test_the_report_has_the_promised_shape(report):
    document = json.loads(json.dumps(report.document))
    assert document["format"] == 1
    assert document["examples"] == {"name": "test", "n": 300}
    assert document["seeds"] == [0, 1, 2]
    assert [row["name"] for row in document["rows"]] == ["teacher", "student", "control"]
    promised = {"accuracy", "errors", "agreement", "kl_nats", "nll_nats", "ece"}
    for row in document["rows"]:
        assert promised <= row["metrics"].keys()
        for found in row["metrics"].values():
            assert found.keys() == {"mean", "low", "high", "n"}
            assert found["low"] <= found["mean"] <= found["high"]
        assert row["latency_ms"].keys() == {"batch", "p50", "p95"}
        assert row["throughput_per_second"] > 0
    assert document["verdict"].keys() >= {"answer", "difference", "low", "high", "test"}
    expected = {"limbeck", "torch", "machine", "commit", "seconds", "score_set"}
    assert expected <= document["provenance"].keys()


def test_the_control_stands_beside_the_student_unasked(report):
    control = report.row("control")
    assert control["parameters"] == report.row("student")["parameters"] == 2 * 8 + 8 + 8 * 3 + 3


def test_numbers_are_means_over_seeds_by_hand(report, run):
    by_hand = []
    for seed in run.seeds:
        with torch.no_grad():
            answers = run.model(seed)(torch.tensor(TEST.inputs)).argmax(1).numpy()
        by_hand.append((answers == TEST.labels).mean())
    found = report.row("student")["metrics"]["accuracy"]
    assert found["mean"] == pytest.approx(np.mean(by_hand))
    assert report.row("student")["metrics"]["errors"]["mean"] == pytest.approx(
        300 * (1 - np.mean(by_hand))
    )


def test_the_verdict_is_the_paired_difference(report):
    rows = {
        name: report.row(name)["metrics"]["accuracy"]["mean"] for name in ("student", "control")
    }
    verdict = report.verdict
    assert verdict["difference"] == pytest.approx(rows["student"] - rows["control"])
    assert verdict["answer"] == (
        "yes" if verdict["low"] > 0 else "no" if verdict["high"] < 0 else "undecided"
    )
    within = report.document["within_margin"]
    assert within["margin"] == 0.005
    assert within["answer"] in ("yes", "no", "undecided")


def constant(inputs):
    return np.tile([[3.0, 0.0, 0.0]], (len(inputs), 1))


@pytest.mark.slow
def test_a_student_that_is_better_or_worse_is_called_so():
    models = {"student": TEACHER, "control": teachers.function(constant, CLASSES)}
    assert evaluate(models, TEST).verdict["answer"] == "yes"
    turned = {"student": models["control"], "control": TEACHER}
    assert evaluate(turned, TEST).verdict["answer"] == "no"
    alike = {"student": TEACHER, "control": TEACHER}
    assert evaluate(alike, TEST).verdict["answer"] == "undecided"


def test_without_a_control_the_report_says_so():
    verdict = evaluate({"student": TEACHER}, TEST).verdict
    assert verdict == {"answer": "undecided", "why": "there is no row 'control'"}


def test_without_labels_accuracy_is_left_out_and_agreement_stays():
    report = evaluate(
        {"teacher": TEACHER, "student": teachers.function(constant, CLASSES)},
        TEST.without_labels(),
        reference="teacher",
        require=["accuracy>=0.1"],
    )
    found = report.row("student")["metrics"]
    assert "accuracy" not in found
    assert found["agreement"]["n"] == 300
    assert (
        "the test examples have no labels: accuracy cannot be measured" in report.document["notes"]
    )
    (bar,) = report.document["requirements"]
    assert bar == {"text": "accuracy>=0.1", "met": False, "measured": "not measured"}


def test_a_constant_agrees_often_and_its_chance_corrected_agreement_is_nothing():
    rare = Examples.of(TEST.inputs, classes=CLASSES)
    leaning = teachers.function(lambda x: rule(x) + np.array([11.0, 0, 0]), CLASSES, name="leaning")
    models = {"teacher": leaning, "student": teachers.function(constant, CLASSES)}
    found = evaluate(models, rare, reference="teacher").row("student")["metrics"]
    assert found["agreement"]["mean"] > 0.9
    assert abs(found["agreement_kappa"]["mean"]) < 0.05


@pytest.mark.slow
def test_bars_are_judged_with_their_intervals(run):
    bars = ["agreement>=0.5", "accuracy>=teacher-0.5", "accuracy>=0.999", "parameters<=51"]
    models = {"teacher": TEACHER, "student": run}
    report = evaluate(models, TEST, reference="teacher", require=bars)
    assert [bar["met"] for bar in report.document["requirements"]] == [True, True, False, True]


def test_slices_are_of_a_column():
    where = np.where(np.arange(300) < 100, "north", "south")
    sliced = Examples.of(
        TEST.inputs, TEST.labels, keys=TEST.keys, classes=CLASSES, columns={"where": where}
    )
    report = evaluate({"student": TEACHER}, sliced, comparison=Comparison(slices=("where",)))
    north, south = report.document["slices"]
    assert (north["value"], north["n"], south["n"]) == ("north", 100, 200)
    by_hand = (rule(TEST.inputs).argmax(1) == TEST.labels)[:100].mean()
    assert north["rows"][0]["metrics"]["accuracy"]["mean"] == pytest.approx(by_hand)


def test_a_metric_of_your_own_stands_among_the_others():
    def balanced(logits, labels):
        return balanced_accuracy_score(labels, logits.argmax(1))

    mine = metrics.custom("balanced_accuracy", balanced, "higher", bounds=(0.0, 1.0))
    report = evaluate(
        {"student": TEACHER},
        TEST,
        comparison=Comparison(metrics=(mine,)),
        require=["balanced_accuracy>=0.5"],
    )
    found = report.row("student")["metrics"]["balanced_accuracy"]
    assert found["mean"] == pytest.approx(balanced(rule(TEST.inputs), TEST.labels))
    assert report.document["requirements"][0]["met"]


def test_examples_seen_in_training_are_refused_unless_allowed(run):
    seen = TEST.joined(blobs(120).take(np.arange(4)))
    with pytest.raises(
        ExamplesError, match=r"4 of 304 .* were seen in training by student, .*'blobs-0'"
    ):
        evaluate({"student": run}, seen)
    allowed = evaluate({"student": run}, seen, comparison=Comparison(allow_seen=True))
    assert "examples seen in training were allowed among these" in allowed.document["notes"]


def test_the_size_of_a_module_is_counted_by_hand(run):
    size = cost(run, TEST)
    assert size.parameters == 51
    assert size.operations == 2 * 8 + 8 * 3
    assert cost(nn.Linear(4, 3), TEST).bytes == 4 * 15
    assert cost(rule, TEST).to_json() == {}


def test_a_bare_module_answers_in_eval_mode():
    net = Tilted().train()
    first = evaluate({"student": net}, TEST).row("student")["metrics"]["nll_nats"]["mean"]
    again = evaluate({"student": net}, TEST).row("student")["metrics"]["nll_nats"]["mean"]
    assert first == again
    assert net.training


def test_a_model_that_answers_with_probabilities_is_measured_by_their_logarithms():
    raised = np.exp(rule(TEST.inputs))
    likely = teachers.function(
        lambda x: np.exp(rule(x)) / np.exp(rule(x)).sum(axis=1, keepdims=True),
        CLASSES,
        kind="probabilities",
    )
    assert raised.min() < 1e-6 < raised.max()
    report = evaluate({"one": TEACHER, "other": likely}, TEST, reference="one")
    one, other = (report.row(name)["metrics"] for name in ("one", "other"))
    assert other["accuracy"] == one["accuracy"]
    assert other["nll_nats"]["mean"] == pytest.approx(one["nll_nats"]["mean"], abs=1e-4)
    assert other["kl_nats"]["mean"] < 1e-4


def test_the_order_of_a_models_classes_changes_nothing():
    turned = teachers.function(lambda x: rule(x)[:, [2, 0, 1]], ("star", "round", "square"))
    report = evaluate({"one": TEACHER, "other": turned}, TEST, reference="one")
    one, other = (report.row(name)["metrics"] for name in ("one", "other"))
    assert one == other
    assert other["agreement"]["mean"] == 1.0


def test_what_cannot_be_compared_is_refused_in_words(run, tmp_path):
    with pytest.raises(InputError, match="evaluate takes one model or more"):
        evaluate({}, TEST)
    with pytest.raises(
        MismatchError, match="no model 'techer' to be the reference; the models are"
    ):
        evaluate({"student": run}, TEST, reference="techer")
    other = teachers.function(rule, ("round", "square", "cross"))
    with pytest.raises(
        MismatchError, match=r"the model student names .*it lacks \(star\) and only it has"
    ):
        evaluate({"student": other}, TEST)
    with pytest.raises(TeacherError, match="the model student answered NaN or infinity for 300"):
        evaluate({"student": teachers.function(lambda x: rule(x) * np.nan, CLASSES)}, TEST)
    with pytest.raises(ExamplesError, match="test has no column 'where'; it has none"):
        evaluate({"student": run}, TEST, comparison=Comparison(slices=("where",)))
    (tmp_path / "thesis").write_text("mine")
    with pytest.raises(OccupiedError, match="not a Limbeck artifact"):
        evaluate({"student": run}, TEST, to=tmp_path)


def test_changed_labels_are_another_report(run, tmp_path):
    evaluate({"student": run}, TEST, to=tmp_path / "report")
    wrong = Examples.of(TEST.inputs, (TEST.labels + 1) % 3, keys=TEST.keys, classes=CLASSES)
    with pytest.raises(OccupiedError, match=r"a report of another request \(other labels, name\)"):
        evaluate({"student": run}, wrong, to=tmp_path / "report")


def test_a_student_of_another_name_has_its_control_too(run):
    report = evaluate({"pupil": run}, TEST, comparison=Comparison(student="pupil"))
    assert [row["name"] for row in report.rows] == ["pupil", "control"]
    assert report.verdict["answer"] in ("yes", "no", "undecided")
    assert "difference" in report.verdict


@pytest.mark.slow
def test_a_report_is_written_once_and_read_again(run, tmp_path):
    models = {"teacher": TEACHER, "student": run}
    made = evaluate(models, TEST, reference="teacher", to=tmp_path / "report")
    found = {file.name for file in (tmp_path / "report").iterdir()}
    assert found >= {"report.json", "report.md", "report.html", "manifest.json"}
    again = evaluate(models, TEST, reference="teacher", to=tmp_path / "report")
    assert again.document == Report.read(tmp_path / "report").document == made.document
