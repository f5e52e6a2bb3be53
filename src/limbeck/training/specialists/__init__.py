"""Specialists for the classes that a generalist confuses, trained, and combined with it.

Files:
    _confusable: Specialists for the classes that a generalist confuses, trained, and combined with
        it.
    _train: Trains the specialists of a generalist: its weights, some of its classes, and a dustbin.
"""

from limbeck.teachers import (
    Opinion,
    Specialist,
    Specialists,
    combined,
    divergence,
    fuse,
    fuse_by_descent,
)
from limbeck.training.specialists._confusable import confusable, predictions, read_clusterer
from limbeck.training.specialists._train import train

__all__ = [
    "Opinion",
    "Specialist",
    "Specialists",
    "combined",
    "confusable",
    "divergence",
    "fuse",
    "fuse_by_descent",
    "predictions",
    "read_clusterer",
    "train",
]
