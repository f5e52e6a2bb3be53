"""Lists of whole numbers of unequal lengths, one for each example, in one block of numbers."""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from limbeck.examples import _lazy
from limbeck.examples._lazy import Array

NONE = -1  # fills up the rows of a batch


@dataclass(frozen=True, eq=False)
class Ragged:
    """The list of example i is `values[starts[i] : starts[i] + lengths[i]]`.

    Attributes:
        values: whole numbers from 0, int32; where they are many they lie on disk.
        starts: `(examples,)` int64.
        lengths: `(examples,)` int64.
    """

    values: Array
    starts: Array
    lengths: Array

    @classmethod
    def of(cls, values: Array, lengths: Array) -> "Ragged":
        """Lists of those lengths, one after the other in `values`."""
        wide = lengths.astype(np.int64)
        return cls(values.astype(np.int32, copy=False), np.cumsum(wide) - wide, wide)

    @classmethod
    def joined(cls, parts: Iterable["Ragged"]) -> "Ragged":
        """The lists of all parts, in order; each part has its lists one after the other."""
        lengths = []

        def values() -> Iterator[Array]:
            for part in parts:
                lengths.append(part.lengths)
                yield part.values

        return cls.of(_one_block(values()), np.concatenate(lengths))

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, rows: Array) -> "Ragged":
        """The lists of those rows, in that order; the numbers stay where they are."""
        return replace(self, starts=self.starts[rows], lengths=self.lengths[rows])

    def block(self, rows: Array) -> Array:
        """The lists of those rows as int32 `(rows, longest)`, -1 after the last number of each."""
        lengths = self.lengths[rows]
        filled = np.full((len(rows), max(1, int(lengths.max(initial=0)))), NONE, np.int32)
        before = np.cumsum(lengths) - lengths
        places = np.repeat(self.starts[rows] - before, lengths) + np.arange(lengths.sum())
        filled[np.arange(filled.shape[1]) < lengths[:, None]] = self.values[places]
        return filled


def _one_block(parts: Iterator[Array]) -> Array:
    """All numbers in one array: of memory, or of a file without a name where they are many."""
    rows, size = [], 0
    for part in parts:
        rows.append(part)
        size += part.nbytes
        if _lazy.is_large(size):
            return _on_disk(rows, parts)
    return np.concatenate(rows)


def _on_disk(*groups: Iterable[Array]) -> Array:
    with tempfile.TemporaryFile(prefix="limbeck-") as file:
        for parts in groups:
            file.writelines(part.astype(np.int32, copy=False).tobytes() for part in parts)
        file.flush()
        # The map keeps the file; it is gone with the last who holds the numbers.
        return np.memmap(file, np.int32, "r")
