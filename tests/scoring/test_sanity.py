"""A teacher and labels that make no sense together are refused before the work starts."""

import itertools
import json

import numpy as np
import pytest
from worlds import CLASSES, blobs, rule

from limbeck import Examples, live, load, score, show, teachers, views
from limbeck.errors import ScoresWarning, TeacherError
from limbeck.scoring import _agreement, _sample
from limbeck.scoring._linear import linear_scores

POINTS = blobs(300)
QUIET = pytest.mark.filterwarnings("error::limbeck.errors.ScoresWarning")


def teacher(predict, classes=CLASSES, **more) -> teachers.Teacher:
    return teachers.function(predict, classes, name="them", **more)


def columns(n: int = 200, seed: int = 0) -> Examples:
    inputs = np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)
    return Examples.of(inputs, (inputs > 0).astype(int), classes=["p", "q", "s"])


def heights(n: int = 200) -> Examples:
    inputs = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
    return Examples.of(inputs, inputs @ np.array([[1.0, 0.2], [0.3, 1.0]]), classes=["h", "w"])


# What makes no sense is refused, and nothing is written.


@pytest.mark.parametrize(
    ("predict", "examples", "more", "sentence"),
    [
        (lambda x: rule(x)[:, [1, 2, 0]], POINTS, {}, "less often than by chance: accuracy"),
        (lambda x: -rule(x), POINTS, {}, "less often than by chance"),
        (lambda x: np.ones((len(x), 3)), POINTS, {}, "answers all of 256 different examples with"),
        (
            lambda x: np.eye(3)[[1] * len(x)],
            POINTS,
            {"kind": "probabilities"},
            "answers all of 256",
        ),
        (lambda x: 1 + 1e-7 * rule(x), POINTS, {}, "answers all of 256"),
        (lambda x: -x, columns(), {"kind": "independent-logits"}, "less often than by chance"),
        (lambda x: -x, heights(), {"kind": "values"}, "less often than by chance: R2 -"),
    ],
)
def test_a_teacher_without_sense_is_refused(predict, examples, more, sentence, tmp_path):
    asked = teacher(predict, examples.classes, **more)
    with pytest.raises(TeacherError, match=sentence):
        score(asked, examples, to=tmp_path / "scores")
    assert not (tmp_path / "scores").exists()
    with pytest.raises(TeacherError, match=sentence):
        live(asked, examples)
    with pytest.warns(ScoresWarning, match=sentence):
        scores = score(asked, examples, to=tmp_path / "scores", accept_teacher=True)
    assert len(scores) == len(examples)


def test_the_order_that_fits_is_said_in_the_teachers_own_order_and_is_the_remedy(tmp_path):
    """Trained on c, a, b, and declared with a, b, c: columns are renamed, not moved."""
    classes = [CLASSES[2], CLASSES[0], CLASSES[1]]

    def predict(x):
        return rule(x)[:, [2, 0, 1]]

    with pytest.raises(TeacherError) as refused:
        score(teacher(predict), POINTS, to=tmp_path / "scores")
    assert f"classes={classes!r}, it would have accuracy" in str(refused.value)
    scores = score(teacher(predict, classes), POINTS, to=tmp_path / "scores")
    assert json.loads(json.dumps(show(tmp_path / "scores")))["sanity"]["accuracy"] > 0.8
    np.testing.assert_allclose(
        scores.read(np.arange(300), np.zeros(300, int)), rule(POINTS.inputs), atol=0.01
    )


def test_two_classes_that_are_exchanged_among_many_are_warned_of(tmp_path):
    inputs = np.random.default_rng(0).integers(0, 6, size=(400, 1))
    examples = Examples.of(inputs, inputs[:, 0], classes=list("abcdef"))

    def predict(x):
        return 5.0 * np.eye(6)[x[:, 0].astype(int)][:, [0, 1, 3, 2, 4, 5]]

    with pytest.warns(ScoresWarning, match=r"classes=\['a', 'b', 'd', 'c', 'e', 'f'\], it would"):
        score(teacher(predict, list("abcdef")), examples, to=tmp_path / "scores")


def test_columns_of_values_that_are_exchanged_are_named(tmp_path):
    table = heights()
    byte = {row.tobytes(): label for row, label in zip(table.inputs, table.labels, strict=True)}

    def exchanged(x):
        return np.array([byte[row.tobytes()][::-1] for row in np.asarray(x, np.float32)])

    asked = teacher(exchanged, ["h", "w"], kind="values")
    with pytest.warns(ScoresWarning, match=r"classes=\['w', 'h'\], it would have R2 1.000"):
        score(asked, table, to=tmp_path / "scores")


