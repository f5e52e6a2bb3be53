"""What the estimators do: a table and a fitted model -> transfer set -> scores -> student."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import softmax

from limbeck import teachers
from limbeck.datasets import Columns, synthetic
from limbeck.deployment import temperature_of, tempered
from limbeck.errors import ExamplesError, MismatchError, TableWarning
from limbeck.examples import UNLABELLED, Array, Examples
from limbeck.objectives import Objective
from limbeck.scores import Kind
from limbeck.scoring import score
from limbeck.sklearn._one_hot import OneHot
from limbeck.students import Model, Run, Student
from limbeck.teachers import Teacher, function
from limbeck.training import Given, Plan, TransferSet, control_plan, train

HELD_OUT = 0.1
FEWEST = 20  # rows of a transfer set of which some are held out


@dataclass(frozen=True, eq=False)
class How:
    """How a student is trained: its description, what it is asked for, the plan and the seed."""

    student: Student
    objective: Objective
    plan: Plan
    seed: int
    control: bool


@dataclass(frozen=True, eq=False)
class Taught:
    """A student that has learnt, its control, and what is known of them.

    Attributes:
        run: the student; of classes its logits are divided by `temperature`.
        control: the same net, trained on hard labels; None where there were none.
        temperature: what calibrated the logits; 1 for values.
        check: some of the inputs it was not trained on, for an export to be checked with.
    """

    run: Run
    control: Run | None
    temperature: float
    check: Array


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a transfer set as numbers: those that were given first, then further ones."""

    columns: Columns
    values: Array
    keys: Sequence[str]
    given: int

    @classmethod
    def of(
        cls,
        table: Any,
        nominal: Sequence[str | int],
        further: Any,
        *,
        transfer: str,
        size: int,
        seed: int,
    ) -> "Rows":
        """The table's rows, and `further` ones or, where there are none, `size` new ones.

        Raises:
            ExamplesError, MismatchError: the table, or the further rows, cannot be used.
        """
        columns = Columns.of(table, nominal)
        own = columns.numbers(table)
        keys = [f"row-{row}" for row in range(len(own))]
        if further is not None:
            more, name = columns.numbers(further, "the unlabelled set"), "unlabelled"
            _check_known(columns, more)
        elif transfer:
            more, name = _synthetic_rows(table, nominal, transfer, size, seed, columns), transfer
        else:
            more, name = own[:0], ""
        keys += [f"{name}-{row}" for row in range(len(more))]
        return cls(columns, np.concatenate([own, more]), keys, len(own))


def _synthetic_rows(
    table: Any, nominal: Sequence[str | int], transfer: str, size: int, seed: int, columns: Columns
) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)  # said once already
        rows = synthetic.method(transfer)(table, size=size, nominal=nominal, seed=seed)
    return columns.numbers(rows)


def _check_known(columns: Columns, values: Array) -> None:
    for number in np.flatnonzero((values < 0).any(axis=0) & columns.is_nominal):
        raise MismatchError(
            f"the unlabelled set has a category in column {columns.names[number]!r} that the "
            "training rows do not have: the student has no input for it"
        )


def check_full(columns: Columns, values: Array) -> None:
    """Refuses missing values that the student was not made to take.

    Raises:
        ExamplesError: there are some; says in which column.
    """
    gaps = np.isnan(values).sum(axis=0)
    if gaps.any():
        first = int(np.flatnonzero(gaps)[0])
        raise ExamplesError(
            f"missing values (NaN) that the student cannot take: {gaps[first]} in column "
            f"{columns.names[first]!r}; fill them, or missing='impute' gives the student the "
            "column's mean and a flag"
        )


def as_examples(rows: Rows, one_hot: OneHot, labels: Array, classes: Sequence[str]) -> Examples:
    """The transfer set; `labels` are those of the given rows, or none."""
    of_all = np.full(len(rows.values), UNLABELLED)
    of_all[: len(labels)] = labels
    inputs = one_hot.inputs(rows.values)
    examples = Examples.of(inputs, keys=rows.keys, classes=classes, name="transfer set")
    return examples.with_labels(of_all, tuple(classes))  # positions, whatever the names look like


