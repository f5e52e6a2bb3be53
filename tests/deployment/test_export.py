"""An exported file answers like its student, or is not written."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from worlds import CLASSES, blobs, pictures, rule

from limbeck import (
    Examples,
    Plan,
    artifacts,
    evaluate,
    export,
    load,
    objectives,
    score,
    show,
    students,
    teachers,
    train,
)
from limbeck.artifacts import _files
from limbeck.deployment import _export, _onnx
from limbeck.errors import CorruptError, InputError, MismatchError, NotMetError, OccupiedError

TEACHER = teachers.function(rule, CLASSES, name="rule")
TEST = blobs(60, seed=5, name="test")
QUICK = Plan(epochs=3, batch=16, learning_rate=0.02)


def trained(folder, student=None, objective=None):
    scores = score(TEACHER, blobs(60), to=folder / "scores")
    chosen = objective or objectives.SoftTargets(2.0)
    return train(student or students.mlp([8]), scores, chosen, to=folder / "run", plan=QUICK)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("export"))


def answers(run, inputs):
    with torch.no_grad():
        return run.model()(torch.tensor(inputs)).numpy()


@pytest.mark.parametrize("rows", [1, 2, 60])
def test_the_onnx_file_answers_alike_at_any_batch(run, rows, tmp_path):
    made = export(run, to=tmp_path / "student.onnx", check=TEST)
    assert (made.n, made.agreement) == (60, 1.0)
    assert made.largest_difference < 1e-4
    session = onnxruntime.InferenceSession(made.path)
    (scores,) = session.run(["scores"], {"inputs": TEST.inputs[:rows]})
    np.testing.assert_allclose(scores, answers(run, TEST.inputs[:rows]), atol=1e-4)
    props = {p.key: p.value for p in onnx.load(made.path).metadata_props}
    assert json.loads(props["classes"]) == list(CLASSES)


@pytest.mark.slow
def test_a_convolutional_student_of_raw_bytes_is_exported_with_its_encoding(tmp_path):
    images = pictures(40)
    net, goal = students.convnet("tiny"), objectives.Labels()
    run = train(net, images, goal, to=tmp_path / "run", plan=QUICK)
    check = pictures(30, seed=3)
    made = export(run, to=tmp_path / "student.onnx", check=check)
    session = onnxruntime.InferenceSession(made.path)
    (scores,) = session.run(["scores"], {"inputs": check.inputs.astype(np.float32)})
    np.testing.assert_allclose(scores, answers(run, check.inputs), atol=1e-3)


@pytest.mark.slow
def test_scale_and_shift_of_a_standardised_student_are_inside_the_file(tmp_path):
    run = trained(tmp_path, objective=objectives.MatchLogits("standardized"))
    made = export(run, to=tmp_path / "student.onnx", check=TEST)
    assert made.largest_difference < 1e-4


@pytest.mark.slow
def test_the_safetensors_file_holds_the_very_weights(run, tmp_path):
    made = export(run, to=tmp_path / "student.safetensors", check=TEST)
    assert made.largest_difference == 0
    stored = run.directory / f"student-{run.shipped}" / "model.safetensors"
    assert made.path.read_bytes() == stored.read_bytes()
    with torch.no_grad():
        again = load(made.path)(torch.tensor(TEST.inputs)).numpy()
    np.testing.assert_array_equal(again, answers(run, TEST.inputs))
    with pytest.raises(InputError, match=r"is opened with onnxruntime.InferenceSession, not with"):
        load(export(run, to=tmp_path / "student.onnx", check=TEST).path)


@pytest.mark.slow
def test_a_bottleneck_is_absorbed_where_that_is_smaller_or_on_request(tmp_path):
    wide = trained(tmp_path, students.shallow(3, bottleneck=20))
    made = export(wide, to=tmp_path / "small.onnx", check=TEST)
    assert made.absorbed
    assert made.largest_difference < 1e-4
    export(wide, to=tmp_path / "small.safetensors", check=TEST)
    assert load(tmp_path / "small.safetensors").body[1].weight.shape == (3, 2)
    narrow = trained(tmp_path / "b", students.shallow(50, bottleneck=1))
    assert not export(narrow, to=tmp_path / "kept.onnx", check=TEST).absorbed
    assert export(narrow, to=tmp_path / "out.onnx", check=TEST, absorb=True).absorbed


@pytest.mark.slow
def test_a_file_that_answers_otherwise_is_refused_and_not_left(run, tmp_path, monkeypatch):
    real = _onnx.to_onnx

    def drifting(*arguments):
        content, answer = real(*arguments)
        return content, lambda batch: answer(batch) + 0.01 * (np.arange(len(batch)) == 7)[:, None]

    monkeypatch.setitem(_export._FORMATS, ".onnx", drifting)
    with pytest.raises(
        NotMetError, match=r"student.onnx was not written: on 60 examples its scores "
    ):
        export(run, to=tmp_path / "student.onnx", check=TEST)
    assert list(tmp_path.iterdir()) == []
    assert export(run, to=tmp_path / "student.onnx", check=TEST, tolerance=0.02).n == 60


@pytest.mark.parametrize("unit", [1e-6, 1.0, 250_000.0])
@pytest.mark.parametrize("ending", [".onnx", ".safetensors"])
@pytest.mark.slow
def test_the_check_of_values_does_not_depend_on_their_unit(unit, ending, tmp_path, monkeypatch):
    """House prices pass, and values near a millionth that are all wrong do not."""
    inputs = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    values = unit * (3 + inputs @ [1.0, -0.5, 0.2])
    homes = Examples.of(inputs, values, classes=["price"])
    plan, form = Plan(epochs=20, batch=32, learning_rate=0.01), "standardized"
    run = train(students.mlp([16]), homes, objectives.Labels(form), to=tmp_path / "run", plan=plan)
    made = export(run, to=tmp_path / f"a{ending}", check=homes)
    assert made.largest_difference <= 1e-3 * values.std()
    real = _export._FORMATS[ending]

    def drifting(*arguments):
        content, answer = real(*arguments)
        return content, lambda batch: answer(batch) + np.float32(0.01 * values.std())

    monkeypatch.setitem(_export._FORMATS, ending, drifting)
    with pytest.raises(NotMetError, match=r"for 'price', more than .* times the deviation of that"):
        export(run, to=tmp_path / f"b{ending}", check=homes)
    export(run, to=tmp_path / f"b{ending}", check=homes, tolerance=0.02)


@pytest.mark.slow
def test_the_card_says_what_the_file_is(run, tmp_path):
    report = evaluate({"teacher": TEACHER, "student": run}, TEST, reference="teacher")
    made = export(run, to=tmp_path / "student.onnx", check=TEST, report=report)
    card = (tmp_path / "student.onnx.md").read_text()
    for part in ("mlp(", "(batch, 2)", "round, square, star", "SoftTargets", "60 examples of test"):
        assert part in card
    assert report.to_markdown() in card
    shown = show(made.path)
    assert (shown["artifact"], shown["whole"]) == ("exported student", "yes")


@pytest.mark.slow
def test_the_same_export_is_found_again_and_another_is_not_overwritten(run, tmp_path):
    made = export(run, to=tmp_path / "student.onnx", check=TEST)
    before = made.path.read_bytes()
    assert export(run, to=tmp_path / "student.onnx", check=TEST) == made
    with pytest.raises(OccupiedError, match="is there already and is not this export"):
        export(run, to=tmp_path / "student.onnx", check=TEST, tolerance=0.5)
    (tmp_path / "mine.onnx").write_text("mine")
    with pytest.raises(OccupiedError, match="is there already and is not this export"):
        export(run, to=tmp_path / "mine.onnx", check=TEST)
    assert made.path.read_bytes() == before
    assert (tmp_path / "mine.onnx").read_text() == "mine"


@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_an_export_cut_short_is_finished_by_the_same_call(dies_at, run, tmp_path, monkeypatch):
    real, written = artifacts.write_file, []

    def dying(path, content):
        written.append(path)
        if len(written) == dies_at:
            raise KeyboardInterrupt
        real(path, content)

    # The file and its card by the package's name for it, the manifest by the module's own.
    monkeypatch.setattr(artifacts, "write_file", dying)
    monkeypatch.setattr(_files, "write_file", dying)
    with pytest.raises(KeyboardInterrupt):
        export(run, to=tmp_path / "student.safetensors", check=TEST)
    monkeypatch.undo()
    made = export(run, to=tmp_path / "student.safetensors", check=TEST)
    assert show(made.path)["whole"] == "yes"
    assert (tmp_path / "student.safetensors.md").exists()


def test_an_altered_file_is_named(run, tmp_path):
    made = export(run, to=tmp_path / "student.safetensors", check=TEST)
    made.path.write_bytes(made.path.read_bytes()[:-4])
    with pytest.raises(CorruptError, match=r"student.safetensors has .* bytes, not .*: truncated"):
        show(made.path)


def test_what_cannot_be_exported_is_refused_in_words(run, tmp_path):
    with pytest.raises(InputError, match=r"exported to .onnx or .safetensors, not to 'student.pt'"):
        export(run, to=tmp_path / "student.pt", check=TEST)
    wide = Examples.of(np.zeros((4, 5), np.float32), classes=CLASSES, name="wide")
    with pytest.raises(MismatchError, match=r"takes inputs of shape \(2,\), wide has \(5,\)"):
        export(run, to=tmp_path / "s.onnx", check=wide)
    assert list(tmp_path.iterdir()) == []


def test_load_opens_what_was_made(run, tmp_path):
    again = load(run.directory)
    np.testing.assert_array_equal(answers(again, TEST.inputs), answers(run, TEST.inputs))
    scores = load(run.directory.parent / "scores", examples=blobs(60))
    assert len(scores) == 60


@pytest.mark.slow
def test_an_onnx_file_holds_no_path_of_the_machine_that_made_it(run, tmp_path):
    content = export(run, to=tmp_path / "student.onnx", check=TEST).path.read_bytes()
    assert b".py" not in content
    assert str(Path(__file__).parents[2]).encode() not in content
