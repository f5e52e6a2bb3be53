"""Teachers whose columns stand in another order than they answer in."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from limbeck.artifacts import fingerprint as name_by_content
from limbeck.errors import MismatchError
from limbeck.examples import Array, Examples, brief_names
from limbeck.students import Run
from limbeck.teachers._teacher import Teacher


def ordered(
    teacher: Teacher, classes: Sequence[str], *, of: str = "the examples", whose: str = ""
) -> Teacher:
    """The same teacher with its columns in the order of `classes`, found there by name.

    Another order is another fingerprint; with the order it has, and without any `classes`, it is
    the teacher itself. `of` and `whose` are what an error calls who names the classes, and the
    teacher.

    Raises:
        MismatchError: they are not the same names.
    """
    names = tuple(classes)
    if not names or names == teacher.classes or teacher.kind == "embeddings":
        return teacher  # the columns of an embedding have no names
    _check_same_names(teacher.classes, names, of, whose or f"the teacher {teacher.name}")
    return OrderedTeacher(
        name=teacher.name,
        classes=names,
        kind=teacher.kind,
        fingerprint=name_by_content([teacher.fingerprint, list(names)]),
        source=teacher.source,
        is_trusted=teacher.is_trusted,
        inner=teacher,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Wrapped(Teacher, ABC):
    """A teacher around another, who answers; all else that it is asked, the inner one is.

    Attributes:
        inner: who answers. Its `source` is that of both, and says nothing of what is around it.
    """

    inner: Teacher

    @abstractmethod
    def around(self, inner: Teacher) -> Teacher:
        """The same around another."""

    @property
    def own_order(self) -> tuple[str, ...]:
        """The inner one's."""
        return self.inner.own_order

    @property
    def features(self) -> tuple[str, ...]:
        """The inner one's."""
        return self.inner.features

    @property
    def answers_keys(self) -> bool:
        """As the inner one."""
        return self.inner.answers_keys

    def check_known(self, examples: Examples) -> None:
        """As the inner one."""
        self.inner.check_known(examples)

    @property
    def bytes(self) -> int:
        """As the inner one."""
        return self.inner.bytes

    def with_threads(self, threads: int) -> Teacher:
        """The same around the inner one opened for so many threads."""
        return self.around(self.inner.with_threads(threads))

    @property
    def runtime(self) -> str:
        """As the inner one."""
        return self.inner.runtime

    def uncached(self) -> Teacher:
        """The same around the inner one that looks nothing up."""
        return self.around(self.inner.uncached())

    @property
    def has_trees(self) -> bool:
        """As the inner one."""
        return self.inner.has_trees

    def with_trees(self, share: float) -> Teacher:
        """The same around the inner one with that share of its trees."""
        return self.around(self.inner.with_trees(share))

    @property
    def members(self) -> tuple[Teacher, ...]:
        """As the inner one."""
        return self.inner.members

    @property
    def mean(self) -> str:
        """As the inner one."""
        return self.inner.mean

    @property
    def net(self) -> tuple[Run, int] | tuple[()]:
        """As the inner one."""
        return self.inner.net

    def reopen(self) -> Teacher:
        """The same around the inner one opened anew."""
        return self.around(self.inner.reopen())

    @property
    def _is_text(self) -> bool:
        return False  # the text opens the inner one


@dataclass(frozen=True, eq=False, kw_only=True)
class OrderedTeacher(Wrapped):
    """A teacher with its columns in another order."""

    def around(self, inner: Teacher) -> Teacher:
        """Another in this order."""
        return ordered(inner, self.classes)

    def predict(self, inputs: Array) -> Any:
        """What the inner one says, in this order."""
        return self._picked(self.inner.predict(inputs))

    def predict_by_key(self, inputs: Array, keys: Array) -> Any:
        """What the inner one says of these keys, in this order."""
        return self._picked(self.inner.predict_by_key(inputs, keys))

    def _picked(self, answer: Any) -> Any:
        columns = [self.inner.classes.index(name) for name in self.classes]
        scores = answer if isinstance(answer, Tensor) else np.asarray(answer)
        # Of another shape it is no answer, which whoever asked finds out.
        is_whole = scores.ndim == 2 and scores.shape[1] == len(columns)
        return scores[:, columns] if is_whole else answer


def _check_same_names(own: tuple[str, ...], wanted: tuple[str, ...], of: str, whose: str) -> None:
    missing = [name for name in wanted if name not in set(own)]
    extra = [name for name in own if name not in set(wanted)]
    faults = [f"it lacks {brief_names(missing)}"] * bool(missing)
    faults += [f"only it has {brief_names(extra)}"] * bool(extra)
    if faults or len(own) != len(wanted):
        raise MismatchError(
            f"{of} names the classes {brief_names(wanted)}, {whose} names {brief_names(own)}: "
            f"{' and '.join(faults) or 'one of them twice'}; they must be the same names, in "
            "whatever order"
        )
