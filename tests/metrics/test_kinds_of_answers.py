"""Kinds beyond one softmax: each with its loss, its metrics, its control and its refusals."""

import json

import numpy as np
import pytest
import torch
from sklearn import metrics as sk
from worlds import double

import limbeck
from limbeck import metrics, objectives, students, teachers
from limbeck.errors import InputError, LabelsError, MismatchError, TeacherError
from limbeck.evaluation import Comparison, dark_knowledge
from limbeck.examples import Batch
from limbeck.metrics import MEASURES, _classification
from limbeck.metrics._catalogue import OF_COLUMNS, OF_EMBEDDINGS
from limbeck.objectives import losses
from limbeck.recipes import Distillation

TAGS = ("red", "round", "small")
PLAN = limbeck.Plan(epochs=20, batch=32, learning_rate=0.02)
DIRECTIONS = np.random.default_rng(5).normal(size=(4, 3)).astype(np.float32) * 2
NOBODY = np.zeros((0, 0))


def tagging(inputs: np.ndarray) -> np.ndarray:
    return inputs @ DIRECTIONS


TAGGER = teachers.function(tagging, TAGS, kind="independent-logits", name="tagger")


def tagged(n: int = 200, seed: int = 0, *, labelled: bool = True, columns: int = 3):
    draw = np.random.default_rng(seed)
    inputs = draw.normal(size=(n, 4)).astype(np.float32)
    said = tagging(inputs) + draw.logistic(size=(n, 3)) > 0
    labels = said[:, :columns].astype(int) if labelled else None
    keys = [f"{seed}-{row}" for row in range(n)]
    return limbeck.Examples.of(inputs, labels, keys=keys, classes=TAGS[:columns], name="tagged")


def batch(scores, labels=None, kind="independent-logits", scale=None):
    n = len(scores)
    return Batch(
        np.array([str(i) for i in range(n)]),
        torch.zeros(n, 2),
        torch.full((n,), -1) if labels is None else torch.as_tensor(labels),
        scores,
        torch.ones(n, dtype=torch.bool),
        torch.ones(scores.shape[1]) if scale is None else scale,
        kind,
    )


# Independent logits: the loss


def slow_binary_divergence(student, teacher, temperature):
    total = np.zeros(len(student))
    for row in range(len(student)):
        for column in range(student.shape[1]):
            p = 1 / (1 + np.exp(-teacher[row, column].item() / temperature))
            q = 1 / (1 + np.exp(-student[row, column].item() / temperature))
            total[row] += p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    return total * temperature**2


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_binary_soft_targets_are_the_slow_obvious_sum_over_columns(temperature):
    g, z = double(6, 3), double(6, 3, seed=1)
    found = losses.binary_soft_targets(g, z, temperature)
    np.testing.assert_allclose(found.numpy(), slow_binary_divergence(g, z, temperature), rtol=1e-9)


def test_equal_logits_have_no_binary_divergence_however_large():
    z = torch.tensor([[0.0, -900.0, 900.0], [3.0, 50.0, -50.0]], dtype=torch.float64)
    assert losses.binary_soft_targets(z, z, 2.0).abs().max() == 0


def test_one_column_is_the_softmax_of_0_and_that_column():
    g, z = double(20, 1), double(20, 1, seed=1)
    for temperature in (1.0, 3.0):
        both = (torch.cat([torch.zeros_like(m), m], dim=1) for m in (g, z))
        torch.testing.assert_close(
            losses.binary_soft_targets(g, z, temperature), losses.soft_targets(*both, temperature)
        )


def test_two_columns_are_one_column_of_their_difference():
    g, z = double(20, 2), double(20, 2, seed=1)
    for temperature in (1.0, 3.0):
        torch.testing.assert_close(
            losses.soft_targets(g, z, temperature),
            losses.binary_soft_targets(g[:, 1:] - g[:, :1], z[:, 1:] - z[:, :1], temperature),
        )
    sure = torch.softmax(z, dim=1)[:, 1]
    torch.testing.assert_close(sure, torch.sigmoid(z[:, 1] - z[:, 0]))


def test_at_a_high_temperature_binary_soft_targets_are_an_eighth_of_the_squared_error():
    g, z = double(8, 4), double(8, 4, seed=1)
    eighth = (g - z).square().sum(dim=1) / 8
    torch.testing.assert_close(losses.binary_soft_targets(g, z, 1e4), eighth, rtol=1e-5, atol=0)


