"""The sanity step: a teacher is asked about a few examples before it is asked about all.

Whether it answers the same twice, whether its answers depend on the input, and whether they make
sense beside the labels. Nobody knows what a teacher should say; but none that is fed rightly says
less that is right than its own answers dealt out at random.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import entr, softmax

from limbeck.errors import ScoresWarning, TeacherError
from limbeck.examples import Array, Examples, View, brief_names
from limbeck.scores import LOWEST, OF_ONE_SOFTMAX, Kind, as_learnt, warn_if_mistaken
from limbeck.scoring._agreement import (
    Agreement,
    agreement,
    fitting_order,
    goodness,
    is_better,
    suits,
)
from limbeck.scoring._determinism import ROUNDING
from limbeck.scoring._linear import linear_scores
from limbeck.scoring._sample import Sample
from limbeck.teachers import Teacher

FEWEST = 10  # labelled examples, with fewer of which nothing is said about right and wrong
GAP = 0.1  # how far, beyond significance, a teacher is below a linear model to be warned of
MOST_NAMED = 20  # classes that an error lists whole, to be copied
GOOD = 0.9  # accuracy or R2 from which on no linear model is fitted beside it

ACCEPT = "if it is right as it is, go on with accept_teacher=True (--accept-teacher)"
CAUSES = (
    "usual causes are the range of pixels (scale=1/255, mean= and the like of "
    "teachers.preprocessed, or of onnx(...) as a text), the order of classes, the order of "
    "columns, or a preprocessing that the teacher was trained with and does not get here"
)


@dataclass(frozen=True)
class Sanity:
    """What was seen of a teacher on a few examples.

    Attributes:
        n: examples that it was asked about.
        lowest, highest: the range of its scores.
        in_unit_interval: the share of its scores in [0, 1].
        entropy: of the probabilities of one softmax, the mean as a share of the highest; else None.
        agreement: with the labels, where enough examples have one.
        linear: what a linear model of these labels has in the same metric, fitted and measured
            by cross-validation; None where none was fitted.
    """

    n: int
    lowest: float
    highest: float
    in_unit_interval: float
    entropy: float | None = None
    agreement: Agreement | None = None
    linear: float | None = None

    def __str__(self) -> str:
        parts = [str(self.agreement) if self.agreement else "no labels to compare with"]
        if self.linear is not None:
            parts.append(f"a linear model of these labels {self.linear:.3g}")
        parts.append(f"scores from {self.lowest:.4g} to {self.highest:.4g}")
        if self.entropy is not None:
            parts.append(f"entropy {self.entropy:.0%} of the highest")
        return f"asked about {self.n} examples: {', '.join(parts)}"

    def to_json(self) -> dict[str, Any]:
        """What the manifest of a score set says of it."""
        own: dict[str, Any] = {"n": self.n, "lowest": self.lowest, "highest": self.highest}
        own |= {"in_unit_interval": self.in_unit_interval, "entropy": self.entropy}
        if self.agreement is None:
            return own
        one = self.agreement
        return own | {
            "labelled": one.n,
            one.metric: one.value,
            "chance": one.chance,
            "auc": one.auc,
            f"linear_{one.metric}": self.linear,
        }


@dataclass(frozen=True, eq=False)
class _Judged:
    """Scores beside the labels of the same examples, all of which have one that suits them."""

    examples: Examples
    scores: Array
    kind: Kind

    @classmethod
    def of(cls, examples: Examples, scores: Array, kind: Kind) -> "_Judged | None":
        """Those of the examples with labels; None where they are few or of another kind."""
        rows = np.flatnonzero(examples.is_labelled)
        if len(rows) < FEWEST or not suits(kind, examples.labels):
            return None
        return cls(examples.take(rows), scores[rows].astype(np.float64), kind)

    @cached_property
    def agreement(self) -> Agreement:
        return agreement(self.scores, self.examples.labels, self.kind)

    @cached_property
    def order(self) -> Array | None:
        """The class that each column seems to be of, where that is another order."""
        return fitting_order(self.scores, self.examples.labels, self.kind)

    @cached_property
    def linear(self) -> Array | None:
        """What a linear model scores, beside a teacher that is not good; None of another kind."""
        is_fitted = self.agreement.value < GOOD and self.kind in (
            "values",
            *OF_ONE_SOFTMAX,
            "votes",
        )
        return linear_scores(self.examples) if is_fitted else None

    @cached_property
    def of_linear(self) -> float | None:
        linear = self.linear
        labels = self.examples.labels
        return None if linear is None else agreement(linear, labels, self.kind).value

    @property
    def is_far_below_linear(self) -> bool:
        if self.linear is None or self.of_linear is None:
            return False
        each = [
            goodness(scores, self.examples.labels, self.kind)
            for scores in (self.linear, self.scores)
        ]
        return self.of_linear - self.agreement.value > GAP and is_better(*each)


def check_sense(
    teacher: Teacher,
    examples: Examples,
    view: View,
    sample: Sample,
    *,
    accept: bool,
) -> Sanity:
    """What the sample says of the teacher; warns of what is odd and refuses what makes no sense.

    It is logged in one line, which the commands print. With `accept` what makes no sense is warned
    of too.

    Raises:
        TeacherError: the scores do not depend on the input, or fewer are right than by chance.
    """
    examples_asked = examples.take(sample.rows)
    if view.needs_all_examples:  # it mixes them, and a mixed one has no label of its own
        examples_asked = examples_asked.without_labels()
    judged = _Judged.of(examples_asked, sample.scores, teacher.kind)
    for fault in _faults(teacher, examples_asked, sample.scores, judged):
        if not accept:
            raise TeacherError(f"{fault}; {ACCEPT}")
        warnings.warn(fault, ScoresWarning, stacklevel=3)
        break
    else:
        for doubt in _doubts(teacher, judged):
            warnings.warn(doubt, ScoresWarning, stacklevel=3)
        warn_if_mistaken(sample.scores, teacher.kind, f"the teacher {teacher.name}")
    seen = _sanity(sample.scores, teacher.kind, judged)
    logging.getLogger("limbeck").info("%s: %s", teacher.name, seen)
    return seen


def _faults(
    teacher: Teacher, asked: Examples, scores: Array, judged: _Judged | None
) -> Iterator[str]:
    """Why what the teacher says makes no sense."""
    whose = f"the teacher {teacher.name}"
    # Votes may honestly be alike where one class is rare; the numbers behind them are not.
    is_many = len(np.unique(asked.content_hashes)) > 1
    if is_many and teacher.kind != "votes" and not _varies(scores):
        yield (
            f"{whose} answers all of {len(asked)} different examples with the same scores, so "
            f"there is nothing to learn from it: {CAUSES}"
        )
    if judged is None:
        return
    one = judged.agreement
    remedy = _in_order(judged, teacher.own_order) if judged.order is not None else CAUSES
    if one.is_below_chance:
        yield f"{whose} is right less often than by chance: {one}; {remedy}"
    elif judged.order is not None and one.metric == "accuracy" and one.value <= one.chance:
        yield f"{whose} is right no more often than by chance: {one}; {remedy}"


def _varies(scores: Array) -> bool:
    """Whether any class's score differs between examples by more than rounding."""
    finite = np.where(scores > LOWEST, scores, np.nan).astype(np.float64)
    absent = np.isnan(finite)
    if (absent.any(axis=0) & ~absent.all(axis=0)).any():
        return True  # a class that is impossible for some examples alone
    return bool(np.nanmax(np.ptp(finite, axis=0)) > ROUNDING * np.nanmax(np.abs(finite)))


