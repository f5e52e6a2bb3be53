"""The teachers that a table names: one, or an ensemble and how its mean is taken."""

from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from limbeck.errors import RecipeError
from limbeck.scores import check_mean


def _check_texts(given: object) -> object:
    """Says of a name or a list of names in one sentence what it is not."""
    texts = given if isinstance(given, list) else [given]
    if not all(isinstance(text, str) for text in texts):
        raise PydanticCustomError("names", "a name or a list of names")
    return given


# The name of a teacher, or the names of an ensemble's members.
Teachers = Annotated[str | list[str], BeforeValidator(_check_texts)]


def names_of(teachers: Teachers) -> tuple[str, ...]:
    """Each teacher's name."""
    return (teachers,) if isinstance(teachers, str) else tuple(teachers)


def check_ensembles(named: list[Teachers], mean: str) -> None:
    """Whether the mean is one, and there is something to take it of."""
    ensembles = [names for names in named if not isinstance(names, str)]
    if not all(ensembles):
        raise RecipeError("an ensemble has one member or more; got none")
    if check_mean(mean) != "geometric" and not ensembles:
        raise RecipeError(f"mean = {mean!r} goes with a list of teachers, and there is none")
