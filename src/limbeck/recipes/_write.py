"""The recipe that does a `distill()` again."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from limbeck.examples import Examples, Plain, Show, Shows, View, as_view
from limbeck.objectives import MAKERS, Objective, SoftTargets, as_objective
from limbeck.recipes._step import value_as_toml
from limbeck.recipes.steps import EvaluateTable, ExportTable, ScoreTable, SplitTable, TrainTable
from limbeck.students import Run, Student
from limbeck.teachers import Teacher
from limbeck.training import Plan

TEST_SHARE = 0.2
SOFT_TARGETS = SoftTargets()  # at the usual temperature, which is the class's own


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
        tolerance: how far the exported file's scores may be off, as `export` takes it.
        accept_teacher: whether a teacher that makes no sense beside the labels is distilled.
    """

    objective: Objective | Callable[..., Any] = SOFT_TARGETS
    views: View | Shows | Show = Plain()
    count: int = 1
    seed: int = 0
    plan: Plan = Plan()
    seeds: int = 3
    margin: float = 0.005
    require: tuple[str, ...] = ()
    accept_teacher: bool = False
    tolerance: float = 1e-3


@dataclass(frozen=True)
class Sets:
    """The three sets of a distillation, and whether the test set was split off here."""

    transfer: Examples
    labelled: Examples | None
    test: Examples
    split_of: str


def recipe_of(
    report_name: str,
    able: Teacher,
    teacher: object,
    student: Student,
    sets: Sets,
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
    objective, view = as_objective(how.objective), as_view(how.views)
    if objective.text.partition("(")[0] not in MAKERS:
        missing.append("objective")
    lines = [
        f"# {role} was an object in memory: name it here to run this again" for role in missing
    ]
    lines += [f"name = {value_as_toml(report_name)}", ""]
    lines += ["[examples]"]
    for role, one in sources.items():
        if one is not None:
            name = f"all_{role}" if role == sets.split_of else role
            lines.append(f"{name} = {value_as_toml(one.source)}")
    if sets.split_of:
        parts = {"of": f"all_{sets.split_of}", "rest": sets.split_of, "part": "test"}
        lines += SplitTable.to_toml({**parts, "fraction": TEST_SHARE})
    scoring: dict[str, object] = {
        "to": "scores",
        "teacher": path,
        "examples": "examples",
        "views": view.text,
        "count": how.count,
        "seed": how.seed,
    }
    scoring |= {"accept_teacher": True} if how.accept_teacher else {}
    mean = {} if isinstance(path, str) else {"mean": able.mean}
    training: dict[str, object] = {
        "to": "student",
        "student": student.text,
        "on": "scores",
        "objective": objective.text,
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
    exporting: dict[str, object] = {"run": "student", "to": "student.onnx", "check": "test"}
    exporting |= {"tolerance": how.tolerance} if how.tolerance != Distillation.tolerance else {}
    lines += ScoreTable.to_toml(scoring | mean) + TrainTable.to_toml(training)
    lines += EvaluateTable.to_toml(comparing | mean)
    lines += ExportTable.to_toml(exporting)
    return "\n".join(lines) + "\n"
