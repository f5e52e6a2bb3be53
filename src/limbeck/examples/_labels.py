"""What labels are: a class each, a 0 or 1 for each column, or real values; read and checked."""

import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from limbeck.errors import InputError, LabelsError, MismatchError, TableWarning
from limbeck.examples._inputs import check_narrowed

Array = NDArray[Any]

# Named by what a student answers with who learns them.
LabelsKind = Literal["logits", "independent-logits", "values"]

UNLABELLED = -1
MOST_WHOLE = 2.0**53  # beyond it float64 does not hold every whole number
MOST_CLASSES = 10**7  # that whole numbers make where nobody names them
IN_WORDS = {
    "logits": "one class each",
    "independent-logits": "a 0 or 1 for each column",
    "values": "real values",
}


def read_labels(
    labels: Array | Sequence[Any] | None, classes: tuple[str, ...], n: int, kind: str = ""
) -> tuple[Array, tuple[str, ...]]:
    """Labels in the form they are kept in, and the class names.

    Names, booleans or whole numbers `(examples,)` are kept as positions of classes, int64; see
    `number_names` for which numbers are names. Whole numbers or booleans `(examples, classes)` are
    a 0 or 1 for each column, or -1 where it is not known, kept as int8; so are those of a single
    named class. Floats `(examples,)` or `(examples, outputs)` are values, kept as float32
    `(examples, outputs)`. A kind says which is meant where numbers could be another.

    Raises:
        LabelsError: they are none of these, not of that kind, or outside the classes.
        InputError: no such kind.

    Warns:
        TableWarning: floats that are all 0 or 1 are taken as values.
    """
    check_labels_kind(kind)
    if labels is None:
        return np.full(n, UNLABELLED), classes
    array = np.asarray(labels)
    is_named = array.ndim == 1 and array.dtype.kind in "USb"
    if is_named and kind in ("", "logits"):
        return _truths(array, classes) if array.dtype.kind == "b" else _names(array, classes)
    if array.dtype.kind not in "biuf" or array.ndim not in (1, 2):
        raise LabelsError(
            "labels are whole numbers, names or values, one or a row for each example, "
            f"not {array.dtype} {array.shape}{f' (of the kind {kind})' if kind else ''}"
        )
    if kind:
        array = labels_from_cells(array.reshape(n, -1).astype(np.float64), kind, "labels")
    elif array.dtype.kind == "f":
        _warn_of_truths(array)
    return _numbers(array, classes, kind)


def _numbers(array: Array, classes: tuple[str, ...], kind: str) -> tuple[Array, tuple[str, ...]]:
    """Numbers of a shape that says, with their type, what they are."""
    if array.dtype.kind == "f":
        return _values(array, classes)
    if array.ndim == 2 or len(classes) == 1:
        return _columns(array.reshape(len(array), -1), classes)
    numbers = array.astype(np.int64)
    is_said = kind == "logits" and not classes  # that they are positions
    names = None if is_said else number_names(numbers, classes, "the array of labels")
    if names is None:
        return _positions(numbers, classes)
    texts = np.where(np.isin(numbers, list(names)), numbers.astype(str), "")
    return _names(texts, classes or tuple(map(str, sorted(names))))


def number_names(numbers: Array, classes: tuple[str, ...], whose: str) -> frozenset[int] | None:
    """Which whole numbers are names of classes; None where they are positions of classes.

    They are names where all of them are among `classes`; without classes, where none is 0, as 1 to
    5 stars, 10, 20 and 35, or -1 and 1. Positions begin at 0, and -1 beside them is no label.

    Raises:
        LabelsError: -1 stands beside numbers of which it may be one or none.
    """
    distinct = set(np.unique(numbers).tolist())
    others = distinct - {UNLABELLED}
    if classes and {str(number) for number in distinct} <= set(classes):
        return frozenset(distinct)
    is_positions = all(0 <= number < len(classes) for number in others)
    if classes and not is_positions and {str(number) for number in others} <= set(classes):
        return frozenset(others)
    # A lone 1 is rather the second of two classes, and what is too large is refused as a position.
    is_position = not others or distinct == {1} or (0 in others and min(others) >= 0)
    if classes or is_position or max(others) >= MOST_CLASSES:
        return None
    if UNLABELLED in distinct and len(others) > 1 and min(others) > 0:
        raise LabelsError(
            f"{whose} holds -1 beside {', '.join(map(str, sorted(others)[:4]))}: is it a class, or "
            "no label? classes=['-1', ...] names all of them, an empty cell is no label"
        )
    return frozenset(distinct)


def _truths(array: Array, classes: tuple[str, ...]) -> tuple[Array, tuple[str, ...]]:
    """False and True as the names of two classes, or as positions where those have other names."""
    is_named = not classes or set(array.astype(str).tolist()) <= set(classes)
    if is_named:
        return _names(array, classes or ("False", "True"))
    return _positions(array.astype(np.int64), classes)


