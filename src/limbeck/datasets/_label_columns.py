"""The columns of labels in a table: which they are, and whether numbers are names or positions."""

import warnings
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.datasets import _arrow
from limbeck.errors import LabelsError, TableWarning
from limbeck.examples import (
    IN_WORDS,
    MOST_CLASSES,
    UNLABELLED,
    Array,
    check_labels_kind,
    labels_from_cells,
    number_names,
)
from limbeck.runtime import needs

MANY_CLASSES = 100  # whole numbers that make more classes, most without an example, are told of


def label_names(label: str | Sequence[str], known: Collection[str], path: Path) -> tuple[str, ...]:
    """The columns of labels: none where nobody asked for any and the usual one is absent.

    Raises:
        ExamplesError: one is absent that was asked for.
    """
    if isinstance(label, str):
        column = _arrow.column_name(label, _arrow.LABEL, known, path)
        return (column,) if column else ()
    return tuple(_arrow.column_name(name, "", known, path) for name in label)


def classes_of(label: Sequence[str], kind: str) -> tuple[str, ...]:
    """The class names that columns of labels give: their own, where each is one to be answered."""
    return tuple(label) if label[1:] or (label and kind == "independent-logits") else ()


def labels(
    table: Any, named: Sequence[str], path: Path, kind: str = "", classes: Sequence[str] = ()
) -> tuple[Array | None, tuple[str, ...]]:
    """The labels in some columns as `Examples.of` takes them, and the class names in order.

    None where all cells are empty. Texts are class names, "" in an empty cell; numbers are what
    `_labels.from_cells` says, and whole ones are names where they can be no positions, see
    `_number_labels`. There are no names where the labels themselves are to give them.

    Raises:
        LabelsError: they are neither numbers nor names, or not of that kind.
        ExamplesError: they are text that is not UTF-8.
        InputError: no such kind.

    Warns:
        TableWarning: whole numbers make many classes of which most have no example; -1 is taken as
            no label.
    """
    check_labels_kind(kind)
    own = tuple(classes) or classes_of(named, kind)
    if all(table[name].null_count == len(table) for name in named):
        return None, own
    whose = f"{'columns' if named[1:] else 'column'} {', '.join(map(repr, named))} of {path}"
    if any(_arrow.is_text(table[name].type) for name in named):
        return _class_names(table, named, whose, kind), own
    is_boolean = needs("pyarrow").types.is_boolean(table[named[0]].type)
    if is_boolean and not named[1:] and kind in ("", "logits"):
        return _truths(table[named[0]], own)
    cells = np.stack([_numbers(table[name], name, path) for name in named], axis=1)
    positions = labels_from_cells(cells, kind, whose)
    is_said = kind == "logits" and not classes  # that they are positions
    if positions.ndim == 2 or positions.dtype.kind != "i":
        return positions, own
    if is_said:
        return positions, _numbered(positions)
    return _whole_numbers(positions, ~np.isnan(cells[:, 0]), named[0], path, kind, own)


def _truths(column: Any, classes: tuple[str, ...]) -> tuple[Array, tuple[str, ...]]:
    """A column of false and true as names, or as positions where the classes have other names."""
    cells = column.to_pylist()
    if not classes or {str(cell) for cell in cells if cell is not None} <= set(classes):
        texts = np.array(["" if cell is None else str(cell) for cell in cells])
        return texts, classes or ("False", "True")
    return np.array([UNLABELLED if cell is None else int(cell) for cell in cells]), classes


