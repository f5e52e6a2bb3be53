"""Tables of continuous and nominal columns as plain numbers, and back again."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from limbeck.errors import ExamplesError, MismatchError, TableWarning
from limbeck.examples import Array
from limbeck.runtime import did_you_mean, needs

FEW_VALUES = 10  # whole numbers with no more different values than this may be codes


@dataclass(frozen=True, eq=False)
class Columns:
    """What the columns of a table are, and how its rows become numbers and rows again.

    As numbers, `(rows, columns)` float64, a continuous cell is its value, a nominal one the
    position of its value among the column's categories, and a missing one NaN.

    Attributes:
        names: of the columns; their positions as text where they have no names.
        categories: of a nominal column its values in order; of a continuous one nothing.
        is_nominal: `(columns,)` booleans.
        is_whole: whether a continuous column holds whole numbers alone, `(columns,)`.
        low, high: the range of each continuous column, `(columns,)`; 0 and 0 of a nominal one.
        missing: what stands in a nominal column for a missing value.
        form: an empty table of the kind that was read, which says what `table` gives back.
    """

    names: tuple[str, ...]
    categories: tuple[Array, ...]
    is_nominal: Array
    is_whole: Array
    low: Array
    high: Array
    missing: tuple[Any, ...]
    form: Any

    @classmethod
    def of(cls, table: Any, nominal: Sequence[str | int] = ()) -> "Columns":
        """What the columns of a table are: an array, or a table of pandas or Arrow.

        Cells may be missing, NaN or None.

        Text, categories and booleans are nominal by themselves, other columns where `nominal`
        names them or gives their position.

        Raises:
            ExamplesError: no rows, not two axes, infinity, an unknown nominal column, or no
                column that varies.

        Warns:
            TableWarning: a continuous column looks like codes.
        """
        names, cells = _cells_of(table)
        declared = _declared(nominal, names)
        is_nominal = np.array([_is_nominal(c) or n in declared for n, c in enumerate(cells)])
        categories = tuple(
            _categories(column) if own else np.empty(0)
            for column, own in zip(cells, is_nominal, strict=True)
        )
        missing = tuple(_missing_of(column) for column in cells)
        values = _numbers(cells, categories, is_nominal, names)
        columns = cls(
            names, categories, is_nominal, *_ranges(values, is_nominal), missing, _empty(table)
        )
        columns._check(values)
        return columns

    def _check(self, values: Array) -> None:
        wide = (self.high > self.low) | np.array([len(c) > 1 for c in self.categories])
        if not (wide | _is_partly_missing(values)).any():
            raise ExamplesError(
                f"all {len(self.names)} columns are constant: there is nothing to vary"
            )
        self._warn_of_codes(values, wide)

    def _warn_of_codes(self, values: Array, wide: Array) -> None:
        """Names the continuous columns of few whole numbers, in one warning."""
        alike = {}
        for number in np.flatnonzero(self.is_whole & wide & ~self.is_nominal):
            codes = np.unique(values[:, number][~np.isnan(values[:, number])])
            if 2 < len(codes) <= FEW_VALUES and len(values) >= FEW_VALUES * len(codes):
                alike[self.names[number]] = ", ".join(f"{value:g}" for value in codes)
        if alike:
            columns = "; ".join(f"{name!r} ({values})" for name, values in alike.items())
            warnings.warn(
                f"columns of few whole numbers are taken as continuous: {columns}. Name those that "
                "are codes in nominal=",
                TableWarning,
                stacklevel=5,
            )

    @cached_property
    def span(self) -> Array:
        """The width of each continuous column's range, 1 where that is 0, `(columns,)`."""
        return np.where(self.high > self.low, self.high - self.low, 1.0)

    def numbers(self, table: Any, what: str = "the table") -> Array:
        """The rows of a table of these columns, as numbers; -1 is a category never seen.

        Raises:
            MismatchError: it has other columns.
            ExamplesError: it has no rows, or a cell that is no number where numbers are.
        """
        names, cells = _cells_of(table)
        if len(names) != len(self.names):
            raise MismatchError(
                f"{what} has {len(names)} columns, not the {len(self.names)} there were before"
            )
        if names != self.names:
            changed = next(n for n, m in zip(names, self.names, strict=True) if n != m)
            raise MismatchError(
                f"{what} has other columns or another order of them: {changed!r} is not where it "
                f"was; they are to be {', '.join(self.names)}"
            )
        return _numbers(cells, self.categories, self.is_nominal, names)

    def table(self, values: Array) -> Any:
        """A table of the kind that was read, from rows as numbers `(rows, columns)`."""
        cells = [self._cells(values[:, n], n) for n in range(len(self.names))]
        if _is_frame(self.form) or _is_arrow(self.form):
            return _framed(cells, self.form)
        array = np.empty(values.shape, self.form.dtype)
        for number, column in enumerate(cells):
            array[:, number] = column
        return array

    def _cells(self, column: Array, number: int) -> Array:
        if not self.is_nominal[number]:
            return column
        categories = self.categories[number]
        gaps = np.isnan(column)
        chosen: Array = categories[np.where(gaps, 0, column).astype(np.int64)]
        if gaps.any():
            chosen = chosen.astype(object if chosen.dtype.kind not in "f" else chosen.dtype)
            chosen[gaps] = self.missing[number]
        return chosen

    def kept(self, values: Array) -> Array:
        """The rows with whole numbers where there were only such, inside each column's range."""
        rounded = np.where(self.is_whole, np.round(values), values)
        return np.where(self.is_nominal, values, np.clip(rounded, self.low, self.high))

    def unit(self, values: Array) -> Array:
        """The rows with continuous columns scaled to [0, 1]; nominal codes stay."""
        return np.where(self.is_nominal, values, (values - self.low) / self.span)


