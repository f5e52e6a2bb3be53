"""Columns of CSV and Parquet files: opened, checked, and read as inputs, labels or texts."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from limbeck._calls import did_you_mean
from limbeck._optional import needs
from limbeck.errors import CorruptError, ExamplesError, LabelsError
from limbeck.examples import UNLABELLED, Array

LABEL, KEY, GROUP = "label", "key", "group"  # the columns looked for when nobody names one

# pandas' row numbers, which nobody meant as an input.
PANDAS_INDEX = "__index_level_"


def column(named: str, default: str, known: Collection[str], path: Path) -> str:
    """The column of that name, or "" if it is absent and nobody asked for it.

    Raises:
        ExamplesError: it is absent and was asked for.
    """
    if named in known:
        return named
    if named and named != default:
        raise ExamplesError(f"{path} has no column {named!r}; {did_you_mean(named, known)}")
    return ""


def open_table(path: Path, texts: Sequence[str] = ()) -> Any:
    """The Arrow table in a CSV or Parquet file; columns in `texts` are text whatever is there.

    Raises:
        CorruptError: it cannot be read as what its ending says.
        ExamplesError: a column has no name, or two have one.
        NeedsPackageError: it needs pyarrow.
    """
    arrow, is_csv = needs("pyarrow"), path.suffix.lower() == ".csv"
    try:
        table = _parse_csv(path, texts) if is_csv else _parse_parquet(path)
    except (ValueError, OSError) as error:
        raise CorruptError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
    if is_csv:
        _check_header(table.column_names, path)
    _check_names(table.column_names, path)
    for position, one in enumerate(table.schema):
        if arrow.types.is_dictionary(one.type):
            plain = table[one.name].cast(one.type.value_type)
            table = table.set_column(position, one.name, plain)
    return table


def _parse_csv(path: Path, texts: Sequence[str]) -> Any:
    csv = needs("pyarrow.csv")
    text = needs("pyarrow").string()
    kinds = {name: text for name in texts if name}
    return csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=kinds))


def _parse_parquet(path: Path) -> Any:
    return needs("pyarrow.parquet").ParquetFile(path).read()


def _check_header(names: list[str], path: Path) -> None:
    is_numbered = names == [str(position) for position in range(len(names))]
    if all(_is_number(name) for name in names) and not is_numbered:
        raise ExamplesError(
            f"{path} has no column names: it begins with {', '.join(names[:3])}, ...; "
            "put a row of names above it"
        )


def _check_names(names: list[str], path: Path) -> None:
    if "" in names:
        raise ExamplesError(
            f"column {names.index('')} (the first is 0) of {path} has no name; name it, or leave "
            "it out if it holds row numbers (index=False in pandas)"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ExamplesError(f"{path} has several columns {twice[0]!r}; give each its own name")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def matrix(table: Any, names: list[str], path: Path) -> Array:
    """Columns of numbers as inputs, float32 `(rows, columns)`.

    Raises:
        ExamplesError: one is not numeric, or has an empty cell.
    """
    types = needs("pyarrow").types
    found = np.empty((len(table), len(names)), np.float32)
    for position, name in enumerate(names):
        kind = table[name].type
        is_number = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
        if not is_number and not types.is_null(kind):
            raise ExamplesError(
                f"column {name!r} of {path} holds {kind}, not numbers; name it in columns= to "
                "keep it beside the inputs, or encode it as numbers"
            )
        check_full(table[name], name, path)
        with np.errstate(over="ignore"):  # beyond float32 is infinity, which Examples refuses
            found[:, position] = table[name].to_numpy()
    return found


def check_full(column: Any, name: str, path: Path) -> None:
    """Refuses empty cells.

    Raises:
        ExamplesError: there are some; the first one's row is named.
    """
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy())[0])
        raise ExamplesError(
            f"column {name!r} of {path} is empty in row {row} (the first is 0), "
            f"{column.null_count} such cells in all: fill them or drop the rows"
        )


def labels(column: Any, name: str, path: Path) -> Array | None:
    """Class positions, -1 in an empty cell, or class names, ""; None where all cells are empty.

    Raises:
        LabelsError: they are neither whole numbers nor names.
    """
    arrow = needs("pyarrow")
    if column.null_count == len(column):
        return None
    if is_text(column.type):
        return np.array([cell or "" for cell in column.to_pylist()], dtype=str)
    try:
        if arrow.types.is_temporal(column.type):
            raise arrow.ArrowInvalid(f"{column.type} is a time")
        positions = column.cast(arrow.int64()).fill_null(UNLABELLED)
    except (ValueError, NotImplementedError) as error:
        raise LabelsError(
            f"column {name!r} of {path} holds no labels, which are whole numbers or names: {error}"
        ) from error
    return np.asarray(positions.to_numpy())


def names(column: Any, name: str, path: Path) -> Array:
    """Cells as text, none of them empty.

    Raises:
        ExamplesError: a cell is empty.
    """
    check_full(column, name, path)
    found = np.array(column.cast(needs("pyarrow").string()).to_pylist(), dtype=str)
    if (found == "").any():
        row = int(np.flatnonzero(found == "")[0])
        raise ExamplesError(f"column {name!r} of {path} is empty in row {row} (the first is 0)")
    return found


def values(column: Any, name: str, path: Path) -> Array:
    """Cells as they are, numbers or text.

    Raises:
        ExamplesError: a cell is empty.
    """
    check_full(column, name, path)
    if is_text(column.type):
        return np.array(column.to_pylist(), dtype=str)
    found = np.asarray(column.to_numpy())
    return found.astype(str) if found.dtype.kind == "O" else found


def is_text(kind: Any) -> bool:
    """Whether an Arrow type is text."""
    types = needs("pyarrow").types
    return bool(types.is_string(kind) or types.is_large_string(kind))
