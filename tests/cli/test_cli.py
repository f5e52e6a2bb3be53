"""The command line: thin twins of the functions, clear sentences, honest statuses."""

import ast
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax
from worlds import CLASSES, blobs, rule

from limbeck import cli, teachers

HERE = Path(__file__).parents[2]


def rule_teacher() -> teachers.Teacher:
    """Named on command lines as `tests.cli.test_cli:rule_teacher`."""
    return teachers.function(rule, CLASSES, name="rule")


def dying_teacher() -> teachers.Teacher:
    """A teacher during whose answers somebody presses Ctrl-C."""
    calls = []

    def answer(inputs):
        calls.append(1)
        if len(calls) > 2:  # the first two are a sample, which is the whole first view
            raise KeyboardInterrupt
        return rule(inputs)

    return teachers.function(answer, CLASSES, name="rule")


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, points in (("train", blobs(80)), ("test", blobs(60, seed=3, name="test"))):
        arrays = {"labels": points.labels, "classes": np.array(CLASSES), "keys": points.keys}
        np.savez(tmp_path / f"{name}.npz", inputs=points.inputs, **arrays)
    np.savez(tmp_path / "bare.npz", inputs=blobs(40, seed=8).inputs, classes=np.array(CLASSES))
    return tmp_path


@pytest.fixture
def broken(world):
    """Files with something wrong in each."""
    inputs = blobs(4).inputs
    gap = np.where(np.arange(8).reshape(4, 2) == 5, np.nan, inputs)
    files = {
        "gap": {"inputs": gap, "labels": np.zeros(4, int)},
        "twins": {"inputs": inputs, "keys": np.array(["a", "b", "a", "c"])},
        "outside": {
            "inputs": inputs,
            "labels": np.array([0, 1, 7, 2]),
            "classes": np.array(CLASSES),
        },
        "empty": {"inputs": inputs[:0]},
        "short": {"inputs": inputs, "labels": np.zeros(3, int)},
        "pickled": {"inputs": np.array([{}, {}], dtype=object)},
        "cube": {"inputs": np.ones((4, 5, 5)), "classes": np.array(CLASSES)},
    }
    for name, arrays in files.items():
        np.savez(world / f"{name}.npz", **arrays)
    (world / "torn.npz").write_bytes((world / "train.npz").read_bytes()[:200])
    return world


def test_each_file_of_a_command_is_among_the_commands():
    folder = Path(cli.__file__).parent
    heads = {f.stem: ast.get_docstring(ast.parse(f.read_text())) for f in folder.glob("*.py")}
    files = {name for name, head in heads.items() if head.startswith("The command that")}
    assert files == {f"_{command.__name__}" for command in cli.COMMANDS}
    assert {command.__module__ for command in cli.COMMANDS} == {f"limbeck.cli.{f}" for f in files}


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("gap.npz", "hold NaN or infinity, the first in row 2"),
        ("twins.npz", "1 keys are not unique, the first is 'a' (2 times)"),
        ("outside.npz", "label 7 of row 2 is outside the 3 classes"),
        ("empty.npz", "no examples: the inputs have shape (0, 2)"),
        ("short.npz", "4 inputs but 3 labels"),
        ("pickled.npz", "pickle"),
        ("torn.npz", "torn.npz"),
    ],
)
def test_examples_that_cannot_be_used_are_refused(file, sentence, broken, capsys):
    status, _, err = limbeck(capsys, "score", *TEACHER, "--examples", file, "--to", "s")
    assert status == 2
    assert sentence in err
    assert err.count("\n") == 1
    assert not (broken / "s").exists()


def test_inputs_of_another_shape_than_the_students_are_refused(broken, capsys):
    limbeck(capsys, *TRAIN, "--examples", "train.npz", "--epochs", 1)
    status, _, err = limbeck(
        capsys, "score", "--teacher", "s", "--examples", "cube.npz", "--to", "c"
    )
    assert status == 2
    assert "the teacher s cannot answer inputs of shape (4, 5, 5)" in err
    assert not (broken / "c").exists()
    status, _, err = limbeck(capsys, "evaluate", "--student", "s", "--examples", "cube.npz")
    assert status == 2
    assert "s takes inputs of shape (2,), cube.npz has (5, 5)" in err


