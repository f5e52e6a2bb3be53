"""Inputs that are costly to decode: decoded once, kept in the cache and opened from there."""

import io
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.artifacts import cache_of, fingerprint, sweep, write_file
from limbeck.errors import CorruptError, ExamplesError
from limbeck.examples import Array, Inputs, Mapped, Texts, is_large

MANY = 2**24  # bytes; fewer are decoded each time, and the cache stays clear of them


def load_array(path: Path) -> Inputs:
    """The array in a `.npy` file, without pickle; a large one is mapped, not read.

    Raises:
        CorruptError: it cannot be read.
        ExamplesError: it holds Python objects.
    """
    try:
        with path.open("rb") as file:
            check_header(file, path.stat().st_size, f"the array of {path}")
        if not is_large(path.stat().st_size):
            return np.asarray(np.load(path, allow_pickle=False))
        return Mapped.of(np.load(path, mmap_mode="r", allow_pickle=False))
    except (ValueError, EOFError, OSError) as error:
        raise load_error(path, "the array", error) from error


def check_header(stream: Any, size: int, what: str) -> None:
    """Refuses an array whose header promises other than the bytes that follow it in a stream.

    Whoever reads it would ask for as much memory as the header promises.

    Raises:
        CorruptError: it does.
        ValueError, EOFError: there is no such header.
    """
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0}
    read = readers.get(version, np.lib.format.read_array_header_2_0)
    shape, _, kind = read(stream)
    promised, follow = math.prod(shape) * kind.itemsize, size - stream.tell()
    if not kind.hasobject and promised != follow:
        raise CorruptError(
            f"{what} is cut short or altered: {promised:,} bytes are promised, {follow:,} follow"
        )


def load_error(path: Path, what: str, error: Exception) -> CorruptError | ExamplesError:
    """What is wrong with a file that numpy refused to load."""
    if "Python objects" in str(error) or "Object arrays" in str(error):
        return ExamplesError(
            f"{what} of {path} holds Python objects, which only pickle could read, and that may "
            "run code; save numbers, or text as fixed-width strings"
        )
    return CorruptError(f"{what} of {path} cannot be read: {error}")


def stamps(files: Iterable[Path]) -> list[list[object]]:
    """What tells whether files are still those that were decoded: names, sizes, times.

    Beside the time of the content that of the file itself, which no copy or `touch` can set: other
    pixels of the same size and time are not taken for those that were decoded.
    """
    stats = [(file, file.stat()) for file in files]
    return [
        [str(file.resolve()), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        for file, stat in stats
    ]


def decoded(what: object, count: Callable[[], int], parts: Iterator[Array]) -> Inputs:
    """So many rows of one shape and type, some in each part, kept in the cache if they are many.

    `what` (JSON) names them: where it is the same as before, neither count nor parts are asked for.

    Raises:
        StorageError: the cache has no room for them.
        CorruptError: what was kept is damaged.
    """
    place = cache_of("decoded") / f"{fingerprint(what)}.npy"
    if place.is_file():
        return _open_memmap(place)
    first = next(parts)
    whole = chain([first], parts)
    if count() * first[:1].nbytes < MANY:
        return np.concatenate(list(whole))
    sweep(place.parent, ".*")  # each may be as large as a set
    write_file(place, _npy(count(), first, whole))
    return load_array(place)


def _open_memmap(place: Path) -> Inputs:
    try:
        return load_array(place)
    except (CorruptError, ExamplesError) as error:
        raise _damaged(error) from error


def _damaged(what: object) -> CorruptError:
    return CorruptError(f"{what}; remove that file, and it is decoded again")


def texts(what: object, parts: Iterator[Sequence[str]]) -> Texts:
    """Texts, some in each part, kept in the cache as one file and read from there when asked for.

    `what` (JSON) names them: where it is the same as before, no part is asked for.

    Raises:
        StorageError: the cache has no room for them.
        CorruptError: what was kept is damaged.
    """
    place = cache_of("decoded") / f"{fingerprint(what)}.txt"
    about = place.with_suffix(".npy")  # written last: where it is, the texts are whole
    if not about.is_file():
        ends = [0]
        sweep(place.parent, ".*")
        write_file(place, _utf8(parts, ends))
        write_file(about, _npy(len(ends), np.array([0]), [np.array(ends)]))
    starts = np.asarray(_open_memmap(about))
    if not place.is_file() or place.stat().st_size != starts[-1]:
        raise _damaged(f"{place} is not whole, and neither is {about} then")
    return Texts(np.memmap(place, np.uint8, "r"), starts, np.arange(len(starts) - 1))


def _utf8(parts: Iterable[Sequence[str]], ends: list[int]) -> Iterator[bytes]:
    """Each text's bytes; where it ends is noted."""
    for part in parts:
        for text in part:
            content = text.encode()
            ends.append(ends[-1] + len(content))
            yield content


def _npy(count: int, first: Array, parts: Iterable[Array]) -> Iterator[bytes]:
    """A `.npy` file of so many rows like the first part's, a part at a time."""
    header, shape = io.BytesIO(), (count, *first.shape[1:])
    described = {"descr": first.dtype.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, described)
    yield header.getvalue()
    yield from (one.tobytes() for one in parts)
