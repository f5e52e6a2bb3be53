"""The control's policy, held against the sentences of docs/how-it-works.md counted out."""

import numpy as np
import pytest
from worlds import CLASSES, blobs, rule

from limbeck import Examples, Plan, TransferSet, objectives, score, teachers
from limbeck.training import Given, _control, control_plan
from limbeck.training._control import FEW, FEW_HELD_OUT, PATIENCE

TEACHER = teachers.function(rule, CLASSES, name="rule")
SOFT, HARD = objectives.SoftTargets(2.0), objectives.SoftTargets(2.0, hard_weight=0.5)
PLAN = Plan(epochs=3, batch=16)


def labelled_in_part(labels: int, n: int) -> Examples:
    """Blobs of which the first so many have labels."""
    whole = blobs(n)
    codes = np.where(np.arange(n) < labels, whole.labels, -1)
    return Examples.of(whole.inputs, codes, keys=list(whole.keys), classes=CLASSES, name="blobs")


def scored(examples: Examples, tmp_path, labelled: Examples | None = None) -> TransferSet:
    return TransferSet.of(score(TEACHER, examples, to=tmp_path / "scores"), labelled)


def beside(student: _control.Regime, objective, transfer, plan=PLAN) -> _control.Regime:
    """The control of a student in one run, as `Job` asks for it."""
    return _control.regime_of_control(
        transfer.examples,
        plan,
        taught=int(_control.teachable(objective, transfer).sum()),
        paced_by=len(student.rows),
    )


def counted(rows: int, plan: Plan) -> int:
    """Steps, by taking batches away until nothing is left."""
    steps = 0
    for _ in range(plan.epochs):
        left = rows
        while left > 0:
            left -= plan.batch
            steps += 1
    return steps


# Which rows, how many steps, when it stops


@pytest.mark.parametrize("labels", [20, 33, 100])
@pytest.mark.parametrize("taught", [20, 40, 41, 66, 67, 200, 201, 1000])
@pytest.mark.parametrize(
    "plan", [PLAN, Plan(epochs=2, batch=7, held_out=0.0), Plan(epochs=30, held_out=0.3, patience=4)]
)
def test_the_policy_is_what_the_slow_version_counts_out(labels, taught, plan):
    paced_by = round(taught * 0.9)
    made = _control.regime_of_control(
        labelled_in_part(labels, 120), plan, taught=taught, paced_by=paced_by
    )
    sees_them_too_often = taught / labels > 2
    held_out = plan.held_out
    if sees_them_too_often and held_out < 0.2:
        held_out = 0.2
    assert made.steps == counted(paced_by, plan)
    assert made.steps == plan.epochs * made.steps_per_record
    assert made.patience == (10 if sees_them_too_often else plan.patience)
    assert made.has_few_labels == sees_them_too_often
    assert len(made.held_out) == round(labels * held_out)
    assert sorted([*made.rows, *made.held_out]) == list(range(labels))


def test_with_all_labels_the_controls_regime_is_the_students(tmp_path):
    transfer = scored(blobs(80), tmp_path)
    student = _control.regime_of_student(SOFT, transfer, PLAN)
    control = beside(student, SOFT, transfer)
    for field in ("rows", "held_out"):
        assert np.array_equal(getattr(student, field), getattr(control, field))
    for field in ("steps", "steps_per_record", "patience"):
        assert getattr(student, field) == getattr(control, field)
    assert not control.has_few_labels
    assert control.note == ""


def test_few_labels_are_held_out_in_part_and_stop_the_control_early(tmp_path):
    transfer = scored(blobs(200, labelled=False), tmp_path, blobs(200).take(np.arange(30)))
    student = _control.regime_of_student(SOFT, transfer, PLAN)
    control = beside(student, SOFT, transfer)
    assert (len(student.rows), len(student.held_out), student.patience) == (180, 20, 0)
    assert (len(control.rows), len(control.held_out), control.patience) == (24, 6, PATIENCE)
    assert (control.steps, control.steps_per_record) == (student.steps, student.steps_per_record)
    assert control.note == (
        "the control had 24 labels to learn from and stopped early on 6 held-out ones"
    )
    assert student.note == ""


def test_labels_are_few_above_twice_as_many_examples_and_not_at_twice():
    examples = labelled_in_part(30, 40)
    for taught, is_few in ((FEW * 30, False), (FEW * 30 + 1, True)):
        made = _control.regime_of_control(examples, PLAN, taught=taught, paced_by=taught)
        assert made.has_few_labels == is_few


def test_a_plan_that_holds_out_more_than_the_policy_keeps_its_share():
    plan = Plan(epochs=30, held_out=FEW_HELD_OUT + 0.2)
    made = _control.regime_of_control(labelled_in_part(30, 40), plan, taught=100, paced_by=100)
    assert len(made.held_out) == 12


