"""Samples of an audio file of one channel: RIFF wav, NIST SPHERE, FLAC."""

import re
from pathlib import Path

from limbeck.errors import CorruptError, ExamplesError, MissingError
from limbeck.examples import Array
from limbeck.runtime import needs

ENDINGS = {".wav", ".sph", ".flac"}

HEAD_BYTES = 4096  # a wav file's chunks before its samples, and a SPHERE header, are shorter
_UNKNOWN_LENGTHS = {0, 0xFFFFFFFF}  # what programs write that do not know yet how long it will be


def read_samples(path: Path, rate: int) -> Array:
    """`(samples,)` float32 from -1 to 1, so many a second.

    Raises:
        MissingError: there is no such file.
        CorruptError: it is no audio, or is cut short.
        ExamplesError: more than one channel, another rate, or packed with shorten.
        NeedsPackageError: soundfile is not installed.
    """
    if not path.is_file():
        raise MissingError(f"there is no file {path}")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    _check_whole(path, head)
    library = needs("soundfile")
    try:
        channels, its_rate = library.read(path, dtype="float32", always_2d=True)
    except library.SoundFileError as error:
        raise CorruptError(f"{path} is not readable audio: {error}") from error
    if channels.shape[1] != 1:
        raise ExamplesError(
            f"{path} has {channels.shape[1]} channels, not one: mix them, or keep one of them"
        )
    if its_rate != rate:
        raise ExamplesError(
            f"{path} has {its_rate} samples a second, not {rate}: resample it, or ask for its rate"
        )
    samples: Array = channels[:, 0]
    return samples


def _check_whole(path: Path, head: bytes) -> None:
    # libsndfile reads what is left of a file that was cut short, and says nothing.
    if head.startswith(b"NIST_1A"):
        start, promised = _sphere_bytes(path, head.decode("latin-1"))
    elif head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        start, promised = _riff_bytes(head)
    else:
        return
    there = path.stat().st_size - start
    if promised not in _UNKNOWN_LENGTHS and there < promised:
        raise CorruptError(
            f"{path} is cut short: its header says {promised} bytes of samples, "
            f"{max(there, 0)} are there"
        )


def _sphere_bytes(path: Path, head: str) -> tuple[int, int]:
    """Where the samples of a SPHERE file begin, and how many bytes they are by its header."""
    if re.search(r"^sample_coding .*shorten", head, re.MULTILINE):
        raise ExamplesError(f"{path} is packed with shorten: unpack it with `sph2pipe -f wav`")
    sizes = {name: int(size) for name, size in re.findall(r"^(\w+) -i (\d+)\s*$", head, re.M)}
    start = re.match(r"NIST_1A\s+(\d+)\s", head)
    needed = ("sample_count", "sample_n_bytes")
    if start is None or not sizes.keys() >= set(needed):
        raise CorruptError(f"{path} begins as NIST SPHERE, but has no whole header")
    count, width = (sizes[name] for name in needed)
    return int(start[1]), count * width * sizes.get("channel_count", 1)


def _riff_bytes(head: bytes) -> tuple[int, int]:
    """Where the samples of a RIFF file begin, and how many bytes they are by its header."""
    at = 12
    while at + 8 <= len(head):
        size = int.from_bytes(head[at + 4 : at + 8], "little")
        if head[at : at + 4] == b"data":
            return at + 8, size
        at += 8 + size + size % 2
    return at, 0
