"""Columns of CSV and Parquet files: opened, checked, and read as inputs, labels or texts."""

import codecs
import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.errors import CorruptError, ExamplesError, TableWarning
from limbeck.examples import Array, check_narrowed
from limbeck.runtime import did_you_mean, needs

LABEL, KEY, GROUP = "label", "key", "group"  # the columns looked for when nobody names one

# pandas' row numbers, which nobody meant as an input.
PANDAS_INDEX = "__index_level_"

AS_UTF8 = "save the file as UTF-8"


def column_name(named: str, default: str, known: Collection[str], path: Path) -> str:
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
    with reading(path):
        table = parse_csv(path, as_text(texts)) if is_csv(path) else _parse_parquet(path)
        names = table.column_names
    check_columns(names, path)
    return plain(table)


def is_csv(path: Path) -> bool:
    """Whether the ending says CSV; it is Parquet otherwise."""
    return path.suffix.lower() == ".csv"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """A block in which Arrow reads from the file.

    Raises:
        CorruptError: it could not be read as what its ending says.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise CorruptError(
            f"the column names of {path} are not valid UTF-8 ({error}): {AS_UTF8}"
        ) from error
    except (ValueError, OSError) as error:
        advice = f": {AS_UTF8}" if "UTF8" in str(error) else ""
        reason = str(error).splitlines()[0]
        raise CorruptError(f"{path} cannot be read: {reason}{advice}") from error


def plain(table: Any) -> Any:
    """The table with values in place of dictionaries of them."""
    types = needs("pyarrow").types
    for position, one in enumerate(table.schema):
        if types.is_dictionary(one.type):
            values = table[one.name].cast(one.type.value_type)
            table = table.set_column(position, one.name, values)
    return table


def as_text(names: Sequence[str]) -> dict[str, Any]:
    """Arrow's type of text for each of the columns that are named."""
    text = needs("pyarrow").string()
    return {name: text for name in names if name}


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written: what stands between cells, in a fraction, and as bytes."""

    separator: str = ","
    decimal: str = "."
    encoding: str = "utf8"

    @classmethod
    def of(cls, path: Path) -> "Dialect":
        """As its first rows show: other than commas, points and UTF-8 only where these cannot be.

        Excel writes semicolons, and decimal commas with them, where commas are for fractions.
        """
        with path.open("rb") as file:
            start = file.read(_BEGINNING)
        encoding = "utf16" if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf8"
        head, *rows = start.decode(encoding, errors="replace").splitlines() or [""]
        if "," in head:
            return cls(encoding=encoding)
        separator = max(_SEPARATORS, key=head.count)
        if not head.count(separator):
            return cls(encoding=encoding)
        cells = [cell.strip() for row in rows[:_ROWS] for cell in row.split(separator)]
        has_commas = any(_DECIMAL_COMMA.fullmatch(cell) for cell in cells)
        return cls(separator, "," if has_commas else ".", encoding)

    def tell(self, path: Path) -> None:
        """Says so where a file is read otherwise than with commas, points and UTF-8.

        Warns:
            TableWarning: it is.
        """
        parts = [f"cells separated by {self.separator!r}"] * (self.separator != ",")
        parts += ["decimal commas"] * (self.decimal == ",")
        parts += ["UTF-16"] * (self.encoding == "utf16")
        if parts:
            warnings.warn(f"{path} is read with {', '.join(parts)}", TableWarning, stacklevel=6)


_SEPARATORS = (";", "\t", "|")
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+")
_BEGINNING, _ROWS = 2**16, 50


def csv_options(path: Path, kinds: Mapping[str, Any], block: int = 2**20, **which: Any) -> Any:
    """The keywords with which Arrow reads a CSV file in its dialect."""
    csv, dialect = needs("pyarrow.csv"), Dialect.of(path)
    return {
        "read_options": csv.ReadOptions(block_size=block, encoding=dialect.encoding),
        "parse_options": csv.ParseOptions(delimiter=dialect.separator),
        "convert_options": csv.ConvertOptions(
            column_types=kinds, decimal_point=dialect.decimal, **which
        ),
    }


def parse_csv(path: Path, kinds: Mapping[str, Any], **which: Any) -> Any:
    """The Arrow table of a CSV file; `which` are further options of conversion."""
    return needs("pyarrow.csv").read_csv(path, **csv_options(path, kinds, **which))


def _parse_parquet(path: Path) -> Any:
    return needs("pyarrow.parquet").ParquetFile(path).read()


def check_columns(names: list[str], path: Path) -> None:
    """Refuses columns that cannot be told apart by name.

    Raises:
        ExamplesError: a column has no name, two have one, or a CSV has no row of names.
    """
    if is_csv(path):
        _check_header(names, path)
    _check_names(names, path)


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
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ExamplesError(f"{path} has several columns {twice[0]!r}; give each its own name")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def matrix(table: Any, names: Sequence[str], path: Path, first: int = 0) -> Array:
    """Columns of numbers as inputs, float32 `(rows, columns)`; `first` is the number of row 0.

    Raises:
        ExamplesError: one is not numeric, has an empty cell or text that is not UTF-8.
    """
    types = needs("pyarrow").types
    rows = np.empty((len(table), len(names)), np.float32)
    columns = dict(zip(table.column_names, table.columns, strict=True))  # Arrow looks at all names
    for position, name in enumerate(names):
        column = columns[name]
        check_utf8(column, name, path, first)
        kind = column.type
        is_number = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
        if not is_number and not types.is_null(kind):
            raise ExamplesError(
                f"column {name!r} of {path} holds {kind}, not numbers{_first_text(column)}; "
                "name it in columns= to keep it beside the inputs, or encode it as numbers"
            )
        check_full(column, name, path, first)
        numbers = column.to_numpy()
        check_narrowed(numbers, f"column {name!r} of {path}")
        with np.errstate(over="ignore"):  # beyond float32 is infinity, which Examples refuses
            rows[:, position] = numbers
    return rows


def _first_text(column: Any) -> str:
    """Of a column of text, its first cell that is no number, and where most of them are, why."""
    cells = column.to_pylist() if is_text(column.type) else []
    rows = [row for row, cell in enumerate(cells) if cell is not None and not _is_number(cell)]
    if not rows:
        return ""
    few = len(rows) < len(cells) / 2
    advice = " (where that means a missing value, leave the cell empty and fill it)" if few else ""
    return f", first {cells[rows[0]]!r} in row {rows[0]} (the first is 0){advice}"


def check_utf8(column: Any, name: str, path: Path, first: int = 0) -> None:
    """Refuses text that is not UTF-8, which is read as a column of bytes.

    Raises:
        ExamplesError: there is some; the first one's row is named.
    """
    types = needs("pyarrow").types
    if not (types.is_binary(column.type) or types.is_large_binary(column.type)):
        return
    rows = (row for row, cell in enumerate(column.to_pylist()) if not _is_utf8(cell))
    row = next(rows, -1)
    if row >= 0:
        raise ExamplesError(
            f"column {name!r} of {path} is not valid UTF-8, first in row {first + row} (the first "
            "is 0): "
            f"{AS_UTF8}"
        )


def _is_utf8(cell: bytes | None) -> bool:
    try:
        (cell or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def check_full(column: Any, name: str, path: Path, first: int = 0) -> None:
    """Refuses empty cells.

    Raises:
        ExamplesError: there are some; the first one's row is named.
    """
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy())[0])
        extent = f" from there to row {first + len(column) - 1}" if first else " in all"
        raise ExamplesError(
            f"column {name!r} of {path} is empty in row {first + row} (the first is 0), "
            f"{column.null_count} such cells{extent}: fill them or drop the rows"
        )


def names_in(column: Any, name: str, path: Path) -> Array:
    """Cells as text, none of them empty.

    Raises:
        ExamplesError: a cell is empty, or not UTF-8.
    """
    check_utf8(column, name, path)
    check_full(column, name, path)
    words = np.array(column.cast(needs("pyarrow").string()).to_pylist(), dtype=str)
    if (words == "").any():
        row = int(np.flatnonzero(words == "")[0])
        raise ExamplesError(f"column {name!r} of {path} is empty in row {row} (the first is 0)")
    return words


def values(column: Any, name: str, path: Path) -> Array:
    """Cells as they are, numbers or text.

    Raises:
        ExamplesError: a cell is empty, or not UTF-8.
    """
    check_utf8(column, name, path)
    check_full(column, name, path)
    if is_text(column.type):
        return np.array(column.to_pylist(), dtype=str)
    numbers = np.asarray(column.to_numpy())
    return numbers.astype(str) if numbers.dtype.kind == "O" else numbers


def texts(column: Any, name: str, path: Path, first: int = 0) -> Array:
    """Cells as texts of whatever length, none of them empty; `first` is the number of row 0.

    Raises:
        ExamplesError: they hold no text, or one that is not UTF-8, or one is empty.
    """
    check_utf8(column, name, path, first)
    if not is_text(column.type):
        raise ExamplesError(f"column {name!r} of {path} holds {column.type}, not text")
    check_full(column, name, path, first)
    return np.array(column.to_pylist(), dtype=np.dtypes.StringDType())


def is_text(kind: Any) -> bool:
    """Whether an Arrow type is text."""
    types = needs("pyarrow").types
    return bool(types.is_string(kind) or types.is_large_string(kind))
