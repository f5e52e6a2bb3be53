"""One net, every door: whoever lets it in, it says the same; and what every kind of teacher can."""

import copy
import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, dataclass, is_dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from inspect import isabstract
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from folders import OPINIONS, TEXTS, save, save_encoder, texts
from sklearn.linear_model import LogisticRegression
from torch import nn
from worlds import CLASSES, Tilted, blobs, pictures, rule

from limbeck import Examples, export, objectives, score, students, teachers, train
from limbeck.errors import LimbeckError, MismatchError, TeacherError, TrustError
from limbeck.scoring import Storage
from limbeck.students import Run
from limbeck.teachers import Specialist, Teacher, fitted_to, ordered
from limbeck.teachers.wrapped._ordered import Wrapped
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
@pytest.mark.slow
def test_a_net_says_the_same_through_every_door(door, taught, address, tmp_path) -> None:
    teacher = made(door, taught, address, tmp_path)
    expected = teachers.run(taught).answers(POINTS, "the net")
    assert (teacher.classes, teacher.kind) == (CLASSES, "logits")
    np.testing.assert_allclose(teacher.answers(POINTS, "it"), expected, atol=1e-5)
    # The net of a few steps is right less often than by chance.
    unlabelled = POINTS.without_labels()
    kept = score(teacher, unlabelled, to=tmp_path / "scores", storage=Storage("float32"))
    rows, numbers = np.arange(len(POINTS)), np.zeros(len(POINTS), int)
    np.testing.assert_allclose(kept.read(rows, numbers), expected, atol=1e-5)


@pytest.mark.parametrize("door", [door for door in DOORS if door not in ("module", "function")])
@pytest.mark.slow
def test_a_teacher_from_a_place_is_opened_again_by_its_text(door, taught, address, tmp_path):
    teacher = made(door, taught, address, tmp_path)
    text = teacher.source if isinstance(teacher.source, str) and teacher.source else ""
    again = teachers.from_text(text or f"run:{taught.directory}", CLASSES, trust=True)
    opened = teachers.run(again) if isinstance(again, Run) else again
    said = [one.answers(POINTS, "it") for one in (teacher, opened)]
    np.testing.assert_allclose(*said, atol=1e-6)
    assert opened.fingerprint == teacher.fingerprint


READ = Examples.of(texts(TEXTS), classes=OPINIONS, name="texts")
RULE = teachers.function(rule, CLASSES, name="rule")
ENDINGS = (".onnx", ".pt2", ".npz")


@dataclass(frozen=True, eq=False)
class Case:
    """A kind of teacher, what it is asked, and the file or folder it lies in."""

    teacher: Teacher
    asked: Examples = POINTS
    place: Path | None = None

    def said(self, teacher: Teacher) -> np.ndarray:
        return teacher.answers(self.asked, "it")


def of_door(door: str) -> Callable[..., Case]:
    def case(taught: Run, address: str, place: Path) -> Case:
        teacher = made(door, taught, address, place)
        return Case(teacher, place=next((p for p in place.iterdir() if p.suffix in ENDINGS), None))

    return case


def of_module(taught: Run, address: str, place: Path) -> Case:
    return Case(teachers.module(Tilted(), CLASSES))


def of_array(taught: Run, address: str, place: Path) -> Case:
    points = replace(POINTS, keys=np.arange(len(POINTS)).astype(str))
    return Case(teachers.scores(rule(POINTS.inputs), CLASSES), points)


def of_sklearn(in_file: bool) -> Callable[..., Case]:
    def case(taught: Run, address: str, place: Path) -> Case:
        model, file = LogisticRegression().fit(POINTS.inputs, POINTS.labels), place / "m.joblib"
        if not in_file:
            return Case(teachers.sklearn(model, CLASSES))
        joblib.dump(model, file)
        return Case(teachers.sklearn(file, CLASSES, trust=True), place=file)

    return case


def of_lightgbm(in_file: bool) -> Callable[..., Case]:
    def case(taught: Run, address: str, place: Path) -> Case:
        package = pytest.importorskip("lightgbm", reason="needs limbeck[trees]")
        settings = {"objective": "multiclass", "num_class": 3, "verbose": -1, "num_threads": 1}
        booster = package.train(settings, package.Dataset(POINTS.inputs, POINTS.labels), 10)
        if not in_file:
            return Case(teachers.lightgbm(booster, CLASSES))
        booster.save_model(place / "m.txt")
        return Case(teachers.lightgbm(place / "m.txt", CLASSES), place=place / "m.txt")

    return case


