"""Rows of numbers from arrays, `.npy`, `.npz`, CSV and Parquet."""

import dataclasses
import zipfile
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from limbeck._calls import did_you_mean
from limbeck._optional import needs
from limbeck.errors import (
    CorruptError,
    ExamplesError,
    InputError,
    LabelsError,
    MismatchError,
    MissingError,
    OccupiedError,
)
from limbeck.examples import UNLABELLED, Array, Examples

LABEL, KEY, GROUP = "label", "key", "group"  # the columns looked for when nobody names one

# pandas' row numbers, which nobody meant as an input.
_PANDAS_INDEX = "__index_level_"


@dataclass(frozen=True)
class _Roles:
    label: str
    key: str
    group: str
    columns: tuple[str, ...] = ()
    is_labels_only: bool = False


@dataclass(frozen=True)
class _Rows:
    inputs: Array | None = None
    labels: Array | None = None
    keys: Array | None = None
    groups: Array | None = None
    columns: Mapping[str, Array] = field(default_factory=dict)
    classes: tuple[str, ...] = ()


def read(
    path: str | Path,
    *,
    label: str = LABEL,
    key: str = KEY,
    group: str = GROUP,
    columns: Sequence[str] = (),
    classes: Sequence[str] = (),
) -> Examples:
    """The rows of a `.npy`, `.npz`, `.csv` or `.parquet` file, in file order, without pickle.

    CSV and Parquet: the label, key and group are columns of those names, where there are such;
    `columns` are kept beside the inputs; every other column must be numeric and becomes an input,
    float32 `(n, features)`. A `.npz` holds `inputs` of any shape, optionally `labels`, `keys`,
    `groups` and `classes`, and every other array of n entries is kept as a column. A `.npy` holds
    inputs only. Labels are class positions or class names; an empty cell there is no label, and
    names become `classes`, sorted where no order is given. No other cell may be empty.

    Raises:
        InputError: the file has another ending.
        MissingError: there is no such file.
        CorruptError: it cannot be read as what its ending says.
        ExamplesError: a column is absent, empty in a row or not numeric, or the file has no rows.
        LabelsError: a label is outside the classes, or no whole number.
        NeedsPackageError: CSV and Parquet need pyarrow.
    """
    rows = _read(Path(path), _Roles(label, key, group, tuple(columns)))
    if rows.inputs is None:
        wanted = "array 'inputs'" if Path(path).suffix == ".npz" else "column left for the inputs"
        raise ExamplesError(f"{path} has no {wanted}")
    return Examples.of(
        rows.inputs,
        rows.labels,
        keys=rows.keys,
        classes=tuple(classes) or rows.classes,
        groups=rows.groups,
        columns=rows.columns,
        name=Path(path).name,
    )


def labels_from(
    examples: Examples, path: str | Path, *, label: str = LABEL, key: str = KEY
) -> Examples:
    """The same examples with the labels that a CSV, Parquet or `.npz` file gives to their keys.

    Examples that the file does not name keep the label they had, if any. Without class names on
    the examples, the file's labels make them. The result has no `source`: no one text opens it.

    Raises:
        MissingError: there is no such file.
        CorruptError: it cannot be read.
        ExamplesError: the file lacks the label or the key column, or names a key twice.
        LabelsError: a label is outside the classes.
        MismatchError: the file names a key that is not among the examples.
    """
    rows = _read(Path(path), _Roles(label, key, "", is_labels_only=True))
    if rows.labels is None or rows.keys is None:
        raise ExamplesError(f"{path} labels nothing: it needs columns {label!r} and {key!r}")
    # Examples of nothing but labels: their keys and classes are checked like any others.
    blank = np.zeros((len(rows.keys), 1), np.uint8)
    given = Examples.of(
        blank, rows.labels, keys=rows.keys, classes=examples.classes or rows.classes
    )
    at = examples.find(given.keys)
    if (at < 0).any():
        unknown = given.keys[at < 0]
        raise MismatchError(
            f"{path} labels {len(unknown)} keys that {examples.name} does not have, the first is "
            f"{str(unknown[0])!r}; its keys are like {str(examples.keys[0])!r}"
        )
    labels = examples.labels.copy()
    labels[at[given.is_labelled]] = given.labels[given.is_labelled]
    return dataclasses.replace(examples, labels=labels, classes=given.classes, source="")


