"""A teacher is named by a text: a prefix, a call, a path that says what it is, or trusted code."""

import inspect
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from worlds import CLASSES, blobs, rule

from limbeck import Plan, objectives, students, teachers, train
from limbeck.errors import (
    InputError,
    LimbeckError,
    MismatchError,
    MissingError,
    RecipeError,
    TeacherError,
    TrustError,
)
from limbeck.recipes import run_recipe
from limbeck.recipes._parse import parse
from limbeck.students import Run
from limbeck.teachers import DOORS

POINTS = blobs(40)


def stand_in(path, classes=(), *, kind="logits", name=""):
    """A maker as others are: a path and classes to a teacher."""
    return teachers.function(rule, classes, kind=kind, name=name or Path(path).name)


def trusting(path, classes=(), *, kind="logits", trust=False, name=""):
    """A maker whose files may run code."""
    if not trust:
        raise TrustError(f"{path} is a pickle: pass --trust")
    return stand_in(path, classes, kind=kind, name=name)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of models of every kind, and a stand-in for whatever opens each."""
    monkeypatch.chdir(tmp_path)
    for door in DOORS.values():
        maker = trusting if door.takes_trust else stand_in
        if door.maker != "saved":
            monkeypatch.setattr(teachers, door.maker, maker, raising=False)
    for name in ("m.onnx", "m.pt2", "m.pkl", "m.ubj", "m.csv", "m.bin"):
        Path(name).write_bytes(b"\x00")
    Path("m.txt").write_text("tree\nversion=v4\nnum_class=3\n")
    Path("m.json").write_text('{"learner":{"attributes":{}}}')
    Path("other.json").write_text("{}")
    Path("other.txt").write_text("Dear reader")
    Path("bert").mkdir()
    Path("bert/config.json").write_text("{}")
    Path("empty").mkdir()
    return tmp_path


@pytest.fixture
def trained(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return train(
        students.mlp([4]), POINTS, objectives.Labels(), to="net", plan=Plan(epochs=1), seeds=2
    )


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("onnx:m.onnx", "onnx:{}/m.onnx"),
        ("m.onnx", "onnx:{}/m.onnx"),
        ("./m.onnx", "onnx:{}/m.onnx"),
        ("m.pt2", "exported:{}/m.pt2"),
        ("m.pkl", "sklearn:{}/m.pkl"),
        ("m.ubj", "xgboost:{}/m.ubj"),
        ("m.json", "xgboost:{}/m.json"),
        ("m.txt", "lightgbm:{}/m.txt"),
        ("lightgbm:other.txt", "lightgbm:{}/other.txt"),
        ("m.csv", "scores:{}/m.csv"),
        ("bert", "hf:{}/bert"),
        ("hf:bert", "hf:{}/bert"),
        ("huggingface('bert')", "hf:{}/bert"),
        ("http://localhost:8000/answer", "http://localhost:8000/answer"),
        ("https://a.b/answer", "https://a.b/answer"),
        ("http('http://a.b/c')", "http://a.b/c"),
        ("onnx('m.onnx', kind='values')", "onnx('{}/m.onnx', kind='values')"),
        (
            "onnx('m.onnx', ['a', 'b', 'c'], name='mine')",
            "onnx('{}/m.onnx', ['a', 'b', 'c'], name='mine')",
        ),
    ],
)
def test_a_text_opens_a_teacher_whose_source_opens_it_again_from_elsewhere(
    text, source, folder, monkeypatch
):
    made = teachers.from_text(text, CLASSES, trust=True)
    assert made.source == source.format(folder)
    monkeypatch.chdir("/")
    again = teachers.from_text(made.source, CLASSES, trust=True)
    told = ("name", "classes", "kind", "fingerprint", "source")
    assert [getattr(again, name) for name in told] == [getattr(made, name) for name in told]


def test_a_call_takes_the_keywords_of_its_maker(folder):
    made = teachers.from_text("onnx('m.onnx', kind='probabilities', classes=['a', 'b'])", CLASSES)
    assert (made.kind, made.classes) == ("probabilities", ("a", "b"))
    assert teachers.from_text("onnx('m.onnx')", CLASSES).classes == CLASSES


def test_a_call_of_many_classes_is_not_too_long_to_be_read(folder):
    names = [f"the class number {n}" for n in range(500)]
    assert teachers.from_text(f"onnx('m.onnx', {names})").classes == tuple(names)


def test_a_run_is_opened_as_the_run_it_is(trained):
    for text in ("net", "run:net", "run('net')", str(trained.directory.absolute())):
        found = teachers.from_text(text)
        assert isinstance(found, Run)
        assert found.fingerprint == trained.fingerprint


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("", InputError, "a teacher is named by a path, a prefix and a path, a call or code"),
        ("onx:m.onnx", InputError, "no teacher begins with 'onx:'; did you mean 'onnx'?"),
        ("onx:model", InputError, "no teacher begins with 'onx:'; did you mean 'onnx'?"),
        ("zebra:m.onnx", InputError, "with 'zebra:'; known are exported, head, hf, http, https, l"),
        ("onnxx('m.onnx')", RecipeError, "there is no teacher 'onnxx'; did you mean 'onnx'?"),
        ("onnx('m.onnx', kin='a')", RecipeError, r"onnx\(\) has no keyword 'kin'; did you mean 'k"),
        ("onnx('m.onnx', kind=rule)", RecipeError, "'rule' is neither a number, a text, a list"),
        ("onnx(3)", RecipeError, r"onnx\(\) begins with a path or address, a text in quotes"),
        ("onnx('m.onnx', onnx('m.onnx'))", RecipeError, r"onnx\(\) takes texts.*not another tea"),
        ("onnx:", RecipeError, r"onnx\(\) begins with a path or address"),
        ("http:m.onnx", InputError, "an address begins with http:// or https://"),
        ("m.bin", InputError, "m.bin does not say what kind of teacher it is; write one of run:, "),
        ("other.json", InputError, "other.json does not say .* onnx:, .* hf:, head: before it"),
        ("other.txt", InputError, "other.txt does not say what kind of teacher"),
        ("empty", InputError, "empty does not say what kind of teacher"),
        ("gone.onnx", MissingError, "there is no file gone.onnx"),
        ("onnx:gone", MissingError, "there is no file gone"),
        ("xgboost('gone.ubj')", MissingError, "there is no file gone.ubj"),
        ("hf:gone", MissingError, "there is no folder gone"),
        ("run:gone", MissingError, "there is no run in gone"),
        ("gone", MissingError, "there is no run in gone"),
        ("gone.py:rule", MissingError, "there is no file gone.py"),
        ("sklearn:m.pkl", TrustError, "m.pkl is a pickle"),
        ("sklearn('m.pkl', trust=True)", TrustError, r"sklearn\(...\) asks for trust itself"),
        ("worlds:rule", TrustError, "the teacher worlds:rule runs code .* pass --trust"),
    ],
)
def test_a_text_that_opens_nothing_says_why(text, error, sentence, folder):
    with pytest.raises(error, match=sentence):
        teachers.from_text(text, CLASSES)


@pytest.mark.parametrize("door", teachers.DOORS.values(), ids=lambda door: door.name)
def test_every_door_has_a_maker_that_takes_classes(door):
    assert "classes" in inspect.signature(door.make()).parameters


@pytest.mark.parametrize(
    "address", ["https://me:secret@a.b/c", "https://a.b/c?key=secret", "https://secret@a.b/c"]
)
def test_an_address_with_a_secret_is_not_written_down(address, folder):
    assert teachers.from_text(address, CLASSES).source == ""


def test_a_source_that_the_maker_gave_is_kept(folder, monkeypatch):
    made = replace(teachers.function(rule, CLASSES), source="my own")
    monkeypatch.setattr(teachers, "onnx", lambda path, classes=(): made)
    assert teachers.from_text("m.onnx").source == "my own"


OWN = """
from pathlib import Path

