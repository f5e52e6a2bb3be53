"""The command that scores, trains, evaluates and exports in one go."""

from typing import Annotated

from cyclopts import Parameter

from limbeck.cli._options import (
    AcceptTeacher,
    Epochs,
    ExamplesText,
    Json,
    MeanText,
    ObjectiveText,
    PlanText,
    Require,
    StudentText,
    TeacherTexts,
    To,
    Tolerance,
    Trust,
    ViewsText,
    training_plan,
)
from limbeck.cli._output import say_report


def distill(
    *,
    teacher: TeacherTexts,
    examples: ExamplesText,
    student: StudentText,
    to: To,
    mean: MeanText = "",
    labelled: ExamplesText = "",
    test: ExamplesText = "",
    # As `usual_objective` has it: asking for it here would load torch for `--help`.
    objective: ObjectiveText = "SoftTargets(temperature=4)",
    views: ViewsText = "plain",
    count: int = 1,
    seed: Annotated[int, Parameter(help="What the views are drawn with.")] = 0,
    seeds: int = 3,
    epochs: Epochs = 0,
    plan: PlanText = "",
    margin: float = 0.005,
    require: Require = None,
    tolerance: Tolerance = 1e-3,
    accept_teacher: AcceptTeacher = False,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Score, train, evaluate and export in one go, and write down the recipe that does it again."""
    import limbeck
    from limbeck import objectives, students
    from limbeck.recipes import Distillation
    from limbeck.teachers import open_teachers

    unlabelled = limbeck.read(examples)
    known_classes = unlabelled if unlabelled.classes or not labelled else limbeck.read(labelled)
    how = Distillation(
        objective=objectives.from_text(objective, trust=trust),
        views=limbeck.views.from_text(views, trust=trust),
        count=count,
        seed=seed,
        plan=training_plan(plan, epochs),
        seeds=seeds,
        margin=margin,
        require=tuple(require or ()),
        tolerance=tolerance,
        accept_teacher=accept_teacher,
    )
    distilled = limbeck.distill(
        open_teachers(teacher, known_classes, mean=mean, trust=trust),
        unlabelled,
        students.from_text(student, trust=trust),
        to=to,
        labelled=limbeck.read(labelled) if labelled else None,
        test=limbeck.read(test) if test else None,
        how=how,
    )
    return say_report(distilled.report, to / "report", json)
