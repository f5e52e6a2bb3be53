"""What the models of an evaluation answer to its examples, and what answering costs them."""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax
from torch import nn

from limbeck._cost import Cost
from limbeck.examples import Array, Examples
from limbeck.runs import Run
from limbeck.scores import SOFTMAX_KINDS
from limbeck.teachers import Answer, Teacher, run

Given = Run | Teacher | nn.Module | Answer


@dataclass(frozen=True, eq=False)
class Row:
    """One model's answers, `(seeds, examples, classes)` as `answers` gives, and what they cost."""

    name: str
    logits: Array
    cost: Cost
    notes: tuple[str, ...]


def members(model: Given) -> list[Given]:
    """The nets that answer for a model: every seed of a run, or the model itself."""
    return [run(model, seed) for seed in model.seeds] if isinstance(model, Run) else [model]


def answers(teacher: Teacher, examples: Examples, name: str) -> Array:
    """What it says of the plain examples, float64 `(examples, classes)`.

    Of one softmax these are log-probabilities; other kinds are given as they are.
    """
    raw = teacher.answers(examples, f"the model {name}").astype(np.float64)
    return np.asarray(log_softmax(raw, axis=1)) if teacher.kind in SOFTMAX_KINDS else raw
