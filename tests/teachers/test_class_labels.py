"""The class names that a converted model carries are used, in its own order."""

import numpy as np
import pytest

from limbeck import Examples, evaluate, score, teachers
from limbeck.errors import MismatchError, TeacherError

onnx = pytest.importorskip("onnx", reason="needs limbeck[export]")
pytest.importorskip("onnxruntime", reason="needs limbeck[export]")

WEIGHTS = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])


def converted(place, **labels):
    """A linear classifier of ai.onnx.ml, as converters of scikit-learn's models make it."""
    make, number = onnx.helper, onnx.TensorProto
    node = make.make_node(
        "LinearClassifier",
        ["x"],
        ["label", "scores"],
        domain="ai.onnx.ml",
        coefficients=WEIGHTS.ravel().tolist(),
        intercepts=[0.0, 0.0, 0.0],
        multi_class=0,
        post_transform="NONE",
        **labels,
    )
    kind = number.STRING if "classlabels_strings" in labels else number.INT64
    outputs = [
        make.make_tensor_value_info("label", kind, ["n"]),
        make.make_tensor_value_info("scores", number.FLOAT, ["n", 3]),
    ]
    inputs = [make.make_tensor_value_info("x", number.FLOAT, ["n", 2])]
    graph = make.make_graph([node], "g", inputs, outputs)
    opsets = [make.make_opsetid("", 17), make.make_opsetid("ai.onnx.ml", 3)]
    onnx.save(make.make_model(graph, opset_imports=opsets, ir_version=8), place / "m.onnx")
    return place / "m.onnx"


def table(names) -> Examples:
    inputs = np.random.default_rng(0).normal(size=(120, 2)).astype(np.float32)
    return Examples.of(inputs, np.array(names)[(inputs @ WEIGHTS.T).argmax(axis=1)])


def test_names_in_the_graph_are_the_teachers_in_its_order(tmp_path):
    names = ["zebra", "ant", "mole"]
    file = converted(tmp_path, classlabels_strings=names)
    examples = table(names)
    assert examples.classes == ("ant", "mole", "zebra")
    teacher = teachers.from_text(f"onnx('{file}', output='scores')", examples.classes)
    assert teacher.classes == ("zebra", "ant", "mole")
    scores = score(teacher, examples, to=tmp_path / "s")
    assert scores.record.sanity["accuracy"] == 1.0
    report = evaluate({"teacher": teacher}, examples)
    assert report.rows[0]["metrics"]["accuracy"]["mean"] == 1.0
    with pytest.raises(MismatchError, match="says that its classes are zebra, ant, mole"):
        teachers.onnx(file, ["a", "b", "c"], output="scores")


def test_numbers_that_are_no_positions_are_names(tmp_path):
    file = converted(tmp_path, classlabels_ints=[10, 20, 35])
    assert teachers.onnx(file, output="scores").classes == ("10", "20", "35")


def test_mere_codes_are_no_names(tmp_path):
    file = converted(tmp_path, classlabels_ints=[0, 1, 2])
    assert teachers.onnx(file, ["low", "mid", "high"], output="scores").classes[0] == "low"
    with pytest.raises(TeacherError, match="class"):
        teachers.onnx(file, output="scores")
