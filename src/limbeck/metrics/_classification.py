"""The formulas of the metrics, on the answers of one seed.

For numbers of the whole set there are two: one by scikit-learn or torchmetrics, which is
reported, and one `of_rows` for rows that may repeat, which is the same number made quick enough
for resampling. NaN where the number is not defined.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.metrics import average_precision_score, cohen_kappa_score, f1_score, roc_auc_score

Array = NDArray[Any]
OfRows = Callable[[Array], float]  # a number of those rows, which may repeat

CALIBRATION_BINS = 15


@dataclass(frozen=True, eq=False)
class Answers:
    """What one seed of a model answered to the examples a metric counts.

    Attributes:
        logits: `(examples, classes)` float64; of other kinds whatever was answered.
        labels: `(examples,)`; -1 where there is none, unless the metric needs labels. Where
            each column has a label of its own, `(examples, columns)`.
        reference: the reference's logits `(examples, classes)`, or `(0, 0)`.
    """

    logits: Array
    labels: Array
    reference: Array

    @cached_property
    def predictions(self) -> Array:
        """The most likely class of each example, the first of equals."""
        return np.asarray(self.logits.argmax(axis=1))

    @cached_property
    def reference_predictions(self) -> Array:
        """The reference's most likely class of each example."""
        return np.asarray(self.reference.argmax(axis=1))

    @cached_property
    def log_probabilities(self) -> Array:
        """Of each class, in nats, `(examples, classes)`."""
        return np.asarray(log_softmax(self.logits, axis=1))

    @cached_property
    def probabilities(self) -> Array:
        """Of each class, `(examples, classes)`."""
        return np.asarray(np.exp(self.log_probabilities))


def is_correct(answers: Answers) -> Array:
    """Whether the most likely class of each example is its label."""
    return np.asarray(answers.predictions == answers.labels)


def is_wrong(answers: Answers) -> Array:
    """Whether it is not."""
    return np.asarray(answers.predictions != answers.labels)


def nll(answers: Answers) -> Array:
    """Minus the log-probability of each label, in nats."""
    return np.asarray(
        -np.take_along_axis(answers.log_probabilities, answers.labels[:, None], 1)[:, 0]
    )


def divergence(answers: Answers) -> Array:
    """KL(reference || model) of each example at temperature 1, in nats."""
    reference = log_softmax(answers.reference, axis=1)
    terms = np.exp(reference) * (reference - answers.log_probabilities)
    return np.asarray(np.maximum(terms.sum(axis=1), 0.0))  # rounding can fall below zero


def agrees(answers: Answers) -> Array:
    """Whether the most likely class of each example is the reference's."""
    return np.asarray(answers.predictions == answers.reference_predictions)


def reference_is_wrong(labels: Array, reference: Array) -> Array:
    """Whether the reference's most likely class is not the label."""
    return np.asarray(reference.argmax(axis=1) != labels)


def macro_f1(answers: Answers) -> float:
    """F1 averaged over the classes that labels name; others, though predicted, have none."""
    present = np.unique(answers.labels)
    return float(f1_score(answers.labels, answers.predictions, labels=present, average="macro"))


def macro_f1_of_rows(answers: Answers) -> OfRows:
    """The same of rows: 2 hits / (labelled so + predicted so) for each class."""
    classes = answers.logits.shape[1]

    def of_rows(rows: Array) -> float:
        labels, predictions = answers.labels[rows], answers.predictions[rows]
        hits = np.bincount(labels[labels == predictions], minlength=classes)
        support = np.bincount(labels, minlength=classes)
        both = support + np.bincount(predictions, minlength=classes)
        return float(np.mean(2 * hits[support > 0] / both[support > 0]))

    return of_rows


def kappa(answers: Answers) -> float:
    """Cohen's kappa of the model's and the reference's most likely classes."""
    one, other = answers.predictions, answers.reference_predictions
    if one.min() == other.min() == one.max() == other.max():
        return float("nan")  # one class alone: chance explains all of the agreement
    return float(cohen_kappa_score(one, other))


def kappa_of_rows(answers: Answers) -> OfRows:
    """The same of rows: (agreed - by chance) / (1 - by chance)."""
    classes = answers.logits.shape[1]

    def of_rows(rows: Array) -> float:
        one, other = answers.predictions[rows], answers.reference_predictions[rows]
        shares = [np.bincount(p, minlength=classes) / len(rows) for p in (one, other)]
        by_chance = float(shares[0] @ shares[1])
        agreed = float(np.mean(one == other))
        return (agreed - by_chance) / (1 - by_chance) if by_chance < 1 else float("nan")

    return of_rows


def _binnable(answers: Answers) -> torch.Tensor:
    # torchmetrics gives a probability of exactly 1 a bin of its own; one step below has none.
    below_one = np.nextafter(np.float32(1), np.float32(0))
    return torch.from_numpy(np.minimum(answers.probabilities, np.float64(below_one)))