def test_a_teacher_far_below_a_linear_model_is_warned_of_with_the_usual_causes(tmp_path):
    """Right a little, as a net is that gets bytes for numbers around zero."""

    def weak(x):
        noise = np.random.default_rng(0).normal(size=(len(POINTS), 3))
        at = POINTS.find(np.array([str(row) for row in _rows_of(x)]))
        return rule(x) + 12 * noise[at]

    with pytest.warns(ScoresWarning, match=r"where a linear model of these labels has 0\.\d+: us"):
        score(teacher(weak), POINTS, to=tmp_path / "scores")


def _rows_of(inputs):
    byte = {row.tobytes(): at for at, row in enumerate(POINTS.inputs)}
    return [byte[row.tobytes()] for row in np.asarray(inputs, POINTS.inputs.dtype)]


def test_values_in_other_units_are_warned_of(tmp_path):
    asked = teacher(lambda x: 100 * rule_of_values(x), ["h", "w"], kind="values")
    with pytest.warns(ScoresWarning, match="in the units of the labels"):
        score(asked, heights(), to=tmp_path / "scores")


def rule_of_values(x):
    return x @ np.array([[1.0, 0.2], [0.3, 1.0]])


# What is honest passes without a word.


@QUIET
@pytest.mark.parametrize("share", [0.01, 0.05])
def test_who_nearly_always_names_the_common_class_is_honest(share, tmp_path):
    drawn = np.random.default_rng(0)
    inputs = drawn.normal(size=(256, 4)).astype(np.float32)
    labels = (drawn.random(256) < share).astype(int)
    labels[0] = 1
    rare = Examples.of(inputs, labels, classes=["usual", "rare"])

    def predict(x):
        return np.stack([3 + 0.01 * x[:, 0], 0 * x[:, 0]], axis=1)

    scores = score(teacher(predict, rare.classes), rare, to=tmp_path / "scores")
    assert scores.record.sanity["accuracy"] == pytest.approx(1 - labels.mean())


@QUIET
def test_a_teacher_without_labels_is_seen_but_not_judged(tmp_path):
    scores = score(teacher(rule), POINTS.without_labels(), to=tmp_path / "scores")
    assert scores.record.sanity.keys() == {"n", "lowest", "highest", "in_unit_interval", "entropy"}


@QUIET
@pytest.mark.parametrize("n", [1, 2, 9])
def test_few_examples_judge_nobody(n, tmp_path):
    score(teacher(lambda x: rule(x)[:, [1, 2, 0]]), blobs(n), to=tmp_path / "scores")


def test_of_answers_that_know_nothing_one_in_ten_thousand_is_called_below_chance():
    drawn = np.random.default_rng(0)
    below, reordered = [], []
    for _ in range(500):
        classes = int(drawn.integers(2, 40))
        scores, labels = drawn.normal(size=(256, classes)), drawn.integers(0, classes, 256)
        below.append(_agreement.agreement(scores, labels, "logits").is_below_chance)
        reordered.append(_agreement.fitting_order(scores, labels, "logits") is not None)
    assert (sum(below), sum(reordered)) == (0, 0)


# The figures.


def test_accuracy_chance_and_auc_are_those_of_the_obvious_sums():
    drawn = np.random.default_rng(0)
    scores, labels = drawn.normal(size=(80, 2)), drawn.integers(0, 2, 80)
    scores[:, 1] += labels
    one = _agreement.agreement(scores, labels, "logits")
    said = [int(row[1] > row[0]) for row in scores]
    pairs = [(a, b) for a, b in itertools.product(range(80), repeat=2) if labels[a] > labels[b]]
    margin = scores[:, 1] - scores[:, 0]
    assert one.value == sum(a == b for a, b in zip(said, labels, strict=True)) / 80
    assert one.chance == pytest.approx(
        sum(a == b for a in said for b in labels) / 80**2  # every answer beside every label
    )
    assert one.auc == pytest.approx(sum(margin[a] > margin[b] for a, b in pairs) / len(pairs))


def test_r2_is_the_mean_over_outputs():
    drawn = np.random.default_rng(0)
    labels = drawn.normal(size=(50, 2))
    scores = labels + [[0.1, 0.5]] * drawn.normal(size=(50, 2))
    each = [
        1
        - ((labels[:, k] - scores[:, k]) ** 2).sum()
        / ((labels[:, k] - labels[:, k].mean()) ** 2).sum()
        for k in range(2)
    ]
    one = _agreement.agreement(scores, labels, "values")
    assert one.value == pytest.approx(np.mean(each))


