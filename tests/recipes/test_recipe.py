"""Recipes: all faults at once, the right order, whole steps skipped, nothing overwritten."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from worlds import CLASSES, blobs, rule

from limbeck import Plan, distill, load, objectives, read, students, teachers, train, views
from limbeck.errors import (
    ExamplesError,
    InputError,
    LabelsError,
    MissingError,
    NeedsPackageError,
    OccupiedError,
    RecipeError,
    TrustError,
)
from limbeck.recipes import Distillation, _distill, load_run, read_recipe, run_recipe
from limbeck.recipes._parse import parse
from limbeck.runtime import needs

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))

SMALL = """
[examples]
train = "{folder}/train.npz"
test = "{folder}/test.npz"

[score]
teacher = "tests.recipes.test_recipe:rule_teacher"
examples = "train"

[[train]]
to = "student"
student = "mlp([6])"
on = "scores"
objective = "SoftTargets(temperature=2)"
seeds = 2
epochs = 2
batch = 16

[evaluate]
models = {{ teacher = "tests.recipes.test_recipe:rule_teacher", student = "student" }}
examples = "test"
reference = "teacher"

[export]
run = "student"
check = "test"
"""


def rule_teacher() -> teachers.Teacher:
    """Named in recipes as `tests.recipes.test_recipe:rule_teacher`."""
    return teachers.function(rule, CLASSES, name="rule")


def kept(folder: Path, name: str, points) -> Path:
    file = folder / f"{name}.npz"
    known = points.labels if points.is_labelled.any() else np.zeros(0)
    arrays = {"labels": known} if len(known) else {}
    np.savez(file, inputs=points.inputs, keys=points.keys, classes=np.array(CLASSES), **arrays)
    return file


KEPT_TEACHER = rule_teacher()


@pytest.mark.parametrize("name", ["rule_teacher", "KEPT_TEACHER", "rule"])
def test_a_teacher_is_opened_by_the_name_of_an_object_a_maker_or_a_function(name):
    found = teachers.from_text(f"tests.recipes.test_recipe:{name}", CLASSES, trust=True)
    np.testing.assert_array_equal(found.predict(blobs(5).inputs), rule(blobs(5).inputs))
    assert found.source == f"tests.recipes.test_recipe:{name}"


def test_a_name_that_is_not_there_is_answered_with_a_near_one():
    with pytest.raises(
        InputError, match="test_recipe has no 'rul_teacher'; did you mean 'rule_tea"
    ):
        teachers.from_text("tests.recipes.test_recipe:rul_teacher", CLASSES, trust=True)


@pytest.fixture
def folder(tmp_path):
    kept(tmp_path, "train", blobs(80))
    kept(tmp_path, "test", blobs(60, seed=3, name="test"))
    (tmp_path / "small.toml").write_text(SMALL.format(folder=tmp_path))
    return tmp_path


def test_a_recipe_does_its_steps_and_skips_them_the_second_time(folder):
    recipe = read_recipe(folder / "small.toml")
    told = []
    first = run_recipe(recipe, to=folder / "out", trust=True, tell=told.append)
    expected = ["scores", "student", "report/report.json", "report/report.md", "student.onnx"]
    for name in expected:
        assert (folder / "out" / name).exists()
    assert [line.split()[0] for line in told] == ["score", "train", "evaluate", "export"]
    before = {f: f.stat().st_mtime_ns for f in (folder / "out").rglob("*") if f.is_file()}
    told.clear()
    again = run_recipe(recipe, to=folder / "out", trust=True, tell=told.append)
    assert all(line.endswith("(already whole)") for line in told)
    assert {f: f.stat().st_mtime_ns for f in (folder / "out").rglob("*") if f.is_file()} == before
    assert again.document == first.document


def test_a_recipe_of_before_is_read_with_the_names_of_today(folder):
    text = (folder / "small.toml").read_text()
    spelt = {"old": ("standardised", "optimiser"), "new": ("standardized", "optimizer")}
    for name, (form, key) in spelt.items():
        changed = text.replace("SoftTargets(temperature=2)", f"MatchLogits('{form}')")
        changed = changed.replace("epochs = 2", f'epochs = 2\n{key} = "sgd"')
        (folder / f"{name}.toml").write_text(changed)
    assert read_recipe(folder / "old.toml").steps == read_recipe(folder / "new.toml").steps


@pytest.mark.slow
def test_a_changed_recipe_does_not_overwrite_the_old_run(folder):
    run_recipe(read_recipe(folder / "small.toml"), to=folder / "out", trust=True)
    changed = (folder / "small.toml").read_text().replace("epochs = 2", "epochs = 3")
    (folder / "small.toml").write_text(changed)
    with pytest.raises(OccupiedError, match=r"out/student already holds a run of another request"):
        run_recipe(read_recipe(folder / "small.toml"), to=folder / "out", trust=True)


def test_code_in_a_recipe_needs_trust(folder):
    with pytest.raises(TrustError, match="runs code that this text names: pass --trust"):
        run_recipe(read_recipe(folder / "small.toml"), to=folder / "out")
    assert not (folder / "out").exists()


def test_code_of_a_student_is_refused_before_any_work(folder, monkeypatch):
    monkeypatch.chdir(folder)
    code = "from torch import nn\ndef net():\n    return nn.Linear(2, 3)\n"
    (folder / "mine.py").write_text(code)
    text = (folder / "small.toml").read_text().replace("mlp([6])", "mine.py:net()")
    text = text.replace("tests.recipes.test_recipe:rule_teacher", "onnx:a.onnx")
    (folder / "own.toml").write_text(text)
    told = []
    with pytest.raises(TrustError, match=r"the student mine.py:net runs code that this text names"):
        run_recipe(read_recipe(folder / "own.toml"), to=folder / "out", tell=told.append)
    assert told == []
    assert not (folder / "out").exists()


def test_all_faults_come_in_one_message(folder):
    wrong = (
        SMALL.format(folder=folder)
        .replace("epochs = 2", "epoch = 2")
        .replace("seeds = 2", 'seeds = "two"')
        .replace("mlp([6])", "mpl([6])")
        .replace('check = "test"', 'chek = "test"')
        .replace("[score]", "[scores]")
    )
    (folder / "wrong.toml").write_text(wrong)
    with pytest.raises(RecipeError) as caught:
        read_recipe(folder / "wrong.toml")
    message = str(caught.value)
    assert message.startswith("the recipe wrong has ")
    assert "[train] has no key 'epoch'; did you mean 'epochs'?" in message
    assert "[train] seeds should be a valid integer, not 'two'" in message
    assert "[export] has no key 'chek'; did you mean 'check'?" in message
    assert "[export] needs a key 'check'" in message
    assert "there is no table [scores]; did you mean 'score'?" in message


def test_faults_in_calls_and_names_are_found_before_anything_runs(folder):
    wrong = (
        SMALL.format(folder=folder)
        .replace("mlp([6])", "mpl([6])")
        .replace('reference = "teacher"', 'reference = "teacher"\nmargin = "wide"')
        .replace('run = "student"', 'run = "studnet"')
        .replace("SoftTargets(temperature=2)", "SoftTargets(temperature=-2)")
        .replace('check = "test"', 'check = "test"\nto = "student.onxx"')
    )
    (folder / "wrong.toml").write_text(wrong)
    with pytest.raises(RecipeError) as caught:
        read_recipe(folder / "wrong.toml")
    message = str(caught.value)
    assert "there is no student 'mpl'; did you mean 'mlp'? (in the table for 'student')" in message
    assert "a temperature is above 0, not -2" in message
    assert "[evaluate] margin should be a valid number, not 'wide'" in message
    assert "exported to .onnx or .safetensors, not to 'student.onxx'" in message


@pytest.mark.parametrize(
    "place",
    ["../out", "a/../../out", "/tmp/out", "C:\\\\out", "..\\\\out", ".", "", "a\\u001b[31mb"],
)
@pytest.mark.parametrize("key", ["name", "score", "train", "evaluate", "export"])
def test_a_recipe_writes_nothing_outside_its_place(key, place, folder):
    text = SMALL.format(folder=folder)
    if key == "name":
        text = f'name = "{place}"\n{text}'
    else:
        head = f"[[{key}]]" if key == "train" else f"[{key}]"
        end = ".onnx" if key == "export" else ""
        rest = text.replace('to = "student"\n', "", 1) if key == "train" else text
        rest = rest.replace('to = "student.onnx"\n', "")
        text = rest.replace(head, f'{head}\nto = "{place}{end}"', 1)
    (folder / "wrong.toml").write_text(text)
    if key == "export" and place in (".", "", "a\\u001b[31mb"):
        return  # with the ending these are other names
    with pytest.raises(RecipeError, match="outside"):
        read_recipe(folder / "wrong.toml")


def test_a_recipe_without_a_step_is_refused(folder):
    (folder / "empty.toml").write_text("")
    with pytest.raises(RecipeError, match=r"the recipe empty has a fault:\n  it has no step; a st"):
        read_recipe(folder / "empty.toml")


def test_bars_and_references_are_read_before_anything_runs(folder):
    bars = 'reference = "techer"\nrequire = ["acuracy>=0.9"]'
    wrong = SMALL.format(folder=folder).replace('reference = "teacher"', bars)
    (folder / "wrong.toml").write_text(wrong.replace('run = "student"', 'run = "studnet"'))
    with pytest.raises(RecipeError) as caught:
        read_recipe(folder / "wrong.toml")
    message = str(caught.value)
    assert "[evaluate] the requirement 'acuracy>=0.9' names no metric; did you mean" in message
    assert "[evaluate] has no model 'techer'; did you mean 'teacher'?" in message
    assert "[export] names 'studnet', which the recipe does not make; did you mean" in message


@pytest.mark.slow
def test_a_student_on_scores_is_asked_for_soft_targets_unless_told_otherwise(folder):
    usual = SMALL.format(folder=folder).replace('objective = "SoftTargets(temperature=2)"\n', "")
    (folder / "small.toml").write_text(usual)
    run_recipe(read_recipe(folder / "small.toml"), to=folder / "out", trust=True)
    assert load_run(folder / "out/student").manifest["objective"] == "SoftTargets(temperature=4)"


def test_two_tables_of_one_name_are_a_fault():
    tables = tomllib.loads(SMALL.format(folder="x"))
    tables["train"].append({"student": "mlp([3])", "on": "train", "to": "scores"})
    with pytest.raises(RecipeError, match=r"two tables make 'scores': give each its own name"):
        parse(tables, "r")


def test_steps_run_in_the_order_of_what_they_need():
    tables = tomllib.loads(SMALL.format(folder="x"))
    turned = dict(reversed(tables.items()))
    assert [step.verb for step in parse(turned, "r").steps] == [
        "score",
        "train",
        "evaluate",
        "export",
    ]
    circle = {
        "examples": {"e": "digits:train"},
        "score": {"teacher": "net", "examples": "e"},
        "train": [{"to": "net", "student": "mlp([3])", "on": "scores"}],
    }
    with pytest.raises(
        RecipeError, match="the steps scores, net of the recipe wait for each other"
    ):
        parse(circle, "r")


def test_a_recipe_splits_by_group_and_time(tmp_path):
    points = blobs(90)
    np.savez(
        tmp_path / "all.npz",
        inputs=points.inputs,
        labels=points.labels,
        who=np.arange(90) // 9,
        when=np.arange(90),
        classes=np.array(CLASSES),
    )
    plan = {"student": "mlp([3])", "epochs": 1}
    tables = {
        "examples": {"all": str(tmp_path / "all.npz")},
        "split": [
            {"of": "all", "rest": "early", "part": "late", "fraction": 0.3, "time": "when"},
            {"of": "early", "rest": "train", "part": "test", "fraction": 0.3, "by": "who"},
        ],
        "train": [{"to": "net", "on": "train", **plan}],
        "evaluate": {"models": {"student": "net"}, "examples": "late"},
    }
    report = run_recipe(parse(tables, "r"), to=tmp_path / "out")
    assert report.document["examples"]["n"] == 27


def test_test_examples_that_are_in_the_training_set_are_refused(folder):
    both = (folder / "small.toml").read_text().replace("test.npz", "train.npz")
    (folder / "small.toml").write_text(both)
    with pytest.raises(
        ExamplesError, match=r"80 of .* in the test set are also in the set 'train'"
    ):
        run_recipe(read_recipe(folder / "small.toml"), to=folder / "out", trust=True)


def test_a_file_that_is_no_recipe_is_refused(tmp_path):
    with pytest.raises(MissingError, match="there is no recipe"):
        read_recipe(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("epochs = = 2")
    with pytest.raises(RecipeError, match=r"bad.toml is not TOML"):
        read_recipe(tmp_path / "bad.toml")


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_our_recipes_are_short_and_without_fault(file):
    recipe = read_recipe(file)
    assert recipe.name == file.stem
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    assert any("epochs" in table for table in tomllib.loads(file.read_text())["train"])
    assert len(lines) <= 60


@pytest.mark.slow
def test_distilling_writes_down_a_recipe_that_gives_the_same_student(tmp_path):
    unlabelled = read(kept(tmp_path, "unlabelled", blobs(80, labelled=False)))
    labelled = read(kept(tmp_path, "labelled", blobs(50, seed=4, name="labelled")))
    how = Distillation(
        objective=objectives.SoftTargets(3.0, hard_weight=0.1),
        plan=Plan(epochs=2, batch=16, learning_rate=0.01),
        seeds=2,
    )
    teacher = teachers.from_text(
        "tests.recipes.test_recipe:rule_teacher", unlabelled.classes, trust=True
    )
    made = distill(
        teacher, unlabelled, students.mlp([5]), to=tmp_path / "made", labelled=labelled, how=how
    )
    assert made.report.document["examples"]["n"] == 10  # a fifth of the labelled
    assert made.exported.path.exists()
    assert made.run.control is not None
    again = tmp_path / "again"
    run_recipe(read_recipe(made.recipe), to=again, trust=True)
    file = f"student/student-{made.run.shipped}/model.safetensors"
    assert (again / file).read_bytes() == (tmp_path / "made" / file).read_bytes()


@pytest.mark.slow
def test_distilling_from_arrays_alone_says_what_the_recipe_lacks(tmp_path):
    how = Distillation(plan=Plan(epochs=1), seeds=1, views=views.plain())
    teacher = teachers.function(rule, CLASSES, name="rule")
    made = distill(
        teacher, blobs(80, labelled=False), students.mlp([5]), to=tmp_path / "d", how=how
    )
    text = made.recipe.read_text()
    assert "# examples was an object in memory: name it here to run this again" in text
    assert made.report.verdict["answer"] == "undecided"
    assert "agreement" in made.report.row("student")["metrics"]
    assert (
        distill(
            teacher, blobs(80, labelled=False), students.mlp([5]), to=tmp_path / "d", how=how
        ).report.document
        == made.report.document
    )


@pytest.mark.slow
def test_probabilities_are_distilled(tmp_path):
    def likely(inputs):
        raised = np.exp(rule(inputs).astype(np.float64))
        return raised / raised.sum(axis=1, keepdims=True)

    how = Distillation(plan=Plan(epochs=1), seeds=1)
    teacher = teachers.function(likely, CLASSES, kind="probabilities")
    made = distill(teacher, blobs(80), students.mlp([5]), to=tmp_path / "d", how=how)
    assert load(tmp_path / "d" / "scores", examples=blobs(80)).kind == "probabilities"
    assert "accuracy" in made.report.row("teacher")["metrics"]


def test_what_cannot_be_distilled_is_refused_before_anything_is_written(tmp_path):
    teacher = teachers.function(rule, CLASSES, name="rule")
    net = students.mlp([5])
    with pytest.raises(LabelsError, match="blobs was given as labelled, and has no labels"):
        distill(teacher, blobs(20), net, to=tmp_path / "d", labelled=blobs(20, labelled=False))
    with pytest.raises(
        ExamplesError, match="20 of the examples in the test set are also in the tra"
    ):
        distill(teacher, blobs(40), net, to=tmp_path / "d", test=blobs(40).take(np.arange(20)))
    assert not (tmp_path / "d").exists()


def test_distilling_asks_first_for_all_that_it_will_need(tmp_path, monkeypatch):
    run = train(
        students.mlp([4]), blobs(40), objectives.Labels(), to=tmp_path / "t", plan=Plan(epochs=1)
    )
    with pytest.raises(ExamplesError, match=r"seen in training by teacher.* or give a test set th"):
        distill(
            run,
            blobs(20, seed=3, name="more"),
            students.mlp([4]),
            to=tmp_path / "d",
            test=blobs(40),
        )

    def without(module: str) -> object:
        if module == "onnxruntime":
            raise NeedsPackageError(f"this needs {module}: pip install 'limbeck[export]'")
        return needs(module)

    monkeypatch.setattr(_distill, "needs", without)
    teacher = teachers.function(rule, CLASSES, name="rule")
    with pytest.raises(NeedsPackageError, match=r"pip install 'limbeck\[export\]'"):
        distill(teacher, blobs(20), students.mlp([5]), to=tmp_path / "d")
    assert not (tmp_path / "d").exists()


ENSEMBLE = """
[examples]
train = "{folder}/train.npz"
test = "{folder}/test.npz"

