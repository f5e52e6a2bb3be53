"""Heads on embeddings: logistic regressions, fitted here or handed in."""

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold

from limbeck.errors import LabelsError, MismatchError, TeacherError
from limbeck.examples import Array, Examples

STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
FOLDS = 5
STEPS = 2000  # of the solver: it needs far fewer, and says so where it does not


def checked(head: object, dimensions: int, whose: str) -> LogisticRegression:
    """The head, if it is one for embeddings of so many dimensions.

    Raises:
        TeacherError: it is another kind of model, is not fitted, or was fitted on other inputs.
    """
    if not isinstance(head, LogisticRegression):
        raise TeacherError(
            f"a head is scikit-learn's LogisticRegression, not a {type(head).__name__}: with any "
            "other, teachers.function(lambda texts: head.predict_log_proba(encoder.embed(texts)), "
            "classes, kind='log-probabilities')"
        )
    if not hasattr(head, "coef_"):
        raise TeacherError(f"the head of {whose} is not fitted: fit it on encoder.embed(texts)")
    if head.coef_.shape[1] != dimensions:
        raise TeacherError(
            f"the head of {whose} was fitted on {head.coef_.shape[1]} columns, and its embeddings "
            f"have {dimensions} dimensions"
        )
    return head


def columns(head: LogisticRegression, classes: Sequence[str], whose: str) -> dict[str, int]:
    """The head's column of each class, in the order in which the classes are to be answered.

    Raises:
        TeacherError: it was fitted on positions, and they are not those of these classes.
        MismatchError: it was fitted on names, and they are not these classes.
    """
    names = head.classes_.tolist()
    if all(isinstance(one, str) for one in names):
        if classes and sorted(names) != sorted(classes):
            raise MismatchError(
                f"the head of {whose} was fitted on the classes {', '.join(names)}, not "
                f"{', '.join(classes)}: give the same names, or none"
            )
        return {name: names.index(name) for name in classes or names}
    if names != list(range(len(classes))):
        raise TeacherError(
            f"the head of {whose} was fitted on the labels {names}, and {len(classes)} classes "
            f"are named ({', '.join(classes)}): name one for each label, 0 first"
        )
    return {name: place for place, name in enumerate(classes)}


def weights(head: LogisticRegression, order: Sequence[int]) -> tuple[Array, Array]:
    """What makes logits of embeddings, `(classes, dimensions)` and `(classes,)` float32."""
    matrix, bias = head.coef_, head.intercept_
    if len(matrix) == 1:  # two classes share one decision, which is split between them
        matrix = np.concatenate([-matrix, matrix]) / 2
        bias = np.concatenate([-bias, bias]) / 2
    rows = list(order)
    return matrix[rows].astype(np.float32), bias[rows].astype(np.float32)


def labelled_in(examples: Examples) -> Examples:
    """The examples that have a label.

    Raises:
        LabelsError: they are of fewer than two classes, one class has none, or a label is a row.
    """
    if examples.labels.ndim > 1:
        raise LabelsError(
            f"a head learns one class of each example, and the labels of {examples.name} have a "
            f"column for each of {', '.join(examples.classes)}"
        )
    counts = np.bincount(examples.labels[examples.is_labelled], minlength=len(examples.classes))
    if len(counts) < 2 or not counts.all():
        counted = ", ".join(f"{n} {name}" for name, n in zip(examples.classes, counts, strict=True))
        raise LabelsError(
            f"a head needs labelled examples of two classes or more, and of each; {examples.name} "
            f"has {counted or 'none'}"
        )
    return examples.take(np.flatnonzero(examples.is_labelled))


def chosen_strength(inputs: Array, names: Array, groups: Array, seed: int) -> float:
    """The strength with the lowest log-loss in cross-validation; 1 where that is not possible."""
    fewest = min(len(set(groups[names == name])) for name in set(names))
    if fewest < 2:
        return 1.0
    folds = StratifiedGroupKFold(min(FOLDS, fewest), shuffle=True, random_state=seed)
    parts = list(folds.split(inputs, names, groups))
    losses = [_loss(inputs, names, parts, strength) for strength in STRENGTHS]
    return STRENGTHS[int(np.argmin(losses))]


def fitted(inputs: Array, names: Array, strength: float) -> LogisticRegression:
    """A logistic regression; its solver stops quietly after many steps."""
    head = LogisticRegression(C=strength, max_iter=STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return head.fit(inputs, names)


def _loss(
    inputs: Array, names: Array, parts: Sequence[tuple[Array, Array]], strength: float
) -> float:
    total = 0.0
    for train, test in parts:
        if len(set(names[train])) < len(set(names)):  # nothing can be said of an absent class
            return float("inf")
        head = fitted(inputs[train], names[train], strength)
        probabilities = head.predict_proba(inputs[test])
        total += log_loss(names[test], probabilities, labels=head.classes_, normalize=False)
    return total