def test_the_gradients_of_the_losses_of_columns_are_exact():
    g, z = double(5, 3).requires_grad_(), double(5, 3, seed=1)
    labels = torch.tensor([[0, 1, 1], [1, 0, 0], [-1, -1, -1], [1, 1, 1], [0, 0, 0]])
    assert torch.autograd.gradcheck(lambda x: losses.binary_soft_targets(x, z, 2.0), g)
    assert torch.autograd.gradcheck(lambda x: losses.column_labels(x, labels), g)
    values = z.clone()
    values[2] = torch.nan
    assert torch.autograd.gradcheck(lambda x: losses.value_labels(x, values), g)


def test_the_binary_soft_gradient_is_the_difference_of_the_probabilities_times_t():
    g, z = double(5, 3).requires_grad_(), double(5, 3, seed=1)
    losses.binary_soft_targets(g, z, 3.0).sum().backward()
    torch.testing.assert_close(g.grad, 3.0 * (torch.sigmoid(g / 3) - torch.sigmoid(z / 3)))


def test_column_labels_are_the_binary_cross_entropy_of_labelled_rows():
    g = double(3, 2)
    labels = np.array([[0, 1], [-1, -1], [1, 1]])
    found = losses.column_labels(g, torch.from_numpy(labels)).numpy()
    probabilities = torch.sigmoid(g).numpy()
    for row in (0, 2):
        each = [
            sk.log_loss([y], [p], labels=[0, 1])
            for y, p in zip(labels[row], probabilities[row], strict=True)
        ]
        assert found[row] == pytest.approx(sum(each))
    assert found[1] == 0


def test_losses_of_columns_refuse_another_shape():
    with pytest.raises(
        MismatchError, match=r"answers with shape \(4, 3\), the labels have \(4, 2\)"
    ):
        losses.column_labels(double(4, 3), torch.zeros(4, 2))
    with pytest.raises(
        MismatchError, match=r"answers with shape \(4, 3\), the teacher with \(4, 1"
    ):
        losses.binary_soft_targets(double(4, 3), double(4, 1), 1.0)


def test_soft_targets_of_columns_are_both_sums_over_columns():
    g, z = double(4, 3), double(4, 3, seed=1)
    labels = torch.tensor([[0, 1, 1], [1, 0, 0], [-1, -1, -1], [1, 1, 1]])
    parts = objectives.SoftTargets(2.0, hard_weight=0.5)(g, batch(z, labels))
    soft, hard = losses.binary_soft_targets(g, z, 2.0), losses.column_labels(g, labels)
    torch.testing.assert_close(parts["soft"], soft.sum() / 4)
    torch.testing.assert_close(parts["hard"], 0.5 * hard.sum() / 4)
    torch.testing.assert_close(objectives.Labels()(g, batch(z, labels))["labels"], hard.sum() / 4)


# Labels of columns


def test_labels_of_columns_are_kept_and_followed():
    examples = tagged(10)
    assert examples.labels.dtype == np.int8
    assert examples.labels_kind == "independent-logits"
    taken = examples.take(np.array([7, 2]))
    assert np.array_equal(taken.labels, examples.labels[[7, 2]])
    assert not examples.without_labels().is_labelled.any()
    assert examples.without_labels().labels_fingerprint != examples.labels_fingerprint


def test_whole_numbers_of_a_single_class_are_one_column():
    examples = limbeck.Examples.of(np.eye(3), [0, 1, -1], classes=["yes"])
    assert examples.labels.tolist() == [[0], [1], [-1]]
    assert examples.is_labelled.tolist() == [True, True, False]


def test_unlabelled_examples_take_the_form_of_those_that_join():
    joined = tagged(10, labelled=False).joined(tagged(10).take(np.array([3])))
    assert joined.is_labelled.tolist() == [row == 3 for row in range(10)]
    assert joined.labels[3].tolist() == tagged(10).labels[3].tolist()


def test_labels_of_two_forms_are_not_joined():
    classes = limbeck.Examples.of(tagged(10).inputs, np.arange(10) % 3, keys=tagged(10).keys)
    other = limbeck.Examples.of(
        np.ones((1, 4), np.float32),
        [[0, 1, 1]],
        keys=["new"],
        classes=["0", "1", "2"],
        name="other",
    )
    with pytest.raises(MismatchError, match="are one class each, those of other a 0 or 1 for each"):
        classes.joined(other)


