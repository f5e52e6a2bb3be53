"""The teacher: a weighted vote of forests, boosted trees and nets, by ensemble selection."""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import limbeck
from limbeck import teachers

PICKS = 20
LEAST = 1e-6  # a probability of 0 has no logarithm


@dataclass(frozen=True)
class Vote:
    """Fitted classifiers and the weight of each, above 0 and summing to 1."""

    members: Sequence[Any]
    weights: Sequence[float]

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """The weighted mean of what the members say, `(rows, classes)`."""
        said = [w * m.predict_proba(rows) for m, w in zip(self.members, self.weights, strict=True)]
        return np.sum(said, axis=0)

    def size_bytes(self) -> int:
        """What the members take when they are kept."""
        return len(pickle.dumps(list(self.members), protocol=5))


def library(trees: int, boosted: int, nets: int, processes: int) -> list[Any]:
    """Classifiers to choose from: two kinds of forest, bags of boosted trees and of nets."""
    forest = {"n_estimators": trees, "random_state": 0, "n_jobs": processes}
    return [
        ExtraTreesClassifier(**forest),
        RandomForestClassifier(**forest),
        BaggingClassifier(
            HistGradientBoostingClassifier(max_iter=60, learning_rate=0.15),
            n_estimators=boosted,
            n_jobs=processes,
            random_state=0,
        ),
        *(
            make_pipeline(
                StandardScaler(),
                BaggingClassifier(
                    MLPClassifier((width,), learning_rate_init=3e-3, early_stopping=True),
                    n_estimators=nets,
                    n_jobs=processes,
                    random_state=width,
                ),
            )
            for width in (64, 256)
        ),
    ]


def selected(models: Sequence[Any], train: limbeck.Examples, validation: limbeck.Examples) -> Vote:
    """The vote that greedy selection with replacement finds on the validation rows, by RMSE.

    Caruana et al. 2004, "Ensemble Selection from Libraries of Models", as the paper's teachers.
    """
    for model in models:
        model.fit(train.inputs, train.labels)
    said = np.stack([model.predict_proba(validation.inputs) for model in models])
    counts = np.zeros(len(models))
    for _ in range(PICKS):
        total = np.tensordot(counts, said, 1)
        found = [rmse((total + one) / (counts.sum() + 1), validation.labels) for one in said]
        counts[int(np.argmin(found))] += 1
    kept = np.flatnonzero(counts)
    return Vote([models[n] for n in kept], list(counts[kept] / PICKS))


def rmse(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Root mean squared error against 0 and 1, over rows and classes.

    With two classes this is the RMSE of the probability of either, the paper's measure.
    """
    wanted = np.eye(probabilities.shape[-1])[labels]
    return float(np.sqrt(((probabilities - wanted) ** 2).mean()))


def as_teacher(vote: Vote, version: str, examples: limbeck.Examples) -> teachers.Teacher:
    """The vote as a teacher of log-probabilities; the version is what its file holds."""

    def answer(rows: np.ndarray) -> np.ndarray:
        return np.log(np.maximum(vote.probabilities(rows), LEAST))

    kind = "log-probabilities"
    return teachers.function(answer, examples.classes, kind=kind, name="vote", version=version)