def _warn_of_truths(array: Array) -> None:
    distinct = set(np.unique(array[~np.isnan(array)]).tolist())
    if distinct in ({0.0, 1.0}, {-1.0, 1.0}):
        kind = "logits" if array.ndim == 1 else "independent-logits"
        low = int(min(distinct))
        warnings.warn(
            f"labels are floats that are all {low} or 1, and are taken as real values: "
            f"kind='{kind}' takes them as classes, kind='values' says that values are meant",
            TableWarning,
            stacklevel=4,
        )


def labels_from_cells(cells: Array, kind: str, whose: str) -> Array:
    """Labels that `read` takes, of numbers `(examples, columns)` with NaN where there is none.

    Without a kind a fraction anywhere makes all of them values. Whole numbers are positions of
    classes, in several columns a 0 or 1 each, whatever type they were kept in: a column of them
    becomes floats as soon as a cell is empty.

    Raises:
        LabelsError: a fraction where the kind has none, or several columns of one class each.
        InputError: no such kind.
    """
    check_labels_kind(kind)
    has_fraction = ~np.isnan(cells) & ((cells != np.floor(cells)) | np.isinf(cells))
    is_single = cells.shape[1] == 1
    if kind == "values" or (not kind and has_fraction.any()):
        for column in cells.T:
            check_narrowed(column, whose)
        with np.errstate(over="ignore"):  # beyond float32 is infinity, which is refused
            narrow = cells.astype(np.float32)
        return narrow[:, 0] if is_single else narrow
    if has_fraction.any():
        row, column = np.argwhere(has_fraction)[0]
        raise LabelsError(
            f"{whose} holds {cells[row, column]} in row {row} (the first is 0), and labels of the "
            f"kind {kind} are whole numbers: kind='values' takes real values"
        )
    if kind == "logits" and not is_single:
        raise LabelsError(
            f"{whose} are {cells.shape[1]} columns, and labels of the kind logits are one class: "
            "kind='independent-logits' takes a 0 or 1 for each column, kind='values' real values"
        )
    if (np.abs(cells) > MOST_WHOLE).any():
        row, column = np.argwhere(np.abs(cells) > MOST_WHOLE)[0]
        raise LabelsError(
            f"{whose} holds {cells[row, column]:.17g} in row {row} (the first is 0), which is no "
            "longer told from its neighbours: kind='values' takes real values, text in quotes names"
        )
    whole = np.where(np.isnan(cells), UNLABELLED, cells).astype(np.int64)
    return whole[:, 0] if is_single and kind != "independent-logits" else whole


def check_labels_kind(kind: str) -> None:
    """Refuses a kind that labels cannot have; "" is none.

    Raises:
        InputError: it is one.
    """
    if kind and kind not in IN_WORDS:
        kinds = ", ".join(f"{name} ({words})" for name, words in IN_WORDS.items())
        raise InputError(f"there is no kind of labels {kind!r}; known are {kinds}")


def labels_kind_of(labels: Array) -> LabelsKind:
    """What a student answers with who learns these labels."""
    if labels.ndim == 1:
        return "logits"
    return "values" if labels.dtype.kind == "f" else "independent-logits"


def is_labelled(labels: Array) -> Array:
    """Which examples have a label, or one of several, `(examples,)` booleans."""
    if labels.ndim == 1:
        return np.asarray(labels != UNLABELLED)
    if labels.dtype.kind == "f":
        return np.asarray(~np.isnan(labels).any(axis=1))
    return np.asarray((labels != UNLABELLED).any(axis=1))


def blank_labels(labels: Array, n: int) -> Array:
    """Labels of the same form for so many examples that have none."""
    none = np.nan if labels.dtype.kind == "f" else UNLABELLED
    return np.full((n, *labels.shape[1:]), none, dtype=labels.dtype)


def alike_labels(mine: Array, others: Array, names: tuple[str, str]) -> Array:
    """A copy of `mine` in the form of the others: the same, or blank where there were none.

    Raises:
        MismatchError: both have labels, of two forms.
    """
    if labels_kind_of(mine) == labels_kind_of(others):
        return mine.copy()
    if is_labelled(mine).any():
        own, theirs = IN_WORDS[labels_kind_of(mine)], IN_WORDS[labels_kind_of(others)]
        raise MismatchError(
            f"labels are of one form: those of {names[0]} are {own}, those of {names[1]} {theirs}"
        )
    return blank_labels(others, len(mine))


def labels_content(labels: Array) -> bytes:
    """The labels as bytes that are alike on every machine."""
    if labels.ndim == 1:
        return bytes(labels.astype("<i8").tobytes())
    wide: Array = labels.astype("<f4" if labels.dtype.kind == "f" else "<i1")
    return bytes(f"{wide.dtype.str}{labels.shape[1:]}".encode() + wide.tobytes())


