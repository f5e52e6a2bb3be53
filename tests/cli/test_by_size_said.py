"""Sizes, and what was held out from a teacher, on the command line and in recipes."""

import json
import tomllib

import pytest
from worlds import blobs

from limbeck import Plan, load, objectives, students, train
from limbeck.errors import RecipeError
from limbeck.recipes import read_recipe, run_recipe
from limbeck.recipes._parse import parse
from tests.cli.test_sweeping import LIVE, QUICK, folder, limbeck  # noqa: F401  the fixture is used by name

ONE = ("--objective", "soft=SoftTargets(temperature=2)")


def test_a_sweep_over_sizes_prints_and_leaves_its_table(folder, capsys):  # noqa: F811  the fixture
    given = ("sweep", "--examples", "train.npz", *LIVE, *QUICK, *ONE, "--seeds", "2", "--to", "s")
    sizes = ("--sizes", "20", "60", "--test", "test.npz")
    status, out, _ = limbeck(capsys, *given, *sizes)
    assert status == 0
    assert "s/20/soft: SoftTargets(temperature=2)\ns/20/control: Labels()\n" in out
    assert "| size | soft, accuracy, % | control, accuracy, % | soft less control, points |" in (
        " ".join(out.split())
    )
    assert out.endswith("The table lies in s: sizes.md\n")
    status, again, _ = limbeck(capsys, *given, *sizes, "--json")
    assert status == 0
    rows = json.loads(again)["rows"]
    assert [(row["size"], row["name"]) for row in rows] == [
        (20, "soft"), (20, "control"), (60, "soft"), (60, "control"),
    ]  # fmt: skip
    assert json.loads((folder / "s" / "sizes.json").read_text())["rows"] == rows


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (("--sizes", "20", "61"), "a sweep of size 61 needs as many examples with scores; "),
        (("--sizes", "30", "20"), "each larger than the one before, not [30, 20]"),
        (("--sizes", "0", "20"), "whole numbers of 1 or more"),
        (("--test", "test.npz"), "--test goes with --sizes"),
        (("--sizes", "20", "--test", "nowhere.npz"), "nowhere.npz"),
    ],
)
def test_sizes_that_cannot_be_are_said_in_a_sentence(given, sentence, folder, capsys):  # noqa: F811  the fixture
    common = ("sweep", "--examples", "train.npz", *LIVE, *QUICK, *ONE, "--to", "made")
    status, out, err = limbeck(capsys, *common, *given)
    assert (status, out) == (2, "")
    assert sentence in err
    *seen, last = err.splitlines()
    assert last.startswith("limbeck: ")
    assert not seen or (len(seen) == 1 and seen[0].startswith("rule: asked about"))
    assert not (folder / "made").exists()


def test_the_flag_is_recorded_and_shown(folder, capsys):  # noqa: F811  the fixture
    common = ("score", *LIVE, "--examples", "train.npz")
    for flag, answer in (("--held-out", "yes"), ("--no-held-out", "no"), (None, "unknown")):
        status, out, _ = limbeck(capsys, *common, *filter(None, [flag]), "--to", answer)
        assert status == 0
        assert out.endswith(f"; held out from the teacher: {answer}\n") == bool(flag)
        _, out, _ = limbeck(capsys, "show", answer)
        assert f"\nheld_out:\n  answer: {answer}\n" in out
    status, out, err = limbeck(capsys, *common, "--no-held-out", "--to", "yes")
    assert (status, out) == (2, "")
    assert "yes is recorded with held_out = 'yes', not 'no'; nothing was changed" in err
    status, out, _ = limbeck(capsys, "show", "no", "--held-out", "yes", "--json")
    assert status == 0
    assert json.loads(out)["is_far_apart"] is False
    status, out, err = limbeck(capsys, "show", "yes", "--held-out", "no")
    assert (status, out) == (2, "")
    assert "yes is recorded as held out from the teacher" in err


def test_a_flag_that_a_run_contradicts_is_a_sentence(folder, capsys):  # noqa: F811  the fixture
    train(students.mlp([4]), blobs(60), objectives.Labels(), to="t", plan=Plan(epochs=2))
    given = ("score", "--teacher", "t", "--examples", "train.npz", "--held-out", "--to", "s")
    status, out, err = limbeck(capsys, *given)
    assert (status, out) == (2, "")
    assert "was trained on none of these examples, but it was on 54 of the 60" in err
    assert err.count("\n") == 1
    assert not (folder / "s").exists()


RECIPE = """
name = "sized"

[examples]
train = "train.npz"
test = "test.npz"

[score]
teacher = "tests.cli.test_sweeping:rule_teacher"
examples = "train"
held_out = true

[[sweep]]
to = "sweep"
student = "mlp([4])"
on = "scores"
objectives = { soft = "SoftTargets(temperature=1)" }
sizes = [20, 60]
test = "test"
seeds = 2
epochs = 2

[evaluate]
models = { student = "sweep/20/soft", control = "sweep/20/control" }
examples = "test"
"""


@pytest.mark.slow
def test_a_recipe_sweeps_over_sizes(folder):  # noqa: F811  the fixture
    (folder / "r.toml").write_text(RECIPE)
    told = []
    report = run_recipe(read_recipe("r.toml"), trust=True, tell=told.append)
    assert [row["name"] for row in report.rows] == ["student", "control"]
    assert load("runs/sized/scores", examples=None).held_out == "yes"
    assert load("runs/sized/sweep/20/soft").manifest["examples"]["n"] == 20
    assert [line.split()[0] for line in told] == ["score", "sweep", "|", "evaluate"]
    assert (folder / "runs/sized/sweep/sizes.json").exists()
    told.clear()
    run_recipe(read_recipe("r.toml"), trust=True, tell=told.append)
    assert sum(line.endswith("(already whole)") for line in told) == 3


def test_a_smoke_run_shrinks_the_sizes_and_keeps_their_names(folder):  # noqa: F811  the fixture
    text = RECIPE.replace("[20, 60]", "[1000, 30000]").replace("/20/", "/1000/")
    (folder / "r.toml").write_text(text)
    report = run_recipe(read_recipe("r.toml"), trust=True, smoke=True)
    assert [row["name"] for row in report.rows] == ["student", "control"]
    assert load("runs/sized-smoke/sweep/30/soft").manifest["examples"]["n"] == 30


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("[20, 60]", "[60, 20]", "[sweep] the sizes of a sweep are whole numbers"),
        ("sizes = [20, 60]\n", "", "test = 'test' goes with sizes, and there are none"),
        ("[20, 60]", '["20"]', "[sweep] sizes.0 should be a valid integer"),
        ('test = "test"\nseeds', 'test = "tset"\nseeds', "names 'tset', which the recipe"),
        ("held_out = true", 'held_out = "maybe"', "held_out is true, false or 'unknown'"),
        ("sweep/20/soft", "sweep/30/soft", "the recipe does not make"),
    ],
)
def test_faults_of_sizes_are_named_before_any_work(old, new, sentence):
    with pytest.raises(RecipeError) as raised:
        parse(tomllib.loads(RECIPE.replace(old, new)), "r")
    assert sentence in str(raised.value)