def _whole_numbers(
    positions: Array, is_given: Array, name: str, path: Path, kind: str, classes: tuple[str, ...]
) -> tuple[Array, tuple[str, ...]]:
    """Whole numbers of one column as names of classes, or as the positions that they are."""
    whose = f"column {name!r} of {path}"
    texts = _as_written(path, name, positions)
    if classes and set(texts[is_given].tolist()) <= set(classes):
        return np.where(is_given, texts, ""), classes
    names = number_names(positions[is_given], classes, whose)
    if UNLABELLED not in (names or ()):
        _warn_of_none(positions[is_given], whose)
    if names is None:
        if not kind and not classes:
            _warn_of_gaps(positions, whose)
        return positions, classes or _numbered(positions)
    if not kind and not classes:
        _warn_of_many(names, int(is_given.sum()), whose)
    as_names = np.where(is_given & np.isin(positions, list(names)), texts, "")
    ordered = dict(zip(positions.tolist(), texts.tolist(), strict=True))
    return as_names, classes or tuple(ordered[number] for number in sorted(names))


def _numbered(positions: Array) -> tuple[str, ...]:
    """The names "0", "1", ... of positions; none of so many that they are refused as labels."""
    highest = int(positions.max())
    return tuple(map(str, range(highest + 1))) if highest < MOST_CLASSES else ()


def _as_written(path: Path, name: str, numbers: Array) -> Array:
    """Whole numbers as the file has them: of a CSV "001" is not "1"."""
    if not _arrow.is_csv(path):
        return numbers.astype(str)
    with _arrow.reading(path):
        table = _arrow.parse_csv(path, _arrow.as_text([name]), include_columns=[name])
    cells = table[name].to_pylist()
    written = np.array([str(cell).strip() for cell in cells])
    # 1.0 is 1: a column of whole numbers turns into floats once a cell is empty.
    is_padded = np.strings.str_len(written) > np.strings.str_len(numbers.astype(str))
    is_whole = is_padded & np.strings.isdecimal(written)
    return np.where(is_whole, written, numbers.astype(str))


def _warn_of_many(names: Collection[int], rows: int, whose: str) -> None:
    count, highest = len(names), max(names)
    if count > MANY_CLASSES or (2 * count > rows and highest > MANY_CLASSES):
        warnings.warn(
            f"{whose} holds whole numbers up to {highest}, {count} of them in {rows} rows, which "
            f"are taken as names of {count} classes; kind='values' takes them as real values, "
            "kind='logits' as positions",
            TableWarning,
            stacklevel=6,
        )


def _warn_of_none(numbers: Array, whose: str) -> None:
    if count := int((numbers == UNLABELLED).sum()):
        warnings.warn(
            f"{whose} holds -1 in {count} rows, which are taken as having no label; where it is a "
            "class, name it: classes=['-1', ...]",
            TableWarning,
            stacklevel=6,
        )


def _class_names(table: Any, named: Sequence[str], whose: str, kind: str) -> Array:
    if named[1:] or kind not in ("", "logits"):
        words = IN_WORDS[kind] if kind in ("independent-logits", "values") else "numbers"
        raise LabelsError(f"{whose} hold{'' if named[1:] else 's'} text, where labels are {words}")
    return np.array([cell or "" for cell in table[named[0]].to_pylist()], dtype=str)


def _numbers(column: Any, name: str, path: Path) -> Array:
    """The cells of a column as float64, NaN in an empty one."""
    arrow = needs("pyarrow")
    _arrow.check_utf8(column, name, path)
    try:
        if arrow.types.is_temporal(column.type):
            raise arrow.ArrowInvalid(f"{column.type} is a time")
        return np.asarray(column.cast(arrow.float64()).to_numpy())
    except (ValueError, NotImplementedError) as error:
        raise LabelsError(
            f"column {name!r} of {path} holds no labels, which are numbers or names: {error}"
        ) from error


def _warn_of_gaps(positions: Array, whose: str) -> None:
    count, distinct = int(positions.max()) + 1, len(np.unique(positions[positions >= 0]))
    if count > MANY_CLASSES and 2 * distinct < count <= MOST_CLASSES:
        warnings.warn(
            f"{whose} holds whole numbers up to {count - 1}, {distinct} of them, which are taken "
            f"as positions of {count} classes; kind='values' takes them as real values, "
            "kind='logits' says that this is meant",
            TableWarning,
            stacklevel=5,
        )
