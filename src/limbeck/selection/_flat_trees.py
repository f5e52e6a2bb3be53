"""Boosted trees as flat arrays that are walked all at once, as fast as they would be shipped."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from limbeck.examples import Array


@dataclass(frozen=True, eq=False)
class FlatTrees:
    """The trees of a `HistGradientBoostingClassifier` of numbers, which asks them one by one.

    For a single row that takes some milliseconds, nearly all of it overhead; here all trees go
    down a level together, and the probabilities are the same.

    Attributes:
        feature, threshold, left, right: of each node; a leaf leads to itself.
        value: of each node; what a leaf adds to its class.
        roots: the first node of each tree `(iterations, outputs)`.
        start: what each output begins with, `(outputs,)`.
        depth: how many levels the deepest tree has below its root.
    """

    feature: Array
    threshold: Array
    left: Array
    right: Array
    value: Array
    roots: Array
    start: Array
    depth: int

    @classmethod
    def of(cls, model: Any) -> "FlatTrees":
        """The trees of a fitted model; classes in the order of its `classes_`."""
        trees = [tree.nodes for iteration in model._predictors for tree in iteration]
        sizes = [len(nodes) for nodes in trees]
        starts = np.cumsum([0, *sizes[:-1]])
        nodes, offset = np.concatenate(trees), np.repeat(starts, sizes)
        own, is_leaf = np.arange(len(nodes)), nodes["is_leaf"].astype(bool)
        return cls(
            feature=np.where(is_leaf, 0, nodes["feature_idx"]).astype(np.intp),
            threshold=np.where(is_leaf, np.inf, nodes["num_threshold"]),
            left=np.where(is_leaf, own, nodes["left"] + offset),
            right=np.where(is_leaf, own, nodes["right"] + offset),
            value=nodes["value"],
            roots=starts.reshape(len(model._predictors), -1),
            start=np.asarray(model._baseline_prediction).reshape(-1),
            depth=int(nodes["depth"].max()),
        )

    def probabilities(self, rows: Array) -> Array:
        """Of each class, float64 `(rows, classes)`."""
        rows = rows.astype(np.float64)
        at = np.broadcast_to(self.roots.reshape(-1), (len(rows), self.roots.size))
        each = np.arange(len(rows))[:, None]
        for _ in range(self.depth):
            goes_left = rows[each, self.feature[at]] <= self.threshold[at]
            at = np.where(goes_left, self.left[at], self.right[at])
        raw = self.value[at].reshape(len(rows), *self.roots.shape).sum(axis=1) + self.start
        if raw.shape[1] > 1:
            return np.asarray(softmax(raw, axis=1))
        return np.concatenate([expit(-raw), expit(raw)], axis=1)
