"""Teachers that are files: the same scores through every door, and what is wrong with a file."""

import json
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn
from worlds import CLASSES, Tilted, blobs

from limbeck import Plan, export, objectives, score, students, teachers, train
from limbeck.errors import (
    CorruptError,
    InputError,
    MismatchError,
    MissingError,
    TeacherError,
    TrustError,
)
from limbeck.runtime import _calls
from limbeck.scoring import Storage

POINTS = blobs(70)
WIDE = Storage("float32", shard_rows=32, batch=16)
DYNAMIC = ({0: torch.export.Dim("batch")},)
FLOAT, LONG, TEXT = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING


def net():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3)).eval()


def tensor(name, kind=FLOAT, shape=("batch", 2)):
    return helper.make_tensor_value_info(name, kind, shape)


def write_onnx(path, nodes, inputs=None, outputs=None, initial=(), functions=(), **notes):
    """An ONNX file of a few operators, by hand."""
    inputs, outputs = inputs or [tensor("x")], outputs or [tensor("y", shape=("batch", 3))]
    graph = helper.make_graph(nodes, "net", inputs, outputs, list(initial))
    domains = {"": 18} | {node.domain: 1 for node in nodes if node.domain}
    imports = [helper.make_opsetid(name, version) for name, version in domains.items()]
    model = helper.make_model(
        graph, opset_imports=imports, ir_version=10, functions=list(functions)
    )
    helper.set_model_props(model, notes)
    path.write_bytes(model.SerializeToString())
    return path


WEIGHTS = np.arange(6, dtype=np.float32).reshape(2, 3)
PRODUCT = helper.make_node("MatMul", ["x", "w"], ["y"])


def kept(weights=WEIGHTS):
    return helper.make_tensor("w", FLOAT, weights.shape, weights.tobytes(), raw=True)


def kept_elsewhere(location, **more):
    """The weights as a tensor that says it lies in another file."""
    made = TensorProto(name="w", data_type=FLOAT, dims=WEIGHTS.shape, data_location=1)
    for key, value in {"location": location, **more}.items():
        made.external_data.add(key=key, value=str(value))
    return made


def product(path, weights=WEIGHTS, **notes):
    """The smallest teacher: one matrix product."""
    return write_onnx(path, [PRODUCT], initial=[kept(weights)], **notes)


def torch_to_onnx(module, path, inputs=None, dynamic=DYNAMIC):
    given = torch.zeros(2, 2) if inputs is None else inputs
    with torch.inference_mode():
        program = torch.onnx.export(
            module, (given,), dynamo=True, dynamic_shapes=dynamic, verbose=False
        )
    program.save(path)
    return path


def save_program(module, path, inputs=None, dynamic=DYNAMIC, **texts):
    given = (torch.zeros(2, 2),) if inputs is None else inputs
    program = torch.export.export(module, given, dynamic_shapes=dynamic)
    torch.export.save(program, path, extra_files=texts or None)
    return path


