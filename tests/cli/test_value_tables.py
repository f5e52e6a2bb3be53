"""A table of real values goes the whole way, from the command line and in a recipe."""

import json
import tomllib

import numpy as np
import pytest

import limbeck
from limbeck import cli
from limbeck.recipes import run_recipe
from limbeck.recipes._parse import parse


def points(n: int, seed: int) -> str:
    drawn = np.random.default_rng(seed)
    rows = drawn.normal(size=(n, 2))
    heights = 100 + 30 * rows[:, 0] - 10 * rows[:, 1] + drawn.normal(size=n)
    lines = [f"{seed}-{row},{a:.4f},{b:.4f},{heights[row]:.3f}" for row, (a, b) in enumerate(rows)]
    return "\n".join(["key,a,b,height", *lines])


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed, (name, n) in enumerate((("train", 200), ("test", 60))):
        (tmp_path / f"{name}.csv").write_text(points(n, seed))
    return tmp_path


def command(*arguments) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main([str(a) for a in arguments])
    return int(left.value.code or 0)


TRAIN, TEST = "read('train.csv', label='height')", "read('test.csv', label='height')"
PLAN = ("--epochs", "30", "--plan", "batch=32, learning_rate=0.02")


@pytest.mark.slow
def test_the_commands_train_and_evaluate_real_values(world, capsys):
    how = ("--student", "mlp([8])", "--objective", "Labels('standardized')", *PLAN)
    assert command("train", "--examples", TRAIN, *how, "--to", "teacher") == 0
    given = ("--teacher", "teacher", "--examples", TRAIN)
    assert command("score", *given, "--to", "scores") == 0
    how = ("--student", "mlp([])", "--objective", "MatchLogits('standardized')", *PLAN)
    assert command("train", "--scores", "scores", *how, "--to", "student") == 0
    models = ("--teacher", "teacher", "--student", "student", "--reference", "teacher")
    capsys.readouterr()
    bars = ("--require", "rmse<=5", "--require", "r2>=0.9")
    assert command("evaluate", *models, "--examples", TEST, *bars, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in report["rows"]} == {"teacher", "student", "control"}
    assert report["verdict"]["metric"] == "rmse"


RECIPE = """
[examples]
train = "read('train.csv', label='height')"
test = "read('test.csv', label='height')"

[score]
teacher = "teacher"
examples = "train"

[[train]]
to = "teacher"
student = "mlp([8])"
on = "train"
objective = "Labels('standardized')"
epochs = 30
batch = 32
learning_rate = 0.02

[[train]]
to = "student"
student = "mlp([])"
on = "scores"
objective = "MatchLogits('standardized')"
epochs = 30
batch = 32
learning_rate = 0.02

[evaluate]
models = { teacher = "teacher", student = "student" }
examples = "test"
reference = "teacher"
require = ["rmse<=5", "rmse_from_reference<=teacher+5"]
"""


@pytest.mark.slow
def test_a_recipe_trains_and_evaluates_real_values(world):
    run_recipe(parse(tomllib.loads(RECIPE), "heights"), to="out")
    report = limbeck.Report.read(world / "out" / "report")
    assert report.row("student")["metrics"]["r2"]["mean"] > 0.9
    assert all(bar["met"] for bar in report.document["requirements"])
    again = limbeck.load(world / "out" / "student")
    assert (again.kind, again.control is not None) == ("values", True)