@pytest.mark.parametrize(
    ("labels", "classes", "sentence"),
    [
        ([[0, 2], [1, 1]], (), r"the labels of row 0 are \[0, 2\]: with a column for each class"),
        ([[1, 1], [-1, 1]], (), r"the labels of row 1 are \[-1, 1\], and no label is 0"),
        ([[0, 1], [1, 1]], ("a",), r"there are 2 columns of labels, but 1 classes \(a\)"),
        ([3, 0], ("a",), r"the labels of row 0 are \[3\]"),
        (np.zeros((2, 1, 1), int), (), r"one or a row for each example, not int64 \(2, 1, 1\)"),
    ],
)
def test_labels_that_are_no_columns_are_refused(labels, classes, sentence):
    with pytest.raises(LabelsError, match=sentence):
        limbeck.Examples.of(np.eye(2), labels, classes=classes)


def test_mixed_labels_of_columns_are_weighted_means():
    shown = limbeck.examples.views.mixup().show(tagged(40), np.arange(40), np.zeros(40, int), 0)
    assert shown.labels.shape == (40, 3)
    assert ((shown.labels >= 0) & (shown.labels <= 1)).all()
    assert ((shown.labels > 0) & (shown.labels < 1)).any()


# Independent logits: from the teacher to the file


@pytest.fixture(scope="module")
def tags(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tags")
    scores = limbeck.score(TAGGER, tagged(400), to=folder / "scores")
    objective = objectives.SoftTargets(2.0, hard_weight=0.1)
    how = {"to": folder / "run", "plan": PLAN, "seeds": 2}
    return limbeck.train(students.mlp([8]), scores, objective, **how)


def test_a_student_learns_tags_with_a_control_beside_it(tags):
    report = limbeck.evaluate(
        {"teacher": TAGGER, "student": tags}, tagged(300, seed=1), reference="teacher"
    )
    assert tags.kind == "independent-logits"
    assert [row["name"] for row in report.rows] == ["teacher", "student", "control"]
    for row in report.rows:
        assert list(row["metrics"]) == list(OF_COLUMNS)
    assert report.row("student")["metrics"]["agreement"]["mean"] > 0.95
    assert report.row("teacher")["metrics"]["kl_nats"]["mean"] == 0
    assert report.verdict["metric"] == "subset_accuracy"
    assert "right in every column on" in str(report)
    assert "share of examples with every column right is" in str(report)
    assert "paired difference" in report.to_html()


@pytest.mark.slow
def test_slices_and_bars_of_tags_are_measured(tags):
    test = tagged(200, seed=2)
    halves = limbeck.Examples.of(
        test.inputs, test.labels, classes=TAGS, columns={"half": np.arange(200) % 2}
    )
    report = limbeck.evaluate(
        {"teacher": TAGGER, "student": tags},
        halves,
        reference="teacher",
        require=["agreement>=0.8", "micro_f1>=teacher-0.2"],
        comparison=Comparison(slices=("half",)),
    )
    assert all(bar["met"] for bar in report.document["requirements"])
    assert report.document["slices"][0]["rows"][0]["metrics"].keys() == {
        "subset_accuracy",
        "agreement",
    }


@pytest.mark.slow
def test_the_exported_file_of_tags_says_its_kind(tags, tmp_path):
    import onnx

    made = limbeck.export(tags, to=tmp_path / "tags.onnx", check=tagged(50, seed=3))
    assert made.agreement == 1
    notes = {p.key: p.value for p in onnx.load(tmp_path / "tags.onnx").metadata_props}
    assert notes["kind"] == "independent-logits"
    assert json.loads(notes["classes"]) == list(TAGS)
    assert "yes in the same columns on 100.00%" in (tmp_path / "tags.onnx.md").read_text()
    assert json.loads((tmp_path / "tags.onnx.json").read_text())["kind"] == "independent-logits"


def test_a_sweep_of_tags_has_one_control(tmp_path):
    scores = limbeck.score(TAGGER, tagged(60), to=tmp_path / "scores")
    asked = {"soft": objectives.SoftTargets(2.0), "raw": objectives.MatchLogits()}
    how = {"to": tmp_path / "sweep", "plan": limbeck.Plan(epochs=1)}
    assert set(limbeck.sweep(students.mlp([]), scores, asked, **how)) == {"soft", "raw", "control"}


@pytest.mark.slow
def test_distill_of_tags_does_all_of_it(tmp_path):
    how = Distillation(plan=limbeck.Plan(epochs=2), seeds=1)
    made = limbeck.distill(TAGGER, tagged(100), students.mlp([4]), to=tmp_path / "all", how=how)
    assert made.report.verdict["metric"] == "subset_accuracy"
    assert made.run.control is not None


def test_a_teacher_of_tags_is_trained_on_labels_alone(tmp_path):
    run = limbeck.train(
        students.mlp([]), tagged(100), objectives.Labels(), to=tmp_path / "run", plan=PLAN
    )
    assert run.kind == "independent-logits"


@pytest.mark.slow
def test_one_column_is_a_binary_margin(tmp_path):
    margin = teachers.function(
        lambda x: tagging(x)[:, :1], TAGS[:1], kind="independent-logits", name="margin"
    )
    scores = limbeck.score(margin, tagged(200, columns=1), to=tmp_path / "scores")
    run = limbeck.train(
        students.mlp([]), scores, objectives.SoftTargets(1.0), to=tmp_path / "run", plan=PLAN
    )
    test = tagged(300, seed=1, columns=1)
    report = limbeck.evaluate({"teacher": margin, "student": run}, test, reference="teacher")
    said = margin.answers(test, "margin")[:, 0] > 0
    right = (said == (test.labels[:, 0] == 1)).mean()
    assert report.row("teacher")["metrics"]["subset_accuracy"]["mean"] == pytest.approx(right)
    assert report.row("student")["metrics"]["agreement"]["mean"] > 0.95
    assert run.control is not None


def test_the_stored_columns_say_what_rounding_cost(tmp_path):
    scores = limbeck.score(TAGGER, tagged(50), to=tmp_path / "scores")
    assert 0 < scores.manifest["rounding_nats"]["mean"] < 1e-4


# Independent logits: metrics


def world(seeds=2, n=150, columns=4):
    draw = np.random.default_rng(0)
    reference = 2 * draw.normal(size=(n, columns))
    labels = (reference + draw.logistic(size=(n, columns)) > 0).astype(np.int8)
    return reference + draw.normal(size=(seeds, n, columns)), labels, reference


def libraries(logits, labels, reference):
    p = 1 / (1 + np.exp(-logits))
    taught = 1 / (1 + np.exp(-reference))
    said = logits > 0
    kl = taught * np.log(taught / p) + (1 - taught) * np.log((1 - taught) / (1 - p))
    return {
        "subset_accuracy": sk.accuracy_score(labels, said),
        "micro_f1": sk.f1_score(labels, said, average="micro"),
        "auc": sk.roc_auc_score(labels, p, average="macro"),
        "average_precision": sk.average_precision_score(labels, p, average="macro"),
        "log_loss_nats": np.mean([sk.log_loss(labels[:, c], p[:, c]) for c in range(4)]),
        "agreement": 1 - sk.hamming_loss(said.astype(int), (reference > 0).astype(int)),
        "kl_nats": kl.mean(),
    }


@pytest.mark.parametrize("name", OF_COLUMNS)
def test_a_metric_of_columns_is_the_librarys(name):
    logits, labels, reference = world()
    expected = np.mean([libraries(seed, labels, reference)[name] for seed in logits])
    found = metrics.measure(OF_COLUMNS[name], logits, labels, reference)
    assert found.mean == pytest.approx(expected)
    assert found.low < found.mean < found.high
    assert found.n == 150


@pytest.mark.parametrize("name", ["micro_f1", "auc", "average_precision", "agreement"])
def test_the_resampled_number_of_columns_is_the_librarys_of_those_rows(name):
    logits, labels, reference = world(seeds=1)
    rows = np.random.default_rng(1).integers(150, size=150)
    measured = OF_COLUMNS[name].measured
    whole = _classification.Answers(logits[0], labels, reference)
    of_rows = libraries(logits[0][rows], labels[rows], reference[rows])[name]
    assert measured.resampler(whole)(rows) == pytest.approx(of_rows)


def test_perfect_agreement_of_columns_is_not_certainty():
    _, labels, reference = world(seeds=1)
    found = metrics.measure(OF_COLUMNS["agreement"], reference[None], labels, reference)
    assert found.mean == found.high == 1
    assert found.low < 0.99


def test_metrics_of_columns_leave_out_what_is_not_labelled():
    logits, labels, reference = world()
    labels[:50] = -1
    found = metrics.measure(OF_COLUMNS["log_loss_nats"], logits, labels, reference)
    alone = metrics.measure(OF_COLUMNS["log_loss_nats"], logits[:, 50:], labels[50:], NOBODY)
    assert found == alone
    assert found.n == 100
    none = np.full(150, -1)
    assert metrics.measure(OF_COLUMNS["micro_f1"], logits, none, reference) is None


def test_every_measured_kind_has_its_deciding_metric_among_its_own():
    for kind, measures in MEASURES.items():
        assert all(metric.kind == kind for metric in measures.metrics.values())
        assert {measures.decides, *measures.slices} - {""} <= measures.metrics.keys()


# Independent logits: refusals


def test_objectives_of_one_softmax_refuse_independent_logits(tmp_path):
    scores = limbeck.score(TAGGER, tagged(40), to=tmp_path / "scores")
    sentence = r"is given independent-logits: SoftTargets\(\) or MatchLogits\(\) would do"
    for objective in (objectives.DIST(), objectives.MatchLogits("centered")):
        with pytest.raises(InputError, match=sentence):
            limbeck.train(students.mlp([]), scores, objective, to=tmp_path / "run")
    with pytest.raises(InputError, match=sentence):
        limbeck.distill(
            TAGGER,
            tagged(40),
            students.mlp([]),
            to=tmp_path / "all",
            how=Distillation(objectives.DKD()),
        )
    assert not (tmp_path / "all").exists()


def test_class_labels_are_no_control_of_tags_and_no_hard_part(tmp_path):
    inputs = tagged(40).inputs
    examples = limbeck.Examples.of(inputs, np.arange(40) % 3, classes=TAGS, name="classes")
    scores = limbeck.score(TAGGER, examples, to=tmp_path / "scores")
    how = {"plan": limbeck.Plan(epochs=1)}
    run = limbeck.train(
        students.mlp([]), scores, objectives.SoftTargets(), to=tmp_path / "run", **how
    )
    note = "there is no control: the scores are independent-logits, and the labels are one class"
    assert run.control is None
    assert any(note in found for found in run.notes)
    hard = objectives.SoftTargets(hard_weight=1.0)
    with pytest.raises(LabelsError, match="a 0 or 1 for each column beside scores that are inde"):
        limbeck.train(students.mlp([]), scores, hard, to=tmp_path / "hard", **how)
    report = limbeck.evaluate(
        {"student": run}, limbeck.Examples.of(inputs + 1, np.arange(40) % 3, classes=TAGS)
    )
    assert any("they were not held to them" in note for note in report.document["notes"])


def test_answers_of_two_kinds_are_not_held_against_each_other(tags):
    plain = teachers.function(tagging, TAGS, name="plain")
    with pytest.raises(
        MismatchError, match="plain answers with logits and tags with independent-l"
    ):
        limbeck.evaluate({"tags": tags, "plain": plain}, tagged(20, seed=4))


def test_what_is_made_for_classes_refuses_tags(tags, tmp_path):
    with pytest.raises(MismatchError, match="a bias corrects the logits of classes that exclude"):
        limbeck.correct(tags, tagged(20, seed=4), classes="red", how="held-out", to=tmp_path / "c")
    scores = limbeck.score(TAGGER, tagged(40), to=tmp_path / "scores")
    with pytest.raises(
        MismatchError, match="what is learnt here is independent-logits: train each"
    ):
        limbeck.compare(
            students.mlp([]),
            scores,
            {"soft": [objectives.SoftTargets()]},
            test=tagged(20, seed=4),
            to=tmp_path / "compared",
            baseline="soft",
        )


# Votes


def deciding(inputs: np.ndarray) -> np.ndarray:
    return tagging(inputs).argmax(axis=1)


VOTER = teachers.function(deciding, TAGS, kind="votes", name="voter")


def decided(n: int = 200, seed: int = 0):
    inputs = np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)
    keys = [f"{seed}-{row}" for row in range(n)]
    return limbeck.Examples.of(inputs, deciding(inputs), keys=keys, classes=TAGS, name="decided")


