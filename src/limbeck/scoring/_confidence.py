"""How sure a teacher is of its own training points and of points it never saw, and a warning."""

import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from limbeck.errors import InputError, MismatchError, ScoresWarning
from limbeck.examples import Array, Examples
from limbeck.metrics import Estimate, over_examples_and_seeds
from limbeck.scores import SOFTMAX_KINDS, ScoreSet, ScoreSetRecord
from limbeck.scoring._held_out import ALL, HELD_OUT, OWN, HeldOut, HeldOutAnswer

LEAST_GAP = 0.01
LEAST_RATIO = 2.0


def measured(scores: ScoreSet, held_out: HeldOut) -> dict[str, dict[str, Any]]:
    """How sure the teacher is of each part of the examples, as a manifest holds it.

    An example's confidence is the highest probability at temperature 1, averaged over its views.
    Scores that are no distribution have none.
    """
    if scores.kind not in (*SOFTMAX_KINDS, "probabilities"):
        return {}
    each = _confidences(scores)
    return {
        name: confidence_of(each[rows] if rows.size else each).to_json()
        for name, rows in held_out.parts.items()
    }


def confidence_of(highest: Array) -> Estimate:
    """The mean of highest probabilities `(examples,)`, with its interval over examples."""
    return over_examples_and_seeds(highest[None], bounds=(0.0, 1.0))


def _confidences(scores: ScoreSet) -> Array:
    """Each example's, `(examples,)` float64; one shard is held in memory at a time."""
    total = np.zeros(len(scores))
    for shard, dense in scores.each_shard():
        raw = dense.raw().astype(np.float64)
        likely = raw if scores.kind == "probabilities" else softmax(raw, axis=1)
        total[shard.start : shard.stop] += likely.max(axis=1)
    # Means of float64 softmaxes may pass 1 by rounding.
    return np.asarray(np.clip(total / scores.count, 0.0, 1.0))


@dataclass(frozen=True)
class Confidence:
    """How sure a teacher is of its own training points, and of points held out from it.

    Attributes:
        teacher: its name.
        own: the mean of its highest probability, at temperature 1, on points it was trained on.
        held_out: the same on points it was not trained on.
    """

    teacher: str
    own: Estimate
    held_out: Estimate

    @property
    def gap(self) -> Estimate:
        """Own less held out, with the interval that both intervals make together.

        The distances to the two ends are added in squares (Zou & Donner 2008, Statistics in
        Medicine 27, 1693-1702), which needs nothing but the two intervals.
        """
        own, other = self.own, self.held_out
        down = math.hypot(own.mean - own.low, other.high - other.mean)
        up = math.hypot(own.high - own.mean, other.mean - other.low)
        gap = own.mean - other.mean
        return Estimate(gap, gap - down, gap + up, own.n + other.n)

    @property
    def is_far_apart(self) -> bool:
        """Whether the teacher is far more confident on its own training points.

        What it leaves to the other classes is all that its soft targets teach beyond labels. It
        is far more confident where it leaves them less than half as much on its own points, and
        the gap is above 0.01 with its whole interval: a teacher that is nearly certain of
        everything, as on MNIST, is not.
        """
        left_own, left_other = 1 - self.own.mean, 1 - self.held_out.mean
        return self.gap.low > LEAST_GAP and left_other >= LEAST_RATIO * left_own

    def to_json(self) -> dict[str, Any]:
        """Names, estimates and the sentence, ready for JSON."""
        estimates = {"own": self.own, "held_out": self.held_out, "gap": self.gap}
        numbers = {name: estimate.to_json() for name, estimate in estimates.items()}
        return {
            "teacher": self.teacher,
            **numbers,
            "is_far_apart": self.is_far_apart,
            "sentence": str(self),
        }

    def __str__(self) -> str:
        sure = (
            f"the teacher {self.teacher} is {_format(self.own)} sure of its own training points "
            f"and {_format(self.held_out)} of points held out from it"
        )
        if not self.is_far_apart:
            return f"{sure}: not far apart"
        return (
            f"{sure}: on its own points its soft targets teach little beyond labels; score points "
            "it was not trained on, or its own in views it was not trained on"
        )


def _format(estimate: Estimate) -> str:
    return f"{estimate.mean:.4f} ({estimate.low:.4f} to {estimate.high:.4f}, n = {estimate.n})"


def confidence(own: ScoreSet | str | Path, held_out: ScoreSet | str | Path) -> Confidence:
    """How sure one teacher is of its own training points, and of points held out from it.

    Both are score sets or their directories; examples are not needed. What the sets recorded of
    themselves has to agree; where they recorded nothing, you say it by the order. The own points
    of a set that is partly held out are those it knows.

    Raises:
        MissingError: there is no score set in a directory, or it is not whole.
        MismatchError: the sets are of two teachers, the first is recorded as held out, or the
            second as the teacher's own.
        InputError: scores that are no distribution over classes.
    """
    first, second = _open_set(own), _open_set(held_out)
    speaks, also = first.record.teacher, second.record.teacher
    if speaks["fingerprint"] != also["fingerprint"]:
        raise MismatchError(
            f"{first.directory} and {second.directory} are scores of two teachers "
            f"({speaks['name']} and {also['name']}): confidence is compared within one"
        )
    sure_of = _part(first, OWN, "yes"), _part(second, HELD_OUT, "no")
    return Confidence(speaks["name"], *sure_of)


def _open_set(given: ScoreSet | str | Path) -> ScoreSet:
    if isinstance(given, ScoreSet):
        return given
    # Of which examples the scores are is not asked here, and they may lie nowhere any more.
    return ScoreSet.open(Path(given), Examples.of(np.zeros((1, 1))))


def _part(scores: ScoreSet, name: str, opposite: HeldOutAnswer) -> Estimate:
    if scores.held_out == opposite:
        what = "held out from the teacher" if opposite == "yes" else "the teacher's own points"
        raise MismatchError(f"{scores.directory} is recorded as {what} (held_out = {opposite!r})")
    recorded = scores.record.confidence or measured(scores, HeldOut())
    if not recorded:
        raise InputError(f"{scores.directory} holds {scores.kind}, of which none is a confidence")
    return _estimate(recorded.get(name) or recorded[ALL])


def recorded_confidence(record: ScoreSetRecord) -> Iterator[Confidence]:
    """What a set recorded of both kinds of points; nothing where it knows one kind alone."""
    entries = record.confidence
    if OWN in entries and HELD_OUT in entries:
        teacher = record.teacher["name"]
        yield Confidence(teacher, _estimate(entries[OWN]), _estimate(entries[HELD_OUT]))


def against(about: Mapping[str, Any], highest: Array) -> Iterator[Confidence]:
    """A teacher's recorded confidence on its own points, against highest probabilities elsewhere.

    `about` is what a run says of the teacher of its scores; nothing where that knows no own points.
    """
    if OWN in about.get("confidence", {}):
        own = _estimate(about["confidence"][OWN])
        yield Confidence(str(about["name"]), own, confidence_of(highest))


def _estimate(entry: Mapping[str, Any]) -> Estimate:
    # A confidence lies within 0 and 1, so its ends are finite and were all written down.
    return Estimate(entry["mean"], entry["low"], entry["high"], entry["n"])


def warn_if_far_apart(scores: ScoreSet) -> None:
    """Warns, with the figure, of a score set whose teacher knows its own points by heart."""
    for confidences in recorded_confidence(scores.record):
        if confidences.is_far_apart:
            warnings.warn(str(confidences), ScoresWarning, stacklevel=3)
