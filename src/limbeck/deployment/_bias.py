"""The number to add to a class's logit: with the fewest errors, or to meet a prior."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit, logsumexp

from limbeck.examples import Array

BEYOND = 1.0  # how far, in logits, an interval without an end is taken to reach
MOST_ROUNDS = 1000
EXACT = 1e-9  # how near the mean probabilities come to the prior


@dataclass(frozen=True)
class Chosen:
    """A bias, and how many of the examples it was chosen on are wrong without and with it."""

    bias: float
    errors_before: int
    errors: int


def fewest_errors(logits: Array, labels: Array, named: Array) -> Chosen:
    """The one number for all named classes with which the fewest examples are wrong: exact.

    `logits` are `(examples, classes)`, `labels` positions `(examples,)`, `named` booleans
    `(classes,)`. An example is answered with its best named class where the bias is above its
    threshold, the best other logit less the best named one, and with its best other class below.
    So the number of errors is constant between neighbouring thresholds, and sorting them finds
    its minimum. Of the intervals with the fewest errors the widest is taken, of equally wide ones
    that nearest to 0, and of it the middle; one without an end counts as one logit wide. Where no
    bias makes fewer errors than none, it is 0.
    """
    thresholds, gains = _steps(logits, labels, named)
    # Below all thresholds every example is answered with a class that was not named.
    lowest = int((_best(logits, ~named)[1] != labels).sum())
    errors = lowest - np.concatenate([[0], np.cumsum(gains)])
    before = int((logits.argmax(axis=1) != labels).sum())
    if not len(thresholds) or errors.min() >= before:
        return Chosen(0.0, before, before)
    ends = np.concatenate([[thresholds[0] - BEYOND], thresholds, [thresholds[-1] + BEYOND]])
    return Chosen(_middle(ends, errors), before, int(errors.min()))


def _best(logits: Array, among: Array) -> tuple[Array, Array]:
    """The highest logit among some classes and that class's position, each `(examples,)`."""
    masked = np.where(among, logits, -np.inf)
    return masked.max(axis=1), masked.argmax(axis=1)


def _steps(logits: Array, labels: Array, named: Array) -> tuple[Array, Array]:
    """Where the number of errors changes, ascending, and by how many it falls there."""
    (highest, inside), (other, outside) = _best(logits, named), _best(logits, ~named)
    gain = (inside == labels).astype(int) - (outside == labels).astype(int)
    matters = gain != 0  # the others are wrong at every bias
    places, which = np.unique((other - highest)[matters], return_inverse=True)
    gains = np.bincount(which, gain[matters], len(places)).astype(int)
    return places[gains != 0], gains[gains != 0]


def _middle(ends: Array, errors: Array) -> float:
    """The middle of the interval to take; interval i lies between ends i and i + 1."""
    best = np.flatnonzero(errors == errors.min())
    middles, widths = (ends[best] + ends[best + 1]) / 2, ends[best + 1] - ends[best]
    return float(middles[np.lexsort((np.abs(middles), -widths))[0]])


def matching(logits: Array, named: Array, prior: Array) -> Array:
    """What to add to each class so that the named ones' mean probabilities are the prior.

    `logits` are `(examples, classes)`, `named` and `prior` `(classes,)`; 0 for the others. Each
    named class has a bias of its own, and the classes' conditions are coupled by the softmax:
    together they say that the gradient of the convex function `mean logsumexp(z + b) - prior b`
    is 0, so solving for one class after the other, round and round, comes to the one solution.
    """
    biases = np.zeros(logits.shape[1])
    classes = np.flatnonzero(named).tolist()
    for _ in range(MOST_ROUNDS):
        for k in classes:
            biases[k] = _one_matching(logits + biases, k, prior[k]) + biases[k]
        means = _mean_probabilities(logits + biases)
        if np.abs(means - prior)[classes].max() < EXACT:
            break
    return biases


def _mean_probabilities(logits: Array) -> Array:
    shares = np.exp(logits - logsumexp(logits, axis=1, keepdims=True))
    return np.asarray(shares.mean(axis=0))


def _one_matching(logits: Array, k: int, share: float) -> float:
    """What to add to class k's logits so that its mean probability is that share."""
    margin = logits[:, k] - logsumexp(np.delete(logits, k, axis=1), axis=1)
    # Below the lower end every single probability is too small, above the upper too large.
    low, high = logit(share) - margin.max() - 1, logit(share) - margin.min() + 1
    return float(brentq(lambda b: expit(margin + b).mean() - share, low, high, xtol=1e-12))
