"""Frames with their neighbours as inputs, which are not copied until rows are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from limbeck.errors import InputError
from limbeck.examples import BLOCK_ROWS, Array, Lazy


@dataclass(frozen=True, eq=False)
class Windows(Lazy):
    """Each frame with so many before and after it, `(rows, numbers, frames)`.

    The numbers are the first axis of an input and time the last, so that the usual normalisation,
    one mean and deviation for each channel, is one for each number of a frame. Beyond the ends of
    an utterance its first and last frame are repeated.

    Attributes:
        frames: all frames of all utterances, `(all frames, numbers)`.
        ends: where each utterance ends in `frames`, `(utterances,)`.
        rows: which frames these rows stand at, in order.
        context: frames on either side.
    """

    frames: Array
    ends: Array
    rows: Array
    context: int = 7

    @classmethod
    def of(cls, frames: Array, counts: Sequence[int], context: int = 7) -> "Windows":
        """A row for every frame; the utterances follow each other and have so many frames each.

        Raises:
            InputError: the counts are not those of the frames, or the context is negative.
        """
        if context < 0:
            raise InputError(f"a context is 0 frames or more on either side, not {context}")
        if sum(counts) != len(frames) or min(counts, default=0) < 1:
            raise InputError(
                f"there are {len(frames)} frames, but {sum(counts)} in the {len(counts)} "
                "utterances, each of which has 1 or more"
            )
        return cls(frames, np.cumsum(counts), np.arange(len(frames)), context)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of each number."""
        return self.frames.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Of all rows."""
        return len(self.rows), self.frames.shape[1], 2 * self.context + 1

    def subset(self, rows: Array) -> "Windows":
        """Those rows in that order; nothing is copied."""
        return replace(self, rows=self.rows[rows])

    def read(self, rows: Array) -> Array:
        """Those rows as an array of memory."""
        # Turned, not copied: numpy takes four times as long for that as for the rest.
        return self.frames.take(self._around(self.rows[rows]), axis=0).transpose(0, 2, 1)

    def sums(self) -> tuple[Array, Array]:
        """The sum of each number over all rows and frames, and of their squares, float64."""
        # Each frame counts as often as it is beside another: none is looked at fifteen times.
        times = np.zeros(len(self.frames), dtype=np.int64)
        for start in range(0, len(self), BLOCK_ROWS):
            around = self._around(self.rows[start : start + BLOCK_ROWS]).reshape(-1)
            times += np.bincount(around, minlength=len(times))
        total, squares = np.zeros(self.shape[1]), np.zeros(self.shape[1])
        for start in range(0, len(times), BLOCK_ROWS):
            part = self.frames[start : start + BLOCK_ROWS].astype(np.float64)
            total += times[start : start + BLOCK_ROWS] @ part
            squares += times[start : start + BLOCK_ROWS] @ part**2
        return total, squares

    def _around(self, at: Array) -> Array:
        """Which frames stand around each of these, `(frames, 2 * context + 1)`."""
        owner = np.searchsorted(self.ends, at, side="right")
        last = self.ends[owner] - 1
        first = np.concatenate([[0], self.ends])[owner]
        around = at[:, None] + np.arange(-self.context, self.context + 1)
        return np.clip(around, first[:, None], last[:, None])
