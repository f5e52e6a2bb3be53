"""Teachers that are fitted models of scikit-learn's, and of whoever writes such."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.errors import CorruptError, InputError, TeacherError, TrustError
from limbeck.examples import Array
from limbeck.runtime import needs
from limbeck.scores import FLOOR, SUM_TOLERANCE, check_kind
from limbeck.teachers import _files
from limbeck.teachers._teacher import Teacher
from limbeck.teachers.fitted import _answers
from limbeck.teachers.fitted._model_file import (
    ModelFile,
    class_names,
    named_features,
    rows_of,
    two_columns,
    value_names,
)

PICKLES = (".joblib", ".pkl", ".pickle")


def sklearn(
    model_or_path: Any,
    classes: Sequence[str] = (),
    *,
    kind: str = "",
    trust: bool = False,
    name: str = "",
) -> Teacher:
    """A fitted estimator or Pipeline, in memory or in a file, that takes rows of numbers.

    A classifier answers with log-probabilities, a regressor with values, a column for each
    output. Of a classifier `kind="logits"` asks for its `decision_function`, whose softmax is
    `predict_proba` only of models trained with one softmax (a multinomial logistic regression, a
    gradient boosting); one column m becomes two, (0, m), so that their softmax is the sigmoid of
    m. Margins of an SVM are no such logits; whoever takes them for logits has to say so.
    `"independent-logits"` takes them as one sigmoid a column, of two classes (-m, m).
    `"probabilities"` are `predict_proba` as it is, and `"votes"` what it predicts and no more: all
    that a classifier says which has neither method.

    A probability of 0 counts as a millionth, or as the row's least where that is lower, because
    it has no logarithm. Inputs of more axes than one are flattened. A model fitted on a table
    with names gets one, which needs pandas.

    Class names are its `classes_` as text; `classes` are the same names in any order, or name
    classes 0, 1, 2, ... in that order. Of a regressor they name its outputs.

    A `.skops` file is opened with skops, which builds objects of known types alone. A `.joblib`,
    `.pkl` or `.pickle` file is a pickle: opening it runs whatever code it names, so it needs
    `trust=True`, as does a `.skops` file with types that skops does not know, scikit-learn's own
    trees among them.

    The fingerprint is of the file's content, or of the fitted state in memory; a model that
    cannot be pickled is another teacher each time.

    Raises:
        TrustError: the file needs trust; names the types that skops does not know.
        MissingError, CorruptError: no file, or one that cannot be read.
        MismatchError: other class names than the model's.
        TeacherError: not fitted, neither classifier nor regressor, of several outputs, or without
            a method for that kind.
        InputError: a file of another kind, or a kind the model has not.
    """
    file = ModelFile.of(model_or_path) if isinstance(model_or_path, str | Path) else None
    model = _unpickled(file, trust) if file else model_or_path
    whose = name or type(_last(model)).__name__
    _check_fitted(model, whose)
    chosen = _kind(model, kind, whose)
    names = _names(model, classes, chosen, whose)
    version = file.fingerprint if file else _answers.fitted_fingerprint(model)
    if chosen.endswith("logits"):
        _check_margins(model, whose)
    teacher = SklearnTeacher(
        name=whose,
        classes=names,
        kind=check_kind(chosen),
        fingerprint=f"{version}:{chosen}",
        model=model,
    )
    if not file:
        return teacher
    options = {"classes": [str(one) for one in classes], "kind": kind, "name": name}
    source = _files.call("sklearn", file.path, **options)
    return replace(teacher, source=source, place=file.path, is_trusted=trust)


@dataclass(frozen=True, eq=False, kw_only=True)
class SklearnTeacher(Teacher):
    """A fitted model of scikit-learn's; `sklearn` makes one."""

    model: Any = field(repr=False)

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the table that the model was fitted on."""
        # CatBoost numbers the columns of an array, and calls them by their numbers.
        catboost = getattr(_last(self.model), "feature_names_", None)
        return named_features(getattr(self.model, "feature_names_in_", catboost))

    def predict(self, inputs: Array) -> Array:
        """What the model says by the method of this kind."""
        features = getattr(self.model, "n_features_in_", 0)
        rows = rows_of(inputs, features, f"the model {self.name}")
        return self._scores(_table(self.model, rows))

    def _scores(self, table: Any) -> Array:
        match self.kind:
            case "log-probabilities":
                scores = _answers.fitted_log_probabilities(self.model, table)
                _check_sum(np.exp(scores), self.name)
                return scores
            case "probabilities":
                return np.asarray(self.model.predict_proba(table))
            case "values":
                return _answers.fitted_values(self.model, table)
            case "votes":
                return _votes(self.model, table)
        margins = np.asarray(self.model.decision_function(table))
        if margins.ndim > 1:
            return margins
        if self.kind == "logits":
            return two_columns(margins)
        return np.stack([-margins, margins], axis=1)


def _unpickled(file: ModelFile, trust: bool) -> Any:
    suffix = file.path.suffix.lower()
    if suffix not in (".skops", *PICKLES):
        file.check_writer("scikit-learn", "skops", "pickle")
        raise InputError(
            f"{file.path} is of no kind that is opened: .skops, or with trust=True "
            f"{', '.join(PICKLES)}"
        )
    return _from_skops(file, trust) if suffix == ".skops" else _from_pickle(file, trust)


def _from_pickle(file: ModelFile, trust: bool) -> Any:
    if not trust:
        raise TrustError(
            f"opening {file.path} runs code that this file names: pass --trust (trust=True) if you "
            "know where it comes from; a .skops file needs no trust"
        )
    try:
        return needs("joblib").load(io.BytesIO(file.content))
    except Exception as error:  # a damaged pickle may do anything, and so may its classes
        raise _corrupt(file, error) from error


def _from_skops(file: ModelFile, trust: bool) -> Any:
    skops = needs("skops.io")
    try:
        unknown = skops.get_untrusted_types(data=file.content)
    except _DAMAGED as error:
        raise _corrupt(file, error) from error
    if unknown and not trust:
        raise TrustError(
            f"opening {file.path} builds objects of types that skops does not know to be safe: "
            f"{', '.join(unknown)}; pass --trust (trust=True) if you know where it comes from"
        )
    try:
        return skops.loads(file.content, trusted=unknown)
    except _DAMAGED as error:
        raise _corrupt(file, error) from error


_DAMAGED = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, KeyError, ValueError, TypeError),
    *(AttributeError, ImportError, OSError, EOFError, IndexError, RuntimeError),
)


def _corrupt(file: ModelFile, error: Exception) -> CorruptError:
    reason = str(error).strip().split("\n")[0]
    return CorruptError(
        f"the model {file.path} cannot be read: {type(error).__name__}{reason and ': '}{reason}"
    )


def _last(model: Any) -> Any:
    """The model that answers inside a pipeline, a search or a frozen estimator."""
    if getattr(model, "steps", None):
        return _last(model.steps[-1][1])
    inner = getattr(model, "best_estimator_", None)
    return model if inner is None else _last(inner)


def _check_fitted(model: Any, whose: str) -> None:
    try:
        # Not optional, but seconds to load, and loaded already by whoever has such a model.
        needs("sklearn.utils.validation").check_is_fitted(model)
    except needs("sklearn.exceptions").NotFittedError as error:
        raise TeacherError(f"the model {whose} is not fitted: call its fit first") from error
    except TypeError as error:
        raise TeacherError(f"a {type(model).__name__} is no fitted model: {error}") from error


def _kind(model: Any, kind: str, whose: str) -> str:
    """The kind asked for, or the model's own."""
    own = _kinds(model, whose)
    if kind in own:
        return kind
    if kind:
        raise InputError(f"the model {whose} answers with {', '.join(own)}, not with {kind!r}")
    if own[0] == "logits":
        raise TeacherError(
            f"the model {whose} has no predict_proba, and its decision_function need not be the "
            "logits of one softmax: CalibratedClassifierCV gives it probabilities, or say "
            "kind='logits', kind='independent-logits' or kind='votes'"
        )
    return own[0]