def _doubts(teacher: Teacher, judged: _Judged | None) -> Iterator[str]:
    """What is odd and may yet be right."""
    if judged is None:
        return
    whose, one = f"the teacher {teacher.name}", judged.agreement
    if judged.order is not None:
        yield f"{whose} has {one}, but {_in_order(judged, teacher.own_order)}"
    elif one.metric == "r2" and one.value < 0:
        yield (
            f"{whose} has {one}, worse than the labels' mean: are its values in the units of the "
            "labels?"
        )
    elif judged.is_far_below_linear:
        yield (
            f"{whose} has {one}, where a linear model of these labels has {judged.of_linear:.3g}: "
            f"{CAUSES}"
        )


def _in_order(judged: _Judged, classes: Sequence[str]) -> str:
    """Under which names of its columns the teacher would be right, and how to say so."""
    assert judged.order is not None
    scores = judged.scores[:, np.argsort(judged.order)]
    then = agreement(scores, judged.examples.labels, judged.kind)
    now = list(judged.examples.classes)
    renamed = dict(zip(now, (now[at] for at in judged.order), strict=True))
    names = [renamed[name] for name in classes]
    listed = f"classes={names!r}" if len(names) <= MOST_NAMED else brief_names(names)
    return (
        f"with its columns named in another order, {listed}, it would have {then}: name the "
        "teacher's classes in the order in which it was trained on them"
    )


def _sanity(scores: Array, kind: Kind, judged: _Judged | None) -> Sanity:
    finite = scores[scores > LOWEST]
    return Sanity(
        n=len(scores),
        lowest=float(finite.min()),
        highest=float(finite.max()),
        in_unit_interval=float(((finite >= 0) & (finite <= 1)).mean()),
        entropy=_entropy(scores, kind),
        agreement=judged.agreement if judged else None,
        linear=judged.of_linear if judged else None,
    )


def _entropy(scores: Array, kind: Kind) -> float | None:
    """Of one softmax, the mean entropy in units of `log(classes)`."""
    if kind not in OF_ONE_SOFTMAX or scores.shape[1] < 2:
        return None
    probabilities = softmax(as_learnt(scores, kind).astype(np.float64), axis=1)
    return float(entr(probabilities).sum(axis=1).mean() / np.log(scores.shape[1]))
