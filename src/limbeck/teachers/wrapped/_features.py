"""Columns of a table are found by name, in whatever order a teacher learned them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from limbeck.errors import MismatchError
from limbeck.examples import Array, Examples, brief_names
from limbeck.teachers._ensemble import EnsembleTeacher
from limbeck.teachers._teacher import Teacher
from limbeck.teachers.wrapped._ordered import Wrapped, ordered


def fitted_to(teacher: Teacher, examples: Examples, *, whose: str = "") -> Teacher:
    """The same teacher for those examples: its classes in their order, its columns by name.

    Raises:
        MismatchError: other class names, or a column that the teacher learned from is not there.
    """
    able = ordered(teacher, examples.classes, of=examples.name, whose=whose)
    return by_name(able, examples, whose or f"the teacher {teacher.name}")


def by_name(teacher: Teacher, examples: Examples, whose: str) -> Teacher:
    """The same teacher, handed the columns that it learned from in its own order.

    Nothing is done where either has no names, as a teacher trained on arrays has none.

    Raises:
        MismatchError: a column that it learned from is not there; with both lists.
    """
    if isinstance(teacher, EnsembleTeacher):
        speakers = tuple(
            by_name(one, examples, f"the member {one.name}") for one in teacher.speakers
        )
        return replace(teacher, speakers=speakers)
    return with_features(teacher, examples.features, examples.name, whose)


def with_features(teacher: Teacher, there: Sequence[str], of: str, whose: str) -> Teacher:
    """The same teacher for rows with columns of those names."""
    own = teacher.features
    if not own or not there or own == tuple(there):
        return teacher
    # LightGBM writes an underscore where a name has a space.
    at = {name.replace(" ", "_"): place for place, name in enumerate(there)}
    at |= {name: place for place, name in enumerate(there)}
    if missing := [name for name in own if name not in at]:
        raise MismatchError(
            f"{whose} learned from the columns {brief_names(own)}, and {of} has "
            f"{brief_names(there)}: it lacks {brief_names(missing)}; give the columns those names"
        )
    picked = tuple(at[name] for name in own)
    if picked == tuple(range(len(there))):
        return teacher
    kept = {one.name: getattr(teacher, one.name) for one in fields(Teacher)}
    return FeaturesTeacher(**kept, inner=teacher, there=tuple(there), picked=picked)


@dataclass(frozen=True, eq=False, kw_only=True)
class FeaturesTeacher(Wrapped):
    """A teacher of columns in its own order, asked about rows that have them in another.

    Attributes:
        there: the names of the columns of the rows.
        picked: where the columns that it learned from are among those.
    """

    there: tuple[str, ...]
    picked: tuple[int, ...]

    def around(self, inner: Teacher) -> Teacher:
        """Another for the same rows."""
        return with_features(inner, self.there, "the table", f"the teacher {inner.name}")

    def predict(self, inputs: Array) -> Any:
        """What the inner one says of its columns."""
        return self.inner.predict(inputs[:, list(self.picked)])
