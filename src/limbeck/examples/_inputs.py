"""Raw inputs, numbers or texts: brought into one form, refused where unreadable, as tensors."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from limbeck.errors import ExamplesError, TableWarning
from limbeck.examples._lazy import Array, Inputs, Lazy, Mapped, blocks


def is_text(inputs: Inputs) -> bool:
    """Whether these raw inputs are texts, `(examples,)` of numpy's `StringDType`."""
    return inputs.dtype.kind == "T"


def numbers(inputs: NDArray[Any]) -> NDArray[Any]:
    """Raw inputs as numbers: texts as their UTF-8 bytes, uint8 `(batch, longest)`, 0 after the end.

    What is a number already stays as it is.
    """
    if not is_text(inputs):
        return inputs
    encoded = [text.encode() for text in inputs.tolist()]
    lengths = np.array([len(content) for content in encoded])
    rows = np.zeros((len(encoded), max(1, int(lengths.max(initial=0)))), np.uint8)
    rows[np.arange(rows.shape[1]) < lengths[:, None]] = np.frombuffer(b"".join(encoded), np.uint8)
    return rows


def tensor(array: NDArray[Any]) -> torch.Tensor:
    """An array as a tensor that shares its memory where it can: torch takes no read-only arrays.

    Texts become their bytes: see `numbers`.
    """
    return torch.from_numpy(np.require(numbers(array), requirements=["C", "W"]))


TEXT = (-1,)  # the shape of a text: as many bytes as it has


def as_inputs(inputs: Inputs | Sequence[str]) -> Inputs:
    """The inputs as one block of numbers, or as texts of whatever length.

    What lies on disk stays there.

    Raises:
        ExamplesError: what is given as text has no UTF-8.
    """
    if isinstance(inputs, Lazy | np.memmap):
        return inputs if isinstance(inputs, Lazy) else Mapped.of(inputs)
    if not isinstance(inputs, np.ndarray) and len(inputs) and isinstance(inputs[0], str):
        # Never through numpy's fixed width, which would make every text as wide as the longest.
        inputs = np.array(inputs, dtype=object)
    array = np.ascontiguousarray(inputs)
    are_texts = array.dtype.kind == "O" and all(isinstance(one, str) for one in array.flat)
    return _texts(array) if are_texts or array.dtype.kind == "U" else array


def _texts(array: Array) -> Array:
    try:
        return array.astype(np.dtypes.StringDType())
    except UnicodeEncodeError as error:  # half of a character, as JSON may write one
        raise ExamplesError(f"the inputs hold what is no text: {error}") from error


def _check_texts(texts: Inputs) -> None:
    if texts.ndim != 1:
        raise ExamplesError(f"an input is one text; these have shape {texts.shape}")
    lengths = [np.strings.str_len(np.strings.strip(block)) for block in blocks(texts)]
    empty = np.concatenate(lengths) == 0
    if empty.any():
        raise ExamplesError(
            f"{int(empty.sum())} texts are empty, the first in row {int(np.flatnonzero(empty)[0])}:"
            " leave them out"
        )


def check_inputs(inputs: Inputs) -> None:
    """Refuses what no model could read.

    Raises:
        ExamplesError: no inputs, neither numbers nor texts, NaN or infinity, an empty text.
    """
    if inputs.size == 0:
        raise ExamplesError(f"no examples: the inputs have shape {inputs.shape}")
    if is_text(inputs):
        _check_texts(inputs)
        return
    if inputs.dtype.kind not in "biuf":
        raise ExamplesError(f"inputs are numbers or texts, not {inputs.dtype}: encode them first")
    if inputs.dtype.kind == "f":
        finite = np.concatenate([_are_finite(block) for block in blocks(inputs)])
        if not finite.all():
            row = int(np.flatnonzero(~finite)[0])
            raise ExamplesError(
                f"{int((~finite).sum())} inputs hold NaN or infinity, the first in row {row}: "
                "fill or drop them"
            )


def _are_finite(block: Array) -> Array:
    return np.asarray(np.isfinite(block.reshape(len(block), -1)).all(axis=1))


def check_narrowed(column: Array, what: str) -> None:
    """Warns of numbers that float32, in which they are learned from, does not tell apart.

    Args:
        column: numbers `(examples,)` as they were given.
        what: what the warning calls them.

    Warns:
        TableWarning: different numbers become the same one, as ids above 2^24 and moments do.
    """
    if (column.dtype.itemsize <= 4 and column.dtype.kind == "f") or not len(column):
        return
    numbers = column[np.isfinite(column)] if column.dtype.kind == "f" else column
    # Sorting is for those alone of which it is possible: most columns are far from it.
    spread = float(numbers.max()) - float(numbers.min()) if len(numbers) else 0.0
    highest = float(np.abs(numbers).max()) if len(numbers) else 0.0
    is_far = highest > spread * _FAR or (highest > _WHOLE and (numbers == np.rint(numbers)).all())
    if not spread or not is_far:
        return
    before = len(np.unique(numbers))
    with np.errstate(over="ignore"):
        after = len(np.unique(numbers.astype(np.float32)))
    if after < before:
        warnings.warn(
            f"{what} holds {before:,} different numbers, of which float32, in which they are "
            f"learned from, keeps {after:,} apart: subtract an offset (the first moment, the "
            "smallest id), or keep the column beside the inputs (columns=)",
            TableWarning,
            stacklevel=4,
        )


def check_narrowed_columns(inputs: Inputs, features: Sequence[str]) -> None:
    """The same of each column of a table in memory; `features` are their names, if they have any.

    Warns:
        TableWarning: as `check_narrowed`.
    """
    if isinstance(inputs, np.ndarray) and inputs.ndim == 2 and inputs.dtype.itemsize > 4:
        for number, column in enumerate(inputs.T):
            name = repr(features[number]) if features else str(number)
            check_narrowed(column, f"column {name} of the inputs")


_WHOLE = 2.0**24  # up to which float32 holds every whole number
_FAR = 2.0**16  # spreads from 0: float32 has 24 bits, of which 8 are then left for differences
