"""The formulas of the metrics of real values, against labels or against a reference.

Several outputs count alike: errors are averaged over examples and outputs, R2 over outputs.
"""

from collections.abc import Callable

import numpy as np
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from limbeck.metrics._classification import Answers, Array, OfRows

Truth = Callable[[Answers], Array]  # what answers are held to, `(examples, outputs)`


def labels(answers: Answers) -> Array:
    """The labels."""
    return answers.labels


def reference(answers: Answers) -> Array:
    """What the reference answered."""
    return answers.reference


def rmse(truth: Truth, answers: Answers) -> float:
    """The root of the mean squared error."""
    # The library takes the root of each output alone, so that outputs are made one column.
    return float(root_mean_squared_error(truth(answers).ravel(), answers.logits.ravel()))


def rmse_of_rows(truth: Truth, answers: Answers) -> OfRows:
    """The same of rows."""
    squares = np.square(answers.logits - truth(answers)).mean(axis=1)
    return lambda rows: float(np.sqrt(squares[rows].mean()))


def absolute_error(truth: Truth, answers: Answers) -> Array:
    """The absolute error of each example, averaged over outputs."""
    return np.asarray(
        mean_absolute_error(truth(answers).T, answers.logits.T, multioutput="raw_values")
    )


def r2(truth: Truth, answers: Answers) -> float:
    """The share of the truth's variance that is explained; NaN where an output does not vary."""
    is_constant = np.ptp(truth(answers), axis=0) == 0
    return float("nan") if is_constant.any() else float(r2_score(truth(answers), answers.logits))


def r2_of_rows(truth: Truth, answers: Answers) -> OfRows:
    """The same of rows: 1 less the squared error over the squared distance from the mean."""
    values = truth(answers)
    # Far from 0 a variance by sums of squares would be lost in rounding.
    around = values - values.mean(axis=0)
    squares = np.square(answers.logits - values)

    def of_rows(rows: Array) -> float:
        spread = np.square(around[rows] - around[rows].mean(axis=0)).sum(axis=0)
        if (spread == 0).any():
            return float("nan")
        return float(np.mean(1 - squares[rows].sum(axis=0) / spread))

    return of_rows
