"""Heads of sentence encoders in files: numbers, class names, and which encoder they read."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from limbeck import artifacts
from limbeck.errors import CorruptError, InputError, OccupiedError
from limbeck.examples import Array
from limbeck.teachers import _files

ENDING = ".safetensors"
FORMAT = 1
# How the header of such a file goes on: as it is written, and as 0.1 wrote it.
MARKS = (rb"{\"artifact\": \"head\"", rb"{\"artefact\": \"head\"")


@dataclass(frozen=True)
class Reads:
    """The encoder whose embeddings a head reads.

    Attributes:
        folder: where it lies, seen from the head's own folder.
        fingerprint: what it has to be.
        tokens: how much of a text it was asked to read; 0 for as much as it can.
        precision: what it computes in.
    """

    folder: str
    fingerprint: str
    tokens: int
    precision: str


@dataclass(frozen=True, eq=False)
class Head:
    """A head as numbers: a row of weights and a bias for each class.

    Attributes:
        classes: in the order of the rows.
        weight: float32 `(classes, dimensions)`.
        bias: float32 `(classes,)`.
    """

    classes: tuple[str, ...]
    weight: Array
    bias: Array

    def logits(self, embeddings: Array) -> Array:
        """Of embeddings `(texts, dimensions)`, `(texts, classes)`."""
        scores: Array = embeddings @ self.weight.T + self.bias
        return scores

    def write(self, to: str | Path, folder: Path, reads: Reads) -> Path:
        """Keeps the head of the encoder in a folder; the same head again is left as it is.

        Raises:
            InputError: the file has another ending, or lies in the encoder's folder.
            OccupiedError: it is there already and holds something else.
            StorageError: the disk is full or read-only.
        """
        path = Path(to)
        if path.suffix.lower() != ENDING:
            raise InputError(f"a head is kept in a {ENDING} file, not in {path}")
        if path.resolve().is_relative_to(folder):
            raise InputError(
                f"{path} would lie in the folder of its encoder, which is known by all that is in "
                "it: keep the head beside that folder"
            )
        content = self._content(_seen_from(folder, path.absolute().parent), reads)
        if path.exists() and (not path.is_file() or path.read_bytes() != content):
            raise OccupiedError(
                f"{path} is there already and is not this head; nothing was overwritten: choose "
                "another name or remove it"
            )
        artifacts.write_file(path, content)
        return path

    def _content(self, folder: str, reads: Reads) -> bytes:
        tensors = {"bias": self.bias, "weight": np.ascontiguousarray(self.weight)}
        # The artifact first: it is what a file of such a head is known by.
        header = {"artifact": "head", "format": FORMAT, "classes": list(self.classes)}
        header |= {"encoder": {**asdict(reads), "folder": folder}, "checksum": _checksum(tensors)}
        return save(tensors, metadata={"limbeck": json.dumps(header)})


def is_head(path: Path) -> bool:
    """Whether a file begins as one that `Head.write` made."""
    if path.suffix.lower() != ENDING or not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(256)
    return any(mark in start for mark in MARKS)


def read(path: str | Path) -> tuple[Head, Reads]:
    """The head in a file and the encoder it reads, whose folder is as seen from here.

    Raises:
        MissingError: there is no such file.
        CorruptError: it is no head, damaged, or of a newer format.
    """
    file = _files.present(path)
    content = file.read_bytes()
    try:
        header, tensors = artifacts.embedded(content), load(content)
        head, reads = _parts(header, tensors)
        is_whole = header["checksum"] == _checksum(tensors)
    except (SafetensorError, CorruptError, ValueError, KeyError, TypeError) as error:
        raise CorruptError(f"{path} is no head that Limbeck kept, or damaged: {error}") from error
    if not is_whole:
        raise CorruptError(f"{path} was altered: its numbers are not those of its checksum")
    folder = os.path.normpath(file.parent / reads.folder)
    return head, Reads(folder, reads.fingerprint, reads.tokens, reads.precision)


def _parts(header: dict[str, Any], tensors: dict[str, Array]) -> tuple[Head, Reads]:
    if header["artifact"] != "head" or header["format"] != FORMAT:
        raise ValueError(f"it is a {header['artifact']} of format {header['format']}")
    head = Head(_names(header["classes"]), tensors["weight"], tensors["bias"])
    if head.weight.shape[:1] != (len(head.classes),) or head.bias.shape != (len(head.classes),):
        raise ValueError(f"{len(head.classes)} classes have weights of {head.weight.shape}")
    return head, Reads(**header["encoder"])


def _names(classes: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(name) for name in classes)


def _checksum(tensors: dict[str, Array]) -> str:
    return artifacts.checksum(b"".join(tensors[name].tobytes() for name in sorted(tensors)))


def _seen_from(folder: Path, place: Path) -> str:
    """The folder from that place, so that both may be moved together."""
    try:
        return Path(os.path.relpath(folder, place.resolve())).as_posix()
    except ValueError:  # on another drive
        return str(folder)