def test_votes_without_smoothing_are_labels_and_with_it_smoothed_labels():
    g, positions = double(8, 3), torch.arange(8) % 3
    rows = torch.nn.functional.one_hot(positions, 3).double()
    torch.testing.assert_close(losses.votes(g, rows, 0.0), losses.labels(g, positions))
    smoothed = torch.nn.functional.cross_entropy(
        g, positions, label_smoothing=0.2, reduction="none"
    )
    torch.testing.assert_close(losses.votes(g, rows, 0.2), smoothed)
    assert torch.autograd.gradcheck(lambda x: losses.votes(x, rows, 0.2), g.requires_grad_())


def test_votes_one_after_the_other_ask_for_their_shares():
    """Cross-entropy is linear in what it asks for; what is left is the shares' entropy."""
    g, voters = double(6, 3), 5
    drawn = torch.randint(3, (voters, 6), generator=torch.Generator().manual_seed(0))
    cast = torch.nn.functional.one_hot(drawn, 3).double()
    cast[:3] = torch.eye(3)[torch.arange(3)].double()[:, None]  # no class without a vote
    shares = cast.mean(dim=0)
    one_by_one = torch.stack([losses.votes(g, rows, 0.0) for rows in cast]).mean(dim=0)
    entropy = -(shares * shares.log()).sum(dim=1)
    torch.testing.assert_close(one_by_one, losses.soft_targets(g, shares.log(), 1.0) + entropy)


