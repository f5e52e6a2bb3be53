"""Soft targets of a score set: one example's, the classes confused, and two models' differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import log_softmax

from limbeck.errors import MismatchError
from limbeck.examples import Array
from limbeck.scores import OF_ONE_SOFTMAX, Kind, as_learnt


@dataclass(frozen=True, eq=False)
class Shown:
    """One example with its soft targets.

    Attributes:
        key: how the example is known.
        label: its class name, or "" without a label.
        inputs: the input as the teacher saw it.
        soft: probabilities `(temperatures, classes)`.
    """

    key: str
    label: str
    inputs: Array
    soft: Array


@dataclass(frozen=True)
class Confusion:
    """What the teacher gives one class, on average, where another is its answer.

    Attributes:
        answer: the class it holds most probable.
        other: the class it confuses it with.
        probability: the other's mean probability at temperature 1 over these examples.
        n: how many examples it answers so.
    """

    answer: str
    other: str
    probability: float
    n: int


@dataclass(frozen=True, eq=False)
class Difference:
    """An example on which student and teacher differ.

    Attributes:
        key: how the example is known.
        label: its class name, or "" without a label.
        nats: KL(teacher, student) at temperature 1.
        inputs: the input as the teacher saw it.
        teacher: the teacher's probabilities `(classes,)`.
        student: the student's `(classes,)`.
    """

    key: str
    label: str
    nats: float
    inputs: Array
    teacher: Array
    student: Array


def as_logits(raw: Array, kind: Kind, whose: str) -> Array:
    """Scores as logits of one softmax, float64.

    Raises:
        MismatchError: they are of a kind that has no temperature.
    """
    if kind not in OF_ONE_SOFTMAX:
        raise MismatchError(f"{whose} holds {kind}: only what a softmax makes has soft targets")
    return as_learnt(raw.astype(np.float64), kind)


def soft_targets(logits: Array, temperatures: Sequence[float]) -> Array:
    """One example's probabilities `softmax(logits / T)`, `(temperatures, classes)`."""
    heat = np.asarray(temperatures, dtype=np.float64)[:, None]
    return np.asarray(np.exp(log_softmax(logits / heat, axis=1)))


def confusions(logits: Array, classes: Sequence[str], most: int) -> tuple[Confusion, ...]:
    """The pairs of classes that the teacher confuses most, over `(examples, classes)` logits."""
    shares = np.exp(log_softmax(logits, axis=1))
    answers = logits.argmax(axis=1)
    counts = np.bincount(answers, minlength=len(classes))
    means = np.zeros((len(classes), len(classes)))
    np.add.at(means, answers, shares)
    means /= np.maximum(counts, 1)[:, None]
    np.fill_diagonal(means, 0.0)
    order = np.argsort(-means, axis=None, kind="stable")[:most]
    pairs = [divmod(int(flat), len(classes)) for flat in order]
    return tuple(
        Confusion(classes[i], classes[j], float(means[i, j]), int(counts[i]))
        for i, j in pairs
        if means[i, j] > 0
    )


def entropies(logits: Array) -> Array:
    """How unsure the teacher is of each example at temperature 1, in nats, `(examples,)`."""
    logs = log_softmax(logits, axis=1)
    return np.asarray(-(np.exp(logs) * logs).sum(axis=1))


def divergences(teacher: Array, student: Array) -> Array:
    """KL(teacher, student) at temperature 1 of `(examples, classes)` logits, in nats."""
    of_teacher, of_student = log_softmax(teacher, axis=1), log_softmax(student, axis=1)
    return np.asarray((np.exp(of_teacher) * (of_teacher - of_student)).sum(axis=1))


def top(shares: Array, classes: Sequence[str], most: int) -> list[tuple[str, float]]:
    """The most probable classes with their probabilities, the most probable first."""
    order = np.argsort(-shares, kind="stable")[:most]
    return [(classes[i], float(shares[i])) for i in order]


def by_class(shares: Array, classes: Sequence[str]) -> dict[str, Any]:
    """Probabilities by class name, for JSON."""
    return {name: float(share) for name, share in zip(classes, shares, strict=True)}
