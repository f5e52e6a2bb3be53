"""Steps: a verb is one class in one file, and a table that is written is one that is read."""

import ast
import inspect
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from pydantic import ValidationError
from worlds import CLASSES, blobs, rule

from limbeck import Plan, cli, objectives, students, teachers
from limbeck.errors import InputError, RecipeError
from limbeck.recipes import Distillation, run_recipe, steps, usual_objective
from limbeck.recipes._parse import parse
from limbeck.recipes._step import Step
from limbeck.recipes._write import Sets, recipe_of


def test_each_file_of_a_table_is_a_step_of_that_verb():
    folder = Path(steps.__file__).parent
    heads = {f.stem: ast.get_docstring(ast.parse(f.read_text())) for f in folder.glob("*.py")}
    files = {name for name, head in heads.items() if head.startswith("The table [")}
    assert files == {f"_{step.verb}" for step in steps.STEPS}
    assert {step.__module__.rpartition(".")[2] for step in steps.STEPS} == files


class Count(Step):
    """A verb of the test's own: how many examples a set has."""

    verb: ClassVar[str] = "count"

    to: str = "count.txt"
    of: str
    least: int = 0

    @property
    def makes(self):
        return (self.to,)

    @property
    def needs(self):
        return (self.of,)

    def checks(self):
        yield self._check_least

    def _check_least(self):
        if self.least < 0:
            raise InputError(f"least is 0 or more, not {self.least}")

    def do(self, kitchen):
        kitchen.place.mkdir(exist_ok=True)
        (kitchen.place / self.to).write_text(str(len(kitchen.examples(self.of))))


@pytest.fixture
def counting(tmp_path, monkeypatch):
    monkeypatch.setitem(steps.TABLES, "count", Count)
    np.savez(tmp_path / "all.npz", inputs=blobs(30).inputs)
    return {"examples": {"all": str(tmp_path / "all.npz")}}


def test_a_verb_of_one_class_is_put_in_order_and_done(counting, tmp_path):
    tables = {
        **counting,
        "count": {"of": "few"},
        "split": {"of": "all", "rest": "most", "part": "few", "fraction": 0.2},
    }
    recipe, told = parse(tables, "r"), []
    assert [step.verb for step in recipe.steps] == ["split", "count"]
    for _ in range(2):
        run_recipe(recipe, to=tmp_path / "out", tell=told.append)
    assert (tmp_path / "out/count.txt").read_text() == "6"
    line = f"count {tmp_path}/out/count.txt"
    assert told == [line, f"{line} (already whole)"]


def test_the_faults_of_a_verb_of_one_class_come_with_the_others(counting):
    tables = {**counting, "count": [{"off": "all"}, {"of": "some"}, {"of": "all", "least": -1}]}
    with pytest.raises(RecipeError) as caught:
        parse(tables, "r")
    assert str(caught.value) == (
        "the recipe r has 4 faults:\n"
        "  [count] needs a key 'of'\n"
        "  [count] has no key 'off'; did you mean 'of'?\n"
        "  [count] least is 0 or more, not -1 (in the table for 'count.txt')\n"
        "  [count] names 'some', which the recipe does not make; known are all, count.txt"
    )


def test_a_step_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Count(of="all").of = "few"


@pytest.mark.parametrize("step", steps.STEPS, ids=lambda step: step.verb)
def test_a_table_that_is_written_is_read_as_it_was(step):
    of_type = {str: 'a "text"', int: 3, float: 0.5, bool: True}
    keys = {
        key: of_type.get(field.annotation, ["a", "ö"])
        for key, field in reversed(step.model_fields.items())
    }
    table = tomllib.loads("\n".join(step.to_toml(keys)))[step.verb]
    table = table[0] if step.heads_many else table
    assert list(table.items()) == list(keys.items())  # in that order, too


def test_a_key_that_no_table_has_is_not_written():
    with pytest.raises(AssertionError, match=r"\[split\] has not all of \['of', 'by_group'\]"):
        steps.SplitTable.to_toml({"of": "all", "by_group": "who"})


PLAIN = """\
# examples was an object in memory: name it here to run this again
# teacher was an object in memory: name it here to run this again
name = "d"

[examples]
all_examples = ""

[split]
of = "all_examples"
rest = "examples"
part = "test"
fraction = 0.2

[score]
to = "scores"
teacher = "rule"
examples = "examples"
views = "plain()"
count = 1
seed = 0

[[train]]
to = "student"
student = "mlp(hidden=[5])"
on = "scores"
objective = "SoftTargets(temperature=4.0)"
seeds = 3
epochs = 0

[evaluate]
models = { teacher = "rule", student = "student" }
examples = "test"
reference = "teacher"
margin = 0.005
require = []

[export]
run = "student"
to = "student.onnx"
check = "test"
"""

ENSEMBLE = """\
# examples was an object in memory: name it here to run this again
# labelled was an object in memory: name it here to run this again
# test was an object in memory: name it here to run this again
name = "d"

[examples]
examples = ""
labelled = ""
test = ""

[score]
to = "scores"
teacher = ["a.onnx", "b.onnx"]
examples = "examples"
views = "plain()"
count = 1
seed = 0
mean = "arithmetic"

[[train]]
to = "student"
student = "mlp(hidden=[5])"
on = "scores"
objective = "Labels()"
seeds = 3
labelled = "labelled"
batch = 16
learning_rate = 1
epochs = 0

[evaluate]
models = { teacher = ["a.onnx", "b.onnx"], student = "student" }
examples = "test"
reference = "teacher"
margin = 0
require = ["agreement>=0.9"]
mean = "arithmetic"

[export]
run = "student"
to = "student.onnx"
check = "test"
"""


def written(teacher, labelled, test, how):
    points = blobs(20)
    sets = Sets(points, labelled, test or points, "" if test else "examples")
    given = (points, labelled, test)
    return recipe_of("d", teacher, teacher, students.mlp([5]), sets, given, how)


def test_a_distillation_is_written_as_it_always_was():
    # A finished or begun directory is known by this text: another one would be refused.
    alone = teachers.function(rule, CLASSES, name="rule")
    assert written(alone, None, None, Distillation()) == PLAIN
    of_two = teachers.ensemble([alone, replace(alone, name="other")], mean="arithmetic")
    of_two = replace(of_two, source=("a.onnx", "b.onnx"))
    how = Distillation(
        objective=objectives.Labels(),
        plan=Plan(batch=16, learning_rate=1),
        margin=0,
        require=("agreement>=0.9",),
    )
    assert written(of_two, blobs(9), blobs(9), how) == ENSEMBLE


def test_the_usual_objective_is_the_same_through_every_door():
    usual = usual_objective(is_taught=True)
    assert usual == "SoftTargets(temperature=4)"  # runs that exist are known by it
    assert objectives.from_text(usual) == objectives.SoftTargets() == Distillation().objective
    assert inspect.signature(cli.distill).parameters["objective"].default == usual
    assert usual_objective(is_taught=False) == "Labels()"
