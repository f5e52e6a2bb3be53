"""How sure a number is: intervals over examples and seeds, and paired tests.

Intervals are for 95 % confidence unless another is asked for; `simultaneous` says which where
many are looked at together. Both the examples and the seeds are taken as samples: the
interval says where the number would lie for other examples of the same kind and other seeds.

Examples that belong together, such as the frames of an utterance, tell less than as many that do
not: with `groups`, one name or number for each example, the groups are the sample, see `_groups`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from limbeck.errors import InputError, MismatchError
from limbeck.metrics._groups import Groups

Array = NDArray[Any]
Bounds = tuple[float, float]
Answer = Literal["yes", "no", "undecided"]

UNBOUNDED: Bounds = (-math.inf, math.inf)
CONFIDENCE = 0.95


class EstimateEntry(TypedDict):
    """An estimate in a document; an infinite end is None."""

    mean: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Estimate:
    """A number, its interval, and how many examples it is over.

    An end is infinite where nothing bounds the number, as after one single example.

    Raises:
        InputError: the number is not within its interval, or is NaN.
    """

    mean: float
    low: float
    high: float
    n: int

    def __post_init__(self) -> None:
        if not self.low <= self.mean <= self.high:
            raise InputError(f"a mean lies within its interval, but got {self}")

    def rescaled(self, factor: float) -> "Estimate":
        """All of it times a factor; -1 turns a difference round."""
        low, high = sorted((self.low * factor, self.high * factor))
        return Estimate(self.mean * factor, low, high, self.n)

    def to_json(self) -> dict[str, float | int | None]:
        """`mean`, `low`, `high`, `n`; an infinite end is None, because JSON has no infinity."""
        numbers = {"mean": self.mean, "low": self.low, "high": self.high}
        finite = {k: v if math.isfinite(v) else None for k, v in numbers.items()}
        return {**finite, "n": self.n}


@dataclass(frozen=True)
class _Spread:
    """The variance of a mean over examples and seeds, and its degrees of freedom."""

    variance: float
    degrees: float

    def quantile(self, confidence: float) -> float:
        return float(stats.t.ppf(_upper(confidence), self.degrees))


def over_examples_and_seeds(
    values: Array,
    *,
    groups: Array | None = None,
    bounds: Bounds = UNBOUNDED,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """The mean of values `(seeds, examples)` with an interval for crossed random effects.

    Every seed sees every example, as every reader reads every case in a study of diagnostic
    readers. The variance of the mean is that of the examples' means over the number of examples,
    plus that of the seeds' means over the number of seeds, less the interaction's mean square
    over both numbers, which the two have in common; it is never below the larger of the two
    (Obuchowski & Rockette 1995, Communications in Statistics: Simulation and Computation 24,
    285-308). The degrees of freedom are `variance^2 / sum(part^2 / degrees of the part)` over the
    examples' and the seeds' parts: those of Hillis 2007, Statistics in Medicine 26, 596-619, with
    the examples' own term kept, for small numbers of them.

    Surprises: with one seed the interval is over examples alone. In simulations three and five
    seeds cover 92 to 98 %, two seeds as little as 87 % where the seeds differ much. Pure noise,
    with no effect of example or seed, is covered too often. Values that are all equal give an
    interval of no width: for 0/1 values use `proportion` and `paired_proportions`. With one
    example the interval is all that the bounds allow.

    Raises:
        InputError: the values are not a finite `(seeds, examples)` array, or there are none; or
            the confidence is not between 0 and 1.
    """
    values = _matrix(values)
    mean, n = float(values.mean()), values.shape[1]
    each = Groups.of(groups, n).stand_ins(values)
    if each.shape[1] == 1:
        return _within_bounds(mean, math.inf, n, bounds)
    spread = _crossed(each)
    half = spread.quantile(confidence) * math.sqrt(spread.variance)
    return _within_bounds(mean, half, n, bounds)


def proportion(
    values: Array, *, groups: Array | None = None, confidence: float = CONFIDENCE
) -> Estimate:
    """The share of ones among 0/1 values `(seeds, examples)`, with a Wilson score interval.

    The sample size in Wilson's formula is the one at which independent examples would vary as
    much as these do over examples and seeds, and its quantile is t's; both come from
    `over_examples_and_seeds` with two ones and two zeros added for every seed, so that a seed or
    two in which an example differs do not pass for certainty. Where seeds agree the size is the
    number of examples: 360 of 360 gives 0.989 to 1, with one seed or five. The interval stays
    within 0 and 1.

    Raises:
        InputError: a value is not 0 or 1, or there are none.
    """
    values = _zeros_and_ones(values)
    share, n = float(values.mean()), values.shape[1]
    differing, own = Groups.of(groups, n).if_differing(values)
    # Agresti & Coull's two successes and two failures: without them shares of 0 and 1 have no
    # variance, and Wilson's size, which divides by it, would be infinite.
    widened = _with_examples(differing, [1.0, 1.0, 0.0, 0.0])
    middle, spread = float(widened.mean()), _crossed(own.with_own(4).stand_ins(widened))
    # One less than all there are: a sample variance divides by that.
    size = middle * (1 - middle) / spread.variance * (1 - 3 / (widened.shape[1] - 1))
    low, high = _wilson(share, size, spread.quantile(confidence))
    return Estimate(share, low, high, n)


def paired_proportions(
    first: Array, second: Array, *, groups: Array | None = None, confidence: float = CONFIDENCE
) -> Estimate:
    """The difference of two shares of ones, first minus second, paired by seed and example.

    Both are 0/1 values `(seeds, examples)`; one of them may have a single seed. The interval is
    `over_examples_and_seeds` of the differences with two examples added, one that only the first
    and one that only the second gets right (Bonett & Price 2012, Journal of Educational and
    Behavioral Statistics 37, 479-488, who have one seed and a normal quantile). So two models
    that never differ on n examples get about plus or minus 2.8 / n, not certainty. The mean is
    that of the differences as they are.

    Raises:
        InputError: a value is not 0 or 1, or there are none.
        MismatchError: other examples, or numbers of seeds that cannot be paired.
    """
    first, second = _zeros_and_ones(first), _zeros_and_ones(second)
    check_paired(first.shape, second.shape)
    differences = first - second
    differing, own = Groups.of(groups, differences.shape[1]).if_differing(differences)
    around = over_examples_and_seeds(
        _with_examples(differing, [1.0, -1.0]),
        groups=own.with_own(2).numbers,
        bounds=(-1.0, 1.0),
        confidence=confidence,
    )
    mean = float(differences.mean())
    # The two added examples pull the interval's middle to zero: near -1 or 1 it can miss the mean.
    return Estimate(mean, min(around.low, mean), max(around.high, mean), differences.shape[1])


def resampled(
    statistic: Callable[[Array], Array],
    seeds: int,
    examples: int,
    *,
    groups: Array | None = None,
    resamples: int = 200,
    seed: int = 0,
    bounds: Bounds = UNBOUNDED,
    least: float = 0.0,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """The mean over seeds of a statistic that is not a mean over examples, with an interval.

    `statistic(rows)` gives one value for each seed `(seeds,)` on those rows, which repeat; with
    groups, all of a group do. The variance from examples, and what of it the seeds do not share,
    is bootstrapped, with the same rows for every seed; the variance from seeds is that of their
    values on all rows; the rest is as in `over_examples_and_seeds`. Resamples on which the
    statistic is NaN are left out; if more than half are, the interval is all that the bounds
    allow. The interval reaches at least `least` to both sides (see `unseen`) and stays within
    the bounds.

    Raises:
        InputError: the statistic is not finite on all rows, or not of shape `(seeds,)`.
    """
    whole = np.asarray(statistic(np.arange(examples)), dtype=np.float64)
    if whole.shape != (seeds,) or not np.isfinite(whole).all():
        raise InputError(f"a statistic gives {seeds} finite values, one a seed, not {whole}")
    draw = np.random.default_rng(seed)
    own = Groups.of(groups, examples)
    samples = (own.rows(draw.integers(len(own), size=len(own))) for _ in range(resamples))
    values = np.array([statistic(rows) for rows in samples], dtype=np.float64)
    values = values[np.isfinite(values).all(axis=1)]
    half = math.inf
    # Where most resamples have no number, those that have one are no sample of what could be.
    if len(own) > 1 and len(values) > max(2, resamples // 2):
        spread = _bootstrapped(values, whole, len(own))
        half = max(least, spread.quantile(confidence) * math.sqrt(spread.variance))
    return _within_bounds(float(whole.mean()), half, examples, bounds)


def unseen(counts: Sequence[int], *, confidence: float = CONFIDENCE) -> float:
    """How far a share can be from 0 or 1 though nothing else was seen.

    It is Wilson's end for 0 of n, `z^2 / (n + z^2)`, about 3.8 / n at 95 %. Where the share is a
    mean over groups of these sizes it is also, for the smallest, that group's part of the mean:
    three examples of a class that all went well say little of that class.
    """
    z2 = stats.norm.ppf(_upper(confidence)) ** 2
    whole = z2 / (sum(counts) + z2)
    return float(max(whole, z2 / (min(counts) + z2) / len(counts)))


def simultaneous(comparisons: int, confidence: float = CONFIDENCE) -> float:
    """The confidence for each of so many intervals with which all of them hold together.

    Bonferroni's, `1 - (1 - confidence) / comparisons`: it holds however the comparisons depend
    on each other, where max-t would need their joint distribution over few seeds, and Holm gives
    answers but no intervals to go with them. It is on the careful side, most so for comparisons
    that go together.

    Raises:
        InputError: fewer than 1 comparison, or a confidence not between 0 and 1.
    """
    if comparisons < 1:
        raise InputError(f"comparisons are 1 or more, not {comparisons}")
    _check_confidence(confidence)
    return 1 - (1 - confidence) / comparisons


def verdict(difference: Estimate) -> Answer:
    """Whether a difference is above zero: "yes" or "no" if the whole interval is on one side."""
    if difference.low > 0:
        return "yes"
    return "no" if difference.high < 0 else "undecided"


def within(difference: Estimate, margin: float) -> Answer:
    """Whether a difference is no worse than minus the margin, more being better.

    "yes" if the interval's lower end is not below it, "no" if the upper end is.

    Raises:
        InputError: the margin is negative.
    """
    if not margin >= 0:
        raise InputError(f"a margin is zero or more, not {margin}")
    if difference.low >= -margin:
        return "yes"
    return "no" if difference.high < -margin else "undecided"


def check_paired(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    """Refuses shapes `(seeds, examples, ...)` that cannot be paired.

    Raises:
        MismatchError: the examples differ, or the seeds differ and neither has just one.
    """
    if first[1:] != second[1:]:
        raise MismatchError(
            f"two models are compared on the same examples and classes, "
            f"but one has {first[1:]} and the other {second[1:]}"
        )
    if first[0] != second[0] and 1 not in (first[0], second[0]):
        raise MismatchError(
            f"seeds are compared in pairs, but one model has {first[0]} and the other {second[0]}: "
            "give both the same number, or one of them a single seed"
        )


def _upper(confidence: float) -> float:
    """The quantile at a two-sided interval's upper end."""
    _check_confidence(confidence)
    return (1 + confidence) / 2


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise InputError(f"a confidence lies between 0 and 1, not {confidence}")


