"""What we measure: accuracy, agreement, divergence, calibration.

A metric is a mean over examples (`MeanOf`, `ShareOf`) or a number of the whole set (`WholeSet`);
either way it is averaged over seeds and comes with an interval over examples and seeds. `STANDARD`
holds the usual ones by name, `custom` makes one of your own.

All of them read the logits of one softmax at temperature 1, in float64. Where scikit-learn or
torchmetrics have a number, it is theirs; the resamples for its interval use the same formula
written for speed.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from limbeck.errors import InputError, LabelsError, MismatchError
from limbeck.examples import UNLABELLED, Examples, is_labelled
from limbeck.metrics import _classification
from limbeck.metrics._aggregation import MeanOf, ShareOf, Wanted, WholeSet
from limbeck.metrics._classification import Answers, OfRows
from limbeck.metrics.intervals import CONFIDENCE, UNBOUNDED, Bounds, Estimate, check_paired
from limbeck.scores import Kind

Array = NDArray[Any]
Better = Literal["higher", "lower"]
Need = Literal["labels", "reference"]

LABELS: frozenset[Need] = frozenset({"labels"})
REFERENCE: frozenset[Need] = frozenset({"reference"})
SHARE: Bounds = (0.0, 1.0)
POSITIVE: Bounds = (0.0, math.inf)


def _all(labels: Array, reference: Array) -> Array:
    return np.ones(len(labels), dtype=bool)


@dataclass(frozen=True)
class Metric:
    """What a metric is: its name, which way is better, and how it is measured.

    Attributes:
        bounds: the smallest and the largest value it can have; infinite where there is none.
        needs: "labels" counts labelled examples only; "reference" compares with the reference.
        measured: the mean or the whole-set number.
        only: which examples count, from labels `(examples,)` and the reference's logits.
        kind: what the models answer with that it measures; "logits" are those of one softmax.
    """

    name: str
    better: Better
    bounds: Bounds
    needs: frozenset[Need]
    measured: MeanOf | ShareOf | WholeSet
    only: Callable[[Array, Array], Array] = _all
    kind: Kind = "logits"


def measure(
    metric: Metric,
    logits: Array,
    labels: Array,
    reference: Array,
    *,
    groups: Array | None = None,
    confidence: float = CONFIDENCE,
) -> Estimate | None:
    """The metric of a model's answers, averaged over seeds, with its interval.

    None where it cannot be measured: no labels or no reference where it needs them, no example
    that counts, or a number that is not defined there (one class alone has no AUC). Its `n` is
    the number of examples that count.

    Args:
        metric: what to measure.
        logits: `(seeds, examples, classes)`; of a metric of another kind, such answers.
        labels: `(examples,)` class positions, -1 for none; of another kind, a row of labels
            for each example as `Examples` has them, or `(examples,)` of -1 where there are none.
        reference: the reference's logits `(examples, classes)`, or `(0, 0)` for none.
        groups: of each example, where some belong together: see `groups_in`.
        confidence: how sure the interval is, between 0 and 1.

    Raises:
        InputError: logits of another shape, or with NaN or infinity; no such confidence.
        MismatchError: labels or reference of other examples or classes.
        LabelsError: a label outside the classes.
    """
    rows = _counting(metric, logits, labels, reference)
    if not len(rows):
        return None
    wanted = Wanted(metric.bounds, confidence, None if groups is None else groups[rows])
    return metric.measured.estimate(_answers(logits, labels, reference, rows), wanted)


def difference(
    metric: Metric,
    first: Array,
    second: Array,
    labels: Array,
    reference: Array,
    *,
    groups: Array | None = None,
    confidence: float = CONFIDENCE,
) -> Estimate | None:
    """The metric of the first model minus that of the second, with a paired interval.

    Paired by example and by seed; a model with a single seed is compared with each seed of the
    other. It is the plain difference: where lower is better, a negative one favours the first
    (`.rescaled(-1)` turns it round). None, shapes and errors as in `measure`.
    """
    check_paired(np.shape(first), np.shape(second))
    rows = _counting(metric, first, labels, reference)
    _counting(metric, second, labels, reference)
    if not len(rows):
        return None
    span = metric.bounds[1] - metric.bounds[0]
    wanted = Wanted((-span, span), confidence, None if groups is None else groups[rows])
    one, other = (_answers(logits, labels, reference, rows) for logits in (first, second))
    return metric.measured.difference(one, other, wanted)


def groups_in(examples: Examples) -> Array | None:
    """A number for the group of each example, `(examples,)`; None where each is its own.

    Intervals are then over groups: see `limbeck.intervals`.
    """
    names, numbers = np.unique(examples.groups, return_inverse=True)
    return numbers if len(names) < len(numbers) else None


class MeasuredOn(TypedDict):
    """What a document says of the examples that were measured on, and in how many groups."""

    name: str
    n: int
    groups: NotRequired[int]


def described(examples: Examples) -> dict[str, Any]:
    """What a document says of the examples that were measured on: name, `n`, groups if any."""
    groups = groups_in(examples)
    counted = {} if groups is None else {"groups": int(groups.max()) + 1}
    return {"name": examples.name, "n": len(examples), **counted}


def custom(
    name: str,
    function: Callable[[Array, Array], float],
    better: Better,
    *,
    bounds: Bounds = UNBOUNDED,
) -> Metric:
    """A metric of your own, with a bootstrap interval.

    `function(logits, labels)` gets float64 logits `(examples, classes)` and labels `(examples,)`
    of the labelled examples of one seed, and gives a number; NaN where there is none. It is
    called some 200 times a seed, on resampled examples. Without `bounds` a number that no
    resample moves gets an interval of no width, so give them where you know them.

    Raises:
        InputError: `better` is neither "higher" nor "lower"; later, an answer that is no number.
    """
    if better not in ("higher", "lower"):
        raise InputError(f"better is 'higher' or 'lower', not {better!r}")

    def value(answers: Answers) -> float:
        return _number(name, function(answers.logits, answers.labels))

    def resampler(answers: Answers) -> OfRows:
        return lambda rows: _number(name, function(answers.logits[rows], answers.labels[rows]))

    return Metric(name, better, bounds, LABELS, WholeSet(value, resampler))


def _number(name: str, answer: Any) -> float:
    try:
        return float(answer)
    except (TypeError, ValueError) as error:
        raise InputError(f"the metric {name!r} gives one number a call, not {answer!r}") from error


def _counting(metric: Metric, logits: Array, labels: Array, reference: Array) -> Array:
    """The rows of the examples that count, none where the metric lacks what it needs."""
    _check_labels(metric.kind, logits, labels)
    _check_numbers(logits, reference)
    if "reference" in metric.needs and reference.size == 0:
        return np.array([], dtype=np.int64)
    counts = metric.only(labels, reference)
    if "labels" in metric.needs:
        counts = counts & is_labelled(labels)
    return np.flatnonzero(counts)


def _answers(logits: Array, labels: Array, reference: Array, rows: Array) -> list[Answers]:
    compared = reference[rows].astype(np.float64) if reference.size else reference
    return [Answers(seed[rows].astype(np.float64), labels[rows], compared) for seed in logits]


def _check_labels(kind: Kind, logits: Array, labels: Array) -> None:
    least = 2 if kind == "logits" else 1
    if logits.ndim != 3 or logits.size == 0 or logits.shape[2] < least:
        what = "two classes or more" if kind == "logits" else f"of the kind {kind}"
        raise InputError(f"logits have shape (seeds, examples, classes), {what}: {logits.shape}")
    columns = logits.shape[1:] if labels.ndim == 2 and kind != "logits" else logits.shape[1:2]
    if labels.shape != columns:
        raise MismatchError(f"there are {logits.shape[1]} examples, but labels {labels.shape}")
    if labels.ndim == 2:
        return
    if labels.min() < UNLABELLED or labels.max() >= logits.shape[2]:
        raise LabelsError(
            f"labels from {labels.min()} to {labels.max()} are outside the {logits.shape[2]} "
            f"classes (0 to {logits.shape[2] - 1}, or -1 for none)"
        )


def _check_numbers(logits: Array, reference: Array) -> None:
    # Numpy would broadcast a reference of one row, and compare every example with it.
    if reference.size and reference.shape != logits.shape[1:]:
        raise MismatchError(
            f"the reference's logits have shape {reference.shape}, the model's {logits.shape[1:]}"
        )
    for whose, scores in (("the model's", logits), ("the reference's", reference)):
        if not np.isfinite(scores).all():
            raise InputError(f"{whose} logits hold NaN or infinity")


_MACRO_F1 = WholeSet(_classification.macro_f1, _classification.macro_f1_of_rows, is_macro=True)
_AUC = WholeSet(_classification.auc, _classification.auc_of_rows, is_macro=True, is_ranking=True)
_AVERAGE_PRECISION = WholeSet(
    _classification.average_precision,
    _classification.average_precision_of_rows,
    is_macro=True,
    is_ranking=True,
)
_ECE = WholeSet(_classification.ece, _classification.ece_of_rows)
_KAPPA = WholeSet(_classification.kappa, _classification.kappa_of_rows)
_ALIKE_WHERE_REFERENCE_IS_WRONG = Metric(
    "agreement_on_reference_errors",
    "higher",
    SHARE,
    LABELS | REFERENCE,
    ShareOf(_classification.agrees),
    only=_classification.reference_is_wrong,
)

STANDARD: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric("accuracy", "higher", SHARE, LABELS, ShareOf(_classification.is_correct)),
            Metric(
                "errors",
                "lower",
                POSITIVE,
                LABELS,
                ShareOf(_classification.is_wrong, is_count=True),
            ),
            Metric("macro_f1", "higher", SHARE, LABELS, _MACRO_F1),
            Metric("auc", "higher", SHARE, LABELS, _AUC),
            Metric("average_precision", "higher", SHARE, LABELS, _AVERAGE_PRECISION),
            Metric("nll_nats", "lower", POSITIVE, LABELS, MeanOf(_classification.nll)),
            Metric("ece", "lower", SHARE, LABELS, _ECE),
            Metric("agreement", "higher", SHARE, REFERENCE, ShareOf(_classification.agrees)),
            Metric("agreement_kappa", "higher", (-1.0, 1.0), REFERENCE, _KAPPA),
            _ALIKE_WHERE_REFERENCE_IS_WRONG,
            Metric("kl_nats", "lower", POSITIVE, REFERENCE, MeanOf(_classification.divergence)),
        )
    }
)
"""The usual metrics by the names that reports use.

Averages over classes leave out a class that no label names, in resamples too.

- accuracy: share of labelled examples whose most likely class is the label.
- errors: how many of them it is not; `n * (1 - accuracy)`, averaged over seeds.
- macro_f1: F1 of each class, averaged over classes (scikit-learn).
- auc: area under the ROC curve, one class against the rest by its probability, averaged over
  classes (scikit-learn); two classes have the same one.
- average_precision: the same with average precision (scikit-learn); two classes have two.
- nll_nats: mean of minus the log-probability of the label, in nats.
- ece: calibration error of the most likely class, 15 bins of equal width (torchmetrics).
- agreement: share of examples on which the most likely class is the reference's.
- agreement_kappa: the same beyond chance, Cohen's kappa (scikit-learn): 0 for a constant.
- agreement_on_reference_errors: among labelled examples that the reference gets wrong, the share
  that gets the same wrong class.
- kl_nats: mean of KL(reference || model) at temperature 1, in nats.
"""