def test_positions_names_tensors_and_rows_are_the_same_votes():
    inputs, keys = np.eye(3, 4, dtype=np.float32), np.array(["a", "b", "c"])
    positions = np.array([2, 0, 1])
    forms = {
        "positions": positions,
        "tensor": torch.from_numpy(positions),
        "names": np.array(TAGS)[positions],
        "list": [TAGS[at] for at in positions],
        "objects": np.array(TAGS, dtype=object)[positions],
        "rows": np.eye(3)[positions],
        "booleans": np.eye(3, dtype=bool)[positions],
    }
    for form in forms.values():
        voter = teachers.function(lambda x, form=form: form, TAGS, kind="votes", name="v")
        np.testing.assert_array_equal(voter.ask(inputs, keys, "v"), np.eye(3)[positions])


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            [0, 3],
            r"votes for 3 on example 'b'; a vote is the position or the name of one of its cl",
        ),
        (["red", "blue"], r"votes for 'blue' on example 'b'; a vote is .* \(red, round, small\)"),
        ([0.0, 1.0], r"votes for 0.0 on example 'a'"),
        (
            [[0, 1, 0], [0, 1, 1]],
            r"votes \[0, 1, 1\] on example 'b': a vote is a row with a single",
        ),
        ([[0, 1, 0], [0.2, 0.8, 0]], r"votes \[0.2, 0.8, 0.0\] on example 'b'"),
        ([1, 2, 0], r"answered 2 examples with shape \(3,\); votes are positions or names \(2,\)"),
    ],
)
def test_what_is_no_vote_is_refused(answer, sentence):
    voter = teachers.function(lambda _: answer, TAGS, kind="votes", name="v")
    with pytest.raises(TeacherError, match=sentence):
        voter.ask(np.zeros((2, 4)), np.array(["a", "b"]), "v")


