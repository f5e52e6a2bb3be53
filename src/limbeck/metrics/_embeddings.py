"""The formulas of the metrics of embeddings, against a reference's embeddings."""

import numpy as np

from limbeck.metrics._classification import Answers, Array, OfRows

NEIGHBORS = 10
MOST_EXAMPLES = 5000  # beyond which finding all neighbours takes too long
BLOCK = 512


def cosine(answers: Answers) -> Array:
    """The cosine of the angle between each embedding and the reference's; 0 for a zero vector."""
    return np.asarray((_unit(answers.logits) * _unit(answers.reference)).sum(axis=1).clip(-1, 1))


def distance(answers: Answers) -> Array:
    """The Euclidean distance of each embedding from the reference's."""
    return np.asarray(np.linalg.norm(answers.logits - answers.reference, axis=1))


def neighbors(answers: Answers) -> float:
    """The share of each example's nearest neighbours that it shares with the reference, averaged.

    By cosine, among these examples; NaN where there are too few of them, or too many.
    """
    if not NEIGHBORS < len(answers.logits) <= MOST_EXAMPLES:
        return float("nan")
    return float(_shared(answers).mean())


def neighbors_of_rows(answers: Answers) -> OfRows:
    """The same of rows, with the neighbours that they have among all examples."""
    is_measured = NEIGHBORS < len(answers.logits) <= MOST_EXAMPLES
    shared = _shared(answers) if is_measured else np.full(len(answers.logits), np.nan)
    return lambda rows: float(shared[rows].mean())


def _shared(answers: Answers) -> Array:
    own, theirs = _nearest(answers.logits), _nearest(answers.reference)
    both = (own[:, :, None] == theirs[:, None, :]).any(axis=2)
    return np.asarray(both.mean(axis=1))


def _nearest(vectors: Array) -> Array:
    """The rows of each one's nearest neighbours, `(examples, NEIGHBORS)`, in any order."""
    units = _unit(vectors)
    nearest = []
    for start in range(0, len(units), BLOCK):
        likeness = units[start : start + BLOCK] @ units.T
        own = np.arange(len(likeness))
        likeness[own, start + own] = -np.inf  # nobody is a neighbour of itself
        nearest.append(np.argpartition(-likeness, NEIGHBORS, axis=1)[:, :NEIGHBORS])
    return np.concatenate(nearest)


def _unit(vectors: Array) -> Array:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0))
