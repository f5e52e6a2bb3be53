"""Batch: some of the examples as tensors, with their scores, for one step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from limbeck.examples._lazy import Array


@dataclass(frozen=True, eq=False)
class Batch:
    """Some examples, as a view showed them, with what is known of each.

    Attributes:
        keys: text `(batch,)`.
        inputs: raw inputs `(batch, ...)`.
        labels: class positions `(batch,)`, -1 for none; or shares of classes
            `(batch, classes)` where a view mixed two examples, all 0 for none; or a row of 0 and
            1, or of values, as the examples have.
        scores: the teacher's scores `(batch, classes)`; `(0, 0)` where there are none.
        is_scored: which rows have scores, `(batch,)`.
        scale: the deviation of each class's score `(classes,)` for who standardizes; else 1.
        kind: what the scores are, or where there are none, what is answered to learn the labels.
        features: outputs of the student's submodules that the objective asked for, by name.
        step: how many steps of training came before.
        steps: how many there will be in all.
    """

    keys: Array
    inputs: Any  # numpy from a view, a tensor once it is on the device
    labels: Any
    scores: torch.Tensor = field(default_factory=lambda: torch.zeros(0, 0))
    is_scored: torch.Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.bool))
    scale: torch.Tensor = field(default_factory=lambda: torch.ones(1))
    kind: str = "logits"
    features: Mapping[str, torch.Tensor] = field(default_factory=dict)
    step: int = 0
    steps: int = 1

    def __len__(self) -> int:
        return len(self.keys)