def test_a_score_set_knows_its_own_views(world, capsys):
    limbeck(capsys, "score", *TEACHER, "--examples", "train.npz", "--to", "s")
    status, _, err = limbeck(capsys, *TRAIN[:-2], "--to", "r", "--scores", "s", "--views", "flip")
    assert status == 2
    assert "--views and --count go with --examples; a score set knows its own" in err


def test_a_torn_shard_is_refused_when_trained_on(world, capsys):
    limbeck(capsys, "score", *TEACHER, "--examples", "train.npz", "--to", "s")
    (shard,) = (world / "s").glob("*.safetensors")
    shard.write_bytes(shard.read_bytes()[:-9])
    status, _, err = limbeck(capsys, "train", "--student", "mlp([3])", "--scores", "s", "--to", "r")
    assert status == 2
    assert f"{shard.name} has " in err
    assert "truncated" in err
    assert not (world / "r").exists()
    status, out, _ = limbeck(capsys, "show", "s")
    assert status == 1
    assert "truncated" in out


def likely_teacher() -> teachers.Teacher:
    """A teacher whose probabilities are declared logits."""
    return teachers.function(lambda x: softmax(rule(x), axis=1), CLASSES, name="likely")


def test_probabilities_declared_as_logits_are_warned_of(world, capsys):
    given = ("--teacher", "tests.cli.test_cli:likely_teacher", "--trust", "--examples", "train.npz")
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # as outside the tests, where a warning is no error
        status, _, err = limbeck(capsys, "score", *given, "--to", "s")
    assert status == 0
    assert err.startswith("limbeck: warning: the teacher likely declares logits")
    assert "pass kind='probabilities'" in err


def limbeck(capsys, *arguments) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli.main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


TEACHER = ("--teacher", "tests.cli.test_cli:rule_teacher", "--trust")


def test_the_verbs_one_after_another(world, capsys):
    status, out, _ = limbeck(capsys, "score", *TEACHER, "--examples", "train.npz", "--to", "s")
    assert (status, out) == (0, "s: scores of 80 examples in 1 views, logits\n")
    status, out, _ = limbeck(
        capsys, "train", "--student", "mlp([6])", "--scores", "s", "--to", "r", "--seeds", 2,
        "--epochs", 2, "--plan", "learning_rate=0.01, batch=16",
    )  # fmt: skip
    assert status == 0
    net = "mlp(inputs=[2], outputs=3, hidden=[6]) of 39 parameters"
    assert out.startswith(f"r: {net}, 2 seeds, with its control")
    status, out, _ = limbeck(
        capsys, "evaluate", "--student", "r", *TEACHER, "--examples", "test.npz", "--to", "report"
    )
    assert status == 0
    assert "Did distillation help?" in out
    assert "The report lies in report" in out
    status, out, _ = limbeck(
        capsys,
        "export",
        "--run",
        "r",
        "--to",
        "s.onnx",
        "--check",
        "test.npz",
        "--report",
        "report",
    )
    assert status == 0
    assert "held against the student on 60 examples" in out
    for made in ("s", "r", "report", "s.onnx"):
        status, out, _ = limbeck(capsys, "show", made)
        assert status == 0
        assert "whole: yes" in out


@pytest.mark.slow
def test_every_verb_prints_one_json_object_when_asked(world, capsys):
    commands = [
        ("score", *TEACHER, "--examples", "train.npz", "--to", "s"),
        ("train", "--student", "mlp([6])", "--scores", "s", "--to", "r", "--epochs", 1),
        ("evaluate", "--student", "r", "--examples", "test.npz"),
        ("export", "--run", "r", "--to", "s.onnx", "--check", "test.npz"),
        ("show", "s"),
    ]
    for command in commands:
        status, out, err = limbeck(capsys, *command, "--json")
        assert status == 0, err
        assert isinstance(json.loads(out), dict)