[[train]]
to = "nets"
student = "mlp([4])"
on = "train"
seeds = 2
epochs = 1

[[score]]
to = "live"
teacher = ["nets", "tests.recipes.test_recipe:rule_teacher"]
mean = "arithmetic"
examples = "train"

[[score]]
to = "rule"
teacher = "tests.recipes.test_recipe:rule_teacher"
examples = "train"

[[score]]
to = "net"
teacher = "nets"
examples = "train"

[[combine]]
to = "both"
scores = ["rule", "net"]

[[train]]
to = "student"
student = "mlp([4])"
on = "both"
epochs = 1

[evaluate]
models = {{ teacher = ["nets"], student = "student" }}
mean = "arithmetic"
examples = "test"
reference = "teacher"
"""


@pytest.mark.slow
def test_a_recipe_takes_ensembles_and_combines_score_sets(folder):
    (folder / "e.toml").write_text(ENSEMBLE.format(folder=folder))
    told = []
    recipe = read_recipe(folder / "e.toml")
    report = run_recipe(recipe, to=folder / "out", trust=True, tell=told.append)
    said = {name: load(folder / "out" / name).manifest["teacher"] for name in ("live", "both")}
    assert (len(said["live"]["members"]), said["live"]["mean"]) == (3, "arithmetic")
    assert (len(said["both"]["members"]), said["both"]["mean"]) == (2, "geometric")
    alone = report.row("student")["parameters"]
    assert (report.row("teacher")["parameters"], report.row("teacher")["seeds"]) == (2 * alone, 1)
    student = load_run(folder / "out/student")
    assert student.manifest["scores"] == load(folder / "out/both").fingerprint
    told.clear()
    run_recipe(recipe, to=folder / "out", trust=True, tell=told.append)
    assert all(line.endswith("(already whole)") for line in told)


@pytest.mark.slow
def test_score_sets_that_lie_elsewhere_are_combined_too(folder):
    text = ENSEMBLE.format(folder=folder)
    (folder / "e.toml").write_text(text)
    run_recipe(read_recipe(folder / "e.toml"), to=folder / "out", trust=True)
    places = [str(folder / "out" / name) for name in ("rule", "net")]
    recipe = parse({"combine": {"to": "again", "scores": places}}, "r")
    assert run_recipe(recipe, to=folder / "other") is None
    both, again = load(folder / "out/both"), load(folder / "other/again")
    assert again.manifest["files"].keys() == both.manifest["files"].keys()


def test_faults_of_ensembles_come_with_the_others(folder):
    wrong = (
        ENSEMBLE.format(folder=folder)
        .replace('teacher = ["nets", "tests.recipes.test_recipe:rule_teacher"]', "teacher = []")
        .replace('to = "rule"', 'to = "rule"\nmean = "arithmetic"')
        .replace('["rule", "net"]', '["rule", "met"]')
        .replace('teacher = ["nets"], s', 'teacher = ["nests"], s')
        .replace('to = "net"', 'to = "net"\nmean = "mode"')
        .replace('on = "both"', 'on = "both"\nepoch = 3')
    )
    (folder / "wrong.toml").write_text(wrong)
    with pytest.raises(RecipeError) as caught:
        read_recipe(folder / "wrong.toml")
    message = str(caught.value)
    assert "[score] an ensemble has one member or more; got none" in message
    assert "[score] mean = 'arithmetic' goes with a list of teachers, and there is none" in message
    assert "[score] an ensemble's mean is geometric or arithmetic, not 'mode'" in message
    assert "[combine] names 'met', which the recipe does not make" in message
    assert "[evaluate] names 'nests', which the recipe does not make; did you mean" in message
    assert "[train] has no key 'epoch'" in message


def test_a_teacher_that_is_no_text_is_one_fault(folder):
    wrong = SMALL.format(folder=folder).replace(
        '[score]\nteacher = "tests.recipes.test_recipe:rule_teacher"', "[score]\nteacher = 3"
    )
    with pytest.raises(RecipeError) as caught:
        parse(tomllib.loads(wrong), "r")
    assert "[score] teacher should be a name or a list of names, not 3" in str(caught.value)
    assert str(caught.value).count("[score] teacher") == 1
