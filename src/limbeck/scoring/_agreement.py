"""How a teacher's answers agree with labels, and whether a change of them would agree better."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import binom, mannwhitneyu, pearsonr

from limbeck.examples import UNLABELLED, Array
from limbeck.scores import OF_ONE_SOFTMAX, Kind

# A step taken before every score set may not cry wolf: one in twenty would be far too many.
ALPHA = 1e-4


@dataclass(frozen=True)
class Agreement:
    """How a teacher's answers agree with the labels of the examples that it was asked about.

    Attributes:
        metric: "accuracy" (of several columns of yes and no the mean over them), or "r2".
        value: 0 to 1; of R2, which is the mean over outputs, up to 1.
        chance: what the same answers dealt out at random among the examples would have.
        auc: the area under the ROC curve, of several columns the mean; None for more than two
            classes and for values.
        n: labelled examples.
        is_below_chance: whether it is significantly so (one-sided, `ALPHA`).
    """

    metric: str
    value: float
    chance: float
    auc: float | None
    n: int
    is_below_chance: bool

    def __str__(self) -> str:
        if self.metric == "r2":
            return f"R2 {self.value:.3f} on {self.n} labelled examples"
        auc = "" if self.auc is None else f", AUC {self.auc:.3f}"
        chance = f"(chance {self.chance:.1%}{auc})"
        return f"accuracy {self.value:.1%} on {self.n} labelled examples {chance}"


def agreement(scores: Array, labels: Array, kind: Kind) -> Agreement:
    """How scores `(n, classes)` agree with labels that suit their kind, of `n` examples."""
    if kind == "values":
        return _of_values(scores, labels)
    return _of_classes(scores, labels) if labels.ndim == 1 else _of_columns(scores, labels, kind)


def _of_classes(scores: Array, labels: Array) -> Agreement:
    n, classes = scores.shape
    predictions = scores.argmax(axis=1)
    correct = int((predictions == labels).sum())
    # As in Cohen's kappa, so that a teacher that always names the commonest class is not below it.
    shares = [np.bincount(each, minlength=classes) / n for each in (predictions, labels)]
    chance = float(shares[0] @ shares[1])
    is_below = bool(binom.cdf(correct, n, chance) < ALPHA)
    area = None
    if classes == 2:
        area, is_reversed = _auc(scores[:, 1] - scores[:, 0], labels == 1)
        is_below = is_below or is_reversed
    return Agreement("accuracy", correct / n, chance, area, n, is_below)


def _auc(score: Array, is_positive: Array) -> tuple[float | None, bool]:
    """The area under the ROC curve, and whether it is significantly below a half."""
    positive, negative = score[is_positive], score[~is_positive]
    if not (len(positive) and len(negative)) or np.ptp(score) == 0:
        return None, False
    test = mannwhitneyu(positive, negative, alternative="less", method="asymptotic")
    return float(test.statistic / (len(positive) * len(negative))), bool(test.pvalue < ALPHA)


def _of_columns(scores: Array, labels: Array, kind: Kind) -> Agreement:
    predictions = np.ma.array(is_yes(scores, kind), mask=labels == UNLABELLED)
    positive = np.ma.array(labels == 1, mask=labels == UNLABELLED)
    shares = predictions.mean(axis=0), positive.mean(axis=0)
    chance = shares[0] * shares[1] + (1 - shares[0]) * (1 - shares[1])
    curves = [_of_known(scores[:, at], labels[:, at]) for at in range(labels.shape[1])]
    areas = [area for area, _ in curves if area is not None]
    # One column may be hard to tell; that most of them are upside down is no accident.
    is_below = sum(is_reversed for _, is_reversed in curves) * 2 > len(areas)
    correct = float((predictions == positive).mean())
    mean = float(np.mean(areas)) if areas else None
    return Agreement("accuracy", correct, float(chance.mean()), mean, len(labels), is_below)


def _of_known(score: Array, labels: Array) -> tuple[float | None, bool]:
    known = labels != UNLABELLED
    return _auc(score[known], labels[known] == 1)


def is_yes(scores: Array, kind: Kind) -> Array:
    """Which columns scores of yes and no say yes to, booleans."""
    return np.asarray(scores > (0.0 if kind == "independent-logits" else 0.5))


def _of_values(scores: Array, labels: Array) -> Agreement:
    spread = ((labels - labels.mean(axis=0)) ** 2).sum(axis=0)
    varies = (spread > 0) & (np.ptp(scores, axis=0) > 0)
    if not varies.any():
        return Agreement("r2", 0.0, 0.0, None, len(labels), is_below_chance=False)
    error = ((labels - scores) ** 2).sum(axis=0)
    tests = [
        pearsonr(scores[:, at], labels[:, at], alternative="less").pvalue < ALPHA
        for at in np.flatnonzero(varies)
    ]
    value = 1 - float((error[varies] / spread[varies]).mean())
    is_below = bool(sum(tests) * 2 > len(tests))
    return Agreement("r2", value, 0.0, None, len(labels), is_below)


def goodness(scores: Array, labels: Array, kind: Kind) -> Array:
    """How well each row agrees with its label, `(n,)`, to be compared with other scores."""
    if kind == "values":
        return np.asarray(-(((scores - labels) / _deviation(labels)) ** 2).sum(axis=1))
    if labels.ndim == 1:
        return np.asarray(scores.argmax(axis=1) == labels, dtype=np.float64)
    is_right = (is_yes(scores, kind) == (labels == 1)) & (labels != UNLABELLED)
    return np.asarray(is_right.sum(axis=1), dtype=np.float64)


def _deviation(labels: Array) -> Array:
    deviation = labels.std(axis=0)
    return np.where(deviation > 0, deviation, 1.0)


def is_better(one: Array, other: Array) -> bool:
    """Whether more rows are better in one than in the other: a one-sided sign test at `ALPHA`."""
    better, worse = int((one > other).sum()), int((one < other).sum())
    return bool(binom.sf(better - 1, better + worse, 0.5) < ALPHA) if better else False


def fitting_order(scores: Array, labels: Array, kind: Kind) -> Array | None:
    """Which class each column of the scores seems to be of, `(classes,)`, if it is another order.

    It is found on half of the examples, by assignment of columns to labels, and has to be
    significantly better on the other half: with many classes and few examples some order always
    fits those that it was found on.
    """
    first = np.arange(len(labels)) % 2 == 0
    order = _assigned(scores[first], labels[first], kind)
    rows, columns = ~first, np.argsort(order)
    if (order == np.arange(len(order))).all():
        return None
    now = goodness(scores[rows], labels[rows], kind)
    then = goodness(scores[rows][:, columns], labels[rows], kind)
    return order if is_better(then, now) else None


def _assigned(scores: Array, labels: Array, kind: Kind) -> Array:
    """The class of each column under which most answers are right, or correlate."""
    classes = scores.shape[1]
    if labels.ndim == 1:
        likeness = np.zeros((classes, classes))
        np.add.at(likeness, (scores.argmax(axis=1), labels), 1.0)
    else:
        likeness = np.nan_to_num(_correlations(_steps(scores, kind), _filled(labels)))
    # Where nothing tells columns apart, each keeps its class.
    likeness += 1e-6 * np.eye(classes)
    return np.asarray(linear_sum_assignment(likeness, maximize=True)[1])


def _steps(scores: Array, kind: Kind) -> Array:
    return scores if kind == "values" else is_yes(scores, kind).astype(np.float64)


def _filled(labels: Array) -> Array:
    """Labels of which an unknown one is the mean of its column, which correlates with nothing."""
    if labels.dtype.kind == "f":
        return labels
    known = np.ma.array(labels, mask=labels == UNLABELLED, dtype=np.float64)
    return np.asarray(known.filled(known.mean(axis=0).filled(0.0)))


def _correlations(scores: Array, labels: Array) -> Array:
    """Of each column with each of the labels, `(classes, classes)`; NaN of a constant one."""
    sides = [each - each.mean(axis=0) for each in (scores, labels.astype(np.float64))]
    lengths = [np.sqrt((each**2).sum(axis=0)) for each in sides]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(sides[0].T @ sides[1] / np.outer(*lengths))


def suits(kind: Kind, labels: Array) -> bool:
    """Whether labels of that form can be right or wrong about scores of that kind."""
    if kind in (*OF_ONE_SOFTMAX, "votes"):
        return labels.ndim == 1
    return (
        labels.ndim == 2
        and (labels.dtype.kind == "f") == (kind == "values")
        and kind != "embeddings"
    )
