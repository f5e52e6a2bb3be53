"""What a training is asked for, and the run it leaves: one net, its seeds and its control."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from safetensors.numpy import save
from torch import Tensor

from limbeck import artifacts, students
from limbeck.errors import InputError, LabelsError
from limbeck.examples import IN_WORDS, Array
from limbeck.objectives import Objective, check_kind, of_control
from limbeck.students import Student, encodings
from limbeck.training._loop import fit
from limbeck.training._nets import CHECKPOINT, Member, Task
from limbeck.training._plan import Plan
from limbeck.training._stack import check_features
from limbeck.training._transfer import TransferSet

Order = Literal["own", "shared"]

SHARED_ORDER = 0  # the seed of the order that all nets of a sweep see
SEEN = "seen.safetensors"
FEW = 2  # the control stops early where it would see its examples this many times as often
PATIENCE = 10  # records without a better held-out loss, for a control with few labels
FEW_HELD_OUT = 0.2
FEW_STEPS = 300  # below this the notes say that training was short


@dataclass(frozen=True, eq=False, kw_only=True)
class Job:
    """One net with its seeds and its control: what is asked, checked, planned and left behind.

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
        examples, wanted = self.transfer.examples, self.objective.text
        if self.objective.needs_scores and not self.transfer.has_scores:
            raise InputError(
                f"{wanted} needs a teacher's scores; {examples.name} has none: score it"
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
        examples, wanted = self.transfer.examples, self.objective.text
        if not self.labelled.any():
            raise LabelsError(f"{wanted} needs labels, and {examples.name} has none")
        if not self.transfer.has_labels:
            wanting = IN_WORDS.get(self.transfer.answers, "no labels")
            raise LabelsError(
                f"{wanted} needs {wanting} beside scores that are {self.transfer.kind}; the labels "
                f"of {examples.name} are {IN_WORDS[examples.labels_kind]}"
            )

    @cached_property
    def labelled(self) -> Array:
        return self.transfer.examples.is_labelled

    @cached_property
    def sized(self) -> Student:
        return self.student.sized(self.transfer.examples.shape, len(self.transfer.classes))

    @cached_property
    def encoding(self) -> encodings.Encoding:
        return encodings.standard(self.transfer.examples)

    @property
    def has_control(self) -> bool:
        """Whether a control can and shall be trained."""
        is_wanted = self.wants_control and self.objective.needs_scores
        return is_wanted and self.transfer.has_labels

    @cached_property
    def request(self) -> dict[str, Any]:
        transfer = self.transfer
        return {
            "student": self.sized.text,
            "objective": self.objective.text,
            "plan": self.plan.to_json(),
            "seeds": list(self.seeds),
            "control": self.has_control,
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

    def run(self) -> None:
        if self.transfer.has_scores:
            self.transfer.source.check()
        tasks = list(self.tasks())
        artifacts.begin(self.to, students.ARTEFACT, self.request)
        for task in tasks:
            fit(task)
        self.finish()

    def tasks(self) -> Iterable[Task]:
        """Each seed's student, and its control right after it."""
        for seed in self.seeds:
            yield self.task("student", (self.member("student", seed),))
            if self.has_control:
                yield self.task("control", (self.member("control", seed),))

    def member(self, role: str, seed: int) -> Member:
        """One net of this job."""
        objective = self.objective if role == "student" else self._objective_of_control
        place = self.to / f"{role}-{seed}"
        return Member(f"{self.to.name} {role} {seed}", seed, objective, place)

    @property
    def _objective_of_control(self) -> Objective:
        return of_control([self.objective], self.transfer.answers)

    def task(self, role: str, members: tuple[Member, ...]) -> Task:
        """Those nets over the role's rows, with as many steps as the student's rows ask for."""
        paced = self.pace or self.beside or len(self.parts("student")[0])
        per_epoch = math.ceil(paced / self.plan.batch)
        rows, held_out = self.parts(role)
        return Task(
            what=members[0].what,
            members=members,
            student=self.sized,
            encoding=self.encoding,
            start=self.start,
            transfer=self._shown if role == "student" else self._shown.without_scores(),
            plan=self.plan,
            order=members[0].seed if self.order == "own" else SHARED_ORDER,
            rows=rows,
            held_out=held_out,
            steps=per_epoch * self.plan.epochs,
            steps_per_record=per_epoch,
            patience=PATIENCE if self._stops_early(role) else self.plan.patience,
            checkpoint=members[0].to / CHECKPOINT,
        )

    @property
    def _shown(self) -> TransferSet:
        """The transfer set, with what the student finds in its texts if it reads any."""
        return replace(self.transfer, found=self.sized.found_in(self.transfer.examples))

    def parts(self, role: str) -> tuple[Array, Array]:
        """The rows that the role's nets learn from, and those held out for decisions."""
        return self._student_parts if role == "student" else self._control_parts

    @cached_property
    def _student_parts(self) -> tuple[Array, Array]:
        return self._parts(self._teachable, self._held_out("student"))

    @cached_property
    def _control_parts(self) -> tuple[Array, Array]:
        return self._parts(self.labelled, self._held_out("control"))

    def _held_out(self, role: str) -> float:
        return max(self.plan.held_out, FEW_HELD_OUT if self._stops_early(role) else 0.0)

    def _stops_early(self, role: str) -> bool:
        """Whether these are controls that would see their labels far more often than in a pass."""
        beside = max(self.beside, self.pace) if self.beside else 0
        taught = int(self._teachable.sum()) if role == "control" else beside
        return taught > FEW * int(self.labelled.sum())

    @property
    def _teachable(self) -> Array:
        """Rows the objective can learn from: those with scores, or with labels if it uses them."""
        if not self.objective.needs_scores:
            return self.labelled
        scored = self.transfer.is_scored
        return scored | self.labelled if self.objective.needs_labels else scored

    def _parts(self, usable: Array, share: float) -> tuple[Array, Array]:
        rows = np.flatnonzero(usable)
        if not share:
            return rows, rows[:0]
        # A split of the part, by groups, that every seed and every restart makes alike.
        part = self.transfer.examples.take(rows)
        held = part.split(share)[1]
        is_held = np.isin(part.keys, held.keys)
        return rows[~is_held], rows[is_held]

    def finish(self) -> None:
        """Chooses the seeds to ship and writes the manifest."""
        artifacts.write_file(self.to / SEEN, save(self._seen()))
        nets = self._nets()
        scored = self.transfer.source if self.transfer.has_scores else None
        body = {
            **self.request,
            "parameters": students.parameters(self.sized),
            "examples": {
                "name": self.transfer.examples.name,
                "source": self.transfer.examples.source,
                "fingerprint": self.transfer.examples.fingerprint,
                "n": len(self.transfer.examples),
                "labelled": int(self.labelled.sum()),
            },
            "score_set": scored.place if scored else "",
            "seconds": sum(net["seconds"] for of_role in nets.values() for net in of_role.values()),
            "score_seconds": scored.seconds if scored else 0.0,
            **({"teacher": dict(scored.about)} if scored and scored.about else {}),
            "encoding": self.encoding.to_json(),
            "nets": nets,
            "shipped": {role: _best(of_role) for role, of_role in nets.items()},
            "notes": self._notes(),
            "seen": {"file": SEEN, **artifacts.file_entries(self.to, [SEEN])[SEEN]},
            "provenance": artifacts.provenance(),
        }
        artifacts.finish(self.to, students.ARTEFACT, body)

    @property
    def _roles(self) -> tuple[str, ...]:
        return ("student", "control") if self.has_control else ("student",)

    def _seen(self) -> dict[str, Array]:
        """The content hash of each example, and for each role whether steps were taken on it."""
        contents = self.transfer.examples.content_hashes
        rows = np.arange(len(contents))
        trained = {role: np.isin(rows, self.parts(role)[0]) for role in self._roles}
        return {"content": contents, **trained}

    def _nets(self) -> dict[str, dict[str, Any]]:
        return {
            role: {str(seed): self._net(role, seed) for seed in self.seeds} for role in self._roles
        }

    def _net(self, role: str, seed: int) -> dict[str, Any]:
        place = self.member(role, seed).to
        file = f"{place.name}/{students.MODEL}"
        history = artifacts.read_json(place / students.HISTORY)
        record = history["epochs"][history["best"]]  # -1, the last, where none was chosen
        return {
            "file": file,
            **artifacts.file_entries(self.to, [file])[file],
            "steps": history["epochs"][-1]["step"],
            "seconds": history["seconds"],
            "held_out_loss": record.get("held_out"),
        }

    def _notes(self) -> dict[str, list[str]]:
        """What a reader of the report has to know about these nets."""
        return {"student": list(self._student_notes()), "control": list(self._few("control"))}

    def _student_notes(self) -> Iterator[str]:
        steps = next(iter(self.tasks())).steps
        if steps < FEW_STEPS:
            yield f"training was only {steps} steps: more epochs or a smaller batch may do better"
        if not self._held_out("student"):
            yield "nothing was held out: the first seed is shipped"
        if self.order == "own" and self.objective.needs_scores:
            if not self.labelled.any():
                yield "there is no control: the examples have no labels"
            elif not self.transfer.has_labels:
                of_what = IN_WORDS[self.transfer.examples.labels_kind]
                yield (
                    f"there is no control: the scores are {self.transfer.kind}, and the labels are "
                    f"{of_what}"
                )
            elif not self.wants_control:
                yield "there is no control: it was switched off"
        yield from self._larger()
        yield from self._few("student")

    def _larger(self) -> Iterator[str]:
        """A student may have more parameters than its teacher; whoever wants it small is told."""
        if not self.transfer.has_scores:
            return
        own, teacher = students.parameters(self.sized), self.transfer.source.teacher_parameters
        if 0 < teacher < own:
            yield (
                f"the student is larger than its teacher, {own:,} parameters against {teacher:,}: "
                "it may learn the same function, but nothing is compressed"
            )

    def _few(self, role: str) -> Iterator[str]:
        if self._stops_early(role) and (role == "student" or self.has_control):
            rows, held_out = self.parts(role)
            yield (
                f"the control had {len(rows)} labels to learn from and stopped early on "
                f"{len(held_out)} held-out ones"
            )


def _best(nets: dict[str, Any]) -> int:
    """The seed of the lowest held-out loss; the first one where nothing was held out."""
    losses = {seed: net["held_out_loss"] for seed, net in nets.items()}
    if None in losses.values():
        return int(next(iter(losses)))
    return int(min(losses, key=lambda seed: losses[seed]))
