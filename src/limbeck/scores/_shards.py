"""Shards: files of some rows of a score set, each with the keys and a checksum of its rows."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from limbeck import artifacts
from limbeck.errors import CorruptError
from limbeck.examples import Array, Examples
from limbeck.scores._dense import Dense

# What a crash loses of a teacher's work, at most, against a wait for the disk at every shard.
SHARD_ROWS = 8192


@dataclass(frozen=True)
class Shard:
    """One file of a score set: rows `start` to `stop` of one view."""

    view: int
    start: int
    stop: int

    @property
    def name(self) -> str:
        """The file's name, which depends on the range alone.

        So whoever resumes, or another process, knows which files are missing without a list.
        """
        return f"view-{self.view:04d}-rows-{self.start:09d}-{self.stop:09d}.safetensors"


def planned_shards(examples: int, count: int, rows: int) -> Iterator[Shard]:
    """The shards of a score set of so many views, in the order they are written."""
    for view in range(count):
        for start in range(0, examples, rows):
            yield Shard(view, start, min(start + rows, examples))


def write_shard(
    directory: Path, shard: Shard, examples: Examples, scores: Dense, nats: Array
) -> None:
    """Writes one shard durably; what the rows are is taken from the examples at its range.

    `nats` is what rounding cost each row, `(rows,)`.
    """
    rows = slice(shard.start, shard.stop)
    # A score is found by its example's key, never by its position, and its example is known again
    # by its content: both lie beside the scores, in the file that a crash leaves whole or absent.
    keys = "\0".join(examples.keys[rows]).encode()
    tensors = {
        # safetensors writes the memory as it lies, and would shuffle scores kept by column.
        "values": np.ascontiguousarray(scores.values),
        "maximum": scores.maximum,
        "content": examples.content_hashes[rows],
        "keys": np.frombuffer(keys, dtype=np.uint8),
    }
    rounding = {"sum": float(nats.sum()), "highest": float(nats.max())}
    head = {"checksum": _digest(tensors), **vars(shard), "rounding_nats": rounding}
    # One metadata key only: safetensors writes several in an order that changes from run to run.
    content = save(tensors, metadata={"limbeck": json.dumps(head, sort_keys=True)})
    artifacts.write_file(directory / shard.name, content)


def is_whole_shard(directory: Path, shard: Shard) -> bool:
    """Whether the shard is there and its own checksum holds; a damaged one is written again."""
    try:
        read_shard((directory / shard.name).read_bytes(), shard)
    except (OSError, CorruptError):
        return False
    return True


def read_shard(content: bytes, shard: Shard) -> dict[str, Array]:
    try:
        header = artifacts.embedded(content)
        tensors: dict[str, Array] = load(content)
    except (SafetensorError, CorruptError) as error:
        raise CorruptError(f"{shard.name} is not a readable shard: {error}") from error
    # The checksum is of the tensors alone; view and start tell a shard that was copied or renamed
    # over another, whose own checksum would hold.
    if (header["checksum"], header["view"], header["start"]) != (
        _digest(tensors),
        shard.view,
        shard.start,
    ):
        raise CorruptError(f"{shard.name} was altered: its own checksum does not hold")
    return tensors


def recorded_rounding_nats(directory: Path, written: Sequence[Shard]) -> dict[str, float]:
    """Mean and highest KL, in nats, from what the teacher said to what those shards hold."""
    costs = []
    # From the heads alone: a set that was resumed has shards that this process never held.
    for shard in written:
        with safe_open(directory / shard.name, framework="numpy") as file:
            costs.append(json.loads(file.metadata()["limbeck"])["rounding_nats"])
    rows = sum(shard.stop - shard.start for shard in written)
    return {
        "mean": sum(cost["sum"] for cost in costs) / rows,
        "highest": max(cost["highest"] for cost in costs),
    }


def _digest(tensors: Mapping[str, Array]) -> str:
    return artifacts.fingerprint(
        {name: artifacts.checksum(np.ascontiguousarray(t).tobytes()) for name, t in tensors.items()}
    )
