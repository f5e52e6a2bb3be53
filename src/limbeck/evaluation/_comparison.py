"""Comparison: what an evaluation compares with what, and how closely."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from limbeck.errors import InputError, MismatchError
from limbeck.evaluation._leakage import check_unseen
from limbeck.evaluation._measurements import measures_of
from limbeck.evaluation._predictions import Given, able, check_kinds, with_control
from limbeck.examples import Examples, Plain
from limbeck.metrics import SHARE, Measures, Metric
from limbeck.scores import Kind, answered_with
from limbeck.students import Run
from limbeck.teachers import Teacher

ALLOW = (
    "allow them with --allow-seen (in Python Comparison(allow_seen=True), in a recipe "
    "allow_seen = true)"
)


@dataclass(frozen=True)
class Comparison:
    """What is compared with what, and how closely.

    Attributes:
        student: the row that the verdict is about.
        control: the row it is held against; without such a row there is no verdict.
        margin: how far below the reference's accuracy still counts as level with it.
        slices: columns of the examples; accuracy (or what stands for it) and agreement are given
            for each value.
        metrics: further metrics, made by `metrics.custom`.
        allow_seen: whether examples that a model was trained on may be among these.
    """

    student: str = "student"
    control: str = "control"
    margin: float = 0.005
    slices: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()
    allow_seen: bool = False


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Which models are held to what, before any of them answers.

    Attributes:
        teachers: who answers for each model, one a seed.
    """

    models: Mapping[str, Given]
    teachers: Mapping[str, list[Teacher]]
    examples: Examples
    reference: str
    name: str
    comparison: Comparison

    @classmethod
    def of(
        cls,
        models: Mapping[str, Given],
        examples: Examples,
        reference: str,
        name: str,
        comparison: Comparison,
    ) -> "Evaluation":
        """With the student's control, and each model's classes in the order of the examples.

        Raises:
            MismatchError: a model names other classes.
        """
        every = with_control(dict(models), comparison.student, comparison.control)
        seeds = {name: able(name, model, examples) for name, model in every.items()}
        return cls(every, seeds, examples, reference, name, comparison)

    @property
    def kind(self) -> Kind:
        """What the models answer with."""
        kinds = [answered_with(seeds[0].kind) for seeds in self.teachers.values()]
        return kinds[0] if kinds else "logits"

    @property
    def measures(self) -> Measures:
        """What is measured of answers of the models' kind."""
        return measures_of(self.kind)

    @property
    def metrics(self) -> list[Metric]:
        """All that is measured, one's own last."""
        own = [replace(metric, kind=self.kind) for metric in self.comparison.metrics]
        return [*self.measures.metrics.values(), *own]

    @property
    def are_labels_fitting(self) -> bool:
        """Whether the labels are of the form that such answers are held to."""
        return self.examples.labels_kind == self.kind

    @property
    def has_margin(self) -> bool:
        """Whether the student is held to a margin below the reference, which is in points."""
        if self.reference in ("", self.comparison.student) or not self.measures.decides:
            return False
        return self.measures.metrics[self.measures.decides].bounds == SHARE

    @property
    def request(self) -> dict[str, Any]:
        prints = {name: [t.fingerprint for t in ts] for name, ts in self.teachers.items()}
        chosen = self.comparison
        return {
            "name": self.name,
            "models": prints,
            "examples": self.examples.fingerprint,
            "labels": self.examples.labels_fingerprint,
            "reference": self.reference,
            "comparison": [
                chosen.student,
                chosen.control,
                chosen.margin,
                list(chosen.slices),
                chosen.allow_seen,
            ],
            "metrics": [metric.name for metric in self.metrics],
        }

    def runs(self, name: str) -> list[Run]:
        """The runs of ours that answer in a row, each once."""
        runs = [run for teacher in self.teachers[name] for run in teacher.runs]
        return list({run.directory: run for run in runs}.values())


def check(evaluation: Evaluation) -> None:
    """Everything that can be refused before any model answers."""
    models, examples, reference = evaluation.models, evaluation.examples, evaluation.reference
    if not models:
        raise InputError("evaluate takes one model or more")
    if reference and reference not in models:
        raise MismatchError(
            f"there is no model {reference!r} to be the reference; "
            f"the models are {', '.join(models)}"
        )
    for name, seeds in evaluation.teachers.items():
        for run in evaluation.runs(name):
            _check_shape(run, examples)
        seeds[0].check_asked(examples, Plain())
    check_kinds({name: seeds[0].kind for name, seeds in evaluation.teachers.items()})
    for column in evaluation.comparison.slices:
        examples.column(column)
    if not evaluation.comparison.allow_seen:
        runs = {name: evaluation.runs(name) for name in models}
        check_unseen(runs, examples, advice=ALLOW)


def _check_shape(run: Run, examples: Examples) -> None:
    if run.student.inputs != examples.shape:
        raise MismatchError(
            f"{run.name} takes inputs of shape {run.student.inputs}, "
            f"{examples.name} has {examples.shape}"
        )
