"""Estimators in scikit-learn's manner: a fitted model distilled into a small net."""

from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
)

from limbeck import teachers
from limbeck.errors import LabelsError, MismatchError, TeacherError
from limbeck.examples import Array
from limbeck.sklearn import _distilling
from limbeck.sklearn._base import Distilled, Numbers
from limbeck.sklearn._distilling import How, Rows, Taught


class DistilledClassifier(ClassifierMixin, Distilled):  # type: ignore[misc]  # no types there
    """A small net that answers like a classifier of scikit-learn's.

    `fit(X)` takes a fitted teacher as it is; `fit(X, y)` fits a clone first. New rows are made
    for the teacher to score (MUNGE, `limbeck.synthetic`), the student learns its probabilities,
    and one temperature, found on held-out rows of the transfer set against the teacher's
    probabilities, calibrates it: the student is as well calibrated as its teacher, no better.

    Args:
        teacher: a classifier with `predict_proba`.
        student: a student of `limbeck.students`, or the call that describes it.
        transfer: how new rows are made: "munge", "random" or "nbe"; "" for none.
        rows_per_row: how many new rows for each row.
        nominal: columns of codes, by name or position; text and booleans are so by themselves.
        missing: "refuse" missing values, or "impute": the student gets the column's mean and a
            flag. The teacher sees the table as it is either way.
        objective: an objective, or the call that makes it; "" for `SoftTargets(temperature=1)`,
            of a regressor `MatchLogits('standardized')`.
        epochs, batch, learning_rate: of the training, as in `limbeck.Plan`.
        control: whether the same net is also trained on hard labels, where `fit` is given them.
        held_out: the share of labelled rows that neither teacher nor student see, for `report_`.
        directory: where scores and runs are kept; "" to keep none. Another fit needs another one.
        random_state: as in all of scikit-learn; it decides new rows, split and student.

    Attributes:
        classes_: the classes in the order of `predict_proba`.
        teacher_: the fitted teacher.
        control_: the control's run, or its net where no directory is kept; None without labels.
        temperature_: what the student's logits were divided by.
        report_: for "teacher", "student" and "control" on the held-out rows: accuracy, nats (the
            negative log-likelihood), and agreement with the teacher; empty without labels.
    """

    @property
    def _usual(self) -> str:
        return "SoftTargets(temperature=1)"

    def _labels(self, y: Any, table: Any) -> Array:
        labels = column_or_1d(y, warn=True)
        check_consistent_length(table, labels)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise LabelsError(
                f"y holds the one class {self.classes_.tolist()[0]!r}: a classifier needs 2 classes"
            )
        return np.asarray(codes)

    def _needed(self, labels: Array) -> Array:
        needed = np.zeros(len(labels), dtype=bool)
        needed[np.unique(labels, return_index=True)[1]] = True
        return needed

    def _taught(self, rows: Rows, labels: Array | None, how: How, place: Path) -> Taught:
        self._check_classes(labels is not None)
        names = [str(name) for name in self.classes_]
        teacher = _distilling.teacher_of(self.teacher_, self._one_hot, names, "log-probabilities")
        own = np.zeros(0, np.int64) if labels is None else labels
        examples = _distilling.as_examples(rows, self._one_hot, own, names)
        return _distilling.taught(examples, teacher, how, place)

    def _check_classes(self, is_labelled: bool) -> None:
        name = type(self.teacher_).__name__
        if not hasattr(self.teacher_, "predict_proba"):
            raise TeacherError(
                f"the teacher {name} has no predict_proba; CalibratedClassifierCV gives it one"
            )
        theirs = np.asarray(self.teacher_.classes_)
        if len(theirs) < 2:
            raise TeacherError(f"the teacher {name} knows the one class {theirs.tolist()[0]!r}")
        if is_labelled and not np.array_equal(theirs, self.classes_):
            raise MismatchError(
                f"the teacher {name} knows the classes {theirs.tolist()}, "
                f"y holds {self.classes_.tolist()}"
            )
        self.classes_ = theirs

    def _reported(self, table: Any, labels: Array) -> Numbers:
        predictions = {
            "teacher": teachers.fitted_log_probabilities(self.teacher_, table),
            "student": self._outputs(table),
        }
        if self._control is not None:
            predictions["control"] = _distilling.outputs_of(self._control, self.encode(table))
        return {
            name: _of_classes(one, labels, predictions["teacher"])
            for name, one in predictions.items()
        }

    def decision_function(self, X: Any) -> Array:  # noqa: N803  scikit-learn's name
        """The calibrated logits `(rows, classes)`; of two classes their difference `(rows,)`."""
        check_is_fitted(self)
        logits = self._outputs(X)
        return np.asarray(logits[:, 1] - logits[:, 0]) if len(self.classes_) == 2 else logits

    def predict_proba(self, X: Any) -> Array:  # noqa: N803  scikit-learn's name
        """The probabilities of `classes_`, calibrated, `(rows, classes)`."""
        check_is_fitted(self)
        return np.asarray(softmax(self._outputs(X), axis=1))

    def predict(self, X: Any) -> Array:  # noqa: N803  scikit-learn's name
        """The most probable class of each row."""
        check_is_fitted(self)
        return np.asarray(self.classes_[self._outputs(X).argmax(axis=1)])


class DistilledRegressor(RegressorMixin, Distilled):  # type: ignore[misc]  # no types there
    """A small net that answers like a regressor of scikit-learn's, for one output.

    As `DistilledClassifier`, but that the student learns the teacher's values, standardised
    (`MatchLogits('standardized')`), and the control the labels as values with the same objective.
    `report_` holds `rmse`, against the labels, and `rmse_to_teacher`.
    """

    @property
    def _usual(self) -> str:
        return "MatchLogits('standardized')"

    def _labels(self, y: Any, table: Any) -> Array:
        labels = column_or_1d(check_array(y, ensure_2d=False, input_name="y"), warn=True)
        check_consistent_length(table, labels)
        return np.asarray(labels, dtype=np.float64)

    def _needed(self, labels: Array) -> Array:
        return np.arange(len(labels)) < 1

    def _taught(self, rows: Rows, labels: Array | None, how: How, place: Path) -> Taught:
        none = np.zeros(0, np.int64)
        examples = _distilling.as_examples(rows, self._one_hot, none, ("value",))
        teacher = _distilling.teacher_of(self.teacher_, self._one_hot, ("value",), "values")
        own = none if labels is None else labels
        return _distilling.taught_values(examples, teacher, how, place, own)

    def _reported(self, table: Any, labels: Array) -> Numbers:
        predictions = {"teacher": self.teacher_.predict(table), "student": self.predict(table)}
        if self._control is not None:
            predictions["control"] = _distilling.outputs_of(self._control, self.encode(table))[:, 0]
        return {
            name: {
                "rmse": _rmse(one, labels),
                "rmse_to_teacher": _rmse(one, predictions["teacher"]),
            }
            for name, one in predictions.items()
        }

    def predict(self, X: Any) -> Array:  # noqa: N803  scikit-learn's name
        """The value of each row, `(rows,)`."""
        check_is_fitted(self)
        return self._outputs(X)[:, 0]


def _of_classes(logits: Array, labels: Array, teacher: Array) -> dict[str, float]:
    best = logits.argmax(axis=1)
    nats = -log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
    return {
        "accuracy": float((best == labels).mean()),
        "nats": float(nats.mean()),
        "agreement": float((best == teacher.argmax(axis=1)).mean()),
    }


def _rmse(one: Array, other: Array) -> float:
    return float(np.sqrt(np.mean((np.asarray(one) - other) ** 2)))
