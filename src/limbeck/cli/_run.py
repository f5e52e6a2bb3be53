"""The command that does a whole recipe."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from limbeck.cli._options import Json, Trust
from limbeck.cli._output import say, say_report, tell


def run(
    recipe: Annotated[Path, Parameter(help="A TOML file.")],
    /,
    *,
    to: Annotated[Path | None, Parameter(help="Instead of runs/NAME.")] = None,
    smoke: Annotated[bool, Parameter(help="Shrink all of it to seconds.", negative="")] = False,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Do the steps of a recipe in order; what is whole and unchanged is skipped."""
    from limbeck.recipes import read_recipe, run_recipe

    plan = read_recipe(recipe)
    place = to or plan.place(smoke=smoke)
    report = run_recipe(plan, to=place, smoke=smoke, trust=trust, tell=tell)
    if report is None:
        return say({"recipe": str(recipe), "report": None}, f"{recipe}: done, no report", json)
    return say_report(report, place / "report", json)