def test_votes_are_kept_narrow_and_come_back_exactly(tmp_path):
    scores = limbeck.score(VOTER, decided(50), to=tmp_path / "scores")
    assert (scores.kind, scores.manifest["width"]) == ("votes", "float16")
    kept = scores.read(np.arange(50), np.zeros(50, dtype=int))
    np.testing.assert_array_equal(kept, np.eye(3)[decided(50).labels])


@pytest.mark.slow
def test_a_student_of_votes_answers_with_logits_and_agrees(tmp_path):
    scores = limbeck.score(VOTER, decided(300), to=tmp_path / "scores")
    objective = objectives.Votes(smoothing=0.05)
    run = limbeck.train(students.mlp([8]), scores, objective, to=tmp_path / "run", plan=PLAN)
    assert run.kind == "logits"
    assert run.control is not None
    report = limbeck.evaluate(
        {"teacher": VOTER, "student": run},
        decided(200, seed=1),
        reference="teacher",
        require=["kl_nats<=0.1", "kl_nats<=teacher+0.1"],
    )
    teacher, student = (report.row(name)["metrics"] for name in ("teacher", "student"))
    assert teacher["accuracy"]["mean"] == 1
    assert student["agreement"]["mean"] > 0.9
    assert not teacher.keys() & {"kl_nats", "nll_nats", "ece", "auc", "average_precision"}
    assert "kl_nats" not in student
    assert "nll_nats" in student
    assert [bar["measured"] for bar in report.document["requirements"]] == ["not measured"] * 2
    live = limbeck.live(VOTER, decided(40), count=1)
    limbeck.train(
        students.mlp([]), live, objective, to=tmp_path / "live", plan=limbeck.Plan(epochs=1)
    )


@pytest.mark.parametrize("text", ["SoftTargets(4)", "MatchLogits()", "DIST()"])
def test_objectives_of_probabilities_refuse_votes_and_say_why(text, tmp_path):
    scores = limbeck.score(VOTER, decided(40), to=tmp_path / "scores")
    sentence = r"given votes \(a vote has no probabilities to soften\): Votes\(\) would do"
    with pytest.raises(InputError, match=sentence):
        limbeck.train(students.mlp([]), scores, objectives.from_text(text), to=tmp_path / "run")
    with pytest.raises(InputError, match=sentence):
        limbeck.compare(
            students.mlp([]),
            scores,
            {"other": [objectives.from_text(text)], "votes": [objectives.Votes()]},
            test=decided(20, seed=1),
            to=tmp_path / "compared",
            baseline="votes",
        )


