"""The formulas of the metrics where every column is an outcome of its own: multi-label, binary.

A column says yes where its probability is above 1/2, which is where its logit is above 0. As in
`_formulas` a number of the whole set is the library's, with one `of_rows` for resampling.

A label of -1 is not known, and its column of that example counts nowhere that labels do.
"""

from collections.abc import Iterator

import numpy as np
from scipy.special import expit
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from limbeck.examples import UNLABELLED
from limbeck.metrics._classification import (
    Answers,
    Array,
    OfRows,
    Ranking,
    auc_of_ranking,
    average_precision_of_ranking,
)
from limbeck.scores import binary_divergence


def says_yes(logits: Array) -> Array:
    """Which columns say yes, booleans of the same shape."""
    return np.asarray(logits > 0)


def is_all_right(answers: Answers) -> Array:
    """Whether every column of an example says what its label does, where that is known."""
    is_right = says_yes(answers.logits) == (answers.labels == 1)
    return np.asarray((is_right | ~_is_known(answers)).all(axis=1))


def _is_known(answers: Answers) -> Array:
    return np.asarray(answers.labels != UNLABELLED)


def log_loss(answers: Answers) -> Array:
    """Binary cross-entropy in nats, averaged over columns."""
    terms = np.logaddexp(0.0, answers.logits) - answers.labels * answers.logits
    return np.asarray(terms.mean(axis=1, where=_is_known(answers)))


def divergence(answers: Answers) -> Array:
    """KL(reference || model) of each column's outcome in nats, averaged over columns."""
    return np.asarray(binary_divergence(answers.reference, answers.logits).mean(axis=1))


def agreement(answers: Answers) -> float:
    """The share of all columns that say what the reference's do."""
    return float(_agrees(answers).mean())


def agreement_of_rows(answers: Answers) -> OfRows:
    """The same of rows."""
    shares = _agrees(answers).mean(axis=1)
    return lambda rows: float(shares[rows].mean())


def _agrees(answers: Answers) -> Array:
    return np.asarray(says_yes(answers.logits) == says_yes(answers.reference))


def micro_f1(answers: Answers) -> float:
    """F1 of all columns' answers together; NaN where nobody says yes."""
    known = _is_known(answers)
    labels, predictions = (answers.labels == 1)[known], says_yes(answers.logits)[known]
    return float(f1_score(labels, predictions)) if (labels | predictions).any() else float("nan")


def micro_f1_of_rows(answers: Answers) -> OfRows:
    """The same of rows: 2 hits / (labelled so + said so)."""
    labels, predictions = answers.labels == 1, says_yes(answers.logits) & _is_known(answers)
    hits = (labels & predictions).sum(axis=1)
    both = labels.sum(axis=1) + predictions.sum(axis=1)

    def of_rows(rows: Array) -> float:
        together = both[rows].sum()
        return float(2 * hits[rows].sum() / together) if together else float("nan")

    return of_rows


def average_precision(answers: Answers) -> float:
    """Average precision, averaged over the columns that any label has as 1."""
    values = [
        average_precision_score(labels, probabilities)
        for labels, probabilities in _columns(answers)
        if labels.any()
    ]
    return float(np.mean(values)) if values else float("nan")


def average_precision_of_rows(answers: Answers) -> OfRows:
    """The same of rows."""
    return average_precision_of_ranking(_ranking(answers))


def auc(answers: Answers) -> float:
    """Area under the ROC curve, averaged over the columns that labels have as both 0 and 1."""
    values = [
        roc_auc_score(labels, probabilities)
        for labels, probabilities in _columns(answers)
        if labels.any() and not labels.all()
    ]
    return float(np.mean(values)) if values else float("nan")


def auc_of_rows(answers: Answers) -> OfRows:
    """The same of rows."""
    return auc_of_ranking(_ranking(answers))


def _ranking(answers: Answers) -> Ranking:
    labels = answers.labels.T
    return Ranking.of(expit(answers.logits).T, labels == 1, labels == 0)


def _columns(answers: Answers) -> Iterator[tuple[Array, Array]]:
    """Of each column the labels that are known, as booleans, and their probabilities."""
    probabilities, known = expit(answers.logits), _is_known(answers)
    for column in range(known.shape[1]):
        rows = known[:, column]
        yield answers.labels[rows, column] == 1, probabilities[rows, column]
