"""View: another way of seeing examples, and a view of your own taken for one.

A view is a pure function from (examples, keys, view number, seed) to a batch: the same arguments
give the same bits, in whatever company, so a stored score can be replayed with exactly the input
that earned it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from limbeck.errors import ExamplesError, InputError
from limbeck.examples._batch import Batch
from limbeck.examples._examples import Examples
from limbeck.examples._lazy import Array


class View(ABC):
    """Another way of seeing examples, described by a frozen dataclass."""

    needs_all_examples = False  # whether what one example looks like depends on the others

    def __call__(self, examples: Examples, keys: Array, number: int | Array, seed: int) -> Batch:
        """The examples of those keys as view `number` shows them.

        `number` is one view for all, or one for each key `(batch,)`. The same arguments give the
        same bits, in whatever company.

        Raises:
            ExamplesError: a key is unknown, or the inputs are not of the shape this view takes.
        """
        rows = examples.find(np.asarray(keys))
        if (rows < 0).any():
            key = np.asarray(keys)[rows < 0][0]
            raise ExamplesError(f"there is no example {str(key)!r} in {examples.name}")
        return self.show(examples, rows, np.broadcast_to(np.asarray(number), rows.shape), seed)

    @abstractmethod
    def show(self, examples: Examples, rows: Array, numbers: Array, seed: int) -> Batch:
        """The same by row `(batch,)` and view number `(batch,)`: the fast path."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The call that makes this view again."""


@runtime_checkable
class Shows(Protocol):
    """What an object that is no `View` has to have, to be taken for one."""

    @property
    def text(self) -> str:
        """The call that makes it again."""

    def show(self, examples: Examples, rows: Array, numbers: Array, seed: int) -> Batch:
        """As `View.show`."""


Show = Callable[[Examples, Array, Array, int], Batch]


@dataclass(frozen=True)
class OwnView(View):
    """A view of your own, asked once what it says of itself.

    Attributes:
        wrapped: the object that shows, or the function that is its `show`. Whatever else it has is
            an attribute of this too.
    """

    wrapped: Any
    text: str = ""
    needs_all_examples: bool = False

    @classmethod
    def of(cls, given: Any, text: str) -> "OwnView":
        """The wrapped object under that text."""
        return cls(given, text, bool(getattr(given, "needs_all_examples", False)))

    def __getattr__(self, name: str) -> Any:
        # Of a copy or a pickle that is being made, `wrapped` is not there yet.
        if name.startswith("__") or name == "wrapped":
            raise AttributeError(name)
        return getattr(self.wrapped, name)

    def show(self, examples: Examples, rows: Array, numbers: Array, seed: int) -> Batch:
        """What the object shows."""
        own = self.wrapped
        shown: Batch = (own.show if hasattr(own, "show") else own)(examples, rows, numbers, seed)
        return shown


def as_view(given: View | Shows | Show) -> View:
    """The view; one of your own that is no `View` is wrapped, and is asked no more from then on.

    It is an object with a `show` and a `text`, or a function with a `text` that is called as
    `View.show` is. It may say that it `needs_all_examples`.

    Raises:
        InputError: it is neither.
    """
    if isinstance(given, View):
        return given
    own: Any = given
    if not shows(own) or not hasattr(own, "text"):
        raise InputError(
            f"a view says its text and shows examples; this {type(own).__name__} does not"
        )
    return OwnView.of(own, own.text)


def shows(own: object) -> bool:
    return hasattr(own, "show") or callable(own)