from limbeck import teachers
from worlds import CLASSES, Tilted, rule

Path("ran").touch()
kept = teachers.function(rule, CLASSES, name="kept")
net = Tilted()
number = 3


def scores(inputs):
    return rule(inputs)


def maker():
    return kept


def scaled(by, name="scaled"):
    return teachers.function(lambda inputs: by * rule(inputs), CLASSES, name=name)
"""


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("kept", "kept"),
        ("net", "Tilted"),
        ("scores", "scores"),
        ("maker", "kept"),
        ("maker()", "kept"),
        ("scaled(2, name='twice')", "twice"),
    ],
)
def test_a_file_of_yours_teaches_with_trust(call, name, folder, monkeypatch):
    Path("own.py").write_text(OWN)
    made = teachers.from_text(f"own.py:{call}", CLASSES, trust=True)
    assert (made.name, made.classes) == (name, CLASSES)
    assert made.source.startswith(f"{folder}/own.py:{call}  # ")
    monkeypatch.chdir("empty")
    again = teachers.from_text(made.source, CLASSES, trust=True)
    assert again.fingerprint == made.fingerprint
    Path("../own.py").write_text(OWN + "\n")
    with pytest.raises(MismatchError, match=r"own.py has changed"):
        teachers.from_text(made.source, CLASSES, trust=True)


def test_what_a_file_of_yours_lacks_is_said(folder):
    Path("own.py").write_text(OWN)
    with pytest.raises(InputError, match=r"own.py has no class or function 'score'; did you mean"):
        teachers.from_text("own.py:score", CLASSES, trust=True)
    with pytest.raises(TeacherError, match="a teacher is a module, a run or a function, not a int"):
        teachers.from_text("own.py:number", CLASSES, trust=True)
    with pytest.raises(InputError, match=r"own.py has no class or function 'number'"):
        teachers.from_text("own.py:number()", CLASSES, trust=True)
    with pytest.raises(RecipeError, match=r"scaled\(\) has no keyword 'nam'; did you mean 'name'"):
        teachers.from_text("own.py:scaled(2, nam='x')", CLASSES, trust=True)


def test_nothing_is_run_without_trust(folder):
    Path("own.py").write_text(OWN)
    for text in ("own.py:kept", "own.py:scaled(2)", "own:kept"):
        with pytest.raises(TrustError, match="runs code that this text names: pass --trust"):
            teachers.from_text(text, CLASSES)
    assert not Path("ran").exists()


@pytest.mark.parametrize(
    "text", ["own.py:kept", "own.py:scaled(2)", "own:kept", "sklearn('m.pkl', trust=True)"]
)
@pytest.mark.parametrize("place", ["score", "train", "evaluate"])
def test_a_recipe_cannot_run_code_by_naming_it(place, text, folder):
    Path("own.py").write_text(OWN)
    np.savez("points.npz", inputs=POINTS.inputs, classes=np.array(CLASSES))
    tables = {
        "score": {"teacher": [text], "examples": "points"},
        "train": {"to": "net", "student": "mlp([2])", "on": "points", "teacher": text},
        "evaluate": {"models": {"one": text}, "examples": "points"},
    }
    recipe = parse({"examples": {"points": "points.npz"}, place: tables[place]}, "bad")
    with pytest.raises(TrustError, match="pass --trust"):
        run_recipe(recipe, to="out")
    assert not Path("ran").exists()


def test_a_teacher_that_no_text_opens_is_refused_before_any_step(folder):
    np.savez("points.npz", inputs=POINTS.inputs, labels=POINTS.labels, classes=np.array(CLASSES))
    for text in ("own:kept", "onx:m.onnx", "onxx('m.onnx')"):
        steps = {
            "train": {"to": "net", "student": "mlp([2])", "on": "points", "epochs": 1},
            "evaluate": {"models": {"a": "net", "b": text}, "examples": "points"},
        }
        recipe = parse({"examples": {"points": "points.npz"}, **steps}, "bad")
        with pytest.raises(LimbeckError):
            run_recipe(recipe, to="out")
        assert not Path("out").exists()


def test_a_recipe_names_teachers_by_calls_and_prefixes(folder):
    np.savez("points.npz", inputs=POINTS.inputs, classes=np.array(CLASSES))
    named = ["onnx('m.onnx', name='one')", "lightgbm:m.txt", "m.ubj"]
    tables = {"score": {"teacher": named, "examples": "points"}}
    run_recipe(parse({"examples": {"points": "points.npz"}, **tables}, "three"), to="out")
    said = teachers.ensemble([teachers.from_text(text, CLASSES) for text in named])
    assert [member.name for member in said.members] == ["one", "m.txt", "m.ubj"]
    assert said.source == tuple(member.source for member in said.members)
