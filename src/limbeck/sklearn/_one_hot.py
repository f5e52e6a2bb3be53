"""What a student is given of a table's row: one-hot categories, and flags for missing values."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from limbeck.datasets import Columns
from limbeck.examples import Array


@dataclass(frozen=True, eq=False)
class OneHot:
    """Rows as numbers to the student's inputs `(rows, inputs)`, float64, and back.

    A continuous column is its value; where cells of it were missing, its mean stands for a missing
    one, and an input more is 1 there. A nominal column is an input for each category, and one
    more where cells were missing; a category never seen is 0 in all of them.

    Attributes:
        columns: what the columns are.
        fill: the mean of each continuous column, `(columns,)`.
        has_gaps: which columns had missing cells, `(columns,)` booleans.
    """

    columns: Columns
    fill: Array
    has_gaps: Array

    @classmethod
    def of(cls, columns: Columns, values: Array) -> "OneHot":
        """What becomes of rows like those, as numbers `(rows, columns)`."""
        gaps = np.isnan(values)
        n = np.maximum((~gaps).sum(axis=0), 1)
        fill = np.where(gaps, 0.0, values).sum(axis=0) / n
        return cls(columns, np.where(columns.is_nominal, 0.0, fill), np.asarray(gaps.any(axis=0)))

    @property
    def names(self) -> tuple[str, ...]:
        """What each input is: `size`, `size is missing`, `colour=red`."""
        names = []
        for number, name in enumerate(self.columns.names):
            categories = self.columns.categories[number].tolist()
            names += [f"{name}={one}" for one in categories] if self._is_nominal(number) else [name]
            names += [f"{name} is missing"] * int(self.has_gaps[number])
        return tuple(names)

    def _is_nominal(self, number: int) -> bool:
        return bool(self.columns.is_nominal[number])

    def _width(self, number: int) -> int:
        count = len(self.columns.categories[number]) if self._is_nominal(number) else 1
        return count + int(self.has_gaps[number])

    def _parts(self) -> Iterator[tuple[int, slice]]:
        """Each column, and where its inputs are."""
        begins = 0
        for number in range(len(self.columns.names)):
            yield number, slice(begins, begins + self._width(number))
            begins += self._width(number)

    def inputs(self, values: Array) -> Array:
        """The student's inputs of rows as numbers."""
        parts = []
        for number, place in self._parts():
            column, gaps = values[:, number], np.isnan(values[:, number])
            if self._is_nominal(number):
                count = len(self.columns.categories[number])
                codes = np.where(gaps, count, column).astype(np.int64)
                # What fits nowhere, a category never seen, is in the row of zeros at the end.
                table = np.eye(count + 2)[:, : place.stop - place.start]
                parts.append(table[np.where(codes < 0, count + 1, codes)])
            else:
                parts.append(np.where(gaps, self.fill[number], column)[:, None])
                parts += [gaps[:, None].astype(np.float64)] if self.has_gaps[number] else []
        return np.concatenate(parts, axis=1)

    def values(self, inputs: Array) -> Array:
        """The rows as numbers that have those inputs."""
        values = np.empty((len(inputs), len(self.columns.names)))
        for number, place in self._parts():
            part = inputs[:, place]
            gaps = part[:, -1] > 0 if self.has_gaps[number] else np.zeros(len(inputs), dtype=bool)
            own = part.argmax(axis=1) if self._is_nominal(number) else part[:, 0]
            values[:, number] = np.where(gaps, np.nan, own)
        return values