def test_what_was_seen_is_recorded_and_said_in_one_line(tmp_path):
    score(teacher(rule), POINTS, to=tmp_path / "scores")
    seen = load(tmp_path / "scores", examples=POINTS).record.sanity
    rows = _sample.chosen_rows(POINTS)
    answers = rule(POINTS.inputs[rows])
    assert seen["n"] == seen["labelled"] == len(rows) == 256
    assert seen["accuracy"] == (answers.argmax(axis=1) == POINTS.labels[rows]).mean()
    assert (seen["lowest"], seen["highest"]) == pytest.approx((answers.min(), answers.max()))
    assert seen["in_unit_interval"] == ((answers >= 0) & (answers <= 1)).mean()
    assert seen["auc"] is None


def test_a_linear_model_is_measured_on_what_it_was_not_fitted_to():
    noise = np.random.default_rng(0).normal(size=(120, 90)).astype(np.float32)
    nothing = Examples.of(noise, np.arange(120) % 2, classes=["a", "b"])
    scores = linear_scores(nothing)
    assert (scores.argmax(axis=1) == nothing.labels).mean() < 0.65
    assert linear_scores(blobs(30)) is None  # too few


def test_texts_have_a_linear_model_too():
    texts = [f"{word} number {at}" for at in range(40) for word in ("good", "bad")]
    told = Examples.of(texts, [at % 2 for at in range(80)], classes=["good", "bad"])
    assert (linear_scores(told).argmax(axis=1) == told.labels).mean() == 1.0


# Who is asked, and how often.


class Counting(teachers.Teacher):
    """A teacher that remembers about whom it was asked."""

    def __init__(self) -> None:
        super().__init__(name="them", classes=CLASSES, kind="logits", fingerprint="1")
        object.__setattr__(self, "asked", [])

    def predict(self, inputs):
        self.asked.extend(row.tobytes() for row in inputs)
        return rule(inputs)


def test_the_sample_is_of_the_whole_file_and_the_same_in_any_order():
    by_class = POINTS.take(np.argsort(POINTS.labels, kind="stable"))
    keys = {str(key) for key in POINTS.keys[_sample.chosen_rows(POINTS)]}
    assert {str(key) for key in by_class.keys[_sample.chosen_rows(by_class)]} == keys
    labels = by_class.labels[_sample.chosen_rows(by_class)]
    assert np.bincount(labels).min() > 50


def test_those_with_a_label_come_first():
    labels = np.full(2000, -1)
    labels[1234:1274] = 1
    examples = Examples.of(np.arange(2000.0)[:, None], labels, classes=["a", "b"])
    rows = _sample.chosen_rows(examples)
    assert set(range(1234, 1274)) <= set(rows.tolist())
    assert len(rows) == 256


def test_nobody_is_asked_twice_but_to_see_whether_the_answer_stays(tmp_path):
    them = Counting()
    score(them, POINTS, to=tmp_path / "scores")
    assert len(them.asked) == len(POINTS) + 8
    assert len(set(them.asked)) == len(POINTS)
    assert not (tmp_path / "scores" / _sample.NAME).exists()


def test_what_was_interrupted_asks_about_the_missing_alone(tmp_path, monkeypatch):
    asked = {"views": views.jitter(1), "count": 2}
    images = Examples.of(
        np.random.default_rng(0).integers(0, 255, (40, 1, 6, 6)).astype(np.uint8), classes=CLASSES
    )

    class Pixels(Counting):
        def predict(self, inputs):
            self.asked.extend(row.tobytes() for row in inputs)
            if len(self.asked) > 60:
                raise KeyboardInterrupt
            return inputs.reshape(len(inputs), -1)[:, :3].astype(np.float32)

    them = Pixels()
    with pytest.raises(KeyboardInterrupt):
        score(them, images, to=tmp_path / "scores", **asked)
    assert (tmp_path / "scores" / _sample.NAME).exists()
    them.asked.clear()
    score(them, images, to=tmp_path / "scores", **asked)
    assert len(them.asked) == 40  # of the second view alone; no sample, no second look


def test_a_damaged_sample_is_asked_for_again(tmp_path):
    sample = _sample.Sample(np.arange(3), np.ones((3, 2), np.float32))
    sample.write(tmp_path)
    file = tmp_path / _sample.NAME
    np.testing.assert_array_equal(_sample.Sample.read(tmp_path).scores, sample.scores)
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(bytes(content))
    assert _sample.Sample.read(tmp_path) is None
    file.write_bytes(b"half")
    assert _sample.Sample.read(tmp_path) is None
