"""Inputs that are costly to decode: decoded once, kept in the cache and opened from there."""

import io
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from limbeck._fetch import cache_of
from limbeck._lazy import Array, Inputs, Mapped
from limbeck._manifest import fingerprint, write_file
from limbeck.errors import CorruptError, ExamplesError

MANY = 2**24  # bytes; fewer are decoded each time, and the cache stays clear of them
LARGE = 2**30  # bytes; a smaller array is read: then no one can alter it under us


def load(path: Path) -> Inputs:
    """The array in a `.npy` file, without pickle; a large one is mapped, not read.

    Raises:
        CorruptError: it cannot be read.
        ExamplesError: it holds Python objects.
    """
    try:
        if path.stat().st_size < LARGE:
            return np.asarray(np.load(path, allow_pickle=False))
        return Mapped.of(np.load(path, mmap_mode="r", allow_pickle=False))
    except (ValueError, EOFError, OSError) as error:
        raise load_error(path, "the array", error) from error


def load_error(path: Path, what: str, error: Exception) -> CorruptError | ExamplesError:
    """What is wrong with a file that numpy refused to load."""
    if "Python objects" in str(error) or "Object arrays" in str(error):
        return ExamplesError(
            f"{what} of {path} holds Python objects, which only pickle could read, and that may "
            "run code; save numbers, or text as fixed-width strings"
        )
    return CorruptError(f"{what} of {path} cannot be read: {error}")


def stamps(files: Iterable[Path]) -> list[list[object]]:
    """What tells whether files are still those that were decoded: names, sizes, times."""
    found = [(file, file.stat()) for file in files]
    return [[str(file.resolve()), known.st_size, known.st_mtime_ns] for file, known in found]


def decoded(what: object, count: int, parts: Iterator[Array]) -> Inputs:
    """So many rows of one shape and type, some in each part, kept in the cache if they are many.

    `what` (JSON) names them: where it is the same as before, no part is asked for.

    Raises:
        StorageError: the cache has no room for them.
        CorruptError: what was kept is damaged.
    """
    place = cache_of("decoded") / f"{fingerprint(what)}.npy"
    if place.is_file():
        return _opened(place)
    first = next(parts)
    whole = chain([first], parts)
    if count * first[:1].nbytes < MANY:
        return np.concatenate(list(whole))
    write_file(place, _npy(count, first, whole))
    return load(place)


def _opened(place: Path) -> Inputs:
    try:
        return load(place)
    except (CorruptError, ExamplesError) as error:
        raise CorruptError(f"{error}; remove that file, and it is decoded again") from error


def _npy(count: int, first: Array, parts: Iterable[Array]) -> Iterator[bytes]:
    """A `.npy` file of so many rows like the first part's, a part at a time."""
    header, shape = io.BytesIO(), (count, *first.shape[1:])
    described = {"descr": first.dtype.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, described)
    yield header.getvalue()
    yield from (one.tobytes() for one in parts)
