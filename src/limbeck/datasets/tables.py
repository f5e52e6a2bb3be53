"""Rows of numbers from arrays, `.npy`, `.npz`, CSV and Parquet."""

import dataclasses
import re
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.datasets import _arrow, _label_columns, _table_file
from limbeck.datasets._arrow import GROUP, KEY, LABEL, PANDAS_INDEX, column_name, open_table
from limbeck.datasets._decoded import check_header, load_array, load_error
from limbeck.errors import (
    CorruptError,
    ExamplesError,
    InputError,
    LimbeckError,
    MismatchError,
    MissingError,
    OccupiedError,
    TableWarning,
)
from limbeck.examples import Array, Examples, Inputs, alike_labels
from limbeck.runtime import needs

MOST_UNPACKED = 2**33  # bytes of all arrays of an archive, which are read into memory


@dataclass(frozen=True)
class _Roles:
    label: str | tuple[str, ...]
    key: str
    group: str
    columns: tuple[str, ...] = ()
    is_labels_only: bool = False
    kind: str = ""
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Rows:
    inputs: Inputs | None = None
    labels: Array | None = None
    keys: Array | None = None
    groups: Array | None = None
    columns: Mapping[str, Array] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    kind: str = ""


def read_table(
    path: str | Path,
    *,
    label: str | Sequence[str] = LABEL,
    key: str = KEY,
    group: str = GROUP,
    columns: Sequence[str] = (),
    classes: Sequence[str] = (),
    kind: str = "",
) -> Examples:
    """The rows of a `.npy`, `.npz`, `.csv` or `.parquet` file, in file order, without pickle.

    CSV and Parquet: the label, key and group are columns of those names, where there are such;
    `columns` are kept beside the inputs; every other column must be numeric and becomes an input,
    float32 `(n, features)`, whose names the examples keep. A `.npz` holds `inputs` of any shape,
    optionally `labels`, `keys`, `groups` and `classes`, and every other array of n entries is kept
    as a column. A `.npy` holds inputs only. An empty cell is no label; no other cell may be empty.

    Labels in a table: text is class names, which become `classes`, sorted where no order is given.
    Whole numbers are class positions, 1.0 like 1, because a column of them turns into floats once
    a cell is empty; but where all are among `classes`, or none is 0 (1 to 5 stars, 10, 20 and 35,
    -1 and 1), they are names, of a CSV as it has them ("001"). A -1 beside positions is no label.
    Numbers of which one has a fraction are values to be predicted, all of them.
    Several columns, `label=["red", "round"]`, are a 0 or 1 each, or with a fraction anywhere
    values, and name the classes. `kind` says it where the numbers do not, in the words of
    `Examples.labels_kind`: "values" for values that happen to be whole, "independent-logits" for
    one column of 0 and 1 that is a class of its own, "logits" for class positions and nothing
    else. In a `.npz` the arrays' types say it, as in `Examples.of`: floats are values.

    Raises:
        InputError: the file has another ending, no such kind, or a kind or several labels of a
            `.npy` or `.npz` file.
        MissingError: there is no such file.
        CorruptError: it cannot be read as what its ending says.
        ExamplesError: a column is absent, empty in a row or not numeric, or the file has no rows.
        LabelsError: a label is outside the classes, or not of its kind.
        NeedsPackageError: CSV and Parquet need pyarrow.

    Warns:
        TableWarning: whole numbers make many classes of which most have no example, or -1 is taken
            as no label.
    """
    wanted_label = label if isinstance(label, str) else tuple(label)
    roles = _Roles(wanted_label, key, group, tuple(columns), kind=kind, classes=tuple(classes))
    rows = _read(Path(path), roles)
    if rows.inputs is None:
        lacks = "array 'inputs'" if Path(path).suffix == ".npz" else "column left for the inputs"
        raise ExamplesError(f"{path} has no {lacks}")
    return Examples.of(
        rows.inputs,
        rows.labels,
        keys=rows.keys,
        classes=tuple(classes) or rows.classes,
        groups=rows.groups,
        columns=rows.columns,
        name=Path(path).name,
        features=rows.features,
        kind=rows.kind,
    )


