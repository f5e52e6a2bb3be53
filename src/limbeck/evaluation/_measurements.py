"""Measurements: the numbers of models on the same examples, and the differences between them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from limbeck.evaluation._predictions import Predictions
from limbeck.examples import Array, Examples
from limbeck.metrics import (
    CONFIDENCE,
    MEASURES,
    Answer,
    Estimate,
    Measures,
    Metric,
    difference,
    measure,
    verdict,
)
from limbeck.scores import Kind

TEST = "paired: crossed random effects of examples and seeds, t interval at 95 %"
MOST_SLICES = 50
EVERY_SEED = -1


def measures_of(kind: Kind) -> Measures:
    """What is measured of answers of a kind; where nothing is of its own, as of logits."""
    return MEASURES.get(kind, MEASURES["logits"])


@dataclass(frozen=True)
class Pair:
    """A row that is held against another, by a metric: the first's less the second's.

    Attributes:
        seed: the one seed of the first that is taken, by position, or `EVERY_SEED`.
    """

    metric: str
    first: str
    second: str
    seed: int = EVERY_SEED


@dataclass(frozen=True)
class Difference:
    """One row's number less another's, paired by example and seed.

    Attributes:
        estimate: the plain difference.
        gain: the same, turned so that it is above zero where the first is better.
    """

    estimate: Estimate
    gain: Estimate

    @property
    def answer(self) -> Answer:
        """Whether the first is better: its whole interval is on one side of zero."""
        return verdict(self.gain)


@dataclass(frozen=True)
class Measurements:
    """What was measured of models on the same examples: numbers alone, no answers.

    A number is a mean over seeds, and its interval is over examples and seeds, or over groups
    and seeds where examples belong together. What cannot be measured is not here: without labels
    accuracy, without a reference agreement, of votes what reads probabilities.

    Attributes:
        estimates: of each model by metric, both in the order in which they were asked for.
        differences: of each pair.
    """

    estimates: Mapping[str, Mapping[str, Estimate]]
    differences: Mapping[Pair, Difference]

    @classmethod
    def of(
        cls,
        predictions: Predictions,
        metrics: Iterable[Metric],
        pairs: Iterable[Pair] = (),
        *,
        confidence: float = CONFIDENCE,
        tell: Callable[[str], None] = lambda _: None,
    ) -> "Measurements":
        """Each metric of each model, and these differences.

        Args:
            predictions: what the models answered, and what it is held to.
            metrics: what is measured; a pair names one of them.
            pairs: which rows are held against each other.
            confidence: of the differences' intervals; see `metrics.simultaneous`.
            tell: is given each model's name after it was measured.

        Raises:
            MismatchError: a pair of which both have seeds, and not as many.
        """
        named = {metric.name: metric for metric in metrics}
        estimates = {}
        for model in predictions.answers:
            estimates[model] = dict(_estimates(predictions, model, named.values()))
            tell(model)
        differences = _differences(predictions, named, dict.fromkeys(pairs), confidence)
        return cls(estimates, dict(differences))

    def to_json(self, model: str) -> dict[str, dict[str, Any]]:
        """A model's row: by metric mean, low, high and n."""
        return {metric: one.to_json() for metric, one in self.estimates[model].items()}

    def difference(self, metric: str, first: str, second: str) -> Difference | None:
        """What the first has more than the second; None where that was not measured."""
        return self.differences.get(Pair(metric, first, second))


def _estimates(
    predictions: Predictions, model: str, metrics: Iterable[Metric]
) -> Iterator[tuple[str, Estimate]]:
    for metric in metrics:
        if predictions.is_measurable(metric, model):
            estimate = measure(
                metric,
                predictions.answers[model],
                predictions.labels,
                predictions.reference_answers,
                groups=predictions.groups,
            )
            if estimate is not None:
                yield metric.name, estimate


def _differences(
    predictions: Predictions,
    metrics: Mapping[str, Metric],
    pairs: Iterable[Pair],
    confidence: float,
) -> Iterator[tuple[Pair, Difference]]:
    for pair in pairs:
        metric, first = metrics[pair.metric], predictions.answers[pair.first]
        if pair.seed != EVERY_SEED:
            first = first[pair.seed : pair.seed + 1]
        if predictions.is_measurable(metric, pair.first, pair.second):
            less = difference(
                metric,
                first,
                predictions.answers[pair.second],
                predictions.labels,
                predictions.reference_answers,
                groups=predictions.groups,
                confidence=confidence,
            )
            if less is not None:
                gain = less if metric.better == "higher" else less.rescaled(-1)
                yield pair, Difference(less, gain)


@dataclass(frozen=True)
class Slice:
    """The examples that have one value in a column, how many they are, and what was measured."""

    column: str
    value: str
    n: int
    measurements: Measurements


def slices(
    predictions: Predictions, examples: Examples, columns: Iterable[str], measures: Measures
) -> Iterator[Slice]:
    """A part for each value of the columns, of the first 50 values in their order."""
    metrics = [measures.metrics[name] for name in measures.slices]
    for column in columns:
        values: Array = examples.column(column)
        for value in np.unique(values)[:MOST_SLICES]:
            rows = np.flatnonzero(values == value)
            part = Measurements.of(predictions.take(rows), metrics)
            yield Slice(column, str(value), len(rows), part)