def teacher_of(model: Any, one_hot: OneHot, classes: Sequence[str], kind: Kind) -> Teacher:
    """A fitted scikit-learn model as a teacher: it sees rows as the table had them."""
    ask = teachers.fitted_values if kind == "values" else teachers.fitted_log_probabilities

    def answer(inputs: Array) -> Array:
        return ask(model, one_hot.columns.table(one_hot.values(inputs)))

    name, version = type(model).__name__, teachers.fitted_fingerprint(model)
    return function(answer, classes, kind=kind, name=name, version=version)


def taught(examples: Examples, teacher: Teacher, how: How, place: Path) -> Taught:
    """The student of a teacher of classes, calibrated, with its control where there are labels."""
    plan = _held_out(how.plan, len(examples))
    scores = score(teacher, examples, to=place / "scores")
    run = train(
        how.student,
        scores,
        how.objective,
        to=place / "trained",
        plan=plan,
        seeds=[how.seed],
        control=how.control,
    )
    held_out = examples.split(plan.held_out)[1] if plan.held_out else examples
    transfer = TransferSet.of(scores)
    batches = list(transfer.first_views(examples.find(held_out.keys), 4096))
    logits = np.concatenate([batch.scores.double().cpu().numpy() for batch in batches])
    temperature = temperature_of(answers(run, np.asarray(held_out.inputs)), softmax(logits, axis=1))
    on = f"{len(held_out)} rows of the transfer set, against the teacher's probabilities"
    calibrated = tempered(run, temperature, on, place / "student")
    return Taught(calibrated, calibrated.control, temperature, held_out.inputs[:256])


def taught_values(
    examples: Examples, teacher: Teacher, how: How, place: Path, labels: Array
) -> Taught:
    """The student of a teacher of values, and the control that learns the labels as values.

    The control has the student's start, objective and number of steps, on the rows with labels;
    as they are fewer it stops early on held-out ones.
    """
    plan = _held_out(how.plan, len(examples))
    scores = score(teacher, examples, to=place / "scores")
    student, objective, seeds = how.student, how.objective, [how.seed]
    run = train(student, scores, objective, to=place / "student", plan=plan, seeds=seeds)
    held_out = examples.split(plan.held_out)[1] if plan.held_out else examples
    if not how.control or not len(labels):
        return Taught(run, None, 1.0, held_out.inputs[:256])
    own = examples.take(np.arange(len(labels)))
    transfer = TransferSet(own, scores=Given(labels[:, None].astype(np.float32)))
    # Not asked whether the labels are few, as `train` asks: most of a transfer set is new rows.
    steps = plan.steps(len(examples) * (1 - plan.held_out))
    plan = control_plan(plan, steps, len(own), stops_early=len(own) >= FEWEST)
    control = train(student, transfer, objective, to=place / "control", plan=plan, seeds=seeds)
    return Taught(run, control, 1.0, held_out.inputs[:256])


def _held_out(plan: Plan, rows: int) -> Plan:
    return replace(plan, held_out=HELD_OUT if rows >= FEWEST else 0.0).suited(rows)


def precise(run: Run) -> Model:
    """The run's net in float64 on the CPU: what a row is answered does not depend on others."""
    return run.model().double().cpu().eval()


def answers(run: Run, inputs: Array) -> Array:
    """What the run's net says of inputs, `(rows, classes)` float64."""
    return outputs_of(precise(run), inputs)


def outputs_of(model: Model, inputs: Array) -> Array:
    """What a net in float64 says of inputs, `(rows, classes)`."""
    with torch.inference_mode():
        return np.concatenate(
            [model(torch.from_numpy(part)).numpy() for part in _batches(inputs, 4096)]
        )


def _batches(inputs: Array, size: int) -> list[Array]:
    whole = np.ascontiguousarray(inputs, dtype=np.float64)
    return [whole[start : start + size] for start in range(0, max(1, len(whole)), size)]