def labels_from(
    examples: Examples,
    path: str | Path,
    *,
    label: str | Sequence[str] = LABEL,
    key: str = KEY,
    kind: str = "",
) -> Examples:
    """The same examples with the labels that a CSV, Parquet or `.npz` file gives to their keys.

    Examples that the file does not name keep the label they had, if any. Without class names on
    the examples, the file's labels make them. `label` and `kind` are as in `read`. The result has
    no `source`: no one text opens it.

    Raises:
        MissingError: there is no such file.
        CorruptError: it cannot be read.
        ExamplesError: the file lacks the label or the key column, or names a key twice.
        LabelsError: a label is outside the classes, or not of its kind.
        MismatchError: the file names a key that is not among the examples, or its labels and
            those that the examples have are of two forms.
    """
    names = label if isinstance(label, str) else tuple(label)
    roles = _Roles(names, key, "", is_labels_only=True, kind=kind, classes=examples.classes)
    rows = _read(Path(path), roles)
    if rows.labels is None or rows.keys is None:
        raise ExamplesError(f"{path} labels nothing: it needs columns {label!r} and {key!r}")
    # Examples of nothing but labels: their keys and classes are checked like any others.
    blank = np.zeros((len(rows.keys), 1), np.uint8)
    labelled = Examples.of(
        blank,
        rows.labels,
        keys=rows.keys,
        classes=examples.classes or rows.classes,
        kind=rows.kind,
    )
    at = examples.find(labelled.keys)
    if (at < 0).any():
        unknown = labelled.keys[at < 0]
        raise MismatchError(
            f"{path} labels {len(unknown)} keys that {examples.name} does not have, the first is "
            f"{str(unknown[0])!r}; its keys are like {str(examples.keys[0])!r}"
        )
    labels = alike_labels(examples.labels, labelled.labels, (examples.name, str(path)))
    labels[at[labelled.is_labelled]] = labelled.labels[labelled.is_labelled]
    return dataclasses.replace(examples, labels=labels, classes=labelled.classes, source="")


def columns_of(path: str | Path) -> Any:
    """All columns of a CSV or Parquet file as they are, text and empty cells too: an Arrow table.

    Raises:
        MissingError, CorruptError, ExamplesError, NeedsPackageError: as in `read`.
        InputError: the file has another ending.
    """
    file = Path(path)
    if file.suffix.lower() not in (".csv", ".parquet"):
        raise InputError(f"{file} ends in {file.suffix!r}; tables are .csv and .parquet files")
    if not file.is_file():
        raise MissingError(f"there is no file {file}")
    return open_table(file)


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


def _single_label(path: Path, roles: _Roles) -> str:
    """The one array of labels that an archive may have.

    Raises:
        InputError: several are asked for.
    """
    if not isinstance(roles.label, str):
        raise InputError(
            f"{path} does not take {len(roles.label)} labels: its labels are one array, of whole "
            "numbers (examples,) for classes, (examples, classes) for a 0 or 1 each, of floats for "
            "values"
        )
    return roles.label


def _from_array(path: Path, roles: _Roles) -> _Rows:
    label = _single_label(path, roles)
    defaults = {label: LABEL, roles.key: KEY, roles.group: GROUP}
    options = [name for name, default in defaults.items() if name and name != default]
    for name in (*options, *roles.columns):
        raise ExamplesError(f"{path} is one array of inputs; it has no {name!r}, a .npz could")
    return _Rows(inputs=load_array(path))


