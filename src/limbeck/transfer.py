"""TransferSet: what training sees."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from limbeck._engine import device, tensor
from limbeck._store import ScoreSet
from limbeck.errors import LabelsError, MismatchError
from limbeck.examples import Array, Batch, Examples
from limbeck.scores import SOFTMAX_KINDS, Kind, as_tensor
from limbeck.views import Plain, View

FRESH = 2**31  # so many views that every epoch sees a new one


def check_labelled(labelled: Examples | None) -> None:
    """Refuses examples that were given for their labels and have none.

    Raises:
        LabelsError: no example has a label.
    """
    if labelled is not None and not labelled.is_labelled.any():
        raise LabelsError(f"{labelled.name} was given as labelled, and has no labels")


def check_trainable(kind: Kind, whose: str) -> None:
    """Refuses scores of a kind that no student is trained on yet.

    Raises:
        MismatchError: they are neither logits nor log-probabilities.
    """
    if kind not in SOFTMAX_KINDS:
        raise MismatchError(
            f"{whose} {kind}; students are trained on logits or log-probabilities "
            "(of a probability, take the log)"
        )


@dataclass(frozen=True, eq=False)
class TransferSet:
    """Examples, views, a seed and scores (stored or none): yields batches of all four.

    In every epoch each example is seen once, in one of its views; after as many epochs as there
    are views it was seen in each of them once.

    Attributes:
        examples: what is shown.
        view: how it is shown.
        count: how many views of each example there are; `FRESH` for a new one every epoch.
        seed: what the views are drawn with.
        positions: where each example's scores are in the score set, -1 for none.
        scores: the score set, or an empty tuple.
    """

    examples: Examples
    view: View = field(default_factory=Plain)
    count: int = 1
    seed: int = 0
    scores: ScoreSet | tuple[()] = ()
    positions: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @classmethod
    def of(cls, scores: ScoreSet, labelled: Examples | None = None) -> "TransferSet":
        """A score set with its examples and views, and the labelled examples beside them if any.

        Labelled examples that were scored lend their labels; others are seen without scores.

        Raises:
            MismatchError: the scores belong to other examples, or are of a kind that no student
                is trained on yet.
        """
        check_trainable(scores.kind, f"{scores.directory} holds")
        examples = scores.examples
        scores.positions(examples)
        if labelled is not None:
            examples = examples.joined(labelled)
        at = scores.positions(examples, allow_unscored=True)
        return cls(examples, scores.view, scores.count, scores.seed, scores, at)

    @property
    def is_scored(self) -> bool:
        """Whether a teacher has said anything about it."""
        return isinstance(self.scores, ScoreSet)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in order."""
        return self.scores.classes if isinstance(self.scores, ScoreSet) else self.examples.classes

    def without_scores(self) -> "TransferSet":
        """The same examples in the same views, with labels alone: what a control sees."""
        return replace(self, scores=(), positions=np.zeros(0, dtype=np.int64))

    def numbers(self, rows: Array, epoch: int) -> Array:
        """Which view of each row that epoch shows, `(batch,)`."""
        offsets = self.examples.key_hashes[rows] % np.uint64(self.count)
        return ((offsets + np.uint64(epoch)) % np.uint64(self.count)).astype(np.int64)

    def batch(self, rows: Array, numbers: Array) -> Batch:
        """Those rows, each in that view, on the device students compute on."""
        shown = self.view.show(self.examples, rows, numbers, self.seed)
        on = device()
        inputs = tensor(shown.inputs).to(on)
        if inputs.dim() == 4:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        batch = replace(shown, inputs=inputs, labels=tensor(shown.labels).to(on))
        return self._with_scores(batch, rows, numbers, on)

    def _with_scores(self, batch: Batch, rows: Array, numbers: Array, on: torch.device) -> Batch:
        if not isinstance(self.scores, ScoreSet):
            return batch
        at = self.positions[rows]
        raw = self.scores.read(np.maximum(at, 0), numbers)
        scored = torch.from_numpy(at >= 0).to(on)
        return replace(
            batch, scores=as_tensor(raw, on), is_scored=scored, scale=self.moments[1].to(on)
        )

    @cached_property
    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of each class's score over all examples and views, `(classes,)`."""
        assert isinstance(self.scores, ScoreSet)
        at = self.positions[self.positions >= 0]
        total, squares = np.zeros(len(self.classes)), np.zeros(len(self.classes))
        for view in range(self.count):
            for part in np.array_split(at, math.ceil(len(at) / 4096)):
                raw = self.scores.read(part, np.full(len(part), view)).astype(np.float64)
                total += raw.sum(axis=0)
                squares += (raw**2).sum(axis=0)
        n = len(at) * self.count
        mean = total / n
        deviation = np.sqrt(np.maximum(squares / n - mean**2, 0.0))
        deviation = np.where(deviation > 0, deviation, 1.0)
        return torch.from_numpy(mean).float(), torch.from_numpy(deviation).float()

    def first_views(self, rows: Array, size: int) -> Iterator[Batch]:
        """Those rows in their first view, in batches: what held-out decisions are made on."""
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            yield self.batch(part, np.zeros(len(part), dtype=np.int64))
