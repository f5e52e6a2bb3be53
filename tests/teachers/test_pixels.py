"""Image teachers that want pixels otherwise than they are stored."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from limbeck import Examples, score, teachers
from limbeck.errors import InputError, RecipeError, TeacherError
from limbeck.teachers import from_text, preprocessed

CLASSES = ("dark", "bright")
IMAGES = np.random.default_rng(0).integers(0, 256, (12, 3, 4, 4)).astype(np.uint8)
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def seen(**options: object) -> np.ndarray:
    """What a teacher that answers with its first pixels is handed."""
    first = teachers.function(lambda x: np.asarray(x).reshape(len(x), -1)[:, :2], CLASSES)
    return np.asarray(preprocessed(first, **options).predict(IMAGES))  # type: ignore[arg-type]


def test_it_is_what_torchvision_would_hand_it() -> None:
    expected = (IMAGES / 255 - np.reshape(MEAN, (3, 1, 1))) / np.reshape(DEVIATION, (3, 1, 1))
    shown = seen(scale=1 / 255, mean=MEAN, deviation=DEVIATION)
    np.testing.assert_allclose(shown, expected.reshape(12, -1)[:, :2], rtol=1e-5)
    last = seen(scale=1 / 255, mean=MEAN, deviation=DEVIATION, layout="NHWC")
    np.testing.assert_allclose(last, expected[:, :2, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(seen(mean=0.5), IMAGES.reshape(12, -1)[:, :2] - 0.5, rtol=1e-5)


def test_images_are_resized_first() -> None:
    flat = np.full((2, 1, 8, 6), 7, np.uint8)
    asked = []
    keeps = teachers.function(lambda x: asked.append(x) or np.zeros((len(x), 2)), CLASSES)
    preprocessed(keeps, size=(4, 3)).predict(flat)
    assert asked[0].shape == (2, 1, 4, 3)
    np.testing.assert_allclose(asked[0], 7)


def test_a_net_trained_on_pixels_of_255_is_as_good_as_it_was(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
    with torch.no_grad():
        own = net(torch.from_numpy(IMAGES.astype(np.float32) / 255)).numpy()
    labels = own.argmax(1)
    teacher = preprocessed(teachers.module(net, CLASSES), scale=1 / 255)
    examples = Examples.of(IMAGES, labels, classes=CLASSES)
    np.testing.assert_allclose(teacher.answers(examples, "it"), own, rtol=1e-4, atol=1e-5)
    scores = score(teacher, examples, to=tmp_path / "s")
    assert scores.manifest["sanity"]["accuracy"] == 1


def means(file: Path) -> Path:
    """An ONNX file of channels last that answers with two channels' means."""
    images = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4, 4, 3])
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 2])
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2])
    picked = helper.make_tensor("picked", TensorProto.INT64, [2], [0, 1])
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["m"], keepdims=0),
        helper.make_node("Gather", ["m", "picked"], ["y"], axis=1),
    ]
    graph = helper.make_graph(nodes, "g", [images], [answer], [axes, picked])
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), file)
    return file


def test_a_text_says_it_too_and_opens_the_same_again(tmp_path: Path) -> None:
    file = means(tmp_path / "m.onnx")
    text = f"onnx({str(file)!r}, scale=1/255, mean=[0.5, 0.5, 0.5], layout='NHWC')"
    teacher = from_text(text, CLASSES)
    expected = (IMAGES / 255 - 0.5).mean((2, 3))[:, :2]
    np.testing.assert_allclose(teacher.predict(IMAGES), expected, rtol=1e-4, atol=1e-6)
    again = from_text(teacher.source, CLASSES)
    assert again.fingerprint == teacher.fingerprint == teacher.reopen().fingerprint
    other = from_text(f"onnx({str(file)!r}, layout='NHWC')", CLASSES)
    assert other.fingerprint != teacher.fingerprint
    np.testing.assert_allclose(
        teacher.with_threads(1).predict(IMAGES), expected, rtol=1e-4, atol=1e-6
    )


def test_nothing_said_is_the_teacher_itself() -> None:
    teacher = teachers.function(lambda x: np.zeros((len(x), 2)), CLASSES)
    assert preprocessed(teacher) is teacher


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"layout": "CHWN"}, "layout is NCHW or NHWC, not 'CHWN'"),
        ({"deviation": [1.0, 0.0, 1.0]}, "scale and deviation are not 0"),
        ({"scale": float("nan")}, "are finite numbers, not"),
        ({"size": (4,)}, r"size is \(height, width\) in pixels, not \(4,\)"),
    ],
)
def test_what_is_no_pixel_is_refused(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        seen(**options)


def test_what_does_not_fit_the_images_is_said() -> None:
    with pytest.raises(TeacherError, match="has 2 numbers as mean, and images have 3 channels"):
        seen(mean=[0.1, 0.2])
    rows = preprocessed(teachers.function(lambda x: x, CLASSES), scale=2.0)
    with pytest.raises(TeacherError, match=r"is asked with scale, which are of images \(channels"):
        rows.predict(np.zeros((2, 5)))


def test_a_door_without_images_knows_no_such_keyword(tmp_path: Path) -> None:
    (tmp_path / "m.skops").write_bytes(b"")
    with pytest.raises(RecipeError, match="sklearn\\(\\) has no keyword 'scale'"):
        from_text(f"sklearn({str(tmp_path / 'm.skops')!r}, scale=2.0)", CLASSES)