def is_missing(cells: Array) -> Array:
    """Which cells hold nothing: NaN or None, booleans of the same shape."""
    if cells.dtype.kind == "f":
        return np.isnan(cells)
    if cells.dtype.kind != "O":
        return np.zeros(cells.shape, dtype=bool)
    # Only what is missing differs from itself.
    flat = [cell is None or cell != cell for cell in cells.ravel()]
    return np.array(flat, dtype=bool).reshape(cells.shape)


def _is_frame(table: Any) -> bool:
    """Whether it is a data frame as pandas has it."""
    return hasattr(table, "columns") and hasattr(table, "dtypes")


def _is_arrow(table: Any) -> bool:
    return hasattr(table, "column_names") and hasattr(table, "schema")


def _empty(table: Any) -> Any:
    return table[:0] if _is_frame(table) or _is_arrow(table) else np.asarray(table)[:0]


def _framed(cells: list[Array], form: Any) -> Any:
    if _is_frame(form):
        frame = type(form)(dict(zip(form.columns, cells, strict=True)))
        return frame.astype(dict(form.dtypes))
    arrow = needs("pyarrow")
    columns = [
        arrow.array(column, mask=is_missing(column)).cast(field.type)
        for column, field in zip(cells, form.schema, strict=True)
    ]
    return arrow.Table.from_arrays(columns, schema=form.schema)


def _cells_of(table: Any) -> tuple[tuple[str, ...], list[Array]]:
    """The names and the cells of each column."""
    if _is_frame(table):
        names = tuple(str(name) for name in table.columns)
        cells = [_series(table[name]) for name in table.columns]
    elif _is_arrow(table):
        names = tuple(table.column_names)
        cells = [np.asarray(table[name].to_numpy()) for name in names]
    else:
        array = np.asarray(table)
        if array.ndim != 2:
            raise ExamplesError(f"a table has rows and columns; this has shape {array.shape}")
        names = tuple(str(number) for number in range(array.shape[1]))
        cells = list(array.T)
    if not cells or not len(cells[0]):
        raise ExamplesError("the table has no rows" if cells else "the table has no columns")
    return names, cells


def _series(column: Any) -> Array:
    cells = np.asarray(column.to_numpy())
    # Categories are nominal whatever they are made of.
    return cells.astype(object) if str(column.dtype) in ("category", "Categorical") else cells


def _declared(nominal: Sequence[str | int], names: tuple[str, ...]) -> set[int]:
    numbers = set()
    for one in nominal:
        number = names.index(one) if isinstance(one, str) and one in names else one
        if isinstance(number, str) or not 0 <= number < len(names):
            raise ExamplesError(
                f"there is no column {one!r} to be nominal; {did_you_mean(str(one), names)}"
            )
        numbers.add(int(number))
    return numbers


def _is_nominal(cells: Array) -> bool:
    if cells.dtype.kind == "O":
        present = cells[~is_missing(cells)]
        return any(isinstance(cell, str | bool | np.bool_) for cell in present)
    return cells.dtype.kind in "bUS"


def _categories(cells: Array) -> Array:
    present = cells[~is_missing(cells)]
    if cells.dtype.kind != "O":
        return np.unique(present)
    distinct = sorted(set(present.tolist()), key=lambda cell: (type(cell).__name__, cell))
    categories = np.empty(len(distinct), dtype=object)
    categories[:] = distinct
    return categories


def _missing_of(cells: Array) -> Any:
    gaps = is_missing(cells)
    return cells[gaps][0] if gaps.any() else np.nan


def _numbers(
    cells: list[Array], categories: tuple[Array, ...], is_nominal: Array, names: tuple[str, ...]
) -> Array:
    values = np.empty((len(cells[0]), len(cells)))
    for number, column in enumerate(cells):
        if is_nominal[number]:
            values[:, number] = _codes(column, categories[number])
        else:
            values[:, number] = _floats(column, names[number])
    return values


def _codes(cells: Array, categories: Array) -> Array:
    places = {cell: at for at, cell in enumerate(categories.tolist())}
    codes = np.array([places.get(cell, -1) for cell in cells.tolist()], dtype=np.float64)
    codes[is_missing(cells)] = np.nan
    return codes


def _floats(cells: Array, name: str) -> Array:
    try:
        values = np.where(is_missing(cells), np.nan, cells).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ExamplesError(f"column {name!r} is no column of numbers: {error}") from error
    if np.isinf(values).any():
        row = int(np.flatnonzero(np.isinf(values))[0])
        raise ExamplesError(f"column {name!r} holds infinity, first in row {row}")
    return values


def _ranges(values: Array, is_nominal: Array) -> tuple[Array, Array, Array]:
    """Whether each column is whole, and its lowest and highest value."""
    is_none = np.isnan(values).all(axis=0)
    low = np.where(np.isnan(values), np.inf, values).min(axis=0)
    high = np.where(np.isnan(values), -np.inf, values).max(axis=0)
    whole = (np.isnan(values) | (values == np.round(values))).all(axis=0)
    flat = is_nominal | is_none
    return whole & ~flat, np.where(flat, 0.0, low), np.where(flat, 0.0, high)


def _is_partly_missing(values: Array) -> Array:
    gaps = np.isnan(values)
    return np.asarray(gaps.any(axis=0) & ~gaps.all(axis=0))