def mixed(first: Array, second: Array, share: Array, classes: int) -> Array:
    """The labels of two examples each, weighted by a share and what is left; float32.

    Of classes these are shares `(examples, classes)`, all 0 where one of the two has no label.
    """
    both = is_labelled(first) & is_labelled(second)
    if first.ndim == 2:
        wide = share[:, None]
        labels: Array = np.asarray(wide * first + (1 - wide) * second, dtype=np.float32)
        if labels_kind_of(first) == "values":
            labels[~both] = np.nan
        else:  # each column by itself, for some may be known of both
            labels[(first == UNLABELLED) | (second == UNLABELLED)] = UNLABELLED
        return labels
    rows = np.flatnonzero(both)
    shares = np.zeros((len(first), classes), dtype=np.float32)
    # Added one after the other: a pair of the same class sums to 1.
    np.add.at(shares, (rows, first[both]), share[both])
    np.add.at(shares, (rows, second[both]), 1 - share[both])
    return shares


def brief_names(names: Sequence[str]) -> str:
    """The names in brackets; of many, the first dozen and how many there are."""
    shown = ", ".join(names[:12])
    return f"({shown}, ... {len(names)} in all)" if len(names) > 12 else f"({shown})"


def _positions(array: Array, classes: tuple[str, ...]) -> tuple[Array, tuple[str, ...]]:
    highest = int(array.max(initial=0))
    if not classes and highest >= MOST_CLASSES:
        raise LabelsError(
            f"label {highest} would be one of {highest + 1:,} classes: name the classes, or say "
            "that these are real values, which are floats or read with kind='values'"
        )
    # Of nothing but unlabelled examples nobody knows a class.
    is_any = bool((array != UNLABELLED).any())
    names = classes or tuple(str(c) for c in range(highest + 1) if is_any)
    wrong = (array < UNLABELLED) | (array >= len(names))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise LabelsError(
            f"label {array[row]} of row {row} is outside the {len(names)} classes "
            f"(0 to {len(names) - 1}, or -1 for none)"
        )
    return array, names


def _columns(array: Array, classes: tuple[str, ...]) -> tuple[Array, tuple[str, ...]]:
    names = _names_of_columns(array, classes)
    wide = array.astype(np.int64)
    right = np.isin(wide, [0, 1, UNLABELLED]).all(axis=1)
    if not right.all():
        row = int(np.flatnonzero(~right)[0])
        raise LabelsError(
            f"the labels of row {row} are {wide[row].tolist()}: with a column for each class they "
            "are 0 or 1, or -1 (in a table an empty cell) where that is not known (real values are "
            "floats, or read with kind='values')"
        )
    is_unknown = wide == UNLABELLED
    is_partly = is_unknown.any(axis=1) & ~is_unknown.all(axis=1)
    if is_partly.any() and not (wide == 0).any():
        row = int(np.flatnonzero(is_partly)[0])
        raise LabelsError(
            f"the labels of row {row} are {wide[row].tolist()}, and no label is 0: -1 says that a "
            "label is not known, and 0 that it is no; write 0 for no"
        )
    return wide.astype(np.int8), names


def _values(array: Array, classes: tuple[str, ...]) -> tuple[Array, tuple[str, ...]]:
    given = array.reshape(len(array), -1)
    for column in given.T:
        check_narrowed(column, "a column of labels")
    wide = given.astype(np.float32)
    names = _names_of_columns(wide, classes or (("value",) if array.ndim == 1 else ()))
    right = np.isfinite(wide).all(axis=1) | np.isnan(wide).all(axis=1)
    if not right.all():
        row = int(np.flatnonzero(~right)[0])
        raise LabelsError(
            f"the labels of row {row} are {wide[row].tolist()}: values are finite, or a row of NaN "
            "for none"
        )
    return wide, names


def _names_of_columns(array: Array, classes: tuple[str, ...]) -> tuple[str, ...]:
    names = classes or tuple(str(column) for column in range(array.shape[1]))
    if len(names) != array.shape[1]:
        what = "values (whole numbers are class positions)" if array.dtype.kind == "f" else "labels"
        raise LabelsError(
            f"there are {array.shape[1]} columns of {what}, but {len(names)} classes "
            f"{brief_names(names)}"
        )
    return names


def _names(array: Array, classes: tuple[str, ...]) -> tuple[Array, tuple[str, ...]]:
    texts = array.astype(str)
    names = classes or tuple(str(name) for name in np.unique(texts[texts != ""]))
    where = {name: position for position, name in enumerate(names)} | {"": UNLABELLED}
    unknown = sorted(set(texts.tolist()) - where.keys())
    if unknown:
        raise LabelsError(
            f"label {unknown[0]!r} is outside the {len(names)} classes {brief_names(names)}"
        )
    return np.array([where[name] for name in texts.tolist()], dtype=np.int64), names