def _from_arrays(path: Path, roles: _Roles) -> _Rows:
    label, arrays = _single_label(path, roles), load_arrays(path)
    inputs, classes = arrays.pop("inputs", None), arrays.pop("classes", np.array([], dtype=str))
    for name in roles.columns:
        column_name(name, "", arrays, path)
    roles_of = {}
    for named, default in ((label, LABEL), (roles.key, KEY), (roles.group, GROUP)):
        plural = f"{default}s"
        key_in_file = plural if named == default and plural in arrays else named
        roles_of[default] = arrays.pop(column_name(key_in_file, default, arrays, path), None)
    n = () if inputs is None else inputs.shape[:1]
    more = {name: values for name, values in arrays.items() if n and values.shape[:1] == n}
    if classes.ndim != 1:
        raise ExamplesError(f"classes of {path} are a list of names, not of shape {classes.shape}")
    names = tuple(str(name) for name in classes)
    return _Rows(
        inputs, roles_of[LABEL], roles_of[KEY], roles_of[GROUP], more, names, (), roles.kind
    )


def load_arrays(path: Path) -> dict[str, Array]:
    """The arrays in a `.npz` file by name, without pickle.

    Raises:
        CorruptError: it cannot be read.
        ExamplesError: an array holds Python objects.
    """
    if not zipfile.is_zipfile(path):
        raise CorruptError(
            f"{path} is not a whole .npz file: it was cut short or is something else"
        )
    name = ""
    arrays = {}
    try:
        _check_archive(path)
        with np.load(path, allow_pickle=False) as archive:
            for name in archive.files:
                arrays[name] = archive[name]
    except LimbeckError:
        raise
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise load_error(path, f"the array {name!r}", error) from error
    return arrays


def _check_archive(path: Path) -> None:
    """Refuses an archive that would take more memory than it may, by what it says of itself.

    Raises:
        CorruptError: it is encrypted, an array is not as long as it says, or all are too long.
    """
    with zipfile.ZipFile(path) as archive:
        total = sum(member.file_size for member in archive.infolist())
        if total > MOST_UNPACKED:
            raise CorruptError(
                f"{path} unpacks to {total:,} bytes, and an archive has at most "
                f"{MOST_UNPACKED:,}: a .npy file may be of any size, and is not read whole"
            )
        for member in archive.infolist():
            if member.flag_bits & 1:
                raise CorruptError(f"{path} is encrypted: save it without a password")
            if member.filename.endswith(".npy"):
                with archive.open(member) as stream:
                    check_header(stream, member.file_size, f"{member.filename} of {path}")


def _warn_of_row_numbers(inputs: Sequence[str], path: Path) -> None:
    """Warns of a column that pandas made of row numbers, which would be learned from."""
    if named := [name for name in inputs if _WRITTEN_INDEX.fullmatch(name)]:
        warnings.warn(
            f"column {named[0]!r} of {path} is what pandas makes of row numbers that were written "
            "without a name, and is an input like the others: write the table with index=False, or "
            f"keep it beside the inputs, columns=[{named[0]!r}]",
            TableWarning,
            stacklevel=5,
        )


_WRITTEN_INDEX = re.compile(r"Unnamed: \d+")


def _from_table(path: Path, roles: _Roles) -> _Rows:
    # Keys and groups as text, or "007" would become 7.
    file = _table_file.opened(path, (roles.key, roles.group), roles.columns)
    names = file.column_names
    label = _label_columns.label_names(roles.label, names, path)
    key = column_name(roles.key, KEY, names, path)
    group = column_name(roles.group, GROUP, names, path)
    for name in roles.columns:
        column_name(name, "", names, path)
    used = {*label, key, group, *roles.columns}
    rest = [n for n in names if n not in used and not n.startswith(PANDAS_INDEX)]
    if not roles.is_labels_only:
        _warn_of_row_numbers(rest, path)
    table = file.only([name for name in names if name in used])
    labels, classes = None, _label_columns.classes_of(label, roles.kind)
    if label:
        labels, classes = _label_columns.labels(table, label, path, roles.kind, roles.classes)
    return _Rows(
        inputs=file.matrix(rest) if rest and not roles.is_labels_only else None,
        labels=labels,
        keys=_arrow.names_in(table[key], key, path) if key else None,
        groups=_arrow.names_in(table[group], group, path) if group else None,
        columns={name: _arrow.values(table[name], name, path) for name in roles.columns},
        classes=classes,
        features=() if roles.is_labels_only else tuple(rest),
        kind="values" if labels is not None and labels.dtype.kind == "f" else "",
    )
