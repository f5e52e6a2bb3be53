"""TransferSet: examples, views, seed and scores; all that training sees."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor

from limbeck.errors import InputError, LabelsError
from limbeck.examples import Array, Batch, Examples, Plain, Ragged, View, as_view, tensor
from limbeck.runtime import device
from limbeck.scores import Kind, ScoreSet, answered_with, as_tensor, check_classes, check_width
from limbeck.training._sources import Source, Stored

FRESH = 2**31  # so many views that every epoch sees a new one


def check_labelled(labelled: Examples | None) -> None:
    """Refuses examples that were given for their labels and have none.

    Raises:
        LabelsError: no example has a label.
    """
    if labelled is not None and not labelled.is_labelled.any():
        raise LabelsError(f"{labelled.name} was given as labelled, and has no labels")


def check_increasing(sizes: Sequence[int]) -> None:
    """Refuses sizes of parts that do not increase from 1 or more.

    Raises:
        InputError: they do not.
    """
    if list(sizes) != sorted(set(sizes)) or min(sizes, default=0) < 1:
        raise InputError(
            "the sizes of a sweep are whole numbers of 1 or more, each larger than the one "
            f"before, not {list(sizes)}"
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
        scores: where scores come from, or an empty tuple for none.
        found: what a student of texts found in each example, shown to it in the text's place.
    """

    examples: Examples
    view: View = field(default_factory=Plain)
    count: int = 1
    seed: int = 0
    scores: Source | tuple[()] = ()
    found: Ragged | None = None

    def __post_init__(self) -> None:
        # A view of your own may be any object that shows; from here on it is a `View`.
        object.__setattr__(self, "view", as_view(self.view))

    @classmethod
    def of(cls, scores: ScoreSet, labelled: Examples | None = None) -> "TransferSet":
        """A score set with its examples and views, and the labelled examples beside them if any.

        Labelled examples that were scored lend their labels; others are seen without scores.

        Raises:
            MismatchError: the scores belong to other examples.
            InputError: they are probabilities that were kept in float16.
        """
        check_width(scores.kind, scores.record.width, f"{scores.directory} holds")
        examples = scores.examples
        scores.positions(examples)
        if labelled is not None:
            check_classes(labelled, scores.classes, scores.kind, str(scores.directory))
            examples = examples.joined(labelled)
        at = scores.positions(examples, allow_unscored=True)
        return cls(examples, scores.view, scores.count, scores.seed, Stored(scores, at))

    @property
    def source(self) -> Source:
        """Where scores come from; only where `has_scores`."""
        assert self.scores
        return self.scores

    @property
    def has_scores(self) -> bool:
        """Whether a teacher has said anything about it, or will."""
        return bool(self.scores)

    @cached_property
    def is_scored(self) -> Array:
        """Which examples have scores, `(examples,)` booleans."""
        rows = np.arange(len(self.examples))
        return self.source.is_scored(rows) if self.scores else np.zeros(len(rows), dtype=bool)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in order."""
        return self.scores.classes if self.scores else self.examples.classes

    @property
    def kind(self) -> Kind:
        """What the scores are; without scores, what is answered to learn the labels."""
        return self.scores.kind if self.scores else self.examples.labels_kind

    @property
    def answers(self) -> Kind:
        """What a student answers with who learns it."""
        return answered_with(self.kind)

    @property
    def has_labels(self) -> bool:
        """Whether there are labels, of the form that such a student can learn or be held to."""
        is_fitting = self.examples.labels_kind == self.answers
        return is_fitting and bool(self.examples.is_labelled.any())

    def without_scores(self) -> "TransferSet":
        """The same examples in the same views, with labels alone: what a control sees."""
        return replace(self, scores=())

    def take(self, rows: Array) -> "TransferSet":
        """Those rows alone, with their scores.

        Raises:
            MismatchError: they were scored in a view that mixes all examples.
        """
        readings = self.found.take(rows) if self.found else None
        part = replace(self, examples=self.examples.take(rows), found=readings)
        return replace(part, scores=self.source.take(rows)) if self.scores else part

    def check_sizes(self, sizes: Sequence[int]) -> None:
        """Refuses sizes of parts that do not increase, or that ask for more than there is.

        Raises:
            InputError: they do not.
        """
        check_increasing(sizes)
        if sizes[-1] > (most := len(self._taught)):
            what = "examples with scores" if self.scores else "examples"
            raise InputError(
                f"a sweep of size {sizes[-1]} needs as many {what}; {self.examples.name} has {most}"
            )

    def of_size(self, size: int) -> "TransferSet":
        """So many of the examples with scores (without a teacher, of all examples).

        Which ones follows from the hashes of their keys alone, so the smaller part is part of the
        larger. Labelled examples without scores are in every part.

        Raises:
            MismatchError: a part of a set that was scored in a view that mixes all examples.
        """
        if size == len(self._taught):
            return self
        hashes = self.examples.key_hashes[self._taught]
        chosen = self._taught[np.argsort(hashes, kind="stable")[:size]]
        others = np.setdiff1d(np.arange(len(self.examples)), self._taught)
        return self.take(np.sort(np.concatenate([chosen, others])))

    @property
    def _taught(self) -> Array:
        """The rows with scores; of a transfer set without a teacher, all."""
        return np.flatnonzero(self.is_scored) if self.scores else np.arange(len(self.examples))

    def numbers(self, rows: Array, epoch: int) -> Array:
        """Which view of each row that epoch shows, `(batch,)`."""
        offsets = self.examples.key_hashes[rows] % np.uint64(self.count)
        return ((offsets + np.uint64(epoch)) % np.uint64(self.count)).astype(np.int64)

    def batch(self, rows: Array, numbers: Array) -> Batch:
        """Those rows, each in that view, on the device students compute on."""
        shown = self.view.show(self.examples, rows, numbers, self.seed)
        on = device()
        inputs = tensor(self.found.block(rows) if self.found else shown.inputs).to(on)
        if inputs.dim() == 4:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        batch = replace(shown, inputs=inputs, labels=tensor(shown.labels).to(on), kind=self.kind)
        if not self.scores:
            return batch
        raw = self.source.scores(lambda: shown, rows, numbers)
        scored = torch.from_numpy(self.is_scored[rows]).to(on)
        return replace(batch, scores=as_tensor(raw, on), is_scored=scored)

    @cached_property
    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of each class's score over all examples and views, `(classes,)`.

        Of fresh views without end, those of the first are taken. Without scores they are those of
        the labels, which are then values.
        """
        total, squares, n = np.zeros(len(self.classes)), np.zeros(len(self.classes)), 0
        for raw in self._all_scores() if self.scores else self._all_labels():
            total += raw.sum(axis=0)
            squares += (raw**2).sum(axis=0)
            n += len(raw)
        mean = total / n
        deviation = np.sqrt(np.maximum(squares / n - mean**2, 0.0))
        deviation = np.where(deviation > 0, deviation, 1.0)
        return torch.from_numpy(mean).float(), torch.from_numpy(deviation).float()

    def _all_labels(self) -> Iterator[Array]:
        yield self.examples.labels[self.examples.is_labelled].astype(np.float64)

    def _all_scores(self) -> Iterator[Array]:
        scored = np.flatnonzero(self.is_scored)
        for view in range(self.count if self.count < FRESH else 1):
            for rows in np.array_split(scored, math.ceil(len(scored) / 4096)):
                numbers = np.full(len(rows), view)
                show = partial(self.view.show, self.examples, rows, numbers, self.seed)
                yield self.source.scores(show, rows, numbers).astype(np.float64)

    def first_views(self, rows: Array, size: int) -> Iterator[Batch]:
        """Those rows in their first view, in batches: what held-out decisions are made on."""
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            yield self.batch(part, np.zeros(len(part), dtype=np.int64))
