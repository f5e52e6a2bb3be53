"""Hashes of examples: what an example is known by beside its key, and what names a whole set."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from limbeck.examples._inputs import is_text
from limbeck.examples._lazy import Array, Inputs, blocks


@dataclass
class Hashes:
    """What is known of a set's hashes so far: they are the costly part of a subset.

    A set begins with none, so that one whose inputs or keys were replaced has none of another's;
    only who knows that they are the same hands them on.

    Attributes:
        contents, keys: 8 bytes for each input and for each key, `(examples,)` uint64.
        whole: the set's fingerprint.
    """

    contents: Array | None = None
    keys: Array | None = None
    whole: str = ""


def content_hashes(inputs: Inputs, shape: tuple[int, ...]) -> Array:
    rows = (row for block in blocks(inputs) for row in block)
    if is_text(inputs):
        return hash64(b"text" + text.encode() for text in rows)
    head = f"{inputs.dtype.str}{shape}".encode()
    return hash64(head + row.tobytes() for row in rows)


def digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def hash64(contents: Iterable[bytes]) -> Array:
    digests = b"".join(hashlib.blake2b(c, digest_size=8).digest() for c in contents)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)