def _with_examples(values: Array, added: list[float]) -> Array:
    return np.hstack([values, np.broadcast_to(added, (len(values), len(added)))])


def _crossed(values: Array) -> _Spread:
    seeds, n = values.shape
    of_example, of_seed = values.mean(axis=0), values.mean(axis=1)
    # The seeds' means, so that this holds the seeds' noise too, as `seeds_part` holds the
    # examples': what the two have in common is taken off once in `_combined`.
    examples_part = float(of_example.var(ddof=1)) / n
    if seeds == 1:
        return _Spread(examples_part, float(n - 1))
    rest = values - of_example - of_seed[:, None] + values.mean()
    rest_square = float(np.square(rest).sum()) / ((n - 1) * (seeds - 1))
    seeds_part = float(of_seed.var(ddof=1)) / seeds
    return _combined(examples_part, float(n - 1), seeds_part, seeds - 1, rest_square / (n * seeds))


def _bootstrapped(values: Array, whole: Array, n: int) -> _Spread:
    resamples, seeds = values.shape
    # A bootstrap draws from the n examples themselves, so its variance is (n - 1) / n too small.
    covariance = np.atleast_2d(np.cov(values, rowvar=False)) * n / (n - 1)
    examples_part = float(covariance.mean())
    # Few examples and few resamples each make the variance uncertain: relative variances add up,
    # and that of one is 2 / degrees.
    degrees = 1 / (1 / (n - 1) + 1 / (resamples - 1))
    if seeds == 1:
        return _Spread(examples_part, degrees)
    # The mean of all entries is the shared covariance plus 1 / seeds of what is not shared.
    own = float(np.trace(covariance)) / seeds - examples_part
    shared_part = max(own, 0.0) / (seeds - 1)
    seeds_part = float(whole.var(ddof=1)) / seeds
    return _combined(max(examples_part, 0.0), degrees, seeds_part, seeds - 1, shared_part)


