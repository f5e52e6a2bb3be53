"""One net, every door: whoever lets it in, it says the same."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from worlds import CLASSES, blobs

from limbeck import Storage, export, objectives, score, students, teachers, train
from limbeck.students import Run
from limbeck.teachers import Teacher
from limbeck.training import Plan

POINTS = blobs(60)
DOORS = ["run", "module", "function", "onnx", "exported", "http", "scores"]


@pytest.fixture(scope="module")
def taught(tmp_path_factory) -> Run:
    """A net that learnt the blobs, whose first number is no round one."""
    place = tmp_path_factory.mktemp("taught") / "run"
    plan = Plan(epochs=3, batch=16)
    return train(students.mlp([8]), blobs(200, seed=1), objectives.Labels(), to=place, plan=plan)


@pytest.fixture(scope="module")
def address(taught) -> Iterator[str]:
    """Where the net answers by HTTP."""
    net = taught.model()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_POST(self) -> None:
            rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["inputs"]
            with torch.inference_mode():
                scores = net(torch.tensor(rows, dtype=torch.float32)).tolist()
            content = json.dumps({"scores": scores}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def made(door: str, taught: Run, address: str, place: Path) -> Teacher:
    """The net by one of the doors."""
    net: nn.Module = taught.model()
    match door:
        case "run":
            return teachers.run(taught)
        case "module":
            return teachers.module(net, CLASSES)
        case "function":
            return teachers.function(lambda x: net(torch.from_numpy(x)), CLASSES)
        case "onnx":
            return teachers.onnx(export(taught, to=place / "net.onnx", check=POINTS).path)
        case "exported":
            example, sizes = torch.zeros(2, 2), ({0: torch.export.Dim("batch")},)
            program = torch.export.export(net, (example,), dynamic_shapes=sizes)
            torch.export.save(program, place / "net.pt2")
            return teachers.exported(place / "net.pt2", CLASSES, trust=True)
        case "http":
            return teachers.http(address, CLASSES)
        case _:
            said = teachers.run(taught).answers(POINTS, "the net")
            np.savez(place / "said.npz", keys=POINTS.keys, scores=said, classes=np.array(CLASSES))
            return teachers.scores(place / "said.npz")


@pytest.mark.parametrize("door", DOORS)
def test_a_net_says_the_same_through_every_door(door, taught, address, tmp_path) -> None:
    teacher = made(door, taught, address, tmp_path)
    expected = teachers.run(taught).answers(POINTS, "the net")
    assert (teacher.classes, teacher.kind) == (CLASSES, "logits")
    np.testing.assert_allclose(teacher.answers(POINTS, "it"), expected, atol=1e-5)
    kept = score(teacher, POINTS, to=tmp_path / "scores", storage=Storage("float32"))
    rows, numbers = np.arange(len(POINTS)), np.zeros(len(POINTS), int)
    np.testing.assert_allclose(kept.read(rows, numbers), expected, atol=1e-5)


@pytest.mark.parametrize("door", [door for door in DOORS if door not in ("module", "function")])
def test_a_teacher_from_a_place_is_opened_again_by_its_text(door, taught, address, tmp_path):
    teacher = made(door, taught, address, tmp_path)
    text = teacher.source if isinstance(teacher.source, str) and teacher.source else ""
    again = teachers.read(text or f"run:{taught.directory}", CLASSES, trust=True)
    opened = teachers.run(again) if isinstance(again, Run) else again
    said = [one.answers(POINTS, "it") for one in (teacher, opened)]
    np.testing.assert_allclose(*said, atol=1e-6)
    assert opened.fingerprint == teacher.fingerprint
