"""What a training is asked for: one net, its seeds and its control, checked and planned."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from limbeck import students
from limbeck.errors import InputError, LabelsError
from limbeck.examples import IN_WORDS
from limbeck.objectives import Objective, check_kind, of_control
from limbeck.students import Student, encodings
from limbeck.training import _control
from limbeck.training._control import Regime
from limbeck.training._nets import CHECKPOINT, Member, Task
from limbeck.training._plan import Plan
from limbeck.training._stack import check_features
from limbeck.training._transfer import TransferSet

Order = Literal["own", "shared"]

SHARED_ORDER = 0  # the seed of the order that all nets of a sweep see


@dataclass(frozen=True, eq=False, kw_only=True)
class Job:
    """One net with its seeds and its control: what is asked, checked and planned.

    `order` is whether each seed draws the order of the examples for itself, or all see one.
    `beside` is for a control that is a job of its own: how many examples the student it stands
    beside learns from, whose number of steps it then has; 0 for any other net. `pace` is for a
    sweep over sizes: how many examples are learnt from at the largest, whose number of steps all
    sizes have; 0 where there is one size.
    """

    student: Student
    transfer: TransferSet
    objective: Objective
    to: Path
    plan: Plan
    seeds: tuple[int, ...]
    wants_control: bool
    start: Mapping[str, Tensor]
    order: Order = "own"
    beside: int = 0
    pace: int = 0

    def check(self) -> None:
        """Everything that can be refused before any work."""
        examples, objective = self.transfer.examples, self.objective.text
        if self.objective.needs_scores and not self.transfer.has_scores:
            raise InputError(
                f"{objective} needs a teacher's scores; {examples.name} has none: score it"
            )
        check_kind(self.objective, self.transfer.kind)
        if len(self.transfer.classes) < 2 and self.transfer.answers == "logits":
            raise LabelsError(
                f"{examples.name} names no classes to tell apart: give labels or classes"
            )
        if self.objective.needs_labels:
            self._check_labels()
        model = students.build_model(self.sized, self.encoding, self.seeds[0])
        check_features(students.started(model, self.start), self.objective)

    def _check_labels(self) -> None:
        examples, objective = self.transfer.examples, self.objective.text
        if not examples.is_labelled.any():
            raise LabelsError(f"{objective} needs labels, and {examples.name} has none")
        if not self.transfer.has_labels:
            wanting = IN_WORDS.get(self.transfer.answers, "no labels")
            raise LabelsError(
                f"{objective} needs {wanting} beside scores that are {self.transfer.kind}; the "
                f"labels of {examples.name} are {IN_WORDS[examples.labels_kind]}"
            )

    @cached_property
    def sized(self) -> Student:
        return self.student.sized(self.transfer.examples.shape, len(self.transfer.classes))

    @cached_property
    def encoding(self) -> encodings.Encoding:
        return encodings.standard(self.transfer.examples)

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """What is trained for each seed: the student, and its control where it has one."""
        has_control = _control.has_control(self.objective, self.transfer, self.wants_control)
        return ("student", "control") if has_control else ("student",)

    @cached_property
    def request(self) -> dict[str, Any]:
        transfer = self.transfer
        return {
            "student": self.sized.text,
            "objective": self.objective.text,
            "plan": self.plan.to_json(),
            "seeds": list(self.seeds),
            "control": "control" in self.roles,
            "examples": transfer.examples.fingerprint,
            "labels": transfer.examples.labels_fingerprint,
            "classes": list(transfer.classes),
            "view": transfer.view.text,
            "count": transfer.count,
            "view_seed": transfer.seed,
            "scores": transfer.source.fingerprint if transfer.has_scores else "",
            **({"kind": transfer.answers} if transfer.answers != "logits" else {}),
            **({"start": students.weights_fingerprint(self.start)} if self.start else {}),
            **({"order": self.order} if self.order != "own" else {}),
            **({"pace": self.pace} if self.pace else {}),
        }

    def tasks(self) -> Iterator[Task]:
        """Each seed's student, and its control right after it."""
        for seed in self.seeds:
            for role in self.roles:
                yield self.task(role, (self.member(role, seed),))

    def member(self, role: str, seed: int) -> Member:
        """One net of this job."""
        objective = self.objective
        if role == "control":
            objective = of_control([self.objective], self.transfer.answers)
        return Member(f"{self.to.name} {role} {seed}", seed, objective, self.to / f"{role}-{seed}")

    def task(self, role: str, members: tuple[Member, ...]) -> Task:
        """Those nets in the role's regime."""
        regime = self.regime(role)
        return Task(
            what=members[0].what,
            members=members,
            student=self.sized,
            encoding=self.encoding,
            start=self.start,
            transfer=self._student_set if role == "student" else self._control_set,
            plan=self.plan,
            order=members[0].seed if self.order == "own" else SHARED_ORDER,
            rows=regime.rows,
            held_out=regime.held_out,
            steps=regime.steps,
            steps_per_record=regime.steps_per_record,
            patience=regime.patience,
            checkpoint=members[0].to / CHECKPOINT,
        )

    # One transfer set for all tasks: what it computes once, its scores' moments and the tokens of
    # its texts, would else be computed again for every seed.

    @cached_property
    def _student_set(self) -> TransferSet:
        return replace(self.transfer, found=self.sized.readings_in(self.transfer.examples))

    @cached_property
    def _control_set(self) -> TransferSet:
        return self._student_set.without_scores()

    def regime(self, role: str) -> Regime:
        """What the role's nets learn from, for how long, and when they stop."""
        return self._student_regime if role == "student" else self._control_regime

    @cached_property
    def _student_regime(self) -> Regime:
        if not self.beside:
            return _control.regime_of_student(self.objective, self.transfer, self.plan, self.pace)
        # A sweep counts its students' examples without those held out, a run with them: just about
        # at `FEW` the two may differ in whether the control stops early.
        return _control.regime_of_control(
            self.transfer.examples,
            self.plan,
            taught=max(self.beside, self.pace),
            paced_by=self.pace or self.beside,
        )

    @cached_property
    def _control_regime(self) -> Regime:
        return _control.regime_of_control(
            self.transfer.examples,
            self.plan,
            taught=int(_control.teachable(self.objective, self.transfer).sum()),
            paced_by=self.pace or len(self._student_regime.rows),
        )
