"""The command that trains many students at once."""

from typing import Annotated

from cyclopts import Parameter

from limbeck.cli._transfer import Transfer
from limbeck.cli._words import (
    Json,
    PlanText,
    StudentText,
    To,
    Trust,
    app,
    name_and_value,
    say,
    training_plan,
)

NAMED = "NAME=CALL, such as `t4=SoftTargets(temperature=4)`; one for each run."


@app.command
def sweep(
    *,
    student: StudentText,
    to: To,
    objective: Annotated[list[str], Parameter(help=NAMED, negative="")],
    transfer: Transfer = Transfer(),  # noqa: B008  frozen, so one can be every call's default
    seeds: int = 3,
    epochs: int = 30,
    plan: PlanText = "",
    control: bool = True,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Train a student for several objectives and seeds at once, with one control for all."""
    import limbeck
    from limbeck import objectives, students

    asked = dict(name_and_value(text, "--objective NAME=CALL") for text in objective)
    made = limbeck.sweep(
        students.read(student, trust=trust),
        transfer.opened(trust=trust),
        {name: objectives.read(text, trust=trust) for name, text in asked.items()},
        to=to,
        plan=training_plan(plan, epochs),
        seeds=seeds,
        control=control,
        labelled=transfer.apart,
    )
    lines = [f"{run.directory}: {run.manifest['objective']}" for run in made.values()]
    notes = {note for run in made.values() for note in run.notes}
    words = "\n".join([*lines, f"{seeds} seeds each of {student}", *sorted(notes)])
    shown = {name: limbeck.show(run.directory) for name, run in made.items()} if json else {}
    return say(shown, words, json)
