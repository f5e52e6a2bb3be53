"""What models answer to the same examples, seed by seed, and what their answers are held to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_softmax
from torch import nn

from limbeck.errors import MismatchError
from limbeck.examples import Array, Examples
from limbeck.metrics import OF_PROBABILITIES, Metric
from limbeck.scores import INDEPENDENT_KINDS, OF_ONE_SOFTMAX, Kind, answered_with, as_learnt
from limbeck.students import Run
from limbeck.teachers import Answer, Teacher, as_teacher, fitted_to, run

EVALUATED: tuple[Kind, ...] = (
    *OF_ONE_SOFTMAX,
    *INDEPENDENT_KINDS,
    "values",
    "embeddings",
    "votes",
)

Given = Run | Teacher | nn.Module | Answer


NO_REFERENCE = np.zeros((0, 0))  # what `metrics` takes for the answers of nobody


@dataclass(frozen=True, eq=False)
class Predictions:
    """What models answered to the same examples, and what that is held to.

    Attributes:
        answers: of each model `(seeds, examples, classes)`, as `answers_by_seed` gives.
        labels: of the examples, in the form that such answers are held to; -1 where there is none.
        groups: the group of each example, where some belong together.
        reference: the model that agreement and KL are with, or "".
        reference_seed: which of its seeds answers for it, by position.
        votes: the models that answer with votes.
    """

    answers: Mapping[str, Array]
    labels: Array
    groups: Array | None = None
    reference: str = ""
    reference_seed: int = 0
    votes: frozenset[str] = frozenset()

    @property
    def reference_answers(self) -> Array:
        """The reference's answers by one seed `(examples, classes)`, or `(0, 0)`."""
        if not self.reference:
            return NO_REFERENCE
        one: Array = self.answers[self.reference][self.reference_seed]
        return one

    def take(self, rows: Array) -> "Predictions":
        """The same of those examples alone."""
        return replace(
            self,
            answers={name: seeds[:, rows] for name, seeds in self.answers.items()},
            labels=self.labels[rows],
            groups=None if self.groups is None else self.groups[rows],
        )

    def of_seed(self, seed: int) -> "Predictions":
        """The same of each model's seed at that position alone, by which the reference answers."""
        one = {name: seeds[seed : seed + 1] for name, seeds in self.answers.items()}
        return replace(self, answers=one, reference_seed=0)

    def is_measurable(self, metric: Metric, *models: str) -> bool:
        """Whether there are probabilities where the metric reads them: votes have none."""
        read = {*models, self.reference} if "reference" in metric.needs else set(models)
        return not read & self.votes or metric.name not in OF_PROBABILITIES

    def are_paired(self, first: str, second: str) -> bool:
        """Whether both are there, with seeds that can be taken in pairs."""
        if first not in self.answers or second not in self.answers:
            return False
        seeds = {len(self.answers[first]), len(self.answers[second])}
        return len(seeds) == 1 or 1 in seeds


def with_control(models: dict[str, Given], student: str, control: str) -> dict[str, Given]:
    """The models, and the student's own control where no row of that name is given."""
    student_run = models.get(student)
    if control in models or not isinstance(student_run, Run) or student_run.control is None:
        return models
    return {**models, control: student_run.control}


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
    """Who answers for a model, with classes in the order of the examples and columns by name.

    Raises:
        MismatchError: it names other classes, or learned from columns that are not there.
    """
    each = [as_teacher(one, examples.classes) for one in members(model)]
    return [fitted_to(one, examples, whose=f"the model {name}") for one in each]


def answers(teacher: Teacher, examples: Examples, name: str) -> Array:
    """What it says of the plain examples, float64 `(examples, classes)`.

    Of one softmax these are log-probabilities, of independent columns logits; other kinds are given
    as they are.
    """
    raw = teacher.answers(examples, f"the model {name}").astype(np.float64)
    learnt = as_learnt(raw, teacher.kind)
    return np.asarray(log_softmax(learnt, axis=1)) if teacher.kind in OF_ONE_SOFTMAX else learnt


def answers_by_seed(seeds: Sequence[Teacher], examples: Examples, name: str) -> Array:
    """What each seed of a model says, `(seeds, examples, classes)`."""
    return np.stack([answers(one, examples, name) for one in seeds])