def of_xgboost(in_file: bool) -> Callable[..., Case]:
    def case(taught: Run, address: str, place: Path) -> Case:
        package = pytest.importorskip("xgboost", reason="needs limbeck[trees]")
        settings = {"objective": "multi:softprob", "num_class": 3, "nthread": 1}
        booster = package.train(settings, package.DMatrix(POINTS.inputs, POINTS.labels), 10)
        if not in_file:
            return Case(teachers.xgboost(booster, CLASSES))
        booster.save_model(place / "m.ubj")
        return Case(teachers.xgboost(place / "m.ubj", CLASSES), place=place / "m.ubj")

    return case


def of_trees(taught: Run, address: str, place: Path) -> Case:
    return Case(of_xgboost(True)(taught, address, place).teacher.with_trees(0.3))


def of_classifier(taught: Run, address: str, place: Path) -> Case:
    return Case(teachers.huggingface(save(place / "net"), OPINIONS), READ, place / "net")


def of_head(in_file: bool) -> Callable[..., Case]:
    def case(taught: Run, address: str, place: Path) -> Case:
        encoder = teachers.encoder(save_encoder(place / "net"), keep=place / "keep")
        head = LogisticRegression().fit(encoder.embed(READ), [0, 1, 1, 0, 0])
        if not in_file:
            return Case(encoder.with_head(head, OPINIONS), READ)
        file = encoder.write_head(head, place / "head.safetensors", OPINIONS)
        return Case(teachers.head(file, keep=place / "keep"), READ, file)

    return case


def of_ensemble(taught: Run, address: str, place: Path) -> Case:
    members = [RULE, made("scores", taught, address, place), made("onnx", taught, address, place)]
    return Case(teachers.ensemble(members))


def of_order(taught: Run, address: str, place: Path) -> Case:
    turned, points = CLASSES[::-1], replace(POINTS, labels=2 - POINTS.labels, classes=CLASSES[::-1])
    case = of_door("onnx")(taught, address, place)
    return Case(ordered(case.teacher, turned), points, case.place)


def of_features(taught: Run, address: str, place: Path) -> Case:
    pandas = pytest.importorskip("pandas", reason="needs limbeck[pandas]")
    frame = pandas.DataFrame(POINTS.inputs, columns=["long", "wide"])
    swapped = replace(POINTS, inputs=POINTS.inputs[:, ::-1].copy(), features=("wide", "long"))
    file = place / "m.joblib"
    joblib.dump(LogisticRegression().fit(frame, POINTS.labels), file)
    return Case(fitted_to(teachers.sklearn(file, CLASSES, trust=True), swapped), swapped, file)


def of_pixels(taught: Run, address: str, place: Path) -> Case:
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 2)).eval()
    example, sizes = torch.zeros(2, 1, 8, 8), ({0: torch.export.Dim("batch")},)
    file = place / "net.pt2"
    torch.export.save(torch.export.export(net, (example,), dynamic_shapes=sizes), file)
    shown = pictures(12, labelled=False)
    text = f"exported({str(file)!r}, scale=1/255, mean=[0.5])"
    return Case(teachers.from_text(text, shown.classes, trust=True), shown, file)


def of_specialists(taught: Run, address: str, place: Path) -> Case:
    two = teachers.module(Tilted(), ("round", "star", "others"))
    return Case(teachers.combined(RULE, [Specialist(two, (0, 2))], top=2))


# One of each class of teachers, and of those that may lie in memory or in a file one of both.
EVERY: dict[str, Callable[..., Case]] = {
    "function": lambda *_: Case(RULE),
    "module": of_module,
    "run": of_door("run"),
    "onnx": of_door("onnx"),
    "exported": of_door("exported"),
    "http": of_door("http"),
    "scores": of_door("scores"),
    "array": of_array,
    "sklearn": of_sklearn(False),
    "sklearn file": of_sklearn(True),
    "lightgbm": of_lightgbm(False),
    "lightgbm file": of_lightgbm(True),
    "xgboost": of_xgboost(False),
    "xgboost file": of_xgboost(True),
    "fewer trees": of_trees,
    "classifier": of_classifier,
    "head": of_head(False),
    "head file": of_head(True),
    "ensemble": of_ensemble,
    "order": of_order,
    "features": of_features,
    "pixels": of_pixels,
    "specialists": of_specialists,
}
OPENED = ["run", "onnx", "exported", "http", "scores", "sklearn file", "lightgbm file"]
OPENED += ["xgboost file", "classifier", "head file", "order", "features", "pixels"]


