"""Inputs that are not held in memory as one array: rows are read, or made, when asked for."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

BLOCK_ROWS, BLOCK_BYTES = 4096, 2**26  # what work that goes over all rows holds at a time
LARGE = 2**30  # bytes; what is smaller is in memory: then no one can alter it under us


def is_large(size: float) -> bool:
    """Whether so many bytes stay on disk, mapped, rather than in memory."""
    return size >= LARGE


class Lazy(ABC):
    """Rows that an index brings into memory, `(examples, ...)` as an array of that shape has."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """The type of each number."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Of all rows, `(examples, ...)`."""

    @abstractmethod
    def subset(self, rows: Array) -> "Lazy":
        """Those rows in that order; nothing is read."""

    @abstractmethod
    def read(self, rows: Array) -> Array:
        """Those rows as an array of memory, `(rows, ...)`."""

    def sums(self) -> tuple[Array, Array]:
        """The sum of each channel's numbers over all rows, and of their squares, float64."""
        return sums(self)

    @property
    def ndim(self) -> int:
        """How many dimensions the shape has."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, which: Array | slice | int) -> Array:
        rows = np.arange(len(self))[which]
        return self.read(rows.reshape(-1)).reshape(*rows.shape, *self.shape[1:])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """All of them in memory, for what can work on nothing less."""
        return np.asarray(self[:], dtype)


Inputs = Array | Lazy


@dataclass(frozen=True, eq=False)
class Mapped(Lazy):
    """Rows of parts that lie one after the other: memory-mapped arrays, or any inputs.

    Attributes:
        parts: their rows have the first part's shape, and are brought into its type.
        rows: which of all their rows these are, in order.
    """

    parts: tuple[Inputs, ...]
    rows: Array

    @classmethod
    def of(cls, *parts: Inputs) -> "Mapped":
        """All rows of all parts."""
        return cls(parts, np.arange(sum(map(len, parts))))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of each number."""
        return self.parts[0].dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Of all rows."""
        return len(self.rows), *self.parts[0].shape[1:]

    def subset(self, rows: Array) -> "Mapped":
        """Those rows in that order; nothing is read."""
        return replace(self, rows=self.rows[rows])

    def read(self, rows: Array) -> Array:
        """Those rows as an array of memory."""
        at = self.rows[rows]
        ends = np.cumsum([len(part) for part in self.parts])
        owner = np.searchsorted(ends, at, side="right")
        inputs = np.empty((len(at), *self.shape[1:]), self.dtype)
        for number in np.unique(owner):
            part, ours = self.parts[number], owner == number
            inputs[ours] = part[at[ours] - (ends[number] - len(part))]
        return inputs


@dataclass(frozen=True, eq=False)
class Texts(Lazy):
    """Texts that lie one after the other in a file, as UTF-8.

    Attributes:
        content: all their bytes, uint8.
        starts: where each begins and, behind the last, where it ends, int64.
        rows: which of all the texts these are, in order.
    """

    content: Array
    starts: Array
    rows: Array

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of texts of whatever length."""
        return np.dtypes.StringDType()

    @property
    def shape(self) -> tuple[int, ...]:
        """How many texts there are."""
        return (len(self.rows),)

    def subset(self, rows: Array) -> "Texts":
        """Those texts in that order; nothing is read."""
        return replace(self, rows=self.rows[rows])

    def read(self, rows: Array) -> Array:
        """Those texts as an array of memory."""
        at = self.rows[rows]
        ends = zip(self.starts[at], self.starts[at + 1], strict=True)
        texts = [self.content[start:end].tobytes().decode() for start, end in ends]
        return np.array(texts, dtype=self.dtype)


def subset(inputs: Inputs, rows: Array) -> Inputs:
    """Those rows; of lazy ones nothing is read yet."""
    return inputs.subset(rows) if isinstance(inputs, Lazy) else inputs[rows]


def joined(parts: Sequence[Inputs]) -> Inputs:
    """The rows of all parts, of the first's type; nothing is read if one is lazy."""
    if any(isinstance(part, Lazy) for part in parts):
        return Mapped.of(*parts)
    return np.concatenate([np.asarray(part).astype(parts[0].dtype) for part in parts])


def blocks(inputs: Inputs) -> Iterator[Array]:
    """All rows in order, a bounded part of them at a time."""
    row_bytes = max(1, int(np.prod(inputs.shape[1:])) * inputs.dtype.itemsize)
    step = min(BLOCK_ROWS, max(1, BLOCK_BYTES // row_bytes))
    for start in range(0, len(inputs), step):
        yield inputs[start : start + step]


def sums(inputs: Inputs) -> tuple[Array, Array]:
    """The sum of each channel's numbers over all rows, and of their squares, float64 `(channels,)`.

    A channel is the first axis of a row; rows that are numbers have one.
    """
    # In float64 a part at a time: no second copy of a large set in a wide type.
    channels = inputs.shape[1] if inputs.ndim > 1 else 1
    total, squares = np.zeros(channels), np.zeros(channels)
    for block in blocks(inputs):
        part = block.astype(np.float64).reshape(len(block), channels, -1)
        total += part.sum(axis=(0, 2))
        squares += (part**2).sum(axis=(0, 2))
    return total, squares
