"""TOML <-> the calls above; the one place where a name becomes an object."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from pydantic import ValidationError

from limbeck import artifacts
from limbeck.errors import LimbeckError, RecipeError
from limbeck.recipes._step import Step
from limbeck.recipes.steps import TABLES
from limbeck.runtime import at_the_door, check_file, did_you_mean

MOST_BYTES = 2**20  # of a recipe
INSIDE = "a name of letters, with / for folders below it, no .. and no root"


@dataclass(frozen=True)
class Recipe:
    """A recipe that was read and found to be without fault.

    Attributes:
        name: its own `name`, else the file's; the report's and the directory's under `runs/`.
        sources: what each set of examples is opened from.
        steps: the verbs in the order in which their inputs come to be.
    """

    name: str
    sources: Mapping[str, str]
    steps: tuple[Step, ...] = field(default_factory=tuple)

    def place(self, *, smoke: bool) -> Path:
        """Where its outputs go unless somebody says otherwise."""
        return Path("runs") / (f"{self.name}-smoke" if smoke else self.name)


@at_the_door("the recipe")
def read_recipe(file: str | Path) -> Recipe:
    """The recipe in a TOML file; one of 0.1 is read with today's names.

    Raises:
        MissingError: no such file.
        RecipeError: all faults of the recipe, a line each.
    """
    path = Path(file)
    check_file(path, "recipe", MOST_BYTES)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not TOML: {error}") from error
    return parse(artifacts.respelt(tables), path.stem)


def parse(tables: Mapping[str, Any], name: str) -> Recipe:
    """The recipe in TOML's own values.

    Raises:
        RecipeError: all faults of the recipe, a line each.
    """
    faults = [
        f"there is no table [{table}]; {did_you_mean(table, ['examples', *TABLES])}"
        for table in tables
        if table not in ("name", "examples", *TABLES)
    ]
    name = tables.get("name", name)
    if not isinstance(name, str):
        faults.append(f"name should be a text, not {name!r}")
    elif "name" in tables and not _stays_inside(name):
        faults.append(f"name {name!r} would lie outside runs/: {INSIDE}")
    sources = tables.get("examples", {})
    if not isinstance(sources, dict) or not all(isinstance(s, str) for s in sources.values()):
        faults.append("[examples] gives each set a name and a text to open it from")
        sources = {}
    steps = []
    for kind in TABLES.values():
        for values in _as_list(tables.get(kind.verb, [])):
            step, faults_of_it = _step(kind, values)
            faults += faults_of_it
            steps += [step] if step else []
    if not any(table in tables for table in TABLES):
        faults.append(f"it has no step; a step is a table such as {', '.join(map(_head, TABLES))}")
    faults += _unknown_names(sources, steps) + _names_taken_twice(sources, steps)
    faults += _places_outside(steps)
    if faults:
        count = f"{len(faults)} faults" if len(faults) > 1 else "a fault"
        raise RecipeError(f"the recipe {name} has {count}:\n" + "\n".join(f"  {f}" for f in faults))
    return Recipe(name, sources, tuple(_in_order(steps)))


def _as_list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _step(kind: type[Step], values: Any) -> tuple[Step | None, list[str]]:
    try:
        step = kind.model_validate(values)
    except ValidationError as error:
        return None, [_fault(kind, values, dict(one)) for one in error.errors()]
    faults = [f"[{kind.verb}] {sentence}" for sentence in _texts(step)]
    return (None if faults else step), faults


def _fault(kind: type[Step], values: Any, error: dict[str, Any]) -> str:
    verb = kind.verb
    key = ".".join(str(part) for part in error["loc"])
    which = (
        f" (in the table for {values['to']!r})"
        if isinstance(values, dict) and "to" in values
        else ""
    )
    if error["type"] == "extra_forbidden":
        return f"[{verb}] has no key {key!r}; {did_you_mean(key, kind.model_fields)}{which}"
    if error["type"] == "missing":
        return f"[{verb}] needs a key {key!r}{which}"
    message = error["msg"].removeprefix("Input should be ")
    return f"[{verb}] {key} should be {message}, not {error['input']!r}{which}"


def _texts(step: Step) -> Iterator[str]:
    """What is wrong with the calls and numbers in a table, before anything is run."""
    for check in step.checks():
        try:
            check()
        except LimbeckError as error:
            yield f"{error} (in the table for {step.place!r})"


def _unknown_names(sources: Mapping[str, str], steps: list[Step]) -> list[str]:
    names = set(sources).union(*(step.makes for step in steps))
    # A directory of several runs holds those that its step makes, and none from elsewhere.
    folders = {step.place for step in steps if step.place not in step.makes}
    return [
        f"[{step.verb}] names {name!r}, which the recipe does not make; {did_you_mean(name, names)}"
        for step in steps
        for name in step.needs
        # A teacher or model may lie elsewhere, or be code; anything else is of this recipe.
        if name not in names
        and not (_may_lie_elsewhere(name) and name.split("/")[0] not in folders)
    ]


def _head(table: str) -> str:
    return f"[{table}]"


def _places_outside(steps: list[Step]) -> list[str]:
    """What a recipe would write outside its place: somebody else's recipe may not."""
    return [
        f"[{step.verb}] would write {name!r} outside the recipe's place: {INSIDE}"
        for step in steps
        for name in step.makes
        if step.is_kept and not _stays_inside(name)
    ]


def _stays_inside(name: str) -> bool:
    """Whether a path from a place lies in it, on any system, and is more than the place itself."""
    path, other = PurePosixPath(name), PureWindowsPath(name)
    is_named = bool(path.parts) and ".." not in (*path.parts, *other.parts)
    return is_named and not path.is_absolute() and not other.anchor and name.isprintable()


def _may_lie_elsewhere(name: str) -> bool:
    return any(mark in name for mark in ":/(") or Path(name).exists()


def _names_taken_twice(sources: Mapping[str, str], steps: list[Step]) -> list[str]:
    names = [*sources, *(name for step in steps for name in step.makes)]
    twice = sorted({name for name in names if names.count(name) > 1})
    return [f"two tables make {name!r}: give each its own name (`to`)" for name in twice]


def _in_order(steps: list[Step]) -> Iterator[Step]:
    waiting = list(steps)
    while waiting:
        made_later = {name for step in waiting for name in step.makes}
        ready = next((step for step in waiting if not made_later & set(step.needs)), None)
        if ready is None:
            circle = ", ".join(step.makes[0] for step in waiting)
            raise RecipeError(f"the steps {circle} of the recipe wait for each other")
        waiting.remove(ready)
        yield ready
