"""The control's policy: its rows, its steps, when it stops early, and why there may be none.

A student beats its control only by what the teacher taught it if nothing else differs: the control
has its start, order, views and number of steps, and is trained on hard labels
(`objectives.of_control`). Two things bend that. Only examples with labels can teach it, so where
these are few it sees each of them far more often than the student sees its own, overfits, and a
student would win by that; such a control stops early. And without labels to learn there is none,
and a reader is told why.

Nothing here trains, reads or writes: `Job` asks for one run, `sweep` for the control of many, the
estimators for a control that is a training of its own.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from limbeck.examples import IN_WORDS, Array, Examples
from limbeck.objectives import Objective
from limbeck.training._plan import Plan
from limbeck.training._transfer import TransferSet

FEW = 2  # the control stops early where it would see its examples this many times as often
PATIENCE = 10  # records without a better held-out loss, for a control with few labels
FEW_HELD_OUT = 0.2  # of few labels a plan's tenth would be too few to stop by


@dataclass(frozen=True, eq=False)
class Regime:
    """On which rows a net is trained and held out, for how many steps, and when it stops early.

    Attributes:
        rows: what is learnt from.
        held_out: what is only decided on.
        steps: how many there are, unless the net stops early.
        steps_per_record: after how many each the held-out loss is looked at.
        patience: after so many records without a better one the net stops; 0 for never.
        has_few_labels: whether it is of a control that stops early by the policy, not by the plan.
    """

    rows: Array
    held_out: Array
    steps: int
    steps_per_record: int
    patience: int
    has_few_labels: bool = False

    @property
    def note(self) -> str:
        """What a report has to say of it; empty where the plan alone decides."""
        if not self.has_few_labels:
            return ""
        return (
            f"the control had {len(self.rows)} labels to learn from and stopped early on "
            f"{len(self.held_out)} held-out ones"
        )


def teachable(objective: Objective, transfer: TransferSet) -> Array:
    """Which rows the objective can learn from: scored ones, or labelled if it uses labels."""
    if not objective.needs_scores:
        return transfer.examples.is_labelled
    scored = transfer.is_scored
    return scored | transfer.examples.is_labelled if objective.needs_labels else scored


def regime_of_student(
    objective: Objective, transfer: TransferSet, plan: Plan, paced_by: int = 0
) -> Regime:
    """A student's: what its objective can learn from, as the plan says.

    `paced_by` is how many examples its steps are counted over; 0 for its own.
    """
    rows, held_out = _split(transfer.examples, teachable(objective, transfer), plan.held_out)
    paced_by = paced_by or len(rows)
    steps, per_epoch = plan.steps(paced_by), plan.steps_per_epoch(paced_by)
    return Regime(rows, held_out, steps, per_epoch, plan.patience)


def regime_of_control(examples: Examples, plan: Plan, *, taught: int, paced_by: int) -> Regime:
    """A control's: all labels, and the students' steps whatever their number of examples.

    `taught` is how many examples teach the students, against which the labels are few or not;
    `paced_by` is over how many the students' steps are counted, those that are not held out. In a
    sweep over sizes they are the largest's, whose number of steps all sizes have.
    """
    labelled = examples.is_labelled
    is_few = taught > FEW * int(labelled.sum())
    share = max(plan.held_out, FEW_HELD_OUT) if is_few else plan.held_out
    rows, held_out = _split(examples, labelled, share)
    # A record comes with each of the student's epochs, not of the control's own: those are a few
    # steps long, and the patience would be over before anything was learnt.
    steps, per_epoch = plan.steps(paced_by), plan.steps_per_epoch(paced_by)
    return Regime(rows, held_out, steps, per_epoch, PATIENCE if is_few else plan.patience, is_few)


def _split(examples: Examples, usable: Array, share: float) -> tuple[Array, Array]:
    rows = np.flatnonzero(usable)
    if not share:
        return rows, rows[:0]
    # By groups and from the keys alone, so that every seed and every restart splits alike, and
    # a control with the student's rows holds out the same ones.
    part = examples.take(rows)
    is_held = np.isin(part.keys, part.split(share)[1].keys)
    return rows[~is_held], rows[is_held]


def has_control(objective: Objective, transfer: TransferSet, is_wanted: bool) -> bool:
    """Whether a control stands beside a student of that objective.

    One that learns the labels themselves would be its own control.
    """
    return objective.needs_scores and not why_none(objective, transfer, is_wanted)


def why_none(objective: Objective, transfer: TransferSet, is_wanted: bool) -> str:
    """Why a student of that objective stands alone; empty where it does not, or needs no control.

    That there can be no control is said before that none was wanted.
    """
    if not objective.needs_scores:
        return ""
    if not transfer.examples.is_labelled.any():
        return "there is no control: the examples have no labels"
    if not transfer.has_labels:
        of_what = IN_WORDS[transfer.examples.labels_kind]
        return f"there is no control: the scores are {transfer.kind}, and the labels are {of_what}"
    return "" if is_wanted else "there is no control: it was switched off"


def control_plan(plan: Plan, steps: int, labels: int, *, stops_early: bool) -> Plan:
    """The plan of a control that is a training of its own, where the student took so many steps.

    The epochs over its labels are rounded up: the control has the student's steps or some more, an
    epoch's at most, never fewer.
    """
    held_out, patience = (FEW_HELD_OUT, PATIENCE) if stops_early else (0.0, 0)
    epochs = math.ceil(steps / plan.steps_per_epoch(labels * (1 - held_out)))
    return replace(plan, epochs=epochs, held_out=held_out, patience=patience)