def test_one_command_distils(world, capsys):
    status, out, err = limbeck(
        capsys, "distill", *TEACHER, "--examples", "bare.npz", "--labelled", "train.npz",
        "--test", "test.npz", "--student", "mlp([6])", "--to", "d", "--epochs", 2, "--seeds", 2,
    )  # fmt: skip
    assert status == 0, err
    assert "Did distillation help?" in out
    found = {file.name for file in (world / "d").iterdir()}
    assert found >= {"scores", "student", "report", "student.onnx", "recipe.toml"}
    status, _, err = limbeck(capsys, "run", "d/recipe.toml", "--to", "d", "--trust")
    assert status == 0, err
    assert err.count("(already whole)") == 4


def test_a_bar_that_is_missed_sets_status_1_and_says_which(world, capsys):
    arguments = ("evaluate", *TEACHER, "--examples", "test.npz", "--reference", "teacher")
    status, _, err = limbeck(capsys, *arguments, "--require", "accuracy>=0.999")
    assert status == 1
    assert "limbeck: not met: accuracy>=0.999 (not measured)" in err
    student = ("--model", "student=tests.cli.test_cli:rule_teacher")
    status, _, err = limbeck(capsys, *arguments, *student, "--require", "agreement>=0.9")
    assert (status, err) == (0, "")


TRAIN = ("train", "--student", "mlp([3])", "--to", "s")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("score", *TEACHER, "--examples", "none.npz", "--to", "s"), "none.npz"),
        (
            ("score", *TEACHER, "--precision", "bfloat16", "--examples", "train.npz", "--to", "s"),
            "rule cannot be asked in bfloat16",
        ),
        (
            ("score", "--teacher", "nowhere", "--examples", "train.npz", "--to", "s"),
            "there is no run in nowhere",
        ),
        (
            ("score", *TEACHER[:2], "--examples", "train.npz", "--to", "s"),
            "pass --trust",
        ),
        (
            ("train", "--student", "mpl([3])", "--examples", "train.npz", "--to", "s"),
            "there is no student 'mpl'; did you mean 'mlp'?",
        ),
        (
            ("train", "--student", "mlp([3])", "--examples", "bare.npz", "--to", "s"),
            "Labels() needs labels, and bare.npz has none",
        ),
        (
            (*TRAIN, "--examples", "train.npz", "--plan", "epoch=3"),
            "Plan() has no keyword 'epoch'; did you mean 'epochs'?",
        ),
        (("train", "--student", "mlp([3])", "--to", "s"), "training needs --scores, or --examples"),
        (
            (*TRAIN, "--examples", "train.npz", "--plan", "epochs=3"),
            "--plan names the epochs, which are given by --epochs",
        ),
        (("run", "none.toml", "--to", "s"), "there is no recipe none.toml"),
        (("show", "s"), "there is no Limbeck artifact in s"),
        (("train", "--studnt", "x"), "--student"),
        (("data", "minst"), "mnist"),
        (
            ("evaluate", "--examples", "test.npz", "--model", "student"),
            "--model takes NAME=DIRECTORY, not 'student'",
        ),
        (
            ("score", *TEACHER, "--examples", "train.npz", "--to", "s", "--views", "jiter(1)"),
            "there is no view 'jiter'; did you mean 'jitter'?",
        ),
        (
            ("score", *TEACHER, "--examples", "train.npz", "--to", "train.npz"),
            "train.npz already holds something that is not a Limbeck artifact",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)  # fmt: skip
def test_bad_input_is_one_sentence_status_2_and_nothing_written(arguments, sentence, world, capsys):
    before = sorted(file.name for file in world.iterdir())
    status, out, err = limbeck(capsys, *arguments)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.startswith("limbeck: ")
    assert "Traceback" not in err
    assert sorted(file.name for file in world.iterdir()) == before


def test_a_changed_data_file_is_noticed_when_its_scores_are_used(world, capsys):
    limbeck(capsys, "score", *TEACHER, "--examples", "train.npz", "--to", "s")
    points = blobs(80, seed=5)
    np.savez(world / "train.npz", inputs=points.inputs, keys=points.keys, classes=np.array(CLASSES))
    status, _, err = limbeck(
        capsys, "train", "--student", "mlp([3])", "--scores", "s", "--to", "r", "--epochs", 1
    )
    assert status == 2
    assert "80 examples have changed since they were scored" in err
    assert not (world / "r").exists()


