"""The command that corrects a run's biases."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from limbeck.cli._options import ExamplesText, Json, To, Trust
from limbeck.cli._output import say
from limbeck.errors import InputError


def correct(
    *,
    run: Annotated[Path, Parameter(help="The directory of the student's run.")],
    examples: ExamplesText,
    classes: Annotated[list[str], Parameter(help="A class to raise or lower.", negative="")],
    how: Annotated[
        str,
        Parameter(
            help="held-out (fewest errors on labelled examples), prior (no labels needed), or "
            "oracle (the paper's: on the test labels, which flatters)."
        ),
    ],
    to: To,
    prior: Annotated[
        list[str] | None,
        Parameter(help="CLASS=SHARE, for --how prior; else 1/classes each.", negative=""),
    ] = None,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Add a bias to the classes that a student's transfer set lacked, or had nearly alone."""
    import limbeck
    from limbeck.recipes import load_run

    corrected = limbeck.correct(
        load_run(run, trust=trust),
        limbeck.read(examples),
        classes=classes,
        how=how,
        to=to,
        prior=dict(_share(one) for one in prior or ()),
    )
    return say(limbeck.show(to) if json else {}, f"{to}: {corrected.notes[-1]}", json)


def _share(text: str) -> tuple[str, float]:
    name, _, share = text.rpartition("=")
    try:
        number = float(share)
    except ValueError:
        number = -1.0
    if not name or number < 0:
        raise InputError(f"--prior takes CLASS=SHARE, not {text!r}")
    return name, number
