"""Bad input by command: one clear sentence, status 2, and nothing written."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from worlds import CLASSES, Tilted, blobs, rule

from limbeck import cli, teachers

helper = pytest.importorskip("onnx.helper", reason="needs limbeck[export]")
onnx = pytest.importorskip("onnx", reason="needs limbeck[export]")

FLOAT, LONG = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64


def rule_teacher() -> teachers.Teacher:
    """Named on command lines as `tests.cli.test_bad_input:rule_teacher`."""
    return teachers.function(rule, CLASSES, name="rule")


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("points.npz", inputs=blobs(20).inputs, classes=np.array(CLASSES))
    return tmp_path


def refused(capsys, *arguments) -> str:
    """The sentence that the command ends with, which has written nothing."""
    before = sorted(Path().rglob("*"))
    with pytest.raises(SystemExit) as left:
        cli.main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    assert (left.value.code, out) == (2, "")
    assert err.startswith("limbeck: ")
    assert err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before
    return err.removeprefix("limbeck: ").rstrip()


ROWS = [
    ("a.csv", b"text,label\n1,0\n2,1\n", "text='text'", "column 'text' of {} holds int64, not tex"),
    ("a.jsonl", b'{"text": 3}\n', "", "column 'text' of {} holds int64, not text"),
    ("a.csv", b"text,b\nx,0\n,1\n", "text='text'", "1 texts are empty, the first in row 1: leave"),
    ("a.jsonl", b'{"text": "a"}\n{"text": ""}\n', "", "1 texts are empty, the first in row 1: lea"),
    ("a.csv", b"text\nx\n\xff\n", "text='text'", "column 'text' of {} is not valid UTF-8, first i"),
    ("a.jsonl", b'{"text": "a"}\n{"text": "\xff"}\n', "", "line 2 of {} is not valid UTF-8: "),
    ("a.jsonl", b'{"text": "\\ud800"}\n', "", "'text' of {} holds what is no text: "),
    ("a.csv", b"a,b\n1,2\n2,\xff\n", "columns=['b']", "column 'b' of {} is not valid UTF-8, first"),
    ("a.csv", b"a,caf\xe9\n1,2\n", "", "the column names of {} are not valid UTF-8 ("),
    ("a.csv", b"a,b\n1,2\n2,3,4\n", "", "{} cannot be read: CSV parse error: Expected 2 columns, "),
    ("a.csv", b"text,b\nx,2\ny\n", "text='text'", "{} cannot be read: CSV parse error: Expected 2"),
    ("a.csv", b"a,y\n1,0.5\n", "label='y', kind='logits'", "column 'y' of {} holds 0.5 in row 0 ("),
    ("a.csv", b"a,y\n1,0.5\n", "label='y', kind='value'", "there is no kind of labels 'value'; kn"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "how", "sentence"), ROWS)
def test_rows_that_cannot_be_read_are_refused(name, content, how, sentence, world, capsys):
    (world / name).write_bytes(content)
    text = f"read('{name}', {how})" if how else name
    given = ("--teacher", "tests.cli.test_bad_input:rule_teacher", "--trust", "--examples", text)
    assert refused(capsys, "score", *given, "--to", "s").startswith(sentence.format(world / name))
    given = ("--student", "ngrams()" if "text" in content.decode("latin-1") else "mlp([2])")
    told = refused(capsys, "train", *given, "--examples", text, "--to", "s")
    assert told.startswith(sentence.format(world / name))


def tensor(name, kind=FLOAT, shape=("batch", 2)):
    return helper.make_tensor_value_info(name, kind, shape)


def write_onnx(path, nodes, inputs, outputs) -> None:
    weights = helper.make_tensor("w", FLOAT, [2, 3], np.ones(6, np.float32).tobytes(), raw=True)
    graph = helper.make_graph(nodes, "net", inputs, outputs, [weights])
    imports = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=10)
    Path(path).write_bytes(model.SerializeToString())


@pytest.fixture
def models(world):
    """Files of models with something wrong in each."""
    product = helper.make_node("MatMul", ["x", "w"], ["y"])
    both = helper.make_node("Add", ["x", "z"], ["y"])
    best = helper.make_node("ArgMax", ["y"], ["best"], axis=1, keepdims=0)
    y = tensor("y", shape=("batch", 3))
    write_onnx("fixed.onnx", [product], [tensor("x", shape=(4, 2))], [y])
    write_onnx("two.onnx", [both], [tensor("x"), tensor("z")], [tensor("y")])
    write_onnx("pair.onnx", [product, best], [tensor("x")], [tensor("best", LONG, ["batch"]), y])
    Path("cut.onnx").write_bytes(Path("pair.onnx").read_bytes()[:-40])
    Path("text.onnx").write_text("no model")
    Path("m.pkl").write_bytes(pickle.dumps({}))
    Path("m.pt2").write_bytes(b"PK")
    Path("own.py").write_text("raise SystemExit('this must not run')")
    Path("said.csv").write_bytes(b"key,round,square,star\n0,1,2,3\n1,2\n")
    Path("gone.npz").write_bytes(Path("points.npz").read_bytes()[:-30])
    torch.save(Tilted(), "m.pt")
    return world


@pytest.mark.parametrize(
    ("teacher", "sentence"),
    [
        (
            "fixed.onnx",
            "fixed.onnx takes batches of exactly 4: its input 'x' has the shape (4, 2); export it",
        ),
        (
            "two.onnx",
            "two.onnx takes 2 inputs, 'x' (tensor(float) (batch, 2)), 'z' (tensor(float) (batch, 2",
        ),
        (
            "pair.onnx",
            "pair.onnx answers with 2 outputs, 'best' (tensor(int64) (batch)), 'y' (tensor(float) ",
        ),
        ("onnx('pair.onnx', output='best')", "pair.onnx answers with 'best' (tensor(int64) (batch"),
        ("cut.onnx", "{}/cut.onnx is not an ONNX file, or damaged: "),
        ("text.onnx", "{}/text.onnx is not an ONNX file, or damaged: "),
        ("m.pkl", "opening {}/m.pkl runs code that this file names: pass --trust"),
        ("m.pt2", "opening m.pt2 can run code that is in it: pass --trust"),
        ("own.py:kept", "the teacher own.py:kept runs code that this text names: pass --t"),
        (
            "tests.cli.test_bad_input:rule_teacher",
            "the teacher tests.cli.test_bad_input:rule_teacher runs cod",
        ),
        ("m.pt", "m.pt does not say what kind of teacher it is; write one of run:, onnx:, "),
        ("said.csv", "said.csv cannot be read: CSV parse error: Expected 4 columns, got 2"),
        ("gone.onnx", "there is no file gone.onnx"),
        ("hf:gone", "there is no folder gone"),
        ("head:gone.safetensors", "there is no file gone.safetensors"),
    ],
)  # fmt: skip
def test_models_that_cannot_teach_are_refused(teacher, sentence, models, capsys):
    given = ("--teacher", teacher, "--examples", "points.npz")
    told = refused(capsys, "score", *given, "--to", "s")
    assert told.startswith(sentence.format(models))
    assert refused(capsys, "evaluate", *given, "--to", "s") == told


def test_a_model_without_its_tokenizer_is_refused(world, capsys):
    import folders  # skips where its libraries are not installed

    folders.save("bert")
    Path("bert/tokenizer.json").unlink()
    Path("a.jsonl").write_text('{"text": "good", "label": 0}\n{"text": "bad", "label": 1}\n')
    sentence = (
        f"{world}/bert has no tokenizer (tokenizer.json, vocab.txt, ...): write it there with"
    )
    given = ("--examples", "a.jsonl", "--to", "s")
    assert refused(capsys, "score", "--teacher", "hf:bert", *given).startswith(sentence)
    student = ("--student", "static_embeddings('bert')")
    assert refused(capsys, "train", *student, *given).startswith(sentence)
