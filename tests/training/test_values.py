"""Regression: scores of the kind "values" are learnt as they are."""

import numpy as np
import pytest
import torch
from sklearn import metrics as sk
from worlds import double

import limbeck
from limbeck import metrics, objectives, students, teachers
from limbeck.errors import InputError, LabelsError
from limbeck.examples import Batch
from limbeck.metrics import _aggregation, _classification
from limbeck.metrics._catalogue import OF_VALUES
from limbeck.recipes import Distillation

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
    objective = objectives.MatchLogits("standardized")
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


@pytest.mark.parametrize("text", ["SoftTargets(4)", "MatchLogits('centered')", "DIST()"])
def test_objectives_of_classes_refuse_values(text, tmp_path):
    scores = limbeck.score(TEACHER, points(), to=tmp_path / "scores")
    with pytest.raises(InputError, match=REFUSED):
        limbeck.train(students.mlp([]), scores, objectives.from_text(text), to=tmp_path / "run")
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


def test_distill_of_values_by_soft_targets_is_refused_before_any_work(tmp_path):
    with pytest.raises(InputError, match=REFUSED):
        limbeck.distill(TEACHER, points(), students.mlp([]), to=tmp_path / "all")
    assert not (tmp_path / "all").exists()


# Labels that are values


def measured(n: int = 200, seed: int = 0) -> limbeck.Examples:
    """Points with a noisy measurement of what the teacher knows."""
    inputs = points(n, seed).inputs
    noise = np.random.default_rng(seed + 100).normal(scale=10, size=n)
    return limbeck.Examples.of(
        inputs,
        line(inputs)[:, 0] + noise,
        keys=[f"{seed}-{row}" for row in range(n)],
        classes=["height"],
        name=f"measured {seed}",
    )


def test_labels_that_are_values_are_kept_as_a_column():
    examples = limbeck.Examples.of(np.eye(3), [1.5, np.nan, -2.0])
    assert examples.labels.dtype == np.float32
    assert examples.labels[[0, 2]].tolist() == [[1.5], [-2.0]]
    assert examples.is_labelled.tolist() == [True, False, True]
    assert (examples.labels_kind, examples.classes) == ("values", ("value",))
    assert not examples.without_labels().is_labelled.any()
    assert limbeck.Examples.of(np.eye(3), np.ones((3, 2))).classes == ("0", "1")


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([1.0, np.inf, 2.0], r"the labels of row 1 are \[inf\]: values are finite"),
        ([[1.0, 2.0], [np.nan, 1.0], [0.0, 0.0]], r"the labels of row 1 are \[nan, 1.0\]"),
    ],
)
def test_labels_that_are_no_values_are_refused(labels, sentence):
    with pytest.raises(LabelsError, match=sentence):
        limbeck.Examples.of(np.eye(3), labels)


def batch(labels, scale=None):
    n = len(labels)
    scale = torch.ones(labels.shape[1]) if scale is None else scale
    none = torch.zeros(0, 0)
    return Batch(
        np.array([str(i) for i in range(n)]),
        torch.zeros(n, 2),
        labels,
        none,
        torch.zeros(n, dtype=torch.bool),
        scale,
        "values",
    )


def test_labels_of_values_are_half_the_squared_distance_of_labelled_rows():
    g, y = double(4, 2), double(4, 2, seed=1)
    y[2] = torch.nan
    by_hand = (g - y)[[0, 1, 3]].square().sum() / 8
    torch.testing.assert_close(objectives.Labels()(g, batch(y))["labels"], by_hand)
    scale = torch.tensor([2.0, 5.0], dtype=torch.float64)
    by_hand = ((g - y) / scale)[[0, 1, 3]].square().sum() / 8
    found = objectives.Labels("standardized")(g, batch(y, scale))["labels"]
    torch.testing.assert_close(found, by_hand)


def test_the_mean_is_the_best_constant_and_costs_half_an_output_each_when_standardised():
    y = double(50, 3) * torch.tensor([1.0, 50.0, 1e4]) + 7
    constant = y.mean(dim=0).clone().requires_grad_()
    objectives.Labels()(constant.expand(50, 3), batch(y))["labels"].backward()
    assert (constant.grad.abs() < 1e-9 * y.abs().max()).all()
    found = objectives.Labels("standardized")(
        y.mean(dim=0).expand(50, 3), batch(y, y.std(dim=0, correction=0))
    )
    assert found["labels"].item() == pytest.approx(3 / 2)


def test_a_row_without_values_has_no_gradient():
    g, y = double(3, 2).requires_grad_(), double(3, 2, seed=1)
    y[1] = torch.nan
    objectives.Labels()(g, batch(y))["labels"].backward()
    assert torch.isfinite(g.grad).all()
    assert (g.grad[1] == 0).all()