def columns_of(path: str | Path) -> Any:
    """All columns of a CSV or Parquet file as they are, text and empty cells too: an Arrow table.

    Raises:
        MissingError, CorruptError, ExamplesError, NeedsPackageError: as in `read`.
        InputError: the file has another ending.
    """
    found = Path(path)
    if found.suffix.lower() not in (".csv", ".parquet"):
        raise InputError(f"{found} ends in {found.suffix!r}; tables are .csv and .parquet files")
    if not found.is_file():
        raise MissingError(f"there is no file {found}")
    return _open_table(found, _Roles("", "", ""))


def write(table: Any, to: str | Path) -> None:
    """Keeps an Arrow table as a CSV or Parquet file; one that is there is left as it is.

    Raises:
        OccupiedError: there is such a file.
        InputError: the file has another ending.
        NeedsPackageError: it needs pyarrow.
    """
    path = check_free(to)
    if path.suffix.lower() == ".csv":
        needs("pyarrow.csv").write_csv(table, path)
    else:
        needs("pyarrow.parquet").write_table(table, path)


def check_free(to: str | Path) -> Path:
    """The path, if `write` may make a table there.

    Raises:
        OccupiedError, InputError: it may not.
    """
    path = Path(to)
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise InputError(f"{path} ends in {path.suffix!r}; tables are .csv and .parquet files")
    if path.exists():
        raise OccupiedError(f"{path} is there already; choose another name or remove it")
    return path


def _read(path: Path, roles: _Roles) -> _Rows:
    if not path.is_file():
        raise MissingError(f"there is no file {path}")
    match path.suffix.lower():
        case ".npy":
            return _from_array(path, roles)
        case ".npz":
            return _from_arrays(path, roles)
        case ".csv" | ".parquet":
            return _from_table(path, roles)
        case other:
            raise InputError(
                f"{path} ends in {other!r}; rows are read from .npy, .npz, .csv and .parquet"
            )


def _column(named: str, default: str, known: Collection[str], path: Path) -> str:
    """The column of that name, or "" if it is absent and nobody asked for it."""
    if named in known:
        return named
    if named and named != default:
        raise ExamplesError(f"{path} has no column {named!r}; {did_you_mean(named, known)}")
    return ""


def _from_array(path: Path, roles: _Roles) -> _Rows:
    defaults = {roles.label: LABEL, roles.key: KEY, roles.group: GROUP}
    asked = [name for name, default in defaults.items() if name and name != default]
    for name in (*asked, *roles.columns):
        raise ExamplesError(f"{path} is one array of inputs; it has no {name!r}, a .npz could")
    return _Rows(inputs=_load(path))


def _from_arrays(path: Path, roles: _Roles) -> _Rows:
    arrays = _load_all(path)
    inputs, classes = arrays.pop("inputs", None), arrays.pop("classes", np.array([], dtype=str))
    for name in roles.columns:
        _column(name, "", arrays, path)
    found = {}
    for named, default in ((roles.label, LABEL), (roles.key, KEY), (roles.group, GROUP)):
        plural = f"{default}s"
        wanted = plural if named == default and plural in arrays else named
        found[default] = arrays.pop(_column(wanted, default, arrays, path), None)
    n = () if inputs is None else inputs.shape[:1]
    kept = {name: values for name, values in arrays.items() if n and values.shape[:1] == n}
    names = tuple(str(name) for name in classes)
    return _Rows(inputs, found[LABEL], found[KEY], found[GROUP], kept, names)


def _load(path: Path) -> Array:
    try:
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise _load_error(path, "the array", error) from error


