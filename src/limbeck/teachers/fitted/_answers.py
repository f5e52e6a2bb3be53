"""What a fitted model of scikit-learn's says of rows, how large it is, and what names it."""

import hashlib
import pickle
import uuid
from typing import Any

import numpy as np

from limbeck.examples import Array
from limbeck.runtime import needs
from limbeck.scores import FLOOR


def fitted_log_probabilities(model: Any, table: Any) -> Array:
    """What a classifier says of rows, `(rows, classes)`, by the most precise of its methods.

    A probability of 0 counts as `scores.FLOOR`, or as the row's least other one where that is
    lower: the order of a row's classes stays.
    """
    with np.errstate(divide="ignore"):
        if hasattr(model, "predict_log_proba"):
            scores = np.asarray(model.predict_log_proba(table))
        else:
            scores = np.log(np.asarray(model.predict_proba(table)))
    is_none = np.isneginf(scores)
    least = np.where(is_none, np.log(FLOOR), scores).min(axis=1, keepdims=True)
    return np.asarray(np.where(is_none, least, scores))


def fitted_values(model: Any, table: Any) -> Array:
    """What a regressor says of rows, `(rows, outputs)` float64."""
    values = np.asarray(model.predict(table), dtype=np.float64)
    return values.reshape(len(values), -1)


class _Counter:
    """A file that keeps nothing but how much was written, and a digest of it."""

    def __init__(self) -> None:
        self.size, self.digest = 0, hashlib.blake2b(digest_size=16)

    def write(self, content: Any) -> int:
        self.size += len(bytes(content))
        self.digest.update(content)
        return len(content)


def _pickled(model: Any) -> _Counter:
    counter = _Counter()
    pickle.Pickler(counter, 5).dump(model)
    return counter


def fitted_bytes(model: Any) -> int:
    """How many bytes a model is when pickled; 0 if it cannot be."""
    try:
        return _pickled(model).size
    except (pickle.PicklingError, TypeError, AttributeError):
        return 0


def fitted_fingerprint(model: Any) -> str:
    """Names a model by its fitted state; one that cannot be pickled has a new name each time."""
    try:
        return _hashed(model)
    except (pickle.PicklingError, TypeError, AttributeError):
        return uuid.uuid4().hex


def _hashed(model: Any) -> str:
    try:
        return str(needs("joblib").hash(model))
    except ValueError:  # masked arrays, which a search keeps, are beyond joblib
        return _pickled(model).digest.hexdigest()
