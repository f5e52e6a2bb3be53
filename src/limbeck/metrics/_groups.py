"""Examples that belong together, and what stands for a group where groups are the sample.

Of each seed's mean m over n examples in G groups, group g stands for
`m + (sum of g - m * size of g) * G / n`. The mean of these over groups is m, and their variance
over G that of a ratio of two sums over a sample of clusters (Cochran 1977, Sampling Techniques,
chapter 9A). Where each example is a group of its own they are the examples' values.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.errors import MismatchError

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Groups:
    """Which group each example is in.

    Attributes:
        examples: how many there are.
        numbers: the group of each, from 0 without gaps, `(examples,)`; None where each is its own.
    """

    examples: int
    numbers: Array | None = None

    @classmethod
    def of(cls, names: Array | None, examples: int) -> "Groups":
        """The groups by whatever name; None where each example is its own.

        Raises:
            MismatchError: there are as many names as no examples.
        """
        if names is None:
            return cls(examples)
        if np.shape(names) != (examples,):
            raise MismatchError(f"there are {examples} examples, but groups {np.shape(names)}")
        distinct, numbers = np.unique(names, return_inverse=True)
        return cls(examples, numbers if len(distinct) < examples else None)

    def __len__(self) -> int:
        return self.examples if self.numbers is None else len(self._sizes)

    @cached_property
    def _sizes(self) -> Array:
        return np.bincount(self.numbers)  # type: ignore[arg-type]  # only where there are any

    @cached_property
    def _order(self) -> Array:
        return np.argsort(self.numbers, kind="stable")  # type: ignore[arg-type]  # the same

    def stand_ins(self, values: Array) -> Array:
        """What stands for each group, of values `(seeds, examples)`: `(seeds, groups)`."""
        if self.numbers is None:
            return values
        sums = np.stack([np.bincount(self.numbers, weights=seed) for seed in values])
        means = values.mean(axis=1, keepdims=True)
        each: Array = means + (sums - means * self._sizes) * (len(self) / self.examples)
        return each

    def rows(self, drawn: Array) -> Array:
        """The examples of those groups, group by group."""
        if self.numbers is None:
            return drawn
        sizes, starts = self._sizes[drawn], (np.cumsum(self._sizes) - self._sizes)[drawn]
        before = np.cumsum(sizes) - sizes
        rows: Array = self._order[np.repeat(starts - before, sizes) + np.arange(sizes.sum())]
        return rows

    def if_differing(self, values: Array) -> tuple[Array, "Groups"]:
        """The values and these groups; where no two values differ, a single example a group.

        Then nothing says that the examples of a group are not the same one over and over.
        """
        if self.numbers is None or (values != values[0, 0]).any():
            return values, self
        return values[:, : len(self)], Groups(len(self))

    def with_own(self, count: int) -> "Groups":
        """These, and so many further examples that are groups of their own."""
        if self.numbers is None:
            return Groups(self.examples + count)
        own = len(self) + np.arange(count)
        return Groups(self.examples + count, np.concatenate([self.numbers, own]))