def _load_all(path: Path) -> dict[str, Array]:
    if not zipfile.is_zipfile(path):
        raise CorruptError(
            f"{path} is not a whole .npz file: it was cut short or is something else"
        )
    name = ""
    arrays = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            for name in archive.files:
                arrays[name] = archive[name]
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise _load_error(path, f"the array {name!r}", error) from error
    return arrays


def _load_error(path: Path, what: str, error: Exception) -> CorruptError | ExamplesError:
    if str(error).startswith("Object arrays"):
        return ExamplesError(
            f"{what} of {path} holds Python objects, which only pickle could read, and that may "
            "run code; save numbers, or text as fixed-width strings"
        )
    return CorruptError(f"{what} of {path} cannot be read: {error}")


def _from_table(path: Path, roles: _Roles) -> _Rows:
    table = _open_table(path, roles)
    names = table.column_names
    label = _column(roles.label, LABEL, names, path)
    key = _column(roles.key, KEY, names, path)
    group = _column(roles.group, GROUP, names, path)
    for name in roles.columns:
        _column(name, "", names, path)
    taken = {label, key, group, *roles.columns}
    rest = [n for n in names if n not in taken and not n.startswith(_PANDAS_INDEX)]
    return _Rows(
        inputs=_matrix(table, rest, path) if rest and not roles.is_labels_only else None,
        labels=_labels(table[label], label, path) if label else None,
        keys=_texts(table[key], key, path) if key else None,
        groups=_texts(table[group], group, path) if group else None,
        columns={name: _values(table[name], name, path) for name in roles.columns},
    )


def _open_table(path: Path, roles: _Roles) -> Any:
    arrow, is_csv = needs("pyarrow"), path.suffix.lower() == ".csv"
    try:
        table = _parse_csv(path, roles) if is_csv else _parse_parquet(path)
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


def _parse_csv(path: Path, roles: _Roles) -> Any:
    csv = needs("pyarrow.csv")
    text = needs("pyarrow").string()
    # Keys are text, or "007" would become 7.
    kinds = {name: text for name in (roles.key, roles.group) if name}
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


def _matrix(table: Any, names: list[str], path: Path) -> Array:
    types = needs("pyarrow").types
    matrix = np.empty((len(table), len(names)), np.float32)
    for position, name in enumerate(names):
        kind = table[name].type
        is_number = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
        if not is_number and not types.is_null(kind):
            raise ExamplesError(
                f"column {name!r} of {path} holds {kind}, not numbers; name it in columns= to "
                "keep it beside the inputs, or encode it as numbers"
            )
        _check_full(table[name], name, path)
        with np.errstate(over="ignore"):  # beyond float32 is infinity, which Examples refuses
            matrix[:, position] = table[name].to_numpy()
    return matrix


def _check_full(column: Any, name: str, path: Path) -> None:
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy())[0])
        raise ExamplesError(
            f"column {name!r} of {path} is empty in row {row} (the first is 0), "
            f"{column.null_count} such cells in all: fill them or drop the rows"
        )


def _labels(column: Any, name: str, path: Path) -> Array | None:
    arrow = needs("pyarrow")
    if column.null_count == len(column):
        return None
    if _is_text(column.type):
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


def _texts(column: Any, name: str, path: Path) -> Array:
    _check_full(column, name, path)
    texts = np.array(column.cast(needs("pyarrow").string()).to_pylist(), dtype=str)
    if (texts == "").any():
        row = int(np.flatnonzero(texts == "")[0])
        raise ExamplesError(f"column {name!r} of {path} is empty in row {row} (the first is 0)")
    return texts


def _values(column: Any, name: str, path: Path) -> Array:
    _check_full(column, name, path)
    if _is_text(column.type):
        return np.array(column.to_pylist(), dtype=str)
    values = np.asarray(column.to_numpy())
    return values.astype(str) if values.dtype.kind == "O" else values


def _is_text(kind: Any) -> bool:
    types = needs("pyarrow").types
    return bool(types.is_string(kind) or types.is_large_string(kind))
