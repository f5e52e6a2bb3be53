"""The command that trains a student and its control."""

from limbeck.cli._options import (
    Epochs,
    Json,
    ObjectiveText,
    PlanText,
    StudentText,
    To,
    Trust,
    training_plan,
)
from limbeck.cli._output import say
from limbeck.cli._transfer import Transfer


def train(
    *,
    student: StudentText,
    to: To,
    transfer: Transfer = Transfer(),  # noqa: B008  frozen, so one can be every call's default
    objective: ObjectiveText = "",
    seeds: int = 1,
    epochs: Epochs = 0,
    plan: PlanText = "",
    control: bool = True,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Train a student on a score set or a live teacher, with its control; or a net on labels."""
    import limbeck
    from limbeck import objectives, students
    from limbeck.recipes import usual_objective

    run = limbeck.train(
        students.from_text(student, trust=trust),
        transfer.opened(trust=trust),
        objectives.from_text(
            objective or usual_objective(is_taught=transfer.is_taught), trust=trust
        ),
        to=to,
        plan=training_plan(plan, epochs),
        seeds=seeds,
        control=control,
        labelled=transfer.apart,
    )
    beside = "with its control" if run.control else "without a control"
    net = f"{run.student.text} of {run.parameters:,} parameters"
    words = f"{to}: {net}, {len(run.seeds)} seeds, {beside}; seed {run.shipped} ships"
    words = "\n- ".join([words, *run.notes, *(run.control.notes if run.control else ())])
    return say(limbeck.show(to) if json else {}, words, json)
