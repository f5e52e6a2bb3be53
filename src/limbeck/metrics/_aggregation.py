"""A metric's number with its interval: a mean, a share, or a number of the whole set."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.metrics._classification import Answers, OfRows
from limbeck.metrics.intervals import (
    CONFIDENCE,
    UNBOUNDED,
    Bounds,
    Estimate,
    over_examples_and_seeds,
    paired_proportions,
    proportion,
    resampled,
    unseen,
)

Array = NDArray[Any]
PerExample = Callable[[Answers], Array]  # one number an example

# The variance of a bootstrap is enough for t's interval, and settles with far fewer resamples than
# its percentiles would need (Efron & Tibshirani 1993, An Introduction to the Bootstrap, 6.4).
RESAMPLES = 200
FEWEST_RESAMPLES = 50
RANKED_NUMBERS = 200_000_000  # logits that all resamples of one ranking metric may visit


@dataclass(frozen=True)
class Wanted:
    """Which interval is wanted.

    Attributes:
        bounds: the smallest and the largest value it may hold.
        confidence: how sure it is.
        groups: of the examples that count, where some belong together.
    """

    bounds: Bounds = UNBOUNDED
    confidence: float = CONFIDENCE
    groups: Array | None = None

    @property
    def how(self) -> dict[str, Any]:
        """What every interval is asked with."""
        return {"groups": self.groups, "confidence": self.confidence}


@dataclass(frozen=True)
class MeanOf:
    """A mean over examples of any numbers."""

    values: PerExample

    def estimate(self, seeds: list[Answers], wanted: Wanted) -> Estimate:
        """Their mean over examples and seeds."""
        values = _stacked(self.values, seeds)
        return over_examples_and_seeds(values, bounds=wanted.bounds, **wanted.how)

    def difference(self, first: list[Answers], second: list[Answers], wanted: Wanted) -> Estimate:
        """The mean of the first's less the second's."""
        between = _stacked(self.values, first) - _stacked(self.values, second)
        return over_examples_and_seeds(between, bounds=wanted.bounds, **wanted.how)


@dataclass(frozen=True)
class ShareOf:
    """The share of the examples that have a 1 rather than a 0; or, `is_count`, their number."""

    values: PerExample
    is_count: bool = False

    def estimate(self, seeds: list[Answers], wanted: Wanted) -> Estimate:
        """The share, averaged over seeds."""
        values = _stacked(self.values, seeds)
        return self._in_its_unit(proportion(values, **wanted.how))

    def difference(self, first: list[Answers], second: list[Answers], wanted: Wanted) -> Estimate:
        """The first's share less the second's."""
        shares = _stacked(self.values, first), _stacked(self.values, second)
        return self._in_its_unit(paired_proportions(*shares, **wanted.how))

    def _in_its_unit(self, share: Estimate) -> Estimate:
        return share.rescaled(share.n) if self.is_count else share


@dataclass(frozen=True)
class WholeSet:
    """A number of all examples together, whose interval comes from resampling them.

    Attributes:
        value: the number for one seed; NaN where it has none.
        resampler: makes of one seed's answers a function from rows to the same number.
        is_macro: whether it is a mean over classes, so that the rarest decides how little is known.
        is_ranking: whether it sorts the examples once a class, which is slow: large sets then get
            fewer than 200 resamples, down to 50, and the degrees of freedom say so.
    """

    value: Callable[[Answers], float]
    resampler: Callable[[Answers], OfRows]
    is_macro: bool = False
    is_ranking: bool = False

    def estimate(self, seeds: list[Answers], wanted: Wanted) -> Estimate | None:
        """The number averaged over seeds; None where it is not defined."""
        values = np.array([self.value(answers) for answers in seeds])
        return self._resampled(values, [self.resampler(a) for a in seeds], seeds[0], wanted)

    def difference(
        self, first: list[Answers], second: list[Answers], wanted: Wanted
    ) -> Estimate | None:
        """The first's number less the second's; None where one is not defined."""
        one, other = (np.array([self.value(a) for a in seeds]) for seeds in (first, second))
        seeds = max(len(first), len(second))
        # A model with one seed is paired with each of the other's; `check_paired` refused the rest.
        pairs = zip(
            [self.resampler(a) for a in first] * (seeds // len(first)),
            [self.resampler(a) for a in second] * (seeds // len(second)),
            strict=True,
        )
        functions: list[OfRows] = [partial(_less, *pair) for pair in pairs]
        return self._resampled(one - other, functions, first[0], wanted)

    def _resampled(
        self, values: Array, functions: list[OfRows], answers: Answers, wanted: Wanted
    ) -> Estimate | None:
        if not np.isfinite(values).all():
            return None
        estimates = resampled(
            lambda rows: np.array([function(rows) for function in functions]),
            len(functions),
            len(answers.labels),
            resamples=self._resamples(len(functions) * answers.logits.size),
            bounds=wanted.bounds,
            # A share that no resample moves, as of no error at all, would pass for certainty. What
            # is not bounded on both sides has no scale in which a least could be given.
            least=self._least(answers, wanted) if np.isfinite(wanted.bounds).all() else 0.0,
            **wanted.how,
        )
        mean = float(values.mean())  # the library's; ours differs by rounding
        return replace(
            estimates, mean=mean, low=min(mean, estimates.low), high=max(mean, estimates.high)
        )

    def _resamples(self, numbers: int) -> int:
        affordable = RANKED_NUMBERS // numbers if self.is_ranking else RESAMPLES
        return max(FEWEST_RESAMPLES, min(RESAMPLES, affordable))

    def _least(self, answers: Answers, wanted: Wanted) -> float:
        whole = np.zeros(len(answers.labels), dtype=np.int64)
        sizes = _class_sizes(answers.labels if self.is_macro else whole, wanted.groups)
        return unseen(sizes, confidence=wanted.confidence)


def _class_sizes(labels: Array, groups: Array | None) -> list[int]:
    """In how many groups each class is that is in any; without groups, in how many examples."""
    if labels.ndim == 2:
        has = [labels[:, column] == 1 for column in range(labels.shape[1])]
    else:
        has = [labels == label for label in np.unique(labels)]
    counts = [int(one.sum()) if groups is None else len(np.unique(groups[one])) for one in has]
    return [count for count in counts if count]


def _stacked(values: PerExample, seeds: list[Answers]) -> Array:
    return np.stack([values(answers) for answers in seeds]).astype(np.float64)


def _less(one: OfRows, other: OfRows, rows: Array) -> float:
    return one(rows) - other(rows)
