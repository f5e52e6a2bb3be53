"""What the models of an evaluation answer to its examples, and what answering costs them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax
from torch import nn

from limbeck.errors import MismatchError
from limbeck.evaluation._cost import Cost
from limbeck.examples import Array, Examples
from limbeck.scores import OF_ONE_SOFTMAX, Kind, answered_with, as_learnt
from limbeck.students import Run
from limbeck.teachers import Answer, Teacher, as_teacher, ordered, run

EVALUATED: tuple[Kind, ...] = (
    *OF_ONE_SOFTMAX,
    "independent-logits",
    "values",
    "embeddings",
    "votes",
)

Given = Run | Teacher | nn.Module | Answer


@dataclass(frozen=True, eq=False)
class Row:
    """One model's answers, `(seeds, examples, classes)` as `answers` gives, and what they cost."""

    name: str
    logits: Array
    cost: Cost
    notes: tuple[str, ...]


def with_control(models: dict[str, Given], student: str, control: str) -> dict[str, Given]:
    """The models, and the student's own control where no row of that name is given."""
    found = models.get(student)
    if control in models or not isinstance(found, Run) or found.control is None:
        return models
    return {**models, control: found.control}


def check_kinds(kinds: Mapping[str, Kind]) -> None:
    """Refuses models by what they answer with: unknown metrics, or not one kind.

    Raises:
        MismatchError: one cannot be measured yet, or two cannot be held against each other.
    """
    first = next(iter(kinds))
    for name, kind in kinds.items():
        if kind not in EVALUATED:
            raise MismatchError(f"the model {name} answers with {kind}, not with logits")
        if answered_with(kind) != answered_with(kinds[first]):
            raise MismatchError(
                f"the model {name} answers with {kind} and {first} with {kinds[first]}: answers of "
                "one kind are held against each other"
            )


def members(model: Given) -> list[Given]:
    """The nets that answer for a model: every seed of a run, or the model itself."""
    return [run(model, seed) for seed in model.seeds] if isinstance(model, Run) else [model]


def able(name: str, model: Given, examples: Examples) -> list[Teacher]:
    """Who answers for a model, with the classes in the order of the examples.

    Raises:
        MismatchError: it names other classes.
    """
    each = [as_teacher(one, examples.classes) for one in members(model)]
    named = {"of": examples.name, "whose": f"the model {name}"}
    return [ordered(one, examples.classes, **named) for one in each]


def answers(teacher: Teacher, examples: Examples, name: str) -> Array:
    """What it says of the plain examples, float64 `(examples, classes)`.

    Of one softmax these are log-probabilities; other kinds are given as they are.
    """
    raw = teacher.answers(examples, f"the model {name}").astype(np.float64)
    if teacher.kind not in OF_ONE_SOFTMAX:
        return raw
    return np.asarray(log_softmax(as_learnt(raw, teacher.kind), axis=1))