@pytest.mark.slow
def test_values_of_labels_and_a_control_are_learnt_at_their_own_scale(tmp_path):
    scores = limbeck.score(TEACHER, measured(), to=tmp_path / "scores")
    objective = objectives.MatchLogits("standardized")
    run = limbeck.train(students.mlp([]), scores, objective, to=tmp_path / "run", plan=PLAN)
    assert run.control is not None
    report = limbeck.evaluate(
        {"teacher": TEACHER, "student": run},
        measured(100, seed=1),
        reference="teacher",
        require=["rmse<=15", "rmse_from_reference<=2", "rmse<=control+1"],
    )
    teacher, student, control = (
        report.row(name)["metrics"] for name in ("teacher", "student", "control")
    )
    assert list(student) == list(OF_VALUES)
    assert teacher["rmse_from_reference"]["mean"] == 0
    assert student["rmse_from_reference"]["mean"] < control["rmse_from_reference"]["mean"] < 20
    assert student["r2"]["mean"] > 0.9
    assert all(bar["met"] for bar in report.document["requirements"])
    assert report.verdict["metric"] == "rmse"
    assert "within_margin" not in report.document
    assert "the student's root mean squared error is" in str(report)
    assert report.to_html()


@pytest.mark.slow
def test_a_lower_error_is_the_better_one(tmp_path):
    """The student knows the teacher, the control five noisy labels."""
    few = measured(5, seed=3)
    scores = limbeck.score(TEACHER, points(), to=tmp_path / "scores")
    how = {"to": tmp_path / "run", "plan": PLAN, "labelled": few}
    objective = objectives.MatchLogits("standardized")
    run = limbeck.train(students.mlp([32]), scores, objective, **how)
    report = limbeck.evaluate({"teacher": TEACHER, "student": run}, measured(100, seed=1))
    assert report.verdict["answer"] == "yes"
    assert report.verdict["difference"] < 0
    assert "squared error is" in str(report)
    assert "lower on 100 test examples than the same net trained on labels" in str(report)


def test_the_control_of_a_sweep_of_values_is_the_one_beside_a_single_student(tmp_path):
    scores = limbeck.score(TEACHER, measured(), to=tmp_path / "scores")
    how = {"plan": limbeck.Plan(epochs=3)}
    asked = {"a": objectives.MatchLogits("standardized")}
    runs = limbeck.sweep(students.mlp([]), scores, asked, to=tmp_path / "sweep", **how)
    assert set(runs) == {"a", "control"}
    model = runs["control"].model()
    labels = measured().labels
    torch.testing.assert_close(model.shift, torch.tensor([labels.mean(dtype=np.float64)]).float())
    torch.testing.assert_close(model.scale, torch.tensor([labels.std(dtype=np.float64)]).float())


def test_a_teacher_of_values_is_trained_on_labels_alone(tmp_path):
    how = {"to": tmp_path / "run", "plan": PLAN}
    run = limbeck.train(students.mlp([]), measured(), objectives.Labels("standardized"), **how)
    assert run.kind == "values"
    report = limbeck.evaluate({"student": run}, measured(50, seed=1))
    assert report.row("student")["metrics"]["r2"]["mean"] > 0.9


def test_standardised_labels_of_classes_and_unknown_forms_are_refused(tmp_path):
    classes = points(labels=np.arange(200) % 2)
    with pytest.raises(InputError, match="learns values, and is given logits"):
        limbeck.train(
            students.mlp([]), classes, objectives.Labels("standardized"), to=tmp_path / "run"
        )
    with pytest.raises(InputError, match="Labels has no form 'zscored'; known is 'standardized'"):
        objectives.Labels("zscored")


@pytest.mark.slow
def test_distill_of_values_does_all_of_it(tmp_path):
    how = Distillation(objectives.MatchLogits("standardized"), plan=PLAN, seeds=1)
    made = limbeck.distill(TEACHER, measured(), students.mlp([]), to=tmp_path / "all", how=how)
    assert made.report.verdict["metric"] == "rmse"


# Metrics of values


def world(seeds=2, n=120, outputs=2):
    draw = np.random.default_rng(0)
    reference = 1000 + draw.normal(size=(n, outputs))
    labels = (reference + draw.normal(scale=0.5, size=(n, outputs))).astype(np.float32)
    return reference + draw.normal(scale=0.3, size=(seeds, n, outputs)), labels, reference


@pytest.mark.parametrize("name", OF_VALUES)
def test_a_metric_of_values_is_the_librarys(name):
    answered, labels, reference = world()
    truth = reference if name.endswith("_from_reference") else labels.astype(float)
    library = {
        "rmse": lambda y, g: sk.mean_squared_error(y, g) ** 0.5,
        "mae": sk.mean_absolute_error,
        "r2": sk.r2_score,
    }[name.partition("_")[0]]
    found = metrics.measure(OF_VALUES[name], answered, labels, reference)
    assert found.mean == pytest.approx(np.mean([library(truth, seed) for seed in answered]))
    assert found.low < found.mean < found.high
    measured = OF_VALUES[name].measured
    if isinstance(measured, _aggregation.WholeSet):
        rows = np.random.default_rng(1).integers(120, size=120)
        whole = _classification.Answers(answered[0], labels.astype(float), reference)
        by_library = library(truth[rows], answered[0][rows])
        assert measured.resampler(whole)(rows) == pytest.approx(by_library)


def test_a_truth_that_does_not_vary_has_no_r2():
    answered, labels, _ = world()
    none = np.zeros((0, 0))
    assert metrics.measure(OF_VALUES["r2"], answered, np.ones_like(labels), none) is None
