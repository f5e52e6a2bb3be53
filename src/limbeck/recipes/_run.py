"""Does the steps of a recipe in order; those that are whole and unchanged are skipped."""

from collections.abc import Callable, Iterator
from pathlib import Path

from limbeck import artifacts, objectives, teachers
from limbeck.evaluation import Report
from limbeck.examples import views
from limbeck.recipes._kitchen import Kitchen
from limbeck.recipes._parse import Recipe
from limbeck.runtime import Named


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
    # Code that is not trusted is refused before any work.
    for text in (text for step in recipe.steps for text in step.student_texts):
        if named := Named.parse(text):  # whose code is run when the net is built, much later
            named.check_trusted("student", trust=trust)
    for text in (text for step in recipe.steps for text in step.objective_texts):
        objectives.from_text(text, trust=trust)
    for text in _teachers(recipe):
        teachers.check_text(text, trust=trust)
    for text in (text for step in recipe.steps for text in step.view_texts):
        views.from_text(text, trust=trust)
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


def _teachers(recipe: Recipe) -> Iterator[str]:
    """The texts of all teachers and models that are not runs of the recipe's own."""
    own = {name for step in recipe.steps for name in step.makes}
    for step in recipe.steps:
        yield from (text for text in step.opens if text not in own)


def _is_whole(place: Path) -> bool:
    return artifacts.state(place) == "whole" if place.suffix == "" else place.exists()