class Cases(dict[str, Case]):
    """Each kind, made when it is first wanted and once."""

    def __init__(self, taught: Run, address: str, place: Path) -> None:
        super().__init__()
        self.taught, self.address, self.place = taught, address, place

    def __missing__(self, name: str) -> Case:
        place = self.place / name
        place.mkdir()
        self[name] = EVERY[name](self.taught, self.address, place)
        return self[name]


@pytest.fixture(scope="module")
def cases(taught, address, tmp_path_factory) -> Cases:
    return Cases(taught, address, tmp_path_factory.mktemp("cases"))


@pytest.fixture
def case(request, cases) -> Case:
    return cases[request.param]


of_every = pytest.mark.parametrize("case", EVERY, indirect=True)


def kinds_of(kind: type[Teacher]) -> set[type[Teacher]]:
    return set().union(*({one} | kinds_of(one) for one in kind.__subclasses__()))


for door in teachers.__all__:  # a kind is there only once its file was loaded
    getattr(teachers, door)
OURS = [kind for kind in kinds_of(Teacher) if kind.__module__.startswith("limbeck.teachers.")]
KINDS = sorted((kind for kind in OURS if not isabstract(kind)), key=lambda kind: kind.__name__)


def unpickled(content: bytes) -> Teacher:
    return pickle.loads(content)  # noqa: S301  # written a moment before


def test_a_teacher_is_of_some_kind():
    with pytest.raises(TypeError, match="abstract"):
        Teacher(name="a", classes=CLASSES, kind="logits", fingerprint="f")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_kind_is_a_frozen_dataclass_and_leaves_the_checks_alone(kind):
    assert is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert kind.__dataclass_params__.eq is False
    assert not {"ask", "answers", "check_asked"} & set(vars(kind))
    assert kind.__bases__ in ((Teacher,), (Wrapped,))


@pytest.mark.slow
def test_every_kind_is_among_these(cases):
    assert {type(cases[name].teacher) for name in EVERY} == set(KINDS)


@of_every
def test_nothing_in_a_teacher_changes(case):
    with pytest.raises(FrozenInstanceError):
        case.teacher.name = "another"
    assert copy.deepcopy(case.teacher) is copy.copy(case.teacher) is case.teacher


@of_every
def test_a_pickled_teacher_says_the_same(case):
    teacher = replace(case.teacher, name="another name")
    again = unpickled(pickle.dumps(teacher))
    assert type(again) is type(teacher)
    for field in ("name", "classes", "kind", "fingerprint", "source", "answers_keys", "bytes"):
        assert getattr(again, field) == getattr(teacher, field), field
    np.testing.assert_array_equal(case.said(again), case.said(teacher))


@of_every
def test_threads_change_no_score(case):
    again = case.teacher.with_threads(2)
    assert (again.classes, again.fingerprint) == (case.teacher.classes, case.teacher.fingerprint)
    np.testing.assert_allclose(case.said(again), case.said(case.teacher), atol=1e-6)


@of_every
def test_the_bytes_are_those_of_the_file(case, taught):
    files = [] if case.place is None else [case.place, *case.place.rglob("*")]
    expected = sum(file.stat().st_size for file in files if file.is_file())
    if case.teacher.net:
        expected = (
            (taught.directory / taught.manifest["nets"]["student"]["0"]["file"]).stat().st_size
        )
    assert case.teacher.bytes == expected


@pytest.mark.parametrize("case", OPENED, indirect=True)
def test_a_teacher_from_a_place_is_opened_anew(case):
    again = case.teacher.reopen()
    assert again is not case.teacher
    assert again.fingerprint == case.teacher.fingerprint
    np.testing.assert_array_equal(case.said(again), case.said(case.teacher))


@pytest.mark.parametrize("case", [kind for kind in EVERY if kind not in OPENED], indirect=True)
def test_a_teacher_from_memory_is_not(case):
    with pytest.raises(TeacherError, match="was made of an object in memory, and no text opens it"):
        case.teacher.reopen()


def test_an_ensemble_is_as_large_as_all_its_members_and_opened_anew_with_them(
    taught, address, tmp_path
):
    members = [made(door, taught, address, tmp_path) for door in ("onnx", "run")]
    together = teachers.ensemble(members)
    assert together.bytes == sum(member.bytes for member in members) > 0
    assert teachers.ensemble([*members, RULE]).bytes == 0
    said = [one.answers(POINTS, "it") for one in (together, together.reopen())]
    np.testing.assert_array_equal(*said)
    assert "threads=2" in together.with_threads(2).members[0].source


