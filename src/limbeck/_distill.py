"""distill(): score, train, evaluate and export in one call, and the recipe that does it again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from torch import nn

from limbeck import _manifest
from limbeck._evaluate import Comparison, evaluate
from limbeck._export import Exported, export
from limbeck._report import Report
from limbeck._score import score
from limbeck._train import train
from limbeck.errors import OccupiedError
from limbeck.examples import Examples, check_disjoint
from limbeck.objectives import MAKERS, Objective, SoftTargets, check_kind
from limbeck.runs import Plan, Run
from limbeck.scores import learnt_kind
from limbeck.students import Student
from limbeck.teachers import Answer, Teacher, as_teacher, ordered
from limbeck.transfer import check_labelled
from limbeck.views import Plain, View

TEST_SHARE = 0.2
HINTON = SoftTargets(4.0)
RECIPE = "recipe.toml"


@dataclass(frozen=True)
class Distillation:
    """How a teacher is distilled.

    Attributes:
        objective: what the student is asked for.
        views, count, seed: how the examples are shown, in how many views, drawn with what.
        plan: the numbers of the training.
        seeds: how many students, each with its control.
        margin: how far below the teacher's accuracy still counts as level with it.
        require: bars for the student, as `evaluate` takes them.
    """

    objective: Objective = HINTON
    views: View = Plain()
    count: int = 1
    seed: int = 0
    plan: Plan = Plan()
    seeds: int = 3
    margin: float = 0.005
    require: tuple[str, ...] = ()


@dataclass(frozen=True)
class Distilled:
    """What a distillation leaves behind.

    Attributes:
        run: the student of each seed, and its control.
        report: teacher, student and control side by side.
        exported: the shipped student as an ONNX file.
        recipe: the file that `limbeck run` does all of it again from.
    """

    run: Run
    report: Report
    exported: Exported
    recipe: Path


@dataclass(frozen=True)
class _Sets:
    """The three sets of a distillation, and whether the test set was split off here."""

    transfer: Examples
    labelled: Examples | None
    test: Examples
    split_of: str


def distill(
    teacher: Teacher | Run | nn.Module | Answer,
    examples: Examples,
    student: Student,
    *,
    to: str | Path,
    labelled: Examples | None = None,
    test: Examples | None = None,
    how: Distillation = Distillation(),
) -> Distilled:
    """Scores the examples, trains the student and its control, evaluates and exports it.

    Without a test set a fifth of the labelled examples, or of the examples themselves, is set
    aside first. `labelled` is for the control, the hard part and held-out decisions. Everything
    lies in the directory `to`: scores, student, report, student.onnx, recipe.toml. An interrupted
    call goes on when it is made again.

    Raises:
        ExamplesError: an example is in two of the sets.
        LabelsError: the labelled set has no labels.
        Whatever `score`, `train`, `evaluate` and `export` raise.
    """
    place = Path(to)
    check_labelled(labelled)
    sets = _divided(examples, labelled, test)
    classes = examples.classes or (labelled or examples).classes
    able = ordered(as_teacher(teacher, classes), classes)
    check_kind(how.objective, learnt_kind(able.kind))
    recipe = _recipe(place.name, able, teacher, student, sets, (examples, labelled, test), how)
    _check_recipe(place / RECIPE, recipe)
    scores = score(
        able, sets.transfer, to=place / "scores", views=how.views, count=how.count, seed=how.seed
    )
    run = train(
        student,
        scores,
        how.objective,
        to=place / "student",
        plan=how.plan,
        seeds=how.seeds,
        labelled=sets.labelled,
    )
    report = evaluate(
        {"teacher": able, "student": run},
        sets.test,
        reference="teacher",
        to=place / "report",
        require=how.require,
        name=place.name,
        comparison=Comparison(margin=how.margin),
    )
    exported = export(run, to=place / "student.onnx", check=sets.test, report=report)
    _manifest.write_file(place / RECIPE, recipe.encode())
    return Distilled(run, report, exported, place / RECIPE)


def _divided(examples: Examples, labelled: Examples | None, test: Examples | None) -> _Sets:
    split_of = ""
    if test is None and labelled is not None:
        split_of = "labelled"
        labelled, test = labelled.split(TEST_SHARE)
    elif test is None:
        split_of = "examples"
        examples, test = examples.split(TEST_SHARE)
    assert test is not None
    parts = {"the transfer set": examples, "the test set": test}
    check_disjoint(parts)
    if labelled is not None:
        check_disjoint({"the labelled set": labelled, "the test set": test})
    return _Sets(examples, labelled, test, split_of)


def _check_recipe(file: Path, recipe: str) -> None:
    if file.exists() and file.read_text() != recipe:
        raise OccupiedError(
            f"{file.parent} already holds another distillation; nothing was overwritten: "
            "choose another directory or remove this one"
        )


def _recipe(
    report_name: str,
    able: Teacher,
    teacher: object,
    student: Student,
    sets: _Sets,
    given: Sequence[Examples | None],
    how: Distillation,
) -> str:
    """The recipe as TOML; what cannot be opened again by name is said in a comment."""
    path: str | Sequence[str] = able.source
    if isinstance(teacher, Run):
        path = str(teacher.directory.resolve())
    sources = dict(zip(("examples", "labelled", "test"), given, strict=True))
    missing = [role for role, one in sources.items() if one is not None and not one.source]
    if not path:
        path = able.name
        missing.append("teacher")
    if how.objective.text.partition("(")[0] not in MAKERS:
        missing.append("objective")
    lines = [
        f"# {role} was an object in memory: name it here to run this again" for role in missing
    ]
    lines += [f"name = {_toml(report_name)}", ""]
    lines += ["[examples]"]
    for role, one in sources.items():
        if one is not None:
            name = f"all_{role}" if role == sets.split_of else role
            lines.append(f"{name} = {_toml(one.source)}")
    if sets.split_of:
        parts = {"of": f"all_{sets.split_of}", "rest": sets.split_of, "part": "test"}
        lines += _table("[split]", {**parts, "fraction": TEST_SHARE})
    scoring = {
        "to": "scores",
        "teacher": path,
        "examples": "examples",
        "views": how.views.text,
        "count": how.count,
        "seed": how.seed,
    }
    mean = {} if isinstance(path, str) else {"mean": able.mean}
    training: dict[str, object] = {
        "to": "student",
        "student": student.text,
        "on": "scores",
        "objective": how.objective.text,
        "seeds": how.seeds,
    }
    if sets.labelled is not None:
        training["labelled"] = "labelled"
    defaults = {field.name: field.default for field in fields(Plan)}
    training |= {k: v for k, v in asdict(how.plan).items() if v != defaults[k]} | {
        "epochs": how.plan.epochs
    }
    comparing = {
        "models": {"teacher": path, "student": "student"},
        "examples": "test",
        "reference": "teacher",
        "margin": how.margin,
        "require": list(how.require),
    }
    lines += _table("[score]", scoring | mean) + _table("[[train]]", training)
    lines += _table("[evaluate]", comparing | mean)
    lines += _table("[export]", {"run": "student", "to": "student.onnx", "check": "test"})
    return "\n".join(lines) + "\n"


def _table(head: str, values: Mapping[str, object]) -> list[str]:
    return ["", head, *[f"{key} = {_toml(value)}" for key, value in values.items()]]


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }"
    # JSON's texts, numbers, lists and booleans are TOML's too.
    return json.dumps(value, ensure_ascii=False)