def test_votes_refuse_logits_and_more_smoothing_than_there_is():
    with pytest.raises(InputError, match="learns votes, and is given logits: SoftTargets"):
        objectives.check_kind(objectives.Votes(), "logits")
    with pytest.raises(InputError, match="Votes: smoothing is 0 or more and below 1, not 1"):
        objectives.Votes(1.0)


def test_the_arithmetic_mean_of_votes_is_their_shares(tmp_path):
    turned = TAGS[::-1]
    named = teachers.function(
        lambda x: np.array(TAGS)[(x[:, 1] > 0).astype(int)], turned, kind="votes", name="turned"
    )
    others = teachers.function(
        lambda x: (x[:, 0] > 0).astype(int), TAGS, kind="votes", name="other"
    )
    together = teachers.ensemble([VOTER, others, named], mean="arithmetic")
    assert together.kind == "probabilities"
    examples = decided(60)
    x = examples.inputs
    eye = np.eye(3)
    by_hand = (eye[deciding(x)] + eye[(x[:, 0] > 0) * 1] + eye[(x[:, 1] > 0) * 1]) / 3
    said = together.answers(examples, "together")
    np.testing.assert_allclose(said, by_hand, rtol=1e-6)
    sets = [limbeck.score(one, examples, to=tmp_path / one.name) for one in (VOTER, others)]
    combined = limbeck.combine(sets, to=tmp_path / "all", mean="arithmetic")
    assert combined.kind == "probabilities"
    two = teachers.ensemble([VOTER, others], mean="arithmetic").answers(examples, "two")
    np.testing.assert_array_equal(combined.read(np.arange(60), np.zeros(60, int)), two)


def test_votes_have_no_geometric_mean():
    with pytest.raises(MismatchError, match="; votes have an arithmetic mean"):
        teachers.ensemble([VOTER])


def test_soft_targets_of_votes_are_not_shown(tmp_path):
    scores = limbeck.score(VOTER, decided(40), to=tmp_path / "scores")
    with pytest.raises(MismatchError, match="holds votes: only what a softmax makes has soft"):
        dark_knowledge(scores)


# Embeddings


def embedding(inputs: np.ndarray) -> np.ndarray:
    return np.concatenate([inputs @ DIRECTIONS, inputs[:, :2] * 3], axis=1)


ENCODER = teachers.function(embedding, 5, kind="embeddings", name="encoder")


def test_cosine_distance_is_that_of_the_angle_and_sees_no_length():
    g, z = double(6, 4), double(6, 4, seed=1)
    cosines = (g * z).sum(1) / (g.norm(dim=1) * z.norm(dim=1))
    torch.testing.assert_close(losses.cosine_distance(g, z), 1 - cosines)
    torch.testing.assert_close(losses.cosine_distance(3 * g, z / 7), 1 - cosines)
    assert losses.cosine_distance(2 * z, z).abs().max() < 1e-12
    assert torch.autograd.gradcheck(lambda x: losses.cosine_distance(x, z), g.requires_grad_())


def test_unit_vectors_have_a_cosine_distance_of_half_their_squared_distance():
    """The two forms are one where lengths are 1."""
    g, z = (torch.nn.functional.normalize(double(6, 4, seed=s)) for s in (0, 1))
    by_form = [
        objectives.MatchEmbeddings(form)(g, batch(z, kind="embeddings"))
        for form in ("cosine", "l2")
    ]
    torch.testing.assert_close(by_form[0]["embeddings"], by_form[1]["embeddings"])
    by_hand = (g - z).square().sum() / 12
    torch.testing.assert_close(by_form[1]["embeddings"], by_hand)


def test_a_zero_vector_has_no_direction_and_is_named():
    z = double(4, 3)
    z[2] = 0
    with pytest.raises(InputError, match="embedding of example '2' is 0 in every column, and has"):
        objectives.MatchEmbeddings()(double(4, 3), batch(z, kind="embeddings"))
    assert objectives.MatchEmbeddings("l2")(double(4, 3), batch(z, kind="embeddings"))
    with pytest.raises(InputError, match="no form 'dot'; known are cosine or l2"):
        objectives.MatchEmbeddings("dot")


def test_columns_of_embeddings_are_named_by_number_and_classes_are_not():
    assert ENCODER.classes == ("0", "1", "2", "3", "4")
    with pytest.raises(TeacherError, match="answers with logits: give its classes by name, not 3"):
        teachers.function(tagging, 3, name="plain")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["cosine", "l2"])