class Local(nn.Module):
    """A module that holds what cannot be pickled."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(3))
        self.scores = lambda inputs: inputs.sum(dim=1, keepdim=True) + self.bias

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.scores(inputs)


@pytest.mark.parametrize("inside", ["alone", "a member", "in another order"])
@pytest.mark.parametrize(
    "own", [teachers.function(lambda x: x, CLASSES, name="own"), teachers.module(Local(), CLASSES)]
)
def test_what_cannot_be_pickled_says_what_to_do(own, inside):
    given = {"alone": own, "a member": teachers.ensemble([RULE, own])}
    teacher = given.get(inside) or ordered(own, CLASSES[::-1])
    with pytest.raises(
        TeacherError, match=f"{own.name} holds an object that cannot be pickled"
    ) as e:
        pickle.dumps(teacher)
    assert "define the function or class at the top of a module" in str(e.value)
    assert "teachers.from_text('file.py:name', trust=True)" in str(e.value)
    assert not issubclass(type(e.value.__cause__), LimbeckError)


OWN = """
from worlds import CLASSES, rule
from limbeck import teachers

def own():
    return teachers.function(lambda inputs: rule(inputs), CLASSES, name="own")
"""


def test_code_of_yours_goes_by_its_text_and_runs_where_it_was_trusted(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    teacher = teachers.from_text(f"{tmp_path}/own.py:own", trust=True)
    again = unpickled(pickle.dumps(teacher))
    np.testing.assert_array_equal(again.answers(POINTS, "it"), rule(POINTS.inputs))
    untrusted = pickle.dumps(replace(teacher, is_trusted=False))
    with pytest.raises(TrustError, match="pass --trust"):
        unpickled(untrusted)
    with pytest.raises(TrustError, match="pass --trust"):
        replace(teacher, is_trusted=False).reopen()


@pytest.mark.parametrize("case", ["exported", "sklearn file"], indirect=True)
def test_a_file_that_runs_code_is_reopened_only_where_it_was_trusted(case):
    with pytest.raises(TrustError, match=r"pass --trust \(trust=True\)"):
        unpickled(pickle.dumps(replace(case.teacher, is_trusted=False)))


def test_a_file_that_has_changed_is_no_longer_the_teacher(taught, address, tmp_path):
    teacher = made("scores", taught, address, tmp_path)
    content = pickle.dumps(teacher)
    said = np.zeros((len(POINTS), 3))
    np.savez(tmp_path / "said.npz", keys=POINTS.keys, scores=said, classes=np.array(CLASSES))
    for again in (teacher.reopen, lambda: unpickled(content)):
        with pytest.raises(MismatchError, match=r"said.npz'.* opens another teacher than said.npz"):
            again()


def test_an_encoder_that_has_changed_is_no_longer_the_teacher(tmp_path):
    teacher = of_head(False)(None, "", tmp_path).teacher
    content = pickle.dumps(teacher)
    (tmp_path / "net" / "more.json").write_text("{}")
    with pytest.raises(MismatchError, match="net holds another encoder than it did"):
        unpickled(content)


ASKS = """
import pickle, sys
import numpy as np

for content, inputs, keys in pickle.load(open(sys.argv[1], "rb")):
    teacher = pickle.loads(content)
    np.save(f"{sys.argv[1]}-{teacher.name}.npy", teacher.ask(inputs, keys, "it"))
"""


@pytest.mark.slow
def test_another_process_elsewhere_can_ask_them_all(cases, tmp_path):
    told, expected = [], {}
    for name in EVERY:
        case = cases[name]
        asked = (case.asked.inputs, case.asked.keys)
        told.append((pickle.dumps(replace(case.teacher, name=name)), *asked))
        expected[name] = case.teacher.ask(*asked, "it")
    (tmp_path / "told").write_bytes(pickle.dumps(told))
    paths = [*sys.path, str(Path(__file__).parent)]
    subprocess.run(
        [sys.executable, "-c", ASKS, tmp_path / "told"],
        check=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    for name, scores in expected.items():
        again = np.load(f"{tmp_path / 'told'}-{name}.npy")
        np.testing.assert_allclose(again, scores, atol=1e-5, err_msg=name)
