"""Sweeps and live teachers on the command line and in recipes."""

import json
import tomllib

import numpy as np
import pytest
from worlds import CLASSES, blobs, rule

from limbeck import cli, load, teachers
from limbeck.errors import RecipeError
from limbeck.recipes import read_recipe, run_recipe
from limbeck.recipes._parse import parse

QUICK = ("--student", "mlp([4])", "--epochs", "2", "--plan", "batch=16")
TWO = ("--objective", "t1=SoftTargets(temperature=1)", "--objective", "raw=MatchLogits()")
LIVE = ("--teacher", "tests.cli.test_sweeping:rule_teacher", "--trust")


def rule_teacher() -> teachers.Teacher:
    """Named on command lines as `tests.cli.test_sweeping:rule_teacher`."""
    return teachers.function(rule, CLASSES, name="rule")


def limbeck(capsys, *arguments) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli.main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, points in (("train", blobs(60)), ("test", blobs(40, seed=3, name="test"))):
        labels, classes = points.labels, np.array(CLASSES)
        np.savez(
            f"{name}.npz", inputs=points.inputs, keys=points.keys, labels=labels, classes=classes
        )
    return tmp_path


def test_a_sweep_over_a_live_teacher_leaves_runs_that_can_be_evaluated(folder, capsys):
    given = (
        "sweep",
        "--examples",
        "train.npz",
        *LIVE,
        "--count",
        "2",
        *QUICK,
        *TWO,
        "--seeds",
        "2",
    )
    status, out, _ = limbeck(capsys, *given, "--to", "s")
    assert status == 0
    assert out.startswith("s/t1: SoftTargets(temperature=1)\ns/raw: MatchLogits(form='raw')\n")
    assert "s/control: Labels()\n2 seeds each of mlp([4])" in out
    assert load("s/raw").seeds == [0, 1]
    beside = ("--model", "control=s/control", "--examples", "test.npz", "--json")
    status, out, _ = limbeck(capsys, "evaluate", "--student", "s/raw", *beside)
    assert status == 0
    assert [row["name"] for row in json.loads(out)["rows"]] == ["student", "control"]


def test_a_sweep_over_stored_scores_prints_json(folder, capsys):
    limbeck(capsys, "score", *LIVE, "--examples", "train.npz", "--to", "scores")
    status, out, _ = limbeck(
        capsys, "sweep", "--scores", "scores", *QUICK, *TWO, "--to", "s", "--no-control", "--json"
    )
    assert status == 0
    shown = json.loads(out)
    assert list(shown) == ["t1", "raw"]
    assert shown["raw"]["whole"] == "yes"


def test_a_student_is_trained_by_a_live_teacher_and_its_labels(folder, capsys):
    np.savez("bare.npz", inputs=blobs(50, seed=8).inputs, classes=np.array(CLASSES))
    given = ("train", "--examples", "bare.npz", "--labelled", "train.npz", *LIVE, *QUICK)
    status, out, _ = limbeck(capsys, *given, "--to", "run")
    assert status == 0
    assert "with its control" in out
    assert load("run").manifest["objective"] == "SoftTargets(temperature=4)"
    assert load("run").manifest["examples"]["n"] == 110


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            ("sweep", "--examples", "train.npz", *QUICK, "--objective", "MatchLogits()"),
            "--objective takes NAME=CALL, not 'MatchLogits()'",
        ),
        (
            ("sweep", "--examples", "train.npz", *QUICK, *TWO),
            "SoftTargets(temperature=1) needs a teacher's scores; train.npz has none: score it",
        ),
        (
            ("sweep", "--examples", "train.npz", *QUICK, "--objective", "control=Labels"),
            "'control' is not a name for one (it is the control's)",
        ),
        (("train", *QUICK), "training needs --scores, or --examples with labels or a --teacher"),
        (
            ("train", "--scores", "scores", *LIVE, *QUICK),
            "--teacher goes with --examples; a score set has had its teacher",
        ),
        (
            ("train", "--examples", "train.npz", *LIVE[:2], *QUICK),
            "the teacher tests.cli.test_sweeping:rule_teacher runs code",
        ),
    ],
)
def test_what_cannot_be_swept_or_taught_is_said_in_a_sentence(given, sentence, folder, capsys):
    status, out, err = limbeck(capsys, *given, "--to", "made")
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
    assert not (folder / "made").exists()


RECIPE = """
name = "swept"

[examples]
train = "train.npz"
test = "test.npz"

[[sweep]]
to = "sweep"
student = "mlp([4])"
on = "train"
teacher = "tests.cli.test_sweeping:rule_teacher"
count = 2
objectives = { t1 = "SoftTargets(temperature=1)", raw = "MatchLogits()" }
seeds = 2
epochs = 2

[[train]]
to = "lone"
student = "mlp([4])"
on = "train"
teacher = ["tests.cli.test_sweeping:rule_teacher", "tests.cli.test_sweeping:rule_teacher"]
epochs = 2

[evaluate]
models = { student = "sweep/raw", control = "sweep/control", lone = "lone" }
examples = "test"
"""


@pytest.mark.slow
def test_a_recipe_sweeps_and_trains_with_the_teacher_in_the_loop(folder):
    (folder / "r.toml").write_text(RECIPE)
    told = []
    report = run_recipe(read_recipe("r.toml"), trust=True, tell=told.append)
    assert {row["name"] for row in report.rows} == {"student", "control", "lone"}
    assert load("runs/swept/lone").control is not None
    assert told == ["train runs/swept/lone", "sweep runs/swept/sweep", "evaluate runs/swept/report"]
    told.clear()
    run_recipe(read_recipe("r.toml"), trust=True, tell=told.append)
    assert all(line.endswith("(already whole)") for line in told)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('{ t1 = "SoftTargets(temperature=1)", raw = "MatchLogits()" }', "{}", "one objective or"),
        ("raw =", "control =", "'control' is not a name for one"),
        ("MatchLogits()", "MatchLogit()", "there is no objective 'MatchLogit'; did you mean"),
        (
            "objectives =",
            "objective =",
            "[sweep] has no key 'objective'; did you mean 'objectives'",
        ),
        ('"sweep/raw"', '"sweep/row"', "the recipe does not make"),
        ('"tests.cli.test_sweeping:rule_teacher", "test', '1, "test', "a name or a list of names"),
    ],
)
def test_faults_of_a_sweep_are_named_before_any_work(old, new, sentence):
    with pytest.raises(RecipeError) as raised:
        parse(tomllib.loads(RECIPE.replace(old, new)), "r")
    assert sentence in str(raised.value)


def test_scores_and_a_live_teacher_are_one_too_many(folder):
    scored = f'[[score]]\nto = "s"\nteacher = "{LIVE[1]}"\nexamples = "train"\n'
    both = f"{RECIPE}\n{scored}"
    (folder / "r.toml").write_text(both.replace('on = "train"', 'on = "s"', 1))
    with pytest.raises(RecipeError, match="'s' are scores already"):
        run_recipe(read_recipe("r.toml"), trust=True)