def test_labels_that_an_objective_uses_are_rows_of_its_student(tmp_path):
    transfer = scored(blobs(60, labelled=False), tmp_path, blobs(50, seed=4, name="others"))
    assert _control.teachable(SOFT, transfer).sum() == 60
    assert _control.teachable(HARD, transfer).sum() == 110
    assert _control.teachable(objectives.Labels(), transfer).sum() == 50


def test_beside_a_sweep_it_has_the_steps_of_the_students_rows(tmp_path):
    # What `sweep` knows of the students is how many rows they learn from.
    transfer = scored(blobs(200, labelled=False), tmp_path, blobs(200).take(np.arange(30)))
    student = _control.regime_of_student(SOFT, transfer, PLAN)
    rows = len(student.rows)
    shared = _control.regime_of_control(transfer.examples, PLAN, taught=rows, paced_by=rows)
    alone = beside(student, SOFT, transfer)
    assert np.array_equal(shared.rows, alone.rows)
    assert (shared.steps, shared.patience) == (alone.steps, alone.patience)
    assert shared.note == alone.note


def test_paced_by_sizes_the_smaller_has_the_steps_of_the_largest_and_stops_early(tmp_path):
    transfer = scored(blobs(160), tmp_path)
    small, largest = transfer.of_size(40), transfer
    whole = _control.regime_of_student(SOFT, largest, PLAN)
    student = _control.regime_of_student(SOFT, small, PLAN, paced_by=len(whole.rows))
    assert student.steps == whole.steps
    assert student.patience == 0
    for part, is_few in ((small, True), (largest, False)):
        control = _control.regime_of_control(
            part.examples, PLAN, taught=len(whole.rows), paced_by=len(whole.rows)
        )
        assert control.steps == whole.steps
        assert control.has_few_labels == is_few


# Whether there is one


def test_there_is_a_control_beside_scores_where_there_are_labels(tmp_path):
    transfer = scored(blobs(40), tmp_path)
    assert _control.has_control(SOFT, transfer, True)
    assert _control.why_none(SOFT, transfer, True) == ""


def test_labels_are_no_students_and_need_no_control():
    transfer = TransferSet(blobs(40))
    assert not _control.has_control(objectives.Labels(), transfer, True)
    assert _control.why_none(objectives.Labels(), transfer, True) == ""


def unlabelled() -> TransferSet:
    examples = blobs(20, labelled=False)
    return TransferSet(examples, scores=Given(np.zeros((20, 1), dtype=np.float32)))


def labelled_otherwise() -> TransferSet:
    return TransferSet(blobs(20), scores=Given(np.zeros((20, 1), dtype=np.float32)))


def labelled_alike() -> TransferSet:
    values = np.linspace(0, 1, 20)
    examples = Examples.of(np.zeros((20, 2)), values, classes=["value"])
    return TransferSet(examples, scores=Given(values[:, None].astype(np.float32)))


@pytest.mark.parametrize("is_wanted", [True, False])
@pytest.mark.parametrize(
    ("transfer", "reason"),
    [
        (unlabelled, "the examples have no labels"),
        (labelled_otherwise, "the scores are values, and the labels are one class each"),
        (labelled_alike, "it was switched off"),
    ],
)
def test_why_there_is_none_is_said_and_what_cannot_be_before_what_was_not_wanted(
    transfer, reason, is_wanted
):
    if transfer is labelled_alike and is_wanted:
        assert _control.has_control(objectives.MatchLogits(), transfer(), is_wanted)
        return
    said = _control.why_none(objectives.MatchLogits(), transfer(), is_wanted)
    assert said == f"there is no control: {reason}"
    assert not _control.has_control(objectives.MatchLogits(), transfer(), is_wanted)


# A control that is a training of its own


@pytest.mark.parametrize("labels", [18, 20, 61, 300])
@pytest.mark.parametrize("steps", [1, 29, 300])
@pytest.mark.parametrize("stops_early", [True, False])
def test_a_control_of_its_own_has_the_fewest_epochs_that_make_the_students_steps(
    labels, steps, stops_early
):
    made = control_plan(PLAN, steps, labels, stops_early=stops_early)
    learnt_from = labels * 0.8 if stops_early else labels
    epochs = 1
    while counted(learnt_from, Plan(epochs=epochs, batch=16)) < steps:
        epochs += 1
    assert made.epochs == epochs
    assert (made.held_out, made.patience) == ((0.2, 10) if stops_early else (0.0, 0))
    assert (made.batch, made.learning_rate) == (PLAN.batch, PLAN.learning_rate)
