"""The command that holds methods side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from limbeck.objectives import Objective

from limbeck.cli._options import (
    Epochs,
    ExamplesText,
    Json,
    PlanText,
    StudentText,
    To,
    Trust,
    training_plan,
)
from limbeck.cli._output import say, tell
from limbeck.errors import InputError


def compare(
    *,
    student: StudentText,
    scores: Annotated[Path, Parameter(help="A score set's directory.")],
    method: Annotated[
        list[str],
        Parameter(
            help="NAME=OBJECTIVE, a candidate setting; those of one name are one method.",
            negative="",
        ),
    ],
    test: ExamplesText,
    to: To,
    baseline: Annotated[str, Parameter(help="The method that others are held against.")] = (
        "control"
    ),
    trials: Annotated[int, Parameter(help="How many settings each method may try.")] = 6,
    learning_rates: Annotated[
        tuple[float, float], Parameter(help="The lowest and the highest to try.", negative="")
    ] = (3e-4, 1e-2),
    held_out: Annotated[float, Parameter(help="The share that trials are judged on.")] = 0.1,
    examples: ExamplesText = "",
    labelled: ExamplesText = "",
    seeds: int = 5,
    epochs: Epochs = 0,
    plan: PlanText = "",
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Give each method the same seeds and tuning, and say which gains hold against a baseline."""
    import limbeck
    from limbeck import students
    from limbeck.recipes import load_scores
    from limbeck.selection import Budget

    opened = load_scores(scores, limbeck.read(examples) if examples else None)
    beside = limbeck.read(labelled) if labelled else None
    compared = limbeck.compare(
        students.from_text(student, trust=trust),
        limbeck.TransferSet.of(opened, beside),
        _methods(method, trust=trust),
        test=limbeck.read(test),
        to=to,
        plan=training_plan(plan, epochs),
        budget=Budget(trials, learning_rates, held_out),
        seeds=seeds,
        baseline=baseline,
        tell=tell,
    )
    return say(dict(compared.document), f"{compared}\n\nThe comparison lies in {to}", json)


def _methods(texts: list[str], *, trust: bool) -> dict[str, list["Objective"]]:
    from limbeck import objectives

    methods: dict[str, list[Objective]] = {}
    for text in texts:
        name, equals, call = text.partition("=")
        if not (equals and name.strip() and call.strip()) or "(" in name:
            raise InputError(
                f"--method takes NAME=OBJECTIVE, such as soft=SoftTargets(4), not {text!r}"
            )
        methods.setdefault(name.strip(), []).append(objectives.from_text(call, trust=trust))
    return methods