def test_ctrl_c_is_tidy_and_the_same_command_goes_on(world, capsys, monkeypatch):
    command = ("score", "--examples", "train.npz", "--to", "s", "--count", 3, "--trust")
    status, _, err = limbeck(capsys, *command, "--teacher", "tests.cli.test_cli:dying_teacher")
    assert status == 130
    seen, said = err.splitlines()
    assert seen.startswith("rule: asked about 80 examples: accuracy 93.8% on 80 labelled")
    assert said == "limbeck: interrupted: what is finished is kept, run the same command to go on"
    assert len(list((world / "s").glob("*.safetensors"))) == 1
    status, out, _ = limbeck(capsys, *command, "--teacher", "tests.cli.test_cli:rule_teacher")
    assert (status, out) == (0, "s: scores of 80 examples in 3 views, logits\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said_in_words_and_what_was_finished_is_kept(world, capsys, monkeypatch):
    real = os.fdopen

    def full(handle, *arguments):
        os.close(handle)
        return real(os.open("/dev/full", os.O_WRONLY), *arguments)

    monkeypatch.setattr(os, "fdopen", full)
    status, _, err = limbeck(capsys, "score", *TEACHER, "--examples", "train.npz", "--to", "s")
    monkeypatch.undo()
    assert status == 2
    assert "cannot write" in err
    assert "No space left on device" in err
    assert not list(world.glob("s/*.safetensors"))


def test_a_disk_that_cannot_be_written_is_said_in_words(world, capsys):
    status, _, err = limbeck(
        capsys, "score", *TEACHER, "--examples", "train.npz", "--to", "/proc/limbeck/s"
    )
    assert status == 2
    assert err.splitlines()[-1].startswith("limbeck: cannot ")
    assert "/proc/limbeck" in err


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_error(world, capsys):
    limbeck(capsys, "score", *TEACHER, "--examples", "train.npz", "--to", "s")
    shell = f"{sys.executable} -m limbeck.cli show s --json | head -c 1"
    done = subprocess.run(shell, shell=True, capture_output=True, text=True, cwd=world, check=True)
    assert (done.stdout, done.stderr) == ("{", "")


@pytest.mark.slow
def test_no_bar_and_no_colour_without_a_terminal(world):
    command = [sys.executable, "-m", "limbeck.cli", "train", "--student", "mlp([3])"]
    command += ["--examples", "train.npz", "--to", "r", "--epochs", "3"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=world, check=True)
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


OTHER = ("--teacher", "tests.cli.test_cli:turned_teacher", "--trust")
TRAINED = ("train", "--student", "mlp([4])", "--examples", "train.npz", "--epochs", 1)


def turned_teacher() -> teachers.Teacher:
    """Another opinion, with the classes in another order."""
    return teachers.function(lambda x: rule(x)[:, [1, 2, 0]] * 2, TURNED, name="turned")


TURNED = (CLASSES[1], CLASSES[2], CLASSES[0])


def test_several_teachers_are_an_ensemble(world, capsys):
    given = ("score", *TEACHER, *OTHER[:2], "--examples", "train.npz")
    status, out, _ = limbeck(capsys, *given, "--to", "both")
    assert (status, out) == (0, "both: scores of 80 examples in 1 views, logits\n")
    limbeck(capsys, *given, "--mean", "arithmetic", "--to", "other")
    said = json.loads((world / "other" / "manifest.json").read_text())
    assert said["kind"] == "log-probabilities"
    assert said["teacher"]["name"] == "arithmetic mean of 2"
    assert [m["name"] for m in said["teacher"]["members"]] == ["rule", "turned"]


def test_a_run_given_with_a_mean_answers_with_each_of_its_seeds(world, capsys):
    limbeck(capsys, *TRAINED, "--to", "nets", "--seeds", 3)
    # One epoch taught them nothing.
    given = ("score", "--teacher", "nets", "--examples", "train.npz", "--accept-teacher")
    limbeck(capsys, *given, "--to", "shipped")
    limbeck(capsys, *given, "--to", "all", "--mean", "geometric")
    said = {n: json.loads((world / n / "manifest.json").read_text()) for n in ("shipped", "all")}
    assert "members" not in said["shipped"]["teacher"]
    assert len(said["all"]["teacher"]["members"]) == 3
    status, out, _ = limbeck(
        capsys, "evaluate", "--teacher", "nets", "--teacher", "nets", "--mean", "arithmetic",
        "--examples", "test.npz", "--json",
    )  # fmt: skip
    (row,) = json.loads(out)["rows"]
    assert (status, row["name"], row["seeds"]) == (0, "teacher", 1)
    assert row["parameters"] == 6 * (2 * 4 + 4 + 4 * 3 + 3)


def test_score_sets_are_combined_without_asking_anybody(world, capsys):
    limbeck(capsys, "score", *TEACHER, "--examples", "train.npz", "--to", "a")
    limbeck(capsys, *TRAINED, "--to", "net")
    taught_nothing = ("--teacher", "net", "--accept-teacher")
    limbeck(capsys, "score", *taught_nothing, "--examples", "train.npz", "--to", "b")
    given = ("combine", "--scores", "a", "--scores", "b", "--mean", "arithmetic")
    status, out, _ = limbeck(capsys, *given, "--to", "c")
    assert status == 0
    assert out == "c: arithmetic mean of 2 score sets, 80 examples, log-probabilities\n"
    status, out, _ = limbeck(capsys, *given, "--to", "c", "--examples", "train.npz", "--json")
    shown = json.loads(out)
    assert (shown["whole"], shown["teacher"]["mean"]) == ("yes", "arithmetic")
    status, _, err = limbeck(capsys, "train", "--student", "mlp([3])", "--scores", "c", "--to", "r",
                             "--epochs", 1)  # fmt: skip
    assert status == 0, err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("combine", "--scores", "a", "--scores", "b", "--to", "c"),
            "80 of 80 examples were not scored in b, the first is 'blobs-0'",
        ),
        (
            ("combine", "--scores", "a", "--mean", "mode", "--to", "c"),
            "an ensemble's mean is geometric or arithmetic, not 'mode'",
        ),
        (("combine", "--scores", "none", "--to", "c"), "none"),
        (("combine", "--to", "c"), "--scores"),
        (
            ("score", *TEACHER, "--mean", "mode", "--examples", "train.npz", "--to", "c"),
            "an ensemble's mean is geometric or arithmetic, not 'mode'",
        ),
        (
            ("evaluate", "--student", "r", "--mean", "geometric", "--examples", "test.npz"),
            "--mean goes with --teacher",
        ),
    ],
)
def test_what_cannot_be_combined_is_refused(arguments, sentence, world, capsys):
    limbeck(capsys, "score", *TEACHER, "--examples", "train.npz", "--to", "a")
    limbeck(capsys, "score", *TEACHER, "--examples", "bare.npz", "--to", "b")
    status, _, err = limbeck(capsys, *arguments)
    assert status == 2
    assert sentence in err
    assert not (world / "c").exists()


@pytest.mark.slow
def test_distilling_an_ensemble_leaves_a_recipe_that_does_it_again(world, capsys):
    status, _, err = limbeck(
        capsys, "distill", *TEACHER, *OTHER[:2], "--mean", "arithmetic", "--examples", "train.npz",
        "--test", "test.npz", "--student", "mlp([4])", "--seeds", 1, "--epochs", 1, "--to", "d",
    )  # fmt: skip
    assert status == 0, err
    written = (world / "d" / "recipe.toml").read_text()
    assert (
        'teacher = ["tests.cli.test_cli:rule_teacher", "tests.cli.test_cli:turned_teacher"]'
        in written
    )
    status, _, err = limbeck(capsys, "run", "d/recipe.toml", "--trust", "--to", "again")
    assert status == 0, err
    file = "student/student-0/model.safetensors"
    assert (world / "again" / file).read_bytes() == (world / "d" / file).read_bytes()
