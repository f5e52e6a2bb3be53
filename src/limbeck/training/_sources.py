"""Where a transfer set's scores come from: a store, a teacher in the loop, or given values."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from limbeck.errors import MismatchError
from limbeck.examples import Array, Batch
from limbeck.scores import Dense, Kind, ScoreSet, as_learnt, default_width, learnt_kind
from limbeck.teachers import Teacher


@runtime_checkable
class Source(Protocol):
    """Where a transfer set's scores come from: a store, or a teacher in the loop."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in the order of the scores."""

    @property
    def kind(self) -> Kind:
        """What the scores are."""

    @property
    def fingerprint(self) -> str:
        """Changes when the scores do."""

    @property
    def place(self) -> str:
        """The directory of a score set; empty for a live teacher."""

    @property
    def seconds(self) -> float:
        """What the scores cost before training; 0 for a live teacher."""

    @property
    def teacher_parameters(self) -> int:
        """How many numbers the teacher's nets learned; 0 where that is not known."""

    @property
    def about(self) -> Mapping[str, Any]:
        """What a score set says of its teacher and how sure it is; empty for a live teacher."""

    def check(self) -> None:
        """Raises what is wrong with the scores before they are trained on."""

    def is_scored(self, rows: Array) -> Array:
        """Which of those rows have scores, `(rows,)` booleans."""

    def scores(self, show: Callable[[], Batch], rows: Array, numbers: Array) -> Array:
        """Raw scores `(batch, classes)` of those rows in those views; any where there are none.

        `show()` gives their raw inputs, for who needs them.
        """

    def take(self, rows: Array) -> "Source":
        """The source of those rows alone."""


@dataclass(frozen=True, eq=False)
class Stored:
    """Scores of a score set, at the positions of the examples' rows (-1 for none)."""

    score_set: ScoreSet
    positions: Array

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in the order of the scores."""
        return self.score_set.classes

    @property
    def kind(self) -> Kind:
        """What the scores are as they are learnt: of probabilities, the store's logarithms."""
        return learnt_kind(self.score_set.kind)

    @property
    def fingerprint(self) -> str:
        """Names the scores by what they are."""
        return self.score_set.fingerprint

    @property
    def place(self) -> str:
        """The score set's directory."""
        return str(self.score_set.directory)

    @property
    def seconds(self) -> float:
        """What scoring took."""
        return self.score_set.record.seconds

    @property
    def teacher_parameters(self) -> int:
        """How many numbers the teacher's nets learned; 0 where that is not known."""
        return _parameters_of(self.score_set.record.teacher)

    @property
    def about(self) -> Mapping[str, Any]:
        """The teacher's name and fingerprint, what was held out from it, and how sure it is."""
        manifest = self.score_set.manifest
        entries = {key: manifest[key] for key in ("held_out", "confidence") if key in manifest}
        return {**manifest["teacher"], **entries}

    def check(self) -> None:
        """Compares every shard with its checksums."""
        self.score_set.check_whole()

    def is_scored(self, rows: Array) -> Array:
        """Which of those rows have scores."""
        return np.asarray(self.positions[rows] >= 0)

    def scores(self, show: Callable[[], Batch], rows: Array, numbers: Array) -> Array:
        """What the store holds for those rows and views; of probabilities, the logarithm."""
        raw = self.score_set.read(np.maximum(self.positions[rows], 0), numbers)
        return as_learnt(raw, self.score_set.kind)

    def take(self, rows: Array) -> "Stored":
        """The same store at the positions of those rows."""
        if self.score_set.view.needs_all_examples:
            raise MismatchError(
                f"{self.score_set.view.text} mixes examples, so the scores in {self.place} belong "
                "to all of them: a part of them would be mixed otherwise"
            )
        return replace(self, positions=self.positions[rows])


def _parameters_of(teacher: Mapping[str, Any]) -> int:
    """The parameters in what a manifest says of a teacher, or of all members of an ensemble."""
    if "members" not in teacher:
        return int(teacher.get("parameters", 0))
    counts = [_parameters_of(member) for member in teacher["members"]]
    return sum(counts) if all(counts) else 0


@dataclass(frozen=True, eq=False)
class Live:
    """Scores of a teacher who is asked about every batch."""

    teacher: Teacher
    place = ""
    seconds = 0.0

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in the order of the scores."""
        return self.teacher.classes

    @property
    def kind(self) -> Kind:
        """What the scores are as they are learnt: of probabilities, their logarithms."""
        return learnt_kind(self.teacher.kind)

    @property
    def fingerprint(self) -> str:
        """Names the scores by who gives them."""
        return f"live:{self.teacher.fingerprint}"

    @property
    def teacher_parameters(self) -> int:
        """How many numbers the teacher's nets learned; 0 where that is not known."""
        return self.teacher.parameters

    @property
    def about(self) -> Mapping[str, Any]:
        """Nothing is recorded of it."""
        return {}

    def check(self) -> None:
        """Nothing is stored that could be damaged."""

    def is_scored(self, rows: Array) -> Array:
        """All of them are."""
        return np.ones(len(rows), dtype=bool)

    def scores(self, show: Callable[[], Batch], rows: Array, numbers: Array) -> Array:
        """What the teacher says of the inputs shown, rounded as a store would round it."""
        shown = show()
        raw = self.teacher.ask(shown.inputs, shown.keys, f"the teacher {self.teacher.name}")
        kept = Dense.of(raw, default_width(self.teacher.kind)).raw()
        return as_learnt(kept, self.teacher.kind)

    def take(self, rows: Array) -> "Live":
        """The same teacher."""
        return self


@dataclass(frozen=True, eq=False)
class Given:
    """Values that were given for the examples' rows: labels to learn as values, `(rows, 1)`."""

    values: Array
    classes = ("value",)
    kind: Kind = "values"
    place = ""
    seconds = 0.0
    teacher_parameters = 0

    @property
    def about(self) -> Mapping[str, Any]:
        """Nothing is recorded of it."""
        return {}

    @property
    def fingerprint(self) -> str:
        """Names the values by themselves."""
        return "given:" + hashlib.blake2b(self.values.tobytes(), digest_size=8).hexdigest()

    def check(self) -> None:
        """Nothing is stored that could be damaged."""

    def is_scored(self, rows: Array) -> Array:
        """All of them are."""
        return np.ones(len(rows), dtype=bool)

    def scores(self, show: Callable[[], Batch], rows: Array, numbers: Array) -> Array:
        """The values of those rows."""
        return np.asarray(self.values[rows])

    def take(self, rows: Array) -> "Given":
        """The values of those rows alone."""
        return replace(self, values=self.values[rows])
