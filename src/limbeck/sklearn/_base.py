"""What classifier and regressor share: checks, the rows to learn from, keeping and exporting."""

import contextlib
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, no_type_check

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    check_is_fitted,
    validate_data,
)

from limbeck import artifacts, objectives, students, teachers
from limbeck.deployment import Exported, export
from limbeck.errors import InputError, StudentWarning
from limbeck.examples import Array, Examples
from limbeck.objectives import Objective
from limbeck.sklearn import _distilling
from limbeck.sklearn._distilling import How, Rows, Taught
from limbeck.sklearn._one_hot import OneHot
from limbeck.students import Run, Student, parameters
from limbeck.training import Plan

Numbers = dict[str, dict[str, float]]


class Distilled(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What classifier and regressor share; their docstrings say what the parameters are."""

    teacher: Any
    student: Student | str
    transfer: str
    rows_per_row: int
    nominal: Sequence[str | int]
    missing: str
    objective: Objective | Callable[..., Any] | str
    epochs: int
    batch: int
    learning_rate: float
    control: bool
    held_out: float
    directory: str | Path
    random_state: Any

    @no_type_check  # scikit-learn sets anything first, and has it refused by fit
    def __init__(
        self,
        teacher: Any,
        student: Student | str = "mlp([256])",
        *,
        transfer: str = "munge",
        rows_per_row: int = 10,
        nominal: Sequence[str | int] = (),
        missing: str = "refuse",
        objective: Objective | Callable[..., Any] | str = "",
        epochs: int = 0,
        batch: int = 128,
        learning_rate: float = 1e-3,
        control: bool = True,
        held_out: float = 0.1,
        directory: str | Path = "",
        random_state: Any = None,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.transfer = transfer
        self.rows_per_row = rows_per_row
        self.nominal = nominal
        self.missing = missing
        self.objective = objective
        self.epochs = epochs
        self.batch = batch
        self.learning_rate = learning_rate
        self.control = control
        self.held_out = held_out
        self.directory = directory
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, *, unlabelled: Any = None) -> "Distilled":  # noqa: N803  scikit-learn's name
        """Trains the student on what the teacher says of the rows and of further ones.

        Without `y` the teacher is fitted and used as it is. With `y` a clone of it is fitted
        first (`sklearn.frozen.FrozenEstimator` keeps one as it is there too), on all rows but a
        share `held_out` for the report, and the control learns the labels. `unlabelled` are rows
        of the same columns, taken instead of new ones.

        Raises:
            InputError: a table, a teacher or a parameter that cannot be used; its subclasses
                say which.
            NotFittedError: no `y`, and the teacher is not fitted.
        """
        table = self._checked(X, reset=True)
        self._check_parameters()
        labels = None if y is None else self._labels(y, table)
        generator = check_random_state(self.random_state)
        seeds = generator.randint(2**31, size=2)
        taught_on, held_out = self._parted(table, labels, generator)
        table_of = _taken(table, taught_on)
        if labels is None:
            self._check_teacher()
            self.teacher_ = self.teacher
        else:
            self.teacher_ = clone(self.teacher).fit(table_of, y=_taken(np.asarray(y), taught_on))
        self._learn(table_of, None if labels is None else labels[taught_on], unlabelled, seeds)
        self.report_ = {}
        if labels is not None and len(held_out):
            self.report_ = self._reported(_taken(table, held_out), labels[held_out])
        return self

    def _check_parameters(self) -> None:
        if self.missing not in ("refuse", "impute"):
            raise InputError(f"missing is 'refuse' or 'impute', not {self.missing!r}")
        if not 0 <= self.held_out < 1:
            raise InputError(f"held_out lies between 0 and 1, not {self.held_out}")
        if self.rows_per_row < 1:
            raise InputError(f"rows_per_row is 1 or more, not {self.rows_per_row}")

    def _check_teacher(self) -> None:
        try:
            check_is_fitted(self.teacher)
        except (NotFittedError, TypeError) as error:
            raise NotFittedTeacherError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: the "
                f"teacher {type(self.teacher).__name__} is not fitted"
            ) from error

    def _checked(self, table: Any, *, reset: bool) -> Any:
        # A data frame goes to the teacher as it is; anything else becomes an array.
        if hasattr(table, "iloc"):
            validate_data(self, table, skip_check_array=True, reset=reset)
            return table
        return validate_data(
            self,
            table,
            dtype=None,
            ensure_all_finite=False,
            ensure_min_samples=2 if reset else 1,
            reset=reset,
        )

    def _parted(self, table: Any, labels: Array | None, generator: Any) -> tuple[Array, Array]:
        """The rows to learn from, and those kept for the report."""
        order = generator.permutation(len(table))
        if labels is None:
            return np.sort(order), order[:0]
        needed = self._needed(labels[order])
        free = order[~needed]
        held_out = free[: round(self.held_out * len(order))]
        return np.sort(np.setdiff1d(order, held_out)), np.sort(held_out)

    def _learn(self, table: Any, labels: Array | None, unlabelled: Any, seeds: Array) -> None:
        rows = Rows.of(
            table,
            self.nominal,
            None if unlabelled is None else self._further(unlabelled),
            transfer=self.transfer,
            size=self.rows_per_row * len(table),
            seed=int(seeds[0]),
        )
        if self.missing == "refuse":
            # First the rows that were given: new ones repeat their gaps.
            for part in (rows.values[: rows.given], rows.values):
                _distilling.check_full(rows.columns, part)
        self._one_hot = OneHot.of(rows.columns, rows.values)
        with self._place() as place:
            student = self._taught(rows, labels, self._how(int(seeds[1])), place)
            self._keep(student, place)

    def _further(self, unlabelled: Any) -> Any:
        return unlabelled if hasattr(unlabelled, "iloc") else np.asarray(unlabelled)

    def _how(self, seed: int) -> How:
        student, objective = self.student, self.objective or self._usual
        plan = Plan(epochs=self.epochs, batch=self.batch, learning_rate=self.learning_rate)
        return How(
            students.from_text(student) if isinstance(student, str) else student,
            objectives.from_text(objective)
            if isinstance(objective, str)
            else objectives.as_objective(objective),
            plan,
            seed,
            self.control,
        )

    @contextlib.contextmanager
    def _place(self) -> Iterator[Path]:
        if self.directory:
            yield Path(self.directory)
        else:
            with artifacts.scratch() as place:
                yield place

    def _keep(self, student: Taught, place: Path) -> None:
        self._model = _distilling.precise(student.run)
        self._control = _distilling.precise(student.control) if student.control else None
        self.control_ = student.control if self.directory else self._control
        self.temperature_ = student.temperature
        self._check = student.check
        home = student.run.directory
        # The run itself, so that a pickled or temporary estimator can still be exported.
        self._files = {
            str(file.relative_to(home)): file.read_bytes()
            for file in home.rglob("*")
            if file.is_file()
        }
        self._warn_if_larger()

    def _warn_if_larger(self) -> None:
        own, theirs = 4 * parameters(self._model), teachers.fitted_bytes(self.teacher_)
        if own > theirs > 0:
            warnings.warn(
                f"the student takes {own:,} bytes and its teacher {theirs:,}: it is larger",
                StudentWarning,
                stacklevel=4,
            )

    def encode(self, X: Any) -> Array:  # noqa: N803  scikit-learn's name
        """The inputs of the exported student for these rows, float64 `(rows, inputs)`.

        A table of numbers without missing values is its own encoding; otherwise categories are
        one-hot, and a missing value is the column's mean with a flag beside it.

        Raises:
            ExamplesError: missing values that the student cannot take.
            MismatchError: other columns.
        """
        check_is_fitted(self)
        columns = self._one_hot.columns
        values = columns.numbers(self._checked(X, reset=False), "the table")
        if self.missing == "refuse":
            _distilling.check_full(columns, values)
        return self._one_hot.inputs(values)

    def export(self, to: str | Path, *, tolerance: float = 1e-3, absorb: bool = False) -> Exported:
        """The student as a verified ONNX or safetensors file.

        It takes what `encode` gives; a classifier's file answers with calibrated logits. Held
        against the student on up to 256 rows of the transfer set. See `limbeck.export`.
        """
        check_is_fitted(self)
        with artifacts.scratch() as place:
            for name, content in self._files.items():
                file = place / "student" / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            run = Run.open(place / "student", trust=not isinstance(self.student, str))
            check = Examples.of(self._check, classes=run.classes, name="rows of the transfer set")
            return export(run, to=to, check=check, tolerance=tolerance, absorb=absorb)

    @property
    def _usual(self) -> str:
        raise NotImplementedError

    @abstractmethod
    def _labels(self, y: Any, table: Any) -> Array:
        """The labels as an array, checked."""

    @abstractmethod
    def _needed(self, labels: Array) -> Array:
        """Which rows must not be kept from the teacher, booleans."""

    @abstractmethod
    def _taught(self, rows: Rows, labels: Array | None, how: How, place: Path) -> Taught:
        """The student, trained in that place."""

    @abstractmethod
    def _reported(self, table: Any, labels: Array) -> Numbers:
        """Numbers of teacher, student and control on rows that none of them has seen."""

    def _outputs(self, table: Any) -> Array:
        return _distilling.outputs_of(self._model, self.encode(table))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing == "impute"
        tags.input_tags.string = tags.input_tags.categorical = True
        tags.non_deterministic = False
        return tags


class NotFittedTeacherError(NotFittedError, InputError):  # type: ignore[misc]  # scikit-learn has no types
    """A teacher that is needed as it is, and is not fitted."""


def _taken(table: Any, rows: Array) -> Any:
    return table.iloc[rows] if hasattr(table, "iloc") else table[rows]
