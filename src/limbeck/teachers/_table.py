"""Teachers that are tables of scores made elsewhere, which answer by an example's key."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from limbeck import datasets
from limbeck.artifacts import fingerprint as name_by_content
from limbeck.datasets import load_array, tables
from limbeck.errors import InputError, MismatchError, MissingError, TeacherError
from limbeck.examples import Array, Examples, brief_names
from limbeck.runtime import did_you_mean, needs
from limbeck.scores import check_kind
from limbeck.teachers import _files
from limbeck.teachers._teacher import Teacher


def scores(
    content: str | Path | Array,
    classes: Sequence[str] = (),
    *,
    kind: str = "logits",
    key: str = datasets.KEY,
    name: str = "",
) -> Teacher:
    """A table of scores made elsewhere: `(examples, classes)`, each row found by its example's key.

    - `.parquet` and `.csv`: the column `key`, and a column of numbers for each class, which bears
      its name. `classes` says which columns, in which order; without it, all but the key.
    - `.npz`: arrays `keys` and `scores`, and the names of the columns in `classes`; without those
      `classes` are given here.
    - `.npy`, or an array: no keys. The rows are then those of the examples, which is believed only
      where the examples' own keys are their rows, 0 to n - 1, and there are as many of both: a
      score is never found by its position after a shuffle.

    It is asked by key and not by input, so it answers about no other view than the plain one. The
    fingerprint follows from the content.

    Raises:
        MissingError: there is no such file.
        InputError: it has another ending, or there is no such kind.
        CorruptError, ExamplesError: it cannot be read, or has no column `key` or an empty key.
        TeacherError: a column is not of numbers, a score is NaN or empty, a key is there twice, or
            nobody names the classes.
        MismatchError: it has no column for a class.
        NeedsPackageError: CSV and Parquet need pyarrow.
    """
    if isinstance(content, np.ndarray):
        table = _of_array(content, classes, name or "the table of scores")
    else:
        table = _open_table(Path(content), tuple(classes), key)
    table.check()
    teacher = TableTeacher(
        name=name or Path(table.whose).name,
        classes=table.classes,
        kind=check_kind(kind),
        fingerprint=table.fingerprint(kind),
        table=table,
    )
    if isinstance(content, np.ndarray):
        return teacher
    chosen = {"kind": kind, "key": key, "name": name}
    usual = {"kind": "logits", "key": datasets.KEY, "name": ""}
    options = {option: value for option, value in chosen.items() if value != usual[option]}
    file = _files.present(content)
    source = _files.call("scores", file, classes=list(classes), **options)
    return replace(teacher, source=source, place=file)


@dataclass(frozen=True, eq=False)
class _Table:
    """Scores with their keys.

    Attributes:
        whose: what errors call it.
        keys: text `(examples,)`; where nobody gave any, the rows.
        values: float32 `(examples, classes)`.
        classes: the names of the columns.
        are_rows: whether the keys are nothing but rows.
    """

    whose: str
    keys: Array
    values: Array
    classes: tuple[str, ...]
    are_rows: bool = False

    def check(self) -> None:
        """Refuses keys that are there twice, and scores that are NaN."""
        distinct, counts = np.unique(self.keys, return_counts=True)
        if (counts > 1).any():
            raise TeacherError(
                f"{int((counts > 1).sum())} keys of {self.whose} are not unique, the first is "
                f"{str(distinct[counts > 1][0])!r} ({int(counts[counts > 1][0])} times): a key "
                "names one example"
            )
        bad = np.isnan(self.values)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise TeacherError(
                f"{int(bad.sum())} scores in {self.whose} are NaN or empty, the first of class "
                f"{self.classes[column]!r} and example {str(self.keys[row])!r}: leave the example "
                "out, or score it"
            )

    def fingerprint(self, kind: str) -> str:
        """Changes when a key or a score does, in whatever order they lie."""
        keys, order = self._sorted
        digest = hashlib.blake2b("\0".join(keys.tolist()).encode(), digest_size=16)
        digest.update(np.ascontiguousarray(self.values[order]).astype("<f4").tobytes())
        return name_by_content([kind, list(self.classes), self.are_rows, digest.hexdigest()])

    def check_examples(self, examples: Examples) -> None:
        """Refuses examples it has no scores of.

        Raises:
            MismatchError: there are some.
        """
        if self.are_rows and not np.array_equal(self.keys, examples.keys):
            raise MismatchError(
                f"{self.whose} has {len(self.keys)} rows and no keys, and the {len(examples)} keys "
                f"of {examples.name} are not 0 to {len(self.keys) - 1} in this order (the first is "
                f"{str(examples.keys[0])!r}): a score is found by its key, never by its position; "
                "give a .npz with keys and scores"
            )
        missing = examples.keys[self._find(examples.keys) < 0]
        if len(missing):
            raise MismatchError(
                f"{self.whose} has no scores of {len(missing)} of the {len(examples)} examples of "
                f"{examples.name}, the first is {str(missing[0])!r}; its {len(self.keys)} keys are "
                f"like {str(self.keys[0])!r}"
            )

    def _find(self, keys: Array) -> Array:
        ordered, order = self._sorted
        at = np.minimum(np.searchsorted(ordered, keys), len(order) - 1)
        return np.where(ordered[at] == keys, order[at], -1)

    @cached_property
    def _sorted(self) -> tuple[Array, Array]:
        order = np.argsort(self.keys)
        return self.keys[order], order

    def rows(self, keys: Array) -> Array:
        """The scores of those keys."""
        rows = self._find(keys)
        if (rows < 0).any():
            raise TeacherError(f"{self.whose} has no scores of {str(keys[rows < 0][0])!r}")
        return np.asarray(self.values[rows])


@dataclass(frozen=True, eq=False, kw_only=True)
class TableTeacher(Teacher):
    """A table of scores; `scores` opens one."""

    table: _Table = field(repr=False)

    @property
    def answers_keys(self) -> bool:
        """It does: what the inputs are plays no part."""
        return True

    def predict(self, inputs: Array) -> Array:
        """It cannot, without keys.

        Raises:
            TeacherError: always.
        """
        raise TeacherError(
            f"{self.table.whose} answers by key, not by input: it is a table of scores"
        )

    def predict_by_key(self, inputs: Array, keys: Array) -> Array:
        """The scores of those keys; what the inputs are plays no part."""
        return self.table.rows(keys)

    def check_known(self, examples: Examples) -> None:
        """Refuses examples it has no scores of.

        Raises:
            MismatchError: there are some.
        """
        self.table.check_examples(examples)


def _open_table(path: Path, classes: tuple[str, ...], key: str) -> _Table:
    if not path.is_file():
        raise MissingError(f"there is no file {path}")
    match path.suffix.lower():
        case ".csv" | ".parquet":
            return _of_columns(path, classes, key)
        case ".npz":
            return _of_arrays(path, classes, key)
        case ".npy":
            return _of_array(np.asarray(load_array(path)), classes, str(path))
        case other:
            raise InputError(
                f"{path} ends in {other!r}; tables of scores are .parquet, .csv, .npz and .npy"
            )


def _of_columns(path: Path, classes: tuple[str, ...], key: str) -> _Table:
    table = datasets.open_table(path, (key,))
    by = datasets.column_name(key, "", table.column_names, path)
    known = [n for n in table.column_names if n != by and not n.startswith(datasets.PANDAS_INDEX)]
    names = classes or tuple(known)
    _positions(known, names, str(path))
    columns = [_numbers(table[name], name, path) for name in names]
    keys = datasets.names_in(table[by], by, path)
    values = np.stack(columns, axis=1) if columns else np.empty((len(keys), 0), np.float32)
    return _filled(_Table(str(path), keys, values, names))


def _numbers(column: Any, name: str, path: Path) -> Array:
    types = needs("pyarrow").types
    if not (types.is_integer(column.type) or types.is_floating(column.type)):
        raise TeacherError(
            f"column {name!r} of {path} holds {column.type}, not scores: name the classes "
            "(classes=) to leave it out"
        )
    with np.errstate(over="ignore"):  # beyond float32 is infinity; empty is NaN
        return np.asarray(column.to_numpy()).astype(np.float32)


def _of_arrays(path: Path, classes: tuple[str, ...], key: str) -> _Table:
    arrays = tables.load_arrays(path)
    by = "keys" if key == datasets.KEY else key
    for needed in (by, "scores"):
        if needed not in arrays:
            raise TeacherError(
                f"{path} has no array {needed!r}; a table of scores has 'keys' and 'scores', and "
                f"it has {', '.join(sorted(arrays)) or 'none'}"
            )
    names = tuple(str(name) for name in arrays["classes"]) if "classes" in arrays else classes
    values, keys = _matrix(arrays["scores"], names, str(path)), arrays[by].astype(str)
    if keys.shape != values.shape[:1]:
        raise TeacherError(f"{path} has {len(values)} rows of scores and keys of {keys.shape}")
    at = _positions(names, classes or names, str(path))
    return _filled(_Table(str(path), keys, values[:, at], classes or names))


def _of_array(values: Array, classes: Sequence[str], whose: str) -> _Table:
    names = tuple(classes)
    rows = _matrix(values, names, whose)
    return _filled(_Table(whose, np.arange(len(rows)).astype(str), rows, names, are_rows=True))


def _matrix(values: Array, classes: Sequence[str], whose: str) -> Array:
    if values.ndim != 2 or values.dtype.kind not in "iuf":
        raise TeacherError(
            f"the scores in {whose} are numbers (examples, classes), not {values.dtype} "
            f"{values.shape}"
        )
    if not classes:
        raise TeacherError(f"{whose} does not name the classes of its columns: give classes=")
    if values.shape[1] != len(classes):
        raise TeacherError(
            f"{whose} has {values.shape[1]} scores for each example, and {len(classes)} classes "
            f"are named: {brief_names(classes)}"
        )
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _filled(table: _Table) -> _Table:
    if not table.values.size:
        raise TeacherError(f"{table.whose} holds no scores: it has shape {table.values.shape}")
    return table


def _positions(names: Sequence[str], order: Sequence[str], whose: str) -> list[int]:
    """Where the wanted classes stand among the columns."""
    missing = [name for name in order if name not in names]
    if missing:
        raise MismatchError(
            f"{whose} has no column for {brief_names(missing)} of the classes "
            f"{brief_names(order)}; its columns are {brief_names(names)}: "
            f"{did_you_mean(missing[0], names)}"
        )
    return [list(names).index(name) for name in order]
