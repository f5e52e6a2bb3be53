"""Reads UBJSON, the binary JSON of XGBoost's models, and refuses what is not whole."""

import struct
from typing import Any

import numpy as np

NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
LITERALS = {"T": True, "F": False, "Z": None}


def decode(content: bytes) -> Any:
    """What the bytes hold; a list of numbers of one type is an array.

    Raises:
        ValueError: they are no UBJSON, end early, or go on after the end.
    """
    reader = _Reader(content)
    try:
        value = reader.value(reader.character())
    except (IndexError, KeyError, RecursionError, struct.error) as error:
        raise ValueError(f"no UBJSON at byte {reader.at}") from error
    if reader.at != len(content):
        raise ValueError(f"{len(content) - reader.at} bytes too many")
    return value


class _Reader:
    """A place in the bytes."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def character(self) -> str:
        self.at += 1
        return chr(self.content[self.at - 1])

    def next_is(self, wanted: str) -> bool:
        """Whether that character comes next, which is then read."""
        is_next = chr(self.content[self.at]) == wanted
        self.at += is_next
        return is_next

    def numbers(self, kind: str, count: int) -> Any:
        array = np.frombuffer(self.content, NUMBERS[kind], count, self.at)
        self.at += array.nbytes
        return array

    def count(self) -> int:
        number = int(self.numbers(self.character(), 1)[0])
        if not 0 <= number <= len(self.content) - self.at:
            raise ValueError(f"a length of {number} at byte {self.at}")
        return number

    def text(self) -> str:
        length = self.count()
        self.at += length
        return self.content[self.at - length : self.at].decode()

    def value(self, kind: str) -> Any:
        if kind in LITERALS:
            return LITERALS[kind]
        if kind == "S":
            return self.text()
        if kind == "{":
            return self.object()
        if kind == "[":
            return self.array()
        return self.numbers(kind, 1)[0].item()

    def object(self) -> dict[str, Any]:
        result = {}
        while not self.next_is("}"):
            name = self.text()
            result[name] = self.value(self.character())
        return result

    def array(self) -> Any:
        kind = self.character() if self.next_is("$") else ""
        if self.next_is("#"):
            count = self.count()
            if kind:
                return self.numbers(kind, count)
            return [self.value(self.character()) for _ in range(count)]
        items = []
        while not self.next_is("]"):
            items.append(self.value(self.character()))
        return items
