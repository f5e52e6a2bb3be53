"""Embeddings on disk, found by the content of the text they are of."""

import json
from collections import ChainMap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from limbeck import artifacts
from limbeck.errors import CorruptError
from limbeck.examples import Array

EMPTY: Mapping[int, Array] = {}


class Kept:
    """What a folder holds of one encoder's embeddings; all of it is in memory once it is asked.

    Each addition is a file of its own, which never changes and carries its checksum, so that
    several processes can add to one folder. A damaged file is passed over: its texts are absent.
    """

    def __init__(self, folder: Path, dimensions: int) -> None:
        self.folder, self.dimensions = folder, dimensions
        self._rows: dict[int, Array] = {}
        self._is_read = False

    def absent(self, content: Array) -> Array:
        """The first row of each content hash that is not here, in order; `(absent,)`."""
        self._read()
        distinct, first = np.unique(content, return_index=True)
        lacks = [hashed not in self._rows for hashed in distinct.tolist()]
        return np.sort(first[lacks])

    def rows(self, content: Array, others: Mapping[int, Array] = EMPTY) -> Array:
        """The embeddings of texts that are all here or among others, `(texts, dimensions)`."""
        rows = ChainMap(dict(others), self._rows)
        return np.stack([rows[hashed] for hashed in content.tolist()])

    def add(self, content: Array, embeddings: Array) -> None:
        """Keeps the embeddings of these texts, in memory and durably on disk.

        Raises:
            StorageError: the disk is full, read-only, or not ours to write.
        """
        tensors = {"content": content, "embeddings": embeddings}
        head = json.dumps({"checksum": _digest(tensors)})
        name = artifacts.checksum(content.tobytes())[:16]
        written = save(tensors, metadata={"limbeck": head})
        artifacts.write_file(self.folder / f"{name}.safetensors", written)
        self._remember(tensors)

    def _read(self) -> None:
        if self._is_read:
            return
        for file in sorted(self.folder.glob("*.safetensors")):
            self._remember(_tensors(file.read_bytes()))
        self._is_read = True

    def _remember(self, tensors: Mapping[str, Any]) -> None:
        if tensors and tensors["embeddings"].shape[1] == self.dimensions:
            self._rows |= zip(tensors["content"].tolist(), tensors["embeddings"], strict=True)


def _tensors(content: bytes) -> dict[str, Array]:
    """What a file holds; nothing, if it is damaged."""
    try:
        header = artifacts.embedded(content)
        tensors: dict[str, Array] = load(content)
    except (SafetensorError, CorruptError):
        return {}
    return tensors if header.get("checksum") == _digest(tensors) else {}


def _digest(tensors: Mapping[str, Array]) -> str:
    sums = {name: artifacts.checksum(one.tobytes()) for name, one in tensors.items()}
    return artifacts.fingerprint(sums)
