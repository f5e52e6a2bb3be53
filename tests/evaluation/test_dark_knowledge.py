"""Dark knowledge: the soft targets by hand, the confusions, the differences, and the figure."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
from worlds import CLASSES, blobs, pictures, rule

from limbeck import Examples, Plan, cli, objectives, score, students, teachers, train, views
from limbeck.errors import InputError, MismatchError
from limbeck.evaluation import dark_knowledge
from limbeck.evaluation._soft_targets import confusions, divergences

TEACHER = teachers.function(rule, CLASSES, name="rule")
POINTS = blobs(60)


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    return score(TEACHER, POINTS, to=tmp_path_factory.mktemp("dark") / "scores")


@pytest.fixture(scope="module")
def run(scores):
    plan = Plan(epochs=3, batch=16)
    to = scores.directory.parent / "student"
    return train(students.mlp([4]), scores, objectives.SoftTargets(2.0), to=to, plan=plan)


def by_hand(logits, temperature):
    raised = np.exp(np.asarray(logits, dtype=float) / temperature)
    return raised / raised.sum()


def test_soft_targets_are_the_softmax_by_hand(scores):
    found = dark_knowledge(scores, examples=["blobs-3"], temperatures=[4, 1])
    [one] = found.examples
    assert found.temperatures == (1.0, 4.0)
    assert one.label == CLASSES[POINTS.labels[3]]
    logits = rule(POINTS.inputs[3:4])[0]
    for shares, temperature in zip(one.soft, (1.0, 4.0), strict=True):
        np.testing.assert_allclose(shares, by_hand(logits, temperature), atol=1e-3)  # float16


def test_the_confused_classes_are_the_means_by_hand(scores):
    logits = rule(POINTS.inputs)
    shares = np.array([by_hand(row, 1) for row in logits])
    for pair in dark_knowledge(scores).confusions:
        of_answer = shares[logits.argmax(axis=1) == CLASSES.index(pair.answer)]
        assert pair.n == len(of_answer)
        assert pair.probability == pytest.approx(
            of_answer[:, CLASSES.index(pair.other)].mean(), abs=1e-3
        )


def test_every_pair_is_another_pair_and_the_largest_comes_first():
    drawn = np.random.default_rng(0).normal(size=(50, 4))
    pairs = confusions(drawn, "abcd", 12)
    assert len({(pair.answer, pair.other) for pair in pairs}) == 12
    assert all(pair.answer != pair.other for pair in pairs)
    assert sorted(pairs, key=lambda pair: -pair.probability) == list(pairs)


def test_a_class_that_is_never_the_answer_is_confused_with_nothing():
    pairs = confusions(np.array([[2.0, 1.0, 0.0]]), "abc", 6)
    assert {pair.answer for pair in pairs} == {"a"}


def test_the_differences_are_the_largest_divergences_by_hand(scores, run):
    found = dark_knowledge(scores, student=run)
    answers = teachers.run(run).predict(POINTS.inputs).numpy()
    p = np.array([by_hand(row, 1) for row in rule(POINTS.inputs)])
    q = np.array([by_hand(row, 1) for row in answers])
    nats = (p * np.log(p / q)).sum(axis=1)
    order = np.argsort(-nats)[:5]
    assert [one.key for one in found.differences] == [f"blobs-{row}" for row in order]
    np.testing.assert_allclose([one.nats for one in found.differences], nats[order], rtol=0.01)
    assert found.student == "student"


def test_a_student_that_says_the_same_does_not_differ():
    logits = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(divergences(logits, logits + 7), 0, atol=1e-12)


def test_the_unsure_are_those_of_highest_entropy(scores):
    p = np.array([by_hand(row, 1) for row in rule(POINTS.inputs)])
    order = np.argsort((p * np.log(p)).sum(axis=1))[:5]
    assert dark_knowledge(scores).unsure == tuple(f"blobs-{row}" for row in order)


def test_the_text_says_it_in_words(scores, run):
    found = dark_knowledge(scores, examples=["blobs-3"], student=run, temperatures=[1, 8])
    text = str(found)
    assert "scores: 60 examples, view plain(), 3 classes" in text
    assert f"blobs-3 (label {found.examples[0].label})" in text
    for shares in found.examples[0].soft:
        assert f"{shares.max():.3f}" in text
    first = found.confusions[0]
    assert f"{first.other}, where it says {first.answer} ({first.n} times)" in text
    assert f"Least sure of: {found.unsure[0]}, " in text
    assert f"{found.differences[0].key} (label " in text


def test_the_json_holds_the_same_numbers(scores, run):
    found = dark_knowledge(scores, examples=["blobs-3"], student=run, temperatures=[2])
    said = json.loads(json.dumps(found.to_json()))
    shares = said["examples"][0]["soft"][0]["probabilities"]
    assert list(shares.values()) == found.examples[0].soft[0].tolist()
    assert said["differences"][0]["teacher"].keys() == set(CLASSES)
    assert said["confusions"][0]["n"] == found.confusions[0].n


def test_the_input_is_shown_as_it_was_scored(tmp_path):
    images = pictures(12)
    bright = teachers.function(
        lambda inputs: inputs.reshape(len(inputs), 2, -1).mean(axis=2), images.classes
    )
    moved = score(bright, images, to=tmp_path / "moved", views=views.jitter(2), count=2, seed=3)
    [one] = dark_knowledge(moved, examples=["picture-5"]).examples
    np.testing.assert_array_equal(
        one.inputs, views.jitter(2)(images, np.array(["picture-5"]), 0, 3).inputs[0]
    )


def test_probabilities_are_softened_by_their_logarithms(tmp_path):
    def answer(inputs):
        said = np.tile(np.array([[0.9, 0.1, 0.0]], dtype=np.float32), (len(inputs), 1))
        return np.where(np.isclose(inputs, POINTS.inputs[1]).all(axis=1)[:, None], [0, 0, 1], said)

    teacher = teachers.function(answer, CLASSES, kind="probabilities")
    kept = score(teacher, POINTS, to=tmp_path / "p")
    [one] = dark_knowledge(kept, examples=["blobs-0"], temperatures=[1, 2]).examples
    raised = np.sqrt([0.9, 0.1, 1e-6])  # as it is learnt: 0 counts as a millionth
    np.testing.assert_allclose(one.soft, [[0.9, 0.1, 0.0], raised / raised.sum()], atol=2e-6)


@pytest.mark.slow
def test_the_figure_is_svg_with_the_names_in_it_and_always_the_same(scores, run, tmp_path):
    found = dark_knowledge(scores, examples=["blobs-3", "blobs-4"], student=run)
    first = found.figure(tmp_path / "one.svg").read_bytes()
    assert ElementTree.fromstring(first).tag == "{http://www.w3.org/2000/svg}svg"
    words = first.decode()
    for name in (*CLASSES, "blobs-3", "blobs-4", found.differences[0].key, "T = 20", "student"):
        assert f">{name}" in words
    assert found.figure(tmp_path / "two.svg").read_bytes() == first
    assert len(first) < 300_000


@pytest.mark.parametrize("shape", [(1, 6, 6), (3, 6, 6), (2, 4, 4), (40,), (5, 6)])
def test_inputs_of_every_shape_are_drawn(shape, tmp_path):
    inputs = np.random.default_rng(0).normal(size=(4, *shape)).astype(np.float32)
    some = Examples.of(inputs, classes=("$5", "a < b"), name="shapes")
    teacher = teachers.function(lambda x: np.arange(2 * len(x)).reshape(-1, 2), some.classes)
    found = dark_knowledge(score(teacher, some, to=tmp_path / "s"), examples=["0"])
    assert found.figure(tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")
    assert "$5" in found.figure(tmp_path / "s.svg").read_text()


def test_figures_leave_matplotlib_as_it_was(scores, tmp_path):
    matplotlib = pytest.importorskip("matplotlib", reason="needs limbeck[figures]")
    before = dict(matplotlib.rcParams)
    dark_knowledge(scores).figure(tmp_path / "f.svg")
    assert dict(matplotlib.rcParams) == before


def test_refusals_are_sentences(scores, run, tmp_path):
    with pytest.raises(InputError, match="has no example 'blob-3'; did you mean 'blobs-3'"):
        dark_knowledge(scores, examples=["blob-3"])
    with pytest.raises(InputError, match="has no example 'x'; a key there is 'blobs-0'"):
        dark_knowledge(scores, examples=["x"])
    for wrong in ([0], [-1], [], [float("inf")]):
        with pytest.raises(InputError, match="temperatures are numbers above 0"):
            dark_knowledge(scores, temperatures=wrong)
    with pytest.raises(InputError, match=r"a figure is written to .svg or .png, not to 'f.gif'"):
        dark_knowledge(scores).figure(tmp_path / "f.gif")
    values = teachers.function(rule, CLASSES, kind="values")
    with pytest.raises(MismatchError, match="holds values: only what a softmax makes"):
        dark_knowledge(score(values, POINTS, to=tmp_path / "v"))
    wide = Examples.of(np.ones((9, 3)), np.arange(9) % 3, classes=CLASSES)
    other = teachers.function(lambda x: x, CLASSES)
    with pytest.raises(MismatchError, match=r"student takes inputs of shape \(2,\) to 3 classes"):
        dark_knowledge(score(other, wide, to=tmp_path / "w"), student=run)


@pytest.fixture
def command(scores, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("points.npz", inputs=POINTS.inputs, keys=POINTS.keys, classes=np.array(CLASSES))

    def call(*options):
        words = ["show", str(scores.directory), "--examples", "points.npz", *options]
        with pytest.raises(SystemExit) as left:
            cli.main(words)
        return left.value.code, capsys.readouterr()

    return call


def test_the_command_shows_the_same(command, scores, run, tmp_path):
    options = ("--example", "blobs-3", "--example", "blobs-4", "--temperature", "1")
    status, printed = command(*options, "--student", str(run.directory), "--figure", "out.svg")
    assert (status, printed.err) == (0, "")
    assert "blobs-3\n" in printed.out
    assert "differ most" in printed.out
    assert printed.out.endswith("drawn in out.svg\n")
    assert (tmp_path / "out.svg").exists()
    status, printed = command(*options, "--temperature=8", "--json")
    said = json.loads(printed.out)
    assert said["temperatures"] == [1, 8]
    assert [one["key"] for one in said["examples"]] == ["blobs-3", "blobs-4"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--example=blob-3", "--figure=f.svg"], "no example 'blob-3'; did you mean 'blobs-3'?"),
        (["--temperature=0", "--figure=f.svg"], "temperatures are numbers above 0, not [0.0]"),
        (["--figure=out.gif"], "a figure is written to .svg or .png, not to 'out.gif'"),
        (["--student=nowhere", "--figure=f.svg"], "there is no run in nowhere"),
    ],
)
def test_bad_input_of_the_command_is_one_sentence(command, tmp_path, options, sentence):
    status, printed = command(*options)
    assert status == 2
    assert sentence in printed.err
    assert printed.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["points.npz"]
