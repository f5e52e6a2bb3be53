"""Score sets on disk: rows of scores that are found by the key of their example."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from limbeck import artifacts
from limbeck.errors import CorruptError, MismatchError
from limbeck.examples import Array, Examples, View, views
from limbeck.scores._dense import Dense
from limbeck.scores._kinds import Kind, check_classes
from limbeck.scores._record import ScoreSetRecord
from limbeck.scores._shards import Shard, planned_shards, read_shard

ARTIFACT = "score set"


@dataclass(frozen=True, eq=False)
class ScoreSet:
    """What a teacher said of examples, found by key, content and view; checked as it is read.

    The whole set is held in memory in its stored width once something is read from it.

    Attributes:
        directory: where it lies.
        manifest: what it says of itself.
        examples: the examples it was made from, or the same ones in another order.
        is_trusted: whether code that its view names may be run.
    """

    directory: Path
    manifest: Mapping[str, Any]
    examples: Examples
    own_view: View | None = None  # of a kind that its text does not make again
    is_trusted: bool = False

    @classmethod
    def open(
        cls,
        directory: Path,
        examples: Examples,
        own_view: View | None = None,
        *,
        trust: bool = False,
    ) -> "ScoreSet":
        """The whole score set in a directory, with the examples it is about.

        Raises:
            MissingError: there is none, or it is not whole.
            CorruptError: the manifest is damaged, or lacks an entry.
        """
        manifest = artifacts.read_manifest(directory, ARTIFACT)
        scores = cls(directory, manifest, examples, own_view, trust)
        scores.record  # noqa: B018  what the manifest lacks is said here, not where it is read
        return scores

    @cached_property
    def record(self) -> ScoreSetRecord:
        """What the manifest says, typed.

        Raises:
            CorruptError: it lacks an entry.
        """
        file = self.directory / artifacts.MANIFEST
        return artifacts.record_of(ScoreSetRecord, self.manifest, file)

    def __len__(self) -> int:
        return self.record.examples["n"]

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in the order of the columns."""
        return tuple(self.record.classes)

    @property
    def kind(self) -> Kind:
        """What the scores are."""
        return self.record.kind

    @property
    def view(self) -> View:
        """How the examples were shown to the teacher."""
        if self.own_view is not None and self.own_view.text == self.record.view:
            return self.own_view
        return views.from_text(self.record.view, trust=self.is_trusted)

    @property
    def count(self) -> int:
        """How many views of each example were scored; they are numbered from 0."""
        return self.record.count

    @property
    def seed(self) -> int:
        """What the views were drawn with."""
        return self.record.seed

    @property
    def fingerprint(self) -> str:
        """Names the set by what is in it."""
        return artifacts.fingerprint(self.record.files)

    @property
    def held_out(self) -> str:
        """Whether the examples were held out from the teacher: yes, no, partly or unknown."""
        return self.record.held_out["answer"]

    def check_view(self, view: View, seed: int, count: int) -> None:
        """Refuses another view, view seed or number of views than was scored.

        Raises:
            MismatchError: they differ.
        """
        if (view.text, seed, count) != (self.record.view, self.seed, self.count):
            raise MismatchError(
                f"{self.directory} holds scores of {self.count} views {self.manifest['view']} with "
                f"seed {self.seed}, not of {count} views {view.text} with seed {seed}: "
                "score again or ask for those"
            )

    def positions(self, examples: Examples, *, allow_unscored: bool = False) -> Array:
        """Where each example's scores are, `(examples,)`; -1 for none, where that is allowed.

        A subset or another order of the scored examples is found; anything else is refused.

        Raises:
            MismatchError: other classes, an example that was not scored, or changed content; or a
                part of the examples where the view mixes all of them.
        """
        check_classes(examples, self.classes, self.kind, f"the score set {self.directory}")
        return self.rows(examples, allow_unscored=allow_unscored)

    def rows(self, examples: Examples, *, allow_unscored: bool = False) -> Array:
        """The same, whatever the order in which the examples name the classes."""
        at = self._scored.find(examples.keys)
        missing = at < 0
        if missing.any() and not allow_unscored:
            raise MismatchError(
                f"{int(missing.sum())} of {len(examples)} examples were not scored in "
                f"{self.directory}, the first is {str(examples.keys[missing][0])!r}: "
                "this score set was made from other examples"
            )
        # A key says which example is meant, its content that it is still the same one: labels are
        # not in the hash, for a label that is mended changes no teacher's answer.
        changed = ~missing & (self._scored.content[at] != examples.content_hashes)
        if changed.any():
            raise MismatchError(
                f"{int(changed.sum())} examples have changed since they were scored in "
                f"{self.directory}, the first is {str(examples.keys[changed][0])!r}: score again"
            )
        if self.view.needs_all_examples and len(at) != len(self):
            raise MismatchError(
                f"{self.view.text} mixes examples, so its scores belong to all {len(self)} "
                f"examples of {self.directory}; got {len(examples)}"
            )
        return at

    def read(self, positions: Array, numbers: Array) -> Array:
        """The raw scores of so many positions, each in its own view, `(batch, classes)` float32."""
        picked = Dense(
            self._scores.values[numbers, positions], self._scores.maximum[numbers, positions]
        )
        return picked.raw()

    def each_shard(self) -> Iterator[tuple[Shard, Dense]]:
        """Every shard with its scores, one at a time, for who must not hold all of them.

        Raises:
            CorruptError: a shard was truncated or altered.
            MissingError: a shard is gone.
        """
        for shard in planned_shards(len(self), self.count, self.record.shard_rows):
            tensors = self._read(shard)
            yield shard, Dense(tensors["values"], tensors["maximum"])

    def _read(self, shard: Shard) -> dict[str, Array]:
        entry = self.record.files[shard.name]
        content = artifacts.read_checked(self.directory, shard.name, entry)
        return read_shard(content, shard)

    def check_whole(self) -> None:
        """Reads every shard and compares it with its checksums.

        Raises:
            CorruptError: a shard was truncated or altered.
            MissingError: a shard is gone.
        """
        self._scored  # noqa: B018  reading is what checks
        self._scores  # noqa: B018  so does this

    @cached_property
    def _tensors(self) -> list[list[dict[str, Array]]]:
        parts: list[list[dict[str, Array]]] = [[] for _ in range(self.count)]
        for shard in planned_shards(len(self), self.count, self.record.shard_rows):
            parts[shard.view].append(self._read(shard))
        return parts

    @cached_property
    def _scores(self) -> Dense:
        """Values `(views, examples, classes)` and maxima `(views, examples)`."""
        values = [np.concatenate([t["values"] for t in view]) for view in self._tensors]
        maxima = [np.concatenate([t["maximum"] for t in view]) for view in self._tensors]
        return Dense(np.stack(values), np.stack(maxima))

    @cached_property
    def _scored(self) -> "_Scored":
        first, *others = [_scored_rows(view) for view in self._tensors]
        if any((other.keys != first.keys).any() for other in others):
            raise CorruptError(f"the views of {self.directory} are not of the same examples")
        return first


@dataclass(frozen=True, eq=False)
class _Scored:
    """Which examples the rows of a view are."""

    keys: Array
    content: Array

    @cached_property
    def _order(self) -> Array:
        return np.argsort(self.keys)

    def find(self, keys: Array) -> Array:
        """The position of each key, -1 for one that was not scored."""
        ordered = self.keys[self._order]
        # A key beyond the last one would be found at len(ordered), where there is nothing.
        at = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
        return np.where(ordered[at] == keys, self._order[at], -1)


def _scored_rows(tensors: Sequence[Mapping[str, Array]]) -> _Scored:
    keys = [t["keys"].tobytes().decode().split("\0") for t in tensors]
    content = np.concatenate([t["content"] for t in tensors])
    return _Scored(np.concatenate([np.asarray(k) for k in keys]), content)
