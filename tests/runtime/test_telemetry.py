"""Nothing phones home: the telemetry of dependencies is off before they are imported."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from worlds import CLASSES, blobs

import limbeck

SESSION = """
from limbeck.runtime import needs
onnx, onnxruntime = needs("onnx"), needs("onnxruntime")
make, number = onnx.helper, onnx.TensorProto.FLOAT
sides = [[make.make_tensor_value_info(name, number, [1])] for name in "xy"]
graph = make.make_graph([make.make_node("Identity", ["x"], ["y"])], "g", *sides)
model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
"""


def elsewhere(tmp_path: Path) -> dict[str, str]:
    """An environment whose home and temporary folder are new."""
    places = {name: tmp_path / name for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    for place in places.values():
        place.mkdir()
    others = {name: value for name, value in os.environ.items() if name not in limbeck.TELEMETRY}
    return {**others, **{name: str(place) for name, place in places.items()}}


def left_in(tmp_path: Path) -> list[str]:
    return sorted(str(file) for file in tmp_path.rglob("*") if file.is_file())


def test_a_session_leaves_no_device_id_and_no_file(tmp_path):
    pytest.importorskip("onnxruntime", reason="needs limbeck[export]")
    environment = elsewhere(tmp_path)
    subprocess.run([sys.executable, "-c", SESSION], env=environment, check=True)
    assert left_in(tmp_path) == []


def test_an_environment_that_says_otherwise_is_left_alone():
    said = dict.fromkeys(limbeck.TELEMETRY, "0")
    code = "import limbeck, os; print([os.environ[name] for name in limbeck.TELEMETRY])"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **said}, capture_output=True, text=True
    )
    assert done.stdout.strip() == str(list(said.values()))


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace, which sees every look-up")
def test_no_command_looks_anything_up(tmp_path):
    pytest.importorskip("onnxruntime", reason="needs limbeck[export]")
    points, environment = blobs(80), elsewhere(tmp_path)
    np.savez(tmp_path / "p.npz", inputs=points.inputs, labels=points.labels, classes=CLASSES)
    test = blobs(40, seed=3)
    np.savez(tmp_path / "t.npz", inputs=test.inputs, labels=test.labels, classes=CLASSES)
    learning = ["--student", "mlp([4])", "--epochs", "2"]
    commands = [
        ["train", *learning, "--examples", "p.npz", "--to", "net"],
        ["score", "--teacher", "net", "--examples", "p.npz", "--to", "s", "--accept-teacher"],
        ["train", *learning, "--scores", "s", "--to", "student"],
        ["evaluate", "--student", "student", "--examples", "t.npz", "--to", "report"],
        ["export", "--run", "student", "--to", "student.onnx", "--check", "t.npz"],
        ["show", "student"],
    ]
    for command in commands:
        trace = tmp_path / "trace.txt"
        watch = ["strace", "-f", "-e", "trace=connect,sendto,sendmmsg", "-o", str(trace)]
        run = [*watch, sys.executable, "-m", "limbeck.cli", *command]
        done = subprocess.run(run, env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stderr)
        sent = [line for line in trace.read_text().splitlines() if "AF_INET" in line]
        assert sent == [], command
