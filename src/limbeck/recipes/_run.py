"""Does the steps of a recipe in order; those that are whole and unchanged are skipped."""

from collections.abc import Callable
from pathlib import Path

from limbeck import artifacts
from limbeck.evaluation import Report
from limbeck.recipes._kitchen import Kitchen
from limbeck.recipes._parse import Recipe


def run_recipe(
    recipe: Recipe,
    *,
    to: str | Path = "",
    smoke: bool = False,
    trust: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Report | None:
    """Does every step of a recipe under `runs/NAME`, or `to`; whole and unchanged ones are skipped.

    `smoke` shrinks sets, epochs, seeds and views so that all of it takes seconds, in a directory
    of its own. Returns the last report.

    Raises:
        TrustError: the recipe names code, and `trust` is not given.
        Whatever the verbs raise.
    """
    place = Path(to) if to else recipe.place(smoke=smoke)
    own = {name for step in recipe.steps for name in step.makes}
    for step in recipe.steps:  # code that is not trusted is refused before any work
        step.check_trusted(own, trust=trust)
    learnt_from = frozenset(name for step in recipe.steps for name in step.learns_from)
    kitchen = Kitchen(recipe.name, recipe.sources, learnt_from, place, smoke, trust, tell)
    for step in recipe.steps:
        if step.is_kept:
            whole = all(_is_whole(place / name) for name in step.makes)
            tell(f"{step.verb} {place / step.place}{' (already whole)' if whole else ''}")
        # Also of what is whole: the verb itself sees whether it is of the same request, and
        # hands back what lies there.
        step.do(kitchen)
    return kitchen.report


def _is_whole(place: Path) -> bool:
    return artifacts.state(place) == "whole" if place.suffix == "" else place.exists()