def opened(path, classes=CLASSES, **options):
    """The exported program, trusted: these tests wrote it."""
    return teachers.exported(path, classes, trust=True, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The one net as an ONNX file and as an exported program."""
    made = tmp_path_factory.mktemp("files")
    torch_to_onnx(net(), made / "net.onnx")
    save_program(net(), made / "net.pt2")
    return made


@pytest.fixture(scope="module")
def doors(folder):
    """The one net through each door."""

    def function(inputs):
        with torch.no_grad():
            return net()(torch.from_numpy(inputs)).numpy()

    return {
        "module": teachers.module(net(), CLASSES),
        "function": teachers.function(function, CLASSES),
        "onnx": teachers.onnx(folder / "net.onnx", CLASSES),
        "exported": opened(folder / "net.pt2"),
    }


@pytest.mark.parametrize("door", ["function", "onnx", "exported"])
@pytest.mark.parametrize("rows", [1, 2, 70])
def test_the_same_net_says_the_same_through_every_door(doors, door, rows):
    said = [doors[d].ask(POINTS.inputs[:rows], POINTS.keys[:rows], d) for d in ("module", door)]
    np.testing.assert_allclose(*said, atol=1e-5)


@pytest.mark.parametrize("door", ["function", "onnx", "exported"])
def test_the_same_net_makes_the_same_score_set_through_every_door(doors, door, tmp_path):
    sets = [score(doors[d], POINTS, to=tmp_path / d, storage=WIDE) for d in ("module", door)]
    rows = sets[0].rows(POINTS)
    first, second = (one.read(rows, np.zeros(len(rows), int)) for one in sets)
    np.testing.assert_allclose(first, second, atol=1e-5)
    assert sets[0].classes == sets[1].classes == CLASSES
    assert sets[0].kind == sets[1].kind == "logits"


@pytest.mark.parametrize("door", ["onnx", "exported"])
def test_a_file_answers_without_gradients(doors, door):
    answered = torch.as_tensor(doors[door].predict(POINTS.inputs))
    assert not answered.requires_grad
    assert answered.shape == (70, 3)


MAKERS = {"onnx": teachers.onnx, "exported": opened}


@pytest.mark.parametrize("door", MAKERS)
def test_the_fingerprint_follows_the_content_and_not_the_place(door, folder, tmp_path):
    ending = {"onnx": "onnx", "exported": "pt2"}[door]
    here = MAKERS[door](folder / f"net.{ending}", CLASSES)
    moved = shutil.copy(folder / f"net.{ending}", tmp_path / f"moved.{ending}")
    assert MAKERS[door](moved, CLASSES).fingerprint == here.fingerprint
    assert MAKERS[door](moved, CLASSES, kind="values").fingerprint != here.fingerprint
    other = nn.Sequential(nn.Linear(2, 3)).eval()
    {"onnx": torch_to_onnx, "exported": save_program}[door](other, Path(moved))
    assert MAKERS[door](moved, CLASSES).fingerprint != here.fingerprint


@pytest.mark.parametrize(
    ("door", "options"),
    [
        ("onnx", {}),
        ("onnx", {"kind": "values", "threads": 1, "name": "it's", "output": "linear_1"}),
        ("exported", {}),
        ("exported", {"kind": "values", "name": "old"}),
    ],
)
def test_the_source_opens_the_teacher_again(door, options, folder, monkeypatch):
    monkeypatch.chdir(folder)
    made = MAKERS[door]({"onnx": "net.onnx", "exported": "net.pt2"}[door], CLASSES, **options)
    monkeypatch.chdir("/")
    again = _calls.make(made.source, MAKERS, "teacher")
    assert (again.name, again.kind) == (made.name, made.kind)
    assert (again.fingerprint, again.source) == (made.fingerprint, made.source)


def test_the_source_leaves_out_what_is_the_default(tmp_path):
    path = product(tmp_path / "net.onnx", classes=json.dumps(CLASSES))
    assert teachers.onnx(path).source == f"onnx({str(path)!r})"
    made = teachers.onnx(path, name="it")
    assert made.source == f"onnx({str(path)!r}, name='it')"
    assert (made.name, teachers.onnx(path).name) == ("it", "net.onnx")


@pytest.mark.slow
def test_an_exported_student_teaches_with_the_classes_and_the_kind_of_its_file(tmp_path):
    rule = teachers.module(net(), CLASSES)
    scores = score(rule, POINTS, to=tmp_path / "scores")
    run = train(
        students.mlp([4]),
        scores,
        objectives.SoftTargets(2.0),
        to=tmp_path / "run",
        plan=Plan(epochs=1),
    )
    made = export(run, to=tmp_path / "student.onnx", check=POINTS)
    teacher = teachers.onnx(made.path)
    assert (teacher.classes, teacher.kind) == (CLASSES, "logits")
    said = teacher.answers(POINTS, "student")
    np.testing.assert_allclose(said, teachers.run(run).answers(POINTS, "run"), atol=1e-4)


@pytest.mark.parametrize("door", MAKERS)
def test_the_file_says_its_classes_and_kind(door, tmp_path):
    notes = {"classes": json.dumps(CLASSES), "kind": "log-probabilities"}
    if door == "onnx":
        path = product(tmp_path / "net.onnx", **notes)
    else:
        path = save_program(net(), tmp_path / "net.pt2", **notes)
    made = MAKERS[door](path, ())
    assert (made.classes, made.kind) == (CLASSES, "log-probabilities")
    assert MAKERS[door](path, (), kind="logits").kind == "logits"
    # The order of the file stands.
    assert MAKERS[door](path, CLASSES[::-1]).classes == CLASSES
    with pytest.raises(
        MismatchError,
        match="says that its classes are round, square, star, not cat, dog: give the same names, "
        "or none",
    ):
        MAKERS[door](path, ["cat", "dog"])


def test_notes_of_somebody_else_are_not_taken_for_ours(tmp_path):
    path = product(tmp_path / "net.onnx", classes="{0: 'round'}", kind="detector")
    made = teachers.onnx(path, CLASSES)
    assert (made.classes, made.kind) == (CLASSES, "logits")
    with pytest.raises(TeacherError, match=r"net\.onnx needs the names of its classes"):
        teachers.onnx(path)
    product(path, classes="[1, 2, 3]")
    with pytest.raises(TeacherError, match=r"net\.onnx needs the names of its classes"):
        teachers.onnx(path)


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_any_number_of_threads_says_the_same(threads, folder, doors):
    made = teachers.onnx(folder / "net.onnx", CLASSES, threads=threads)
    said = made.answers(POINTS, "it")
    np.testing.assert_allclose(said, doors["onnx"].answers(POINTS, "it"), atol=1e-6)
    assert made.fingerprint == doors["onnx"].fingerprint


def test_a_negative_number_of_threads_is_refused(folder):
    with pytest.raises(InputError, match=r"threads is 0 .* or more, not -1"):
        teachers.onnx(folder / "net.onnx", CLASSES, threads=-1)


# What the inputs are cast to.


def cast_to(path, kind):
    """A teacher whose input is of that type."""
    nodes = [helper.make_node("Cast", ["x"], ["f"], to=FLOAT)]
    nodes += [helper.make_node("MatMul", ["f", "w"], ["y"])]
    number = getattr(TensorProto, kind)
    return teachers.onnx(
        write_onnx(path, nodes, inputs=[tensor("x", number)], initial=[kept()]), CLASSES
    )


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("uint8", "FLOAT"),
        ("bool", "FLOAT"),
        ("float64", "FLOAT"),
        ("float16", "FLOAT"),
        ("int64", "FLOAT"),
        ("float32", "DOUBLE"),
        ("float32", "FLOAT16"),
        ("int64", "FLOAT16"),
        ("int64", "INT64"),
        ("int32", "INT64"),
        ("int64", "INT32"),
        ("int64", "UINT8"),
        ("uint8", "UINT8"),
        ("bool", "BOOL"),
    ],
)
def test_inputs_are_cast_where_the_type_holds_them(given, kind, tmp_path):
    teacher = cast_to(tmp_path / "net.onnx", kind)
    inputs = np.array([[1, 0], [0, 1]]).astype(given)
    np.testing.assert_array_equal(teacher.predict(inputs), inputs.astype("float32") @ WEIGHTS)


@pytest.mark.parametrize(
    ("given", "kind", "text"),
    [
        (np.float32([[1, 2]]), "INT64", r"whole numbers \(int64\), and these inputs are float32"),
        (np.float32([[1, 2]]), "BOOL", r"truths \(bool\), and these inputs are float32"),
        (np.float32([[1, 2]]), "STRING", r"texts \(string\), and these inputs are float32"),
        (np.array([["a", "b"]]), "FLOAT", r"numbers \(float32\), and these inputs are <U1"),
        (np.int64([[1, 2**40]]), "INT32", "int32, which cannot hold 1099511627776"),
        (np.int64([[1, -1]]), "UINT8", "uint8, which cannot hold -1, one of these int64 inputs"),
        (np.int64([[1, 2**24 + 1]]), "FLOAT", "float32, which cannot hold 16777217"),
        (np.float64([[1, 1e300]]), "FLOAT", r"float32, which cannot hold 1e\+300"),
        (np.int64([[1, 70000]]), "FLOAT16", "float16, which cannot hold 70000"),
    ],
)
def test_inputs_that_the_type_cannot_hold_are_refused(given, kind, text, tmp_path):
    teacher = cast_to(tmp_path / "net.onnx", kind)
    with pytest.raises(TeacherError, match=text):
        teacher.ask(given, np.array(["a"]), "it")


def test_texts_are_given_as_they_are(tmp_path):
    node = helper.make_node(
        "LabelEncoder",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        keys_strings=["good", "bad"],
        values_floats=[1.0, -1.0],
    )
    path = tmp_path / "net.onnx"
    write_onnx(path, [node], [tensor("x", TEXT, ("batch", 2))], [tensor("y")])
    model = onnx.load(path)
    model.opset_import[1].version = 2
    onnx.save(model, path)
    teacher = teachers.onnx(path, ["first", "second"])
    said = teacher.predict(np.array([["good", "bad"], ["bad", "bad"]]))
    np.testing.assert_array_equal(said, [[1, -1], [-1, -1]])


def test_an_exported_program_is_given_its_own_type(tmp_path):
    tokens = nn.Sequential(nn.EmbeddingBag(5, 3))
    inputs = (torch.zeros(2, 4, dtype=torch.int64),)
    teacher = opened(save_program(tokens, tmp_path / "tokens.pt2", inputs))
    small = np.int32([[0, 1, 2, 3]])
    np.testing.assert_array_equal(teacher.predict(small), teacher.predict(small.astype("int64")))
    with pytest.raises(TeacherError, match=r"tokens\.pt2 takes whole numbers \(int64\)"):
        teacher.predict(np.float32([[0, 1, 2, 3]]))


def test_an_exported_program_may_compute_in_bfloat16(tmp_path):
    narrow = nn.Linear(2, 3).bfloat16()
    inputs = (torch.zeros(2, 2, dtype=torch.bfloat16),)
    teacher = opened(save_program(narrow, tmp_path / "narrow.pt2", inputs))
    wide = nn.Linear(2, 3)
    wide.load_state_dict({name: value.float() for name, value in narrow.state_dict().items()})
    expected = teachers.module(wide, CLASSES).answers(POINTS, "wide")
    np.testing.assert_allclose(teacher.answers(POINTS, "narrow"), expected, atol=0.1)


@pytest.mark.parametrize("door", MAKERS)
def test_inputs_of_another_shape_are_refused(door, doors):
    for given, shape in (((3, 5), "(batch, 5)"), ((3, 2, 2), "(batch, 2, 2)"), ((3,), "(batch)")):
        with pytest.raises(TeacherError) as caught:
            doors[door].predict(np.zeros(given, "float32"))
        assert str(caught.value).endswith(f"takes inputs of shape (batch, 2), not {shape}")


# What is wrong with a file.


@pytest.mark.parametrize("door", MAKERS)
def test_a_file_that_is_absent_is_said_to_be(door, tmp_path):
    with pytest.raises(MissingError, match=r"there is no file .*gone\.x"):
        MAKERS[door](tmp_path / "gone.x", CLASSES)
    with pytest.raises(MissingError, match="there is no file"):
        MAKERS[door](tmp_path, CLASSES)


@pytest.mark.parametrize("content", [b"", b"hello, no model at all" * 20, "half"])
def test_a_corrupt_onnx_file_is_said_to_be(content, folder, tmp_path):
    path = tmp_path / "net.onnx"
    whole = (folder / "net.onnx").read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    with pytest.raises(CorruptError, match=r"net\.onnx is not an ONNX file, or damaged: "):
        teachers.onnx(path, CLASSES)


@pytest.mark.parametrize("content", [b"", b"hello, no model at all" * 20, "half", "weights"])
def test_a_corrupt_program_is_said_to_be(content, folder, tmp_path, caplog):
    path = tmp_path / "net.pt2"
    whole = (folder / "net.pt2").read_bytes()
    if content == "weights":
        torch.save(net().state_dict(), path)
    else:
        path.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    with pytest.raises(CorruptError, match=r"cannot be read: it is no file of torch\.export\.save"):
        opened(path)
    assert not caplog.records


def test_a_file_that_onnxruntime_refuses_is_one_sentence(tmp_path, capfd):
    wrong = helper.make_node("Relu", ["x", "x"], ["y"])
    path = write_onnx(tmp_path / "net.onnx", [wrong])
    with pytest.raises(TeacherError, match=r"^onnxruntime [\d.]+ cannot open net\.onnx: \w.*$"):
        teachers.onnx(path, CLASSES)
    assert capfd.readouterr() == ("", "")


def test_a_fixed_batch_is_refused_with_what_to_do(tmp_path):
    path = write_onnx(
        tmp_path / "net.onnx", [PRODUCT], inputs=[tensor("x", shape=(4, 2))], initial=[kept()]
    )
    with pytest.raises(
        TeacherError,
        match=r"net\.onnx takes batches of exactly 4: its input 'x' has the shape \(4, 2\); export "
        r"it with a batch of any size, from torch with torch\.onnx\.export\(.*dynamic_shapes=",
    ):
        teachers.onnx(path, CLASSES)
    save_program(net(), tmp_path / "net.pt2", dynamic=None)
    with pytest.raises(
        TeacherError,
        match=r"net\.pt2 takes batches of exactly 2: its input 'input' has the shape \(2, 2\); "
        r".* torch\.export\.export\(net, inputs, dynamic_shapes=",
    ):
        opened(tmp_path / "net.pt2")


class TwoInputs(nn.Module):
    def forward(self, left, right):
        return left + right


class TwoOutputs(nn.Module):
    def forward(self, inputs):
        return inputs * 2, inputs.argmax(dim=1)


def test_several_inputs_are_named(tmp_path):
    sum_ = helper.make_node("Add", ["x", "z"], ["y"])
    path = write_onnx(tmp_path / "net.onnx", [sum_], [tensor("x"), tensor("z", shape=None)])
    with pytest.raises(
        TeacherError,
        match=r"net\.onnx takes 2 inputs, 'x' \(tensor\(float\) \(batch, 2\)\), 'z' "
        r"\(tensor\(float\)\); a teacher takes one",
    ):
        teachers.onnx(path, CLASSES)
    both = (torch.zeros(2, 3), torch.zeros(2, 3))
    save_program(TwoInputs(), tmp_path / "net.pt2", both, DYNAMIC * 2)
    with pytest.raises(TeacherError, match=r"net\.pt2 takes 2 inputs, left, right; a teacher"):
        opened(tmp_path / "net.pt2")


def two_outputs(path):
    best = helper.make_node("ArgMax", ["y"], ["label"], axis=1, keepdims=0)
    outputs = [tensor("label", LONG, ["batch"]), tensor("y", shape=("batch", 3))]
    return write_onnx(path, [PRODUCT, best], outputs=outputs, initial=[kept()])


def test_one_of_several_outputs_is_chosen(tmp_path):
    path = two_outputs(tmp_path / "net.onnx")
    with pytest.raises(
        TeacherError,
        match=r"net\.onnx answers with 2 outputs, 'label' \(tensor\(int64\) \(batch\)\), 'y' "
        r"\(tensor\(float\) \(batch, 3\)\): choose the scores, output='y'",
    ):
        teachers.onnx(path, CLASSES)
    with pytest.raises(InputError, match=r"has no output 'lable'; did you mean 'label'\?"):
        teachers.onnx(path, CLASSES, output="lable")
    with pytest.raises(TeacherError, match=r"'label' \(tensor\(int64\) \(batch\)\): scores are fl"):
        teachers.onnx(path, CLASSES, output="label")
    chosen = teachers.onnx(path, CLASSES, output="y")
    alone = teachers.onnx(product(tmp_path / "alone.onnx"), CLASSES)
    np.testing.assert_allclose(chosen.answers(POINTS, "it"), alone.answers(POINTS, "it"))
    assert chosen.fingerprint != alone.fingerprint


def test_a_program_of_several_outputs_is_refused(tmp_path):
    save_program(TwoOutputs(), tmp_path / "net.pt2")
    with pytest.raises(TeacherError, match=r"net\.pt2 answers with 2 outputs, mul, argmax: exp"):
        opened(tmp_path / "net.pt2")


class Named(nn.Module):
    def forward(self, inputs):
        return {"logits": (inputs * 2,)}


def test_one_tensor_within_a_mapping_is_the_answer(tmp_path):
    teacher = opened(save_program(Named(), tmp_path / "net.pt2"), ["a", "b"])
    np.testing.assert_array_equal(teacher.predict(POINTS.inputs), POINTS.inputs * 2)


class Constant(nn.Module):
    def forward(self, inputs):
        return 7


def test_a_program_that_answers_with_no_tensor_is_refused(tmp_path):
    save_program(Constant(), tmp_path / "net.pt2")
    with pytest.raises(TeacherError, match=r"net\.pt2 answers with 7, which is not a tensor"):
        opened(tmp_path / "net.pt2")


def test_the_maps_of_scikit_learn_are_refused_with_what_to_do(tmp_path):
    maps = helper.make_node(
        "ZipMap", ["p"], ["y"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2]
    )
    kind = helper.make_map_type_proto(LONG, helper.make_tensor_type_proto(FLOAT, []))
    output = helper.make_value_info("y", helper.make_sequence_type_proto(kind))
    nodes = [helper.make_node("MatMul", ["x", "w"], ["p"]), maps]
    path = write_onnx(tmp_path / "net.onnx", nodes, outputs=[output], initial=[kept()])
    with pytest.raises(
        TeacherError,
        match=r"'y' \(seq\(map\(int64,tensor\(float\)\)\)\): scores are one tensor \(batch, "
        r"classes\); .* options=\{'zipmap': False\}",
    ):
        teachers.onnx(path, CLASSES)


def test_an_output_that_is_no_score_of_each_class_is_refused(tmp_path):
    sums = helper.make_node("Unsqueeze", ["x", "axis"], ["y"])
    axis = helper.make_tensor("axis", LONG, [1], [2])
    output = [tensor("y", shape=("batch", 2, 1))]
    path = write_onnx(tmp_path / "net.onnx", [sums], outputs=output, initial=[axis])
    with pytest.raises(
        TeacherError, match=r"answers with the shape \(batch, 2, 1\); scores are \(batch, classes\)"
    ):
        teachers.onnx(path, CLASSES)
    with pytest.raises(
        TeacherError,
        match=r"other\.onnx answers with 3 scores for each example, and 2 classes are named: a, b",
    ):
        teachers.onnx(product(tmp_path / "other.onnx"), ["a", "b"])
    with pytest.raises(TeacherError, match=r"net\.pt2 answers with 3 scores for each example"):
        opened(save_program(net(), tmp_path / "net.pt2"), ["a", "b"])


def test_an_answer_whose_shape_the_file_does_not_say_is_checked_when_it_comes(tmp_path):
    nodes = [
        helper.make_node("ReduceMax", ["x", "first"], ["sides"], keepdims=0),
        helper.make_node("Cast", ["sides"], ["shape"], to=LONG),
        helper.make_node("Reshape", ["x", "shape"], ["y"]),
    ]
    first = helper.make_tensor("first", LONG, [1], [0])
    outputs = [tensor("y", shape=None)]
    path = write_onnx(tmp_path / "net.onnx", nodes, outputs=outputs, initial=[first])
    teacher = teachers.onnx(path, CLASSES)
    sides = np.float32([[-1, 5]] * 70)
    with pytest.raises(TeacherError, match=r"answered 70 examples with shape \(28, 5\)"):
        teacher.ask(sides, POINTS.keys, "it")
    with pytest.raises(TeacherError, match=r"it cannot answer inputs of shape \(1, 2\) .*Reshape"):
        teacher.ask(sides[:1], POINTS.keys[:1], "it")


def test_an_input_of_an_odd_type_is_refused(tmp_path):
    cast = helper.make_node("Cast", ["x"], ["y"], to=FLOAT)
    inputs = [tensor("x", TensorProto.BFLOAT16, ("batch", 3))]
    path = write_onnx(tmp_path / "net.onnx", [cast], inputs)
    with pytest.raises(TeacherError, match=r"takes tensor\(bfloat16\), which raw inputs cannot be"):
        teachers.onnx(path, CLASSES)


def test_operators_from_a_library_are_refused(tmp_path):
    node = helper.make_node("Guess", ["x"], ["y"], domain="my.library")
    path = write_onnx(tmp_path / "net.onnx", [node])
    with pytest.raises(
        TeacherError,
        match=r"net\.onnx needs operators from a library of its maker's, my\.library:Guess; no "
        "such library is ever loaded",
    ):
        teachers.onnx(path, CLASSES)


def test_a_function_that_the_file_brings_itself_is_no_library(tmp_path):
    inner = [helper.make_node("Mul", ["a", "a"], ["b"])]
    square = helper.make_function(
        "mine", "Square", ["a"], ["b"], inner, [helper.make_opsetid("", 18)]
    )
    node = helper.make_node("Square", ["x"], ["y"], domain="mine")
    path = tmp_path / "net.onnx"
    write_onnx(path, [node], outputs=[tensor("y")], functions=[square])
    said = teachers.onnx(path, ["a", "b"]).predict(POINTS.inputs)
    np.testing.assert_allclose(said, POINTS.inputs**2, atol=1e-6)


# Tensors in other files.


def test_tensors_beside_the_model_are_part_of_it(tmp_path):
    first = product_beside(tmp_path / "first", WEIGHTS)
    said = first.predict(POINTS.inputs)
    np.testing.assert_allclose(said, POINTS.inputs @ WEIGHTS, atol=1e-6)
    assert product_beside(tmp_path / "moved", WEIGHTS).fingerprint == first.fingerprint
    assert product_beside(tmp_path / "other", WEIGHTS + 1).fingerprint != first.fingerprint


def product_beside(folder, weights, location="weights.bin", **more):
    folder.mkdir()
    (folder / "weights.bin").write_bytes(weights.tobytes())
    path = folder / "net.onnx"
    write_onnx(path, [PRODUCT], initial=[kept_elsewhere(location, **more)])
    return teachers.onnx(path, CLASSES)


@pytest.mark.parametrize(
    "location",
    [
        "../secret.bin",
        "inner/../../secret.bin",
        "..\\secret.bin",
        "C:\\secret.bin",
        "C:secret.bin",
        "/etc/hostname",
        "link.bin",
        "linked/secret.bin",
        "*/_ORT_MEM_ADDR_/*",
        "a\0b",
    ],
)
def test_tensors_outside_the_folder_are_refused_before_anything_is_opened(
    location, tmp_path, monkeypatch
):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(WEIGHTS.tobytes())
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    (folder / "linked").symlink_to(tmp_path)
    write_onnx(folder / "net.onnx", [PRODUCT], initial=[kept_elsewhere(location)])
    watch_opening(monkeypatch)
    with pytest.raises(TeacherError, match="which is outside its folder, and was not opened") as e:
        teachers.onnx(folder / "net.onnx", CLASSES)
    assert repr(location) in str(e.value)


def watch_opening(monkeypatch):
    """From now on it is an error to open a model with onnxruntime."""

    def opens(*_, **__):
        raise AssertionError("onnxruntime was asked to open it")

    monkeypatch.setattr("onnxruntime.InferenceSession", opens)


def holder_of(where, far):
    """Nodes, functions and initializers of a model with the far tensor in some corner."""
    constant = helper.make_node("Constant", [], ["w"], value=far)
    if where == "constant":
        return [constant, PRODUCT], [], []
    if where == "function":
        inner = [constant, helper.make_node("MatMul", ["a", "w"], ["c"])]
        body = helper.make_function("f", "F", ["a"], ["c"], inner, [helper.make_opsetid("", 18)])
        return [helper.make_node("F", ["x"], ["y"], domain="f")], [body], []
    branch = helper.make_graph([PRODUCT], "branch", [], [tensor("y", shape=("batch", 3))], [far])
    chosen = helper.make_node("If", ["is"], ["y"], then_branch=branch, else_branch=branch)
    is_so = helper.make_tensor("is", TensorProto.BOOL, [], [True])
    return [chosen], [], [is_so]


@pytest.mark.parametrize("where", ["constant", "function", "subgraph"])
def test_tensors_are_followed_into_every_corner_of_the_model(where, tmp_path, monkeypatch):
    far = kept_elsewhere("../secret.bin")
    (tmp_path / "secret.bin").write_bytes(WEIGHTS.tobytes())
    (tmp_path / "model").mkdir()
    path = tmp_path / "model" / "net.onnx"
    nodes, functions, initial = holder_of(where, far)
    write_onnx(path, nodes, initial=initial, functions=functions)
    watch_opening(monkeypatch)
    with pytest.raises(TeacherError, match="which is outside its folder, and was not opened"):
        teachers.onnx(path, CLASSES)


def test_tensors_that_are_gone_or_cut_short_are_said_to_be(tmp_path):
    with pytest.raises(MissingError, match=r"net\.onnx keeps tensors in 'gone\.bin', which is not"):
        product_beside(tmp_path / "a", WEIGHTS, "gone.bin")
    with pytest.raises(
        CorruptError, match=r"net\.onnx says that 'w' ends at byte 28 of it, and it has 24"
    ):
        product_beside(tmp_path / "b", WEIGHTS, offset=4, length=24)
    with pytest.raises(CorruptError, match=r"net\.onnx is damaged: 'w' lies at .*'many'"):
        product_beside(tmp_path / "c", WEIGHTS, offset="many")


def test_a_place_that_is_said_twice_is_refused(tmp_path):
    twice = kept_elsewhere("weights.bin")
    twice.external_data.add(key="location", value="weights.bin")
    (tmp_path / "weights.bin").write_bytes(WEIGHTS.tobytes())
    path = write_onnx(tmp_path / "net.onnx", [PRODUCT], initial=[twice])
    with pytest.raises(CorruptError, match=r"net\.onnx is damaged: 'w' lies at "):
        teachers.onnx(path, CLASSES)


def test_a_link_to_a_model_is_the_model(tmp_path):
    made = product_beside(tmp_path / "real", WEIGHTS)
    (tmp_path / "link.onnx").symlink_to(tmp_path / "real" / "net.onnx")
    linked = teachers.onnx(tmp_path / "link.onnx", CLASSES)
    assert (linked.fingerprint, linked.source) == (made.fingerprint, made.source)
    assert linked.name == "link.onnx"


# Exported programs and trust.


def test_a_program_asks_for_trust(folder):
    with pytest.raises(
        TrustError, match=r"opening .*net\.pt2 can run code that is in it: pass --trust \(trust=Tr"
    ):
        teachers.exported(folder / "net.pt2", CLASSES)


class Evil:
    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


def test_what_a_program_holds_runs_only_when_it_is_trusted(folder, tmp_path):
    # That it does run then is what the docstring says of torch 2.13.
    path = tmp_path / "net.pt2"
    with zipfile.ZipFile(folder / "net.pt2") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            is_sample = "sample_inputs" in name
            new.writestr(name, evil(tmp_path / "made") if is_sample else old.read(name))
    with pytest.raises(TrustError):
        teachers.exported(path, CLASSES)
    assert not (tmp_path / "made").exists()
    with pytest.raises(CorruptError):
        opened(path)
    assert (tmp_path / "made").exists()


def evil(place):
    made = place.with_name("evil.pt")
    torch.save((Evil(place),), made, pickle_module=pickle)
    return made.read_bytes()


def test_a_program_in_training_mode_is_refused(tmp_path):
    save_program(net().train(), tmp_path / "dropout.pt2")
    with pytest.raises(
        TeacherError,
        match=r"dropout\.pt2 was exported in training mode, see its 'dropout', and .*net\.eval\(\)",
    ):
        opened(tmp_path / "dropout.pt2")
    save_program(nn.BatchNorm1d(2).train(), tmp_path / "norm.pt2")
    with pytest.raises(TeacherError, match=r"norm\.pt2 was exported in training mode"):
        opened(tmp_path / "norm.pt2")
    save_program(Tilted().eval(), tmp_path / "calm.pt2")
    assert opened(tmp_path / "calm.pt2").answers(POINTS, "it").shape == (70, 3)


def test_what_a_program_demands_of_its_inputs_is_said(tmp_path):
    few = ({0: torch.export.Dim("batch", max=8)},)
    teacher = opened(save_program(net(), tmp_path / "net.pt2", dynamic=few))
    assert teacher.predict(POINTS.inputs[:8]).shape == (8, 3)
    with pytest.raises(
        TeacherError, match=r"it cannot answer inputs of shape \(70, 2\) .*float32: Guard failed"
    ):
        teacher.ask(POINTS.inputs, POINTS.keys, "it")