def _kinds(model: Any, whose: str) -> tuple[str, ...]:
    """What the model can answer with, the best first."""
    if hasattr(model, "classes_"):
        return tuple(one for one, methods in METHODS.items() if _has(model, methods))
    if needs("sklearn.base").is_regressor(model):
        return ("values",)
    raise TeacherError(f"the model {whose} is neither a classifier nor a regressor")


METHODS: Mapping[str, tuple[str, ...]] = {  # one of these for each kind; the best kind first
    "log-probabilities": ("predict_log_proba", "predict_proba"),
    "probabilities": ("predict_proba",),
    "logits": ("decision_function",),
    "independent-logits": ("decision_function",),
    "votes": ("predict",),
}


def _has(model: Any, methods: Sequence[str]) -> bool:
    return any(hasattr(model, method) for method in methods)


def _names(model: Any, classes: Sequence[str], kind: str, whose: str) -> tuple[str, ...]:
    if kind == "values":
        return value_names(_outputs(model, classes), classes, f"the model {whose}")
    own = model.classes_
    if isinstance(own, list) or np.ndim(own) != 1:
        raise TeacherError(
            f"the model {whose} has several outputs, each with classes of its own: take one of "
            "them, or teachers.function"
        )
    return class_names(np.asarray(own).tolist(), classes, f"the model {whose}")


def _outputs(model: Any, classes: Sequence[str]) -> int:
    """How many values a regressor answers with: it is asked about a row of zeros."""
    features = getattr(model, "n_features_in_", 0)
    try:
        return int(_answers.fitted_values(model, _table(model, np.zeros((1, features)))).shape[1])
    except (ValueError, TypeError, IndexError):
        return len(classes) or 1


def _table(model: Any, rows: Array) -> Any:
    names = getattr(model, "feature_names_in_", None)
    return rows if names is None else needs("pandas").DataFrame(rows, columns=names)


def _votes(model: Any, table: Any) -> Array:
    """Rows with a 1 at the class that was predicted."""
    votes = np.asarray(model.predict(table))
    return np.asarray(votes[:, None] == np.asarray(model.classes_)[None], dtype=np.float32)


def _check_margins(model: Any, whose: str) -> None:
    if getattr(_last(model), "decision_function_shape", "") == "ovo":
        raise TeacherError(
            f"the model {whose} has a margin for each pair of classes "
            "(decision_function_shape='ovo'); 'ovr' gives one for each class"
        )


def _check_sum(probabilities: Array, whose: str) -> None:
    worst = np.abs(probabilities.sum(axis=1) - 1).max(initial=0.0)
    if worst > SUM_TOLERANCE + probabilities.shape[1] * FLOOR:
        raise TeacherError(
            f"the probabilities of the model {whose} miss a sum of one by {worst:.3g}: it answers "
            "for each class by itself (multi-label), not with one distribution"
        )