def ece(answers: Answers) -> float:
    """Mean |accuracy - confidence| of the bins of the most likely class's probability."""
    # Here, because it loads all of transformers, which takes as long as torch itself.
    theirs = importlib.import_module("torchmetrics.functional.classification")
    error = theirs.multiclass_calibration_error(
        _binnable(answers),
        torch.from_numpy(answers.labels),
        num_classes=answers.logits.shape[1],
        n_bins=CALIBRATION_BINS,
    )
    return float(error)


def ece_of_rows(answers: Answers) -> OfRows:
    """The same of rows."""
    confidence = _binnable(answers).max(dim=1).values.float()
    edges = torch.linspace(0, 1, CALIBRATION_BINS + 1)
    bins = (torch.bucketize(confidence, edges, right=True) - 1).numpy()
    gaps = is_correct(answers) - confidence.double().numpy()

    def of_rows(rows: Array) -> float:
        # A bin's |accuracy - confidence| times its share is the size of its summed gaps over n.
        return float(np.abs(np.bincount(bins[rows], gaps[rows])).sum() / len(rows))

    return of_rows


def auc(answers: Answers) -> float:
    """Area under the ROC curve, one class against the rest, averaged over classes."""
    present = [c for c in np.unique(answers.labels) if (answers.labels != c).any()]
    return _mean_over(present, roc_auc_score, answers)


def average_precision(answers: Answers) -> float:
    """Average precision, one class against the rest, averaged over classes."""
    return _mean_over(list(np.unique(answers.labels)), average_precision_score, answers)


def _mean_over(classes: list[Any], score: Callable[..., float], answers: Answers) -> float:
    values = [score(answers.labels == c, answers.probabilities[:, c]) for c in classes]
    return float(np.mean(values)) if values else float("nan")


@dataclass(frozen=True, eq=False)
class Ranking:
    """The examples `(classes, examples)` from each class's most to its least probable."""

    order: Array
    is_positive: Array
    is_negative: Array
    ties_begin: Array  # where the run of equal probabilities begins that a position is in
    ties_end: Array  # one past where it ends

    @classmethod
    def of(cls, scores: Array, is_positive: Array, is_negative: Array) -> "Ranking":
        """From scores, and which of them should be high and low, all `(classes, examples)`."""
        order = np.argsort(-scores, axis=1, kind="stable")
        ranked = np.take_along_axis(scores, order, 1)
        n = ranked.shape[1]
        is_new = np.hstack([np.ones((len(ranked), 1), bool), ranked[:, 1:] != ranked[:, :-1]])
        begin = np.maximum.accumulate(np.where(is_new, np.arange(n), 0), axis=1)
        following = np.where(np.roll(is_new, -1, axis=1), np.arange(1, n + 1), n)
        end = np.minimum.accumulate(following[:, ::-1], axis=1)[:, ::-1]
        positive, negative = (
            np.take_along_axis(one, order, 1) for one in (is_positive, is_negative)
        )
        return cls(order, positive, negative, begin, end)

    @classmethod
    def of_classes(cls, answers: Answers) -> "Ranking":
        """By the classes' probabilities."""
        classes = np.arange(answers.logits.shape[1])
        is_positive = classes[:, None] == answers.labels
        return cls.of(answers.probabilities.T, is_positive, ~is_positive)

    def weights(self, rows: Array) -> tuple[Array, Array]:
        """How often the rows hold each positive and each negative example, as ranked."""
        counts = np.bincount(rows, minlength=self.order.shape[1])[self.order]
        return counts * self.is_positive, counts * self.is_negative


def _sums(weights: Array) -> Array:
    return np.pad(np.cumsum(weights, axis=1), ((0, 0), (1, 0)))


def auc_of_rows(answers: Answers) -> OfRows:
    """The same of rows."""
    return auc_of_ranking(Ranking.of_classes(answers))


def auc_of_ranking(ranking: Ranking) -> OfRows:
    """The share of pairs in which the positive example ranks higher."""

    def of_rows(rows: Array) -> float:
        positive, negative = ranking.weights(rows)
        above = _sums(positive)
        begin = np.take_along_axis(above, ranking.ties_begin, 1)
        end = np.take_along_axis(above, ranking.ties_end, 1)
        pairs = positive.sum(axis=1) * negative.sum(axis=1)
        won = (negative * (begin + end)).sum(axis=1) / 2  # a tie is half won
        return float(np.mean(won[pairs > 0] / pairs[pairs > 0])) if pairs.any() else float("nan")

    return of_rows


def average_precision_of_rows(answers: Answers) -> OfRows:
    """The same of rows."""
    return average_precision_of_ranking(Ranking.of_classes(answers))


def average_precision_of_ranking(ranking: Ranking) -> OfRows:
    """The precision down to each positive example, averaged."""

    def of_rows(rows: Array) -> float:
        positive, negative = ranking.weights(rows)
        above = np.take_along_axis(_sums(positive), ranking.ties_end, 1)
        beside = np.take_along_axis(_sums(negative), ranking.ties_end, 1)
        seen = positive.sum(axis=1)
        precision = above / np.maximum(above + beside, 1)
        total = (positive * precision).sum(axis=1)
        return float(np.mean(total[seen > 0] / seen[seen > 0])) if seen.any() else float("nan")

    return of_rows
