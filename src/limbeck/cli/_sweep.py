"""The command that trains many students at once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from limbeck import Examples, Run

from limbeck.cli._options import Epochs, Json, PlanText, StudentText, To, Trust, training_plan
from limbeck.cli._output import name_and_value, say
from limbeck.cli._transfer import Transfer
from limbeck.errors import InputError

NAMED = "NAME=CALL, such as `t4=SoftTargets(temperature=4)`; one for each run."


def sweep(
    *,
    student: StudentText,
    to: To,
    objective: Annotated[list[str], Parameter(help=NAMED, negative="")],
    transfer: Transfer = Transfer(),  # noqa: B008  frozen, so one can be every call's default
    sizes: Annotated[
        list[int] | None,
        Parameter(
            help="Train on so many examples each, as long.", consume_multiple=True, negative=""
        ),
    ] = None,
    test: Annotated[str, Parameter(help="With --sizes: examples to measure each size on.")] = "",
    seeds: int = 3,
    epochs: Epochs = 0,
    plan: PlanText = "",
    control: bool = True,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Train a student for several objectives and seeds at once, with one control for all."""
    import limbeck
    from limbeck import objectives, students

    if test and not sizes:
        raise InputError("--test goes with --sizes")
    opened = limbeck.read(test) if test else None
    named = dict(name_and_value(text, "--objective NAME=CALL") for text in objective)
    runs = limbeck.sweep(
        students.from_text(student, trust=trust),
        transfer.opened(trust=trust),
        {name: objectives.from_text(text, trust=trust) for name, text in named.items()},
        to=to,
        plan=training_plan(plan, epochs),
        seeds=seeds,
        control=control,
        labelled=transfer.apart,
        sizes=sizes or (),
    )
    lines = [f"{run.directory}: {run.record.objective}" for run in runs.values()]
    notes = {note for run in runs.values() for note in run.notes}
    words = "\n".join([*lines, f"{seeds} seeds each of {student}", *sorted(notes)])
    if opened is not None:
        return _say_sizes(runs, opened, to, words, json)
    shown = {name: limbeck.show(run.directory) for name, run in runs.items()} if json else {}
    return say(shown, words, json)


def _say_sizes(runs: "dict[str, Run]", test: "Examples", to: Path, words: str, json: bool) -> int:
    """The table of sizes, which is left in the sweep's directory too."""
    from limbeck.selection import by_size

    table = by_size(runs, test)
    table.write(to)
    return say(
        dict(table.document), f"{words}\n\n{table}\n\nThe table lies in {to}: sizes.md", json
    )
