"""Lists of whole numbers of unequal lengths, one for each example, in one block of memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from limbeck._lazy import Array

NONE = -1  # fills up the rows of a batch


@dataclass(frozen=True, eq=False)
class Ragged:
    """The list of example i is `values[starts[i]:starts[i + 1]]`.

    Attributes:
        values: whole numbers from 0, int32.
        starts: `(examples + 1,)` int64.
    """

    values: Array
    starts: Array

    @classmethod
    def of(cls, values: Array, lengths: Array) -> "Ragged":
        """Lists of those lengths, one after the other in `values`."""
        starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        return cls(values.astype(np.int32), starts)

    @classmethod
    def joined(cls, parts: Sequence["Ragged"]) -> "Ragged":
        """The lists of all parts, in order."""
        values = np.concatenate([part.values for part in parts])
        return cls.of(values, np.concatenate([np.diff(part.starts) for part in parts]))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, rows: Array) -> "Ragged":
        """The lists of those rows, in that order."""
        lengths = self.starts[rows + 1] - self.starts[rows]
        return Ragged.of(self.values[self._places(rows, lengths)], lengths)

    def block(self, rows: Array) -> Array:
        """The lists of those rows as int32 `(rows, longest)`, -1 after the last number of each."""
        lengths = self.starts[rows + 1] - self.starts[rows]
        filled = np.full((len(rows), max(1, int(lengths.max(initial=0)))), NONE, np.int32)
        places = self._places(rows, lengths)
        filled[np.arange(filled.shape[1]) < lengths[:, None]] = self.values[places]
        return filled

    def _places(self, rows: Array, lengths: Array) -> Array:
        """Where the rows' numbers lie among the values, one row after the other."""
        before = np.cumsum(lengths) - lengths
        return np.repeat(self.starts[rows] - before, lengths) + np.arange(lengths.sum())
