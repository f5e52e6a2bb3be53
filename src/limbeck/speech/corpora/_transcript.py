"""What is spoken in a recording: its phones, a line `first end phone` each, and its words."""

import re
from pathlib import Path

from limbeck.errors import CorruptError, ExamplesError, MissingError
from limbeck.speech._utterance import Segment

_LINE = re.compile(r"\s*(\d+)\s+(\d+)\s+(\S+)\s*")
_TIMES = re.compile(r"^\d+ \d+ ?")


def read_segments(path: Path) -> tuple[Segment, ...]:
    """The phones of a file such as TIMIT's `.PHN`: first sample, end (not included), symbol.

    Raises:
        MissingError: there is no such file.
        CorruptError: a line is something else.
        ExamplesError: it holds no phones.
    """
    lines = [(n, one) for n, one in enumerate(_read(path).splitlines(), 1) if one.strip()]
    if not lines:
        raise ExamplesError(f"{path} is an empty transcript: it says of no phone when it is spoken")
    return tuple(_segment(path, number, line) for number, line in lines)


def _segment(path: Path, number: int, line: str) -> Segment:
    match = _LINE.fullmatch(line)
    if match is None:
        raise CorruptError(
            f"line {number} of {path} is {line[:40]!r}, not 'first end phone' in samples"
        )
    return Segment(int(match[1]), int(match[2]), match[3])


def eased(segments: tuple[Segment, ...], length: int, slack: int) -> tuple[Segment, ...]:
    """Segments that run over by so many samples at most are cut; worse ones stay as they are.

    One that runs into its neighbour ends where that begins, and none ends after the recording.
    """
    ends = [other.first for other in segments[1:]] + [length]
    return tuple(
        Segment(one.first, end if 0 < one.end - end <= slack else one.end, one.phone)
        for one, end in zip(segments, ends, strict=True)
    )


def read_words(path: Path, *, with_times: bool = False) -> str:
    """The words of a file; `with_times` a first and an end stand before them, as in TIMIT's `.TXT`.

    Raises:
        ExamplesError: it holds none.
    """
    text = " ".join(_read(path).split())
    text = _TIMES.sub("", text) if with_times else text
    if not text:
        raise ExamplesError(f"{path} is an empty transcript: it holds no word")
    return text


def _read(path: Path) -> str:
    if not path.is_file():
        raise MissingError(f"there is no file {path}")
    return path.read_bytes().decode("utf-8-sig", errors="replace")
