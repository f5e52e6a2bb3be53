"""distill(): score, train, evaluate and export in one call, and the recipe that does it again."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from limbeck import artifacts
from limbeck.deployment import Exported, export
from limbeck.errors import OccupiedError
from limbeck.evaluation import Comparison, Report, check_unseen, evaluate
from limbeck.examples import Examples, check_disjoint
from limbeck.objectives import check_kind
from limbeck.recipes._write import TEST_SHARE, Distillation, Sets, recipe_of
from limbeck.runtime import needs
from limbeck.scores import learnt_kind
from limbeck.scoring import score
from limbeck.students import Run, Student
from limbeck.teachers import Answer, Teacher, as_teacher, ordered
from limbeck.training import check_labelled, train

RECIPE = "recipe.toml"


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


_UNSEEN = "give a test set that the teacher has not seen: --test (test=)"


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
    for package in ("onnx", "onnxscript", "onnxruntime"):  # the export's, at the very end
        needs(package)
    if able.runs:
        check_unseen({"teacher": able.runs}, sets.test, advice=_UNSEEN)
    recipe = recipe_of(place.name, able, teacher, student, sets, (examples, labelled, test), how)
    _check_recipe(place / RECIPE, recipe)
    scores = score(
        able,
        sets.transfer,
        to=place / "scores",
        views=how.views,
        count=how.count,
        seed=how.seed,
        labelled=sets.labelled or sets.test,
        accept_teacher=how.accept_teacher,
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
    exported = export(
        run,
        to=place / "student.onnx",
        check=sets.test,
        tolerance=how.tolerance,
        report=report,
    )
    artifacts.write_file(place / RECIPE, recipe.encode())
    return Distilled(run, report, exported, place / RECIPE)


def _divided(examples: Examples, labelled: Examples | None, test: Examples | None) -> Sets:
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
    return Sets(examples, labelled, test, split_of)


def _check_recipe(file: Path, recipe: str) -> None:
    if file.exists() and file.read_text() != recipe:
        raise OccupiedError(
            f"{file.parent} already holds another distillation; nothing was overwritten: "
            "choose another directory or remove this one"
        )