def test_a_student_learns_embeddings_whatever_the_labels_are(form, tmp_path):
    scores = limbeck.score(ENCODER, decided(300), to=tmp_path / "scores")
    objective = objectives.MatchEmbeddings(form)
    plan = limbeck.Plan(epochs=40, batch=32, learning_rate=0.02)
    run = limbeck.train(
        students.mlp([]), scores, objective, to=tmp_path / "run", plan=plan, seeds=2
    )
    assert (run.kind, run.control, len(run.classes)) == ("embeddings", None, 5)
    assert any("the scores are embeddings, and the labels are one class" in n for n in run.notes)
    test = decided(200, seed=1)
    report = limbeck.evaluate(
        {"teacher": ENCODER, "student": run},
        test,
        reference="teacher",
        require=["neighbor_agreement>=0.8", "cosine_similarity>=0.98"],
    )
    teacher, student = (report.row(name)["metrics"] for name in ("teacher", "student"))
    assert list(student) == ["cosine_similarity", "l2_distance", "neighbor_agreement"]
    assert teacher["neighbor_agreement"]["mean"] == 1 > teacher["neighbor_agreement"]["low"]
    assert all(bar["met"] for bar in report.document["requirements"])
    assert report.verdict["why"] == "embeddings have no labels to be held to"
    assert "within_margin" not in report.document
    assert report.to_html()
    made = limbeck.export(run, to=tmp_path / "e.onnx", check=test)
    assert made.largest_difference < 1e-4
    assert "embeddings `(batch, 5)`.\n" in (tmp_path / "e.onnx.md").read_text()


@pytest.mark.slow
def test_distill_and_sweep_take_embeddings(tmp_path):
    how = Distillation(objectives.MatchEmbeddings(), plan=limbeck.Plan(epochs=2), seeds=1)
    made = limbeck.distill(ENCODER, decided(100), students.mlp([4]), to=tmp_path / "all", how=how)
    assert made.report.verdict["answer"] == "undecided"
    scores = limbeck.score(ENCODER, decided(60), to=tmp_path / "scores")
    asked = {form: objectives.MatchEmbeddings(form) for form in ("cosine", "l2")}
    how = {"to": tmp_path / "sweep", "plan": limbeck.Plan(epochs=1)}
    assert set(limbeck.sweep(students.mlp([4]), scores, asked, **how)) == {"cosine", "l2"}


def test_objectives_of_classes_refuse_embeddings(tmp_path):
    scores = limbeck.score(ENCODER, decided(40), to=tmp_path / "scores")
    for objective in (objectives.SoftTargets(), objectives.MatchLogits(), objectives.Labels()):
        with pytest.raises(InputError, match=r"given embeddings: MatchEmbeddings\(\) would do"):
            limbeck.train(students.mlp([]), scores, objective, to=tmp_path / "run")


def slow_neighbors(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = []
    for row in range(len(unit)):
        others = sorted(
            (other for other in range(len(unit)) if other != row),
            key=lambda other: -(unit[row] @ unit[other]),
        )
        found.append(set(others[:10]))
    return found


def test_metrics_of_embeddings_are_the_slow_obvious_ones():
    draw = np.random.default_rng(0)
    reference = draw.normal(size=(60, 4))
    answered = reference + draw.normal(scale=0.5, size=(1, 60, 4))
    none = np.full(60, -1)
    found = {
        name: metrics.measure(metric, answered, none, reference)
        for name, metric in OF_EMBEDDINGS.items()
    }
    cosines = [
        sk.pairwise.cosine_similarity([g], [z])[0, 0]
        for g, z in zip(answered[0], reference, strict=True)
    ]
    assert found["cosine_similarity"].mean == pytest.approx(np.mean(cosines))
    distances = np.sqrt(((answered[0] - reference) ** 2).sum(1))
    assert found["l2_distance"].mean == pytest.approx(distances.mean())
    pairs = zip(slow_neighbors(answered[0]), slow_neighbors(reference), strict=True)
    shares = [len(own & theirs) / 10 for own, theirs in pairs]
    assert found["neighbor_agreement"].mean == pytest.approx(np.mean(shares))
    assert all(one.low < one.mean < one.high for one in found.values())


@pytest.mark.parametrize("n", [10, 5001])
def test_too_few_or_too_many_examples_have_no_neighbours(n):
    reference = np.random.default_rng(0).normal(size=(n, 3))
    metric = OF_EMBEDDINGS["neighbor_agreement"]
    assert metrics.measure(metric, reference[None], np.full(n, -1), reference) is None