def _combined(
    examples_part: float,
    examples_degrees: float,
    seeds_part: float,
    seeds_degrees: int,
    shared_part: float,
) -> _Spread:
    # An estimate of the shared part can exceed both parts by chance, and a variance below zero, or
    # below one that was seen, would call a difference sure for no reason.
    variance = max(examples_part + seeds_part - shared_part, examples_part, seeds_part)
    parts = examples_part**2 / examples_degrees + seeds_part**2 / seeds_degrees
    return _Spread(variance, variance**2 / parts if parts > 0 else examples_degrees)


def _wilson(share: float, size: float, quantile: float) -> Bounds:
    square = quantile**2 / size
    center = (share + square / 2) / (1 + square)
    half = math.sqrt(square * share * (1 - share) + square**2 / 4) / (1 + square)
    # Rounding must not push an end past the share itself, nor past 0 or 1.
    return max(0.0, min(share, center - half)), min(1.0, max(share, center + half))


def _within_bounds(mean: float, half: float, n: int, bounds: Bounds) -> Estimate:
    low, high = max(bounds[0], mean - half), min(bounds[1], mean + half)
    # The mean itself can pass a bound by rounding, and an interval always holds its mean.
    return Estimate(mean, min(low, mean), max(high, mean), n)


def _matrix(values: Array) -> Array:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or values.size == 0:
        raise InputError(f"values have shape (seeds, examples), at least one each: {values.shape}")
    if not np.isfinite(values).all():
        seed, example = np.argwhere(~np.isfinite(values))[0]
        raise InputError(
            f"values are finite numbers, but seed {seed} has {values[seed, example]} "
            f"for example {example}"
        )
    return values


def _zeros_and_ones(values: Array) -> Array:
    values = _matrix(values)
    wrong = (values != 0) & (values != 1)
    if wrong.any():
        raise InputError(f"a proportion is of zeros and ones, not of {values[wrong][0]}")
    return values
