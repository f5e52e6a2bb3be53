"""In a terminal, where bars appear, everything that is printed can be read in the end."""

import sys
from pathlib import Path

import numpy as np
import pytest
from terminals import Shown, in_terminal
from worlds import CLASSES, blobs

from tests.recipes.test_recipe import SMALL
from tests.test_docs import ROOT, blocks

# After the real two seconds it would be up to the machine which bars appear.
SOON = "from limbeck.runtime import _progress; _progress.QUIET_SECONDS = {}\n"
AT_ONCE = SOON.format(0.01)
# While torch's exporter is at work, whose words are not shown; its imports would come before.
IN_EXPORT = "import onnx, onnxruntime, onnxscript\n" + SOON.format(0.5)
TEACHER = ("--teacher", "tests.cli.test_cli:rule_teacher", "--trust")


def python(code: str, folder: Path, *words: str) -> Shown:
    shown = in_terminal([sys.executable, "-c", code, *words], folder)
    assert shown.status == 0, shown.screen
    assert shown.has_cursor
    return shown


def limbeck(soon: str, folder: Path, *words: object) -> str:
    """What somebody sees after the command."""
    path = f"import sys; sys.path += {[str(ROOT), str(ROOT / 'tests' / 'shared')]!r}\n"
    code = path + soon + "from limbeck import cli; cli.main()"
    return python(code, folder, *map(str, words)).screen


@pytest.fixture
def world(tmp_path):
    for name, points in (("train", blobs(80)), ("test", blobs(60, seed=3, name="test"))):
        arrays = {"labels": points.labels, "classes": np.array(CLASSES), "keys": points.keys}
        np.savez(tmp_path / f"{name}.npz", inputs=points.inputs, **arrays)
    return tmp_path


BAR_MEETS_BUFFER = (
    AT_ONCE
    + """
import contextlib, io, sys, time
streams = sys.stdout, sys.stderr
with _progress.Bar("working", 1):
    with contextlib.{redirect}(io.StringIO()):
        time.sleep(0.5)
assert (sys.stdout, sys.stderr) == streams
print("after")
"""
)


@pytest.mark.parametrize("redirect", ["redirect_stdout", "redirect_stderr"])
def test_a_bar_that_appears_while_output_goes_elsewhere_leaves_the_streams_alone(
    redirect, tmp_path
):
    shown = python(BAR_MEETS_BUFFER.format(redirect=redirect), tmp_path)
    assert "working" in shown.written
    assert shown.screen == "after"


BAR_IN_BAR = (
    AT_ONCE
    + """
import time
with _progress.Bar("outside", 2) as outer:
    time.sleep(0.2)
    with _progress.Bar("inside", 2) as inner:
        time.sleep(0.3)
    time.sleep(0.2)
print("after")
"""
)


def test_of_a_bar_inside_another_nothing_stays(tmp_path):
    shown = python(BAR_IN_BAR, tmp_path)
    assert "outside" in shown.written
    assert "inside" in shown.written
    assert shown.screen == "after"


WARNED = (
    AT_ONCE
    + """
import time, warnings
from limbeck import cli
def work():
    with _progress.Bar("working", 1):
        time.sleep(0.3)
        warnings.warn("one is left out")
        time.sleep(0.3)
    print("after")
cli.app = lambda *_, **__: work()
cli.main()
"""
)


def test_a_warning_stands_on_a_line_of_its_own_above_the_bar(tmp_path):
    assert python(WARNED, tmp_path).screen == "limbeck: warning: one is left out\nafter"


@pytest.mark.slow
def test_the_readmes_ten_lines_print_their_report(tmp_path):
    code = "\n".join(block.content for block in blocks(ROOT / "README.md", "python"))
    shown = python(IN_EXPORT + code, tmp_path)
    assert "exporting student.onnx" in shown.written
    assert shown.screen.startswith("# digits:test\n")
    assert "\nDid distillation help? " in shown.screen


DISTILL = ("distill", *TEACHER, "--examples", "train.npz", "--test", "test.npz", "--to", "d")
NET = ("--student", "mlp([6])", "--epochs", 2)


@pytest.mark.slow
def test_distilling_by_command_prints_its_report(world):
    screen = limbeck(IN_EXPORT, world, *DISTILL, *NET)
    assert "\nDid distillation help? " in screen
    assert screen.splitlines()[-1] == "The report lies in d/report: report.html"


@pytest.mark.slow
def test_each_verb_prints_its_result(world):
    seen = limbeck(AT_ONCE, world, "score", *TEACHER, "--examples", "train.npz", "--to", "s")
    sanity, result = seen.splitlines()
    assert sanity.startswith("rule: asked about 80 examples: accuracy 93.8% on 80 labelled examp")
    assert result == "s: scores of 80 examples in 1 views, logits"
    seen = limbeck(AT_ONCE, world, "train", "--scores", "s", "--to", "r", *NET)
    assert seen.startswith("r: mlp(inputs=[2], outputs=3, hidden=[6]) of 39 parameters")
    test = ("--examples", "test.npz", "--to", "report")
    seen = limbeck(AT_ONCE, world, "evaluate", "--student", "r", *TEACHER, *test)
    assert "\nDid distillation help? " in seen
    seen = limbeck(
        IN_EXPORT, world, "export", "--run", "r", "--to", "s.onnx", "--check", "test.npz"
    )
    assert "held against the student on 60 examples" in seen


@pytest.mark.slow
def test_a_recipe_prints_its_steps_and_its_report(world):
    (world / "small.toml").write_text(SMALL.format(folder=world))
    seen = limbeck(IN_EXPORT, world, "run", "small.toml", "--to", "made", "--trust")
    assert "\nDid distillation help? " in seen
