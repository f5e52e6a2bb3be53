"""train(): a student, its control and their seeds, each through the one loop in `_fit`."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from safetensors.numpy import save
from torch import Tensor

from limbeck import _manifest, encodings, runs
from limbeck._fit import Task, fit
from limbeck._store import ScoreSet
from limbeck.errors import InputError, LabelsError, MismatchError
from limbeck.examples import Array, Examples
from limbeck.objectives import Labels, Objective
from limbeck.runs import Plan, Run
from limbeck.students import Factory, Student
from limbeck.transfer import TransferSet, check_labelled

SEEN = "seen.safetensors"
FEW = 2  # the control stops early where it would see its examples this many times as often
PATIENCE = 10  # records without a better held-out loss, for a control with few labels
FEW_HELD_OUT = 0.2
FEW_STEPS = 300  # below this the notes say that training was short


def train(
    student: Student,
    transfer: TransferSet | ScoreSet | Examples,
    objective: Objective | Callable[..., Any],
    *,
    to: str | Path,
    plan: Plan = Plan(),
    seeds: int | Sequence[int] = 1,
    control: bool = True,
    labelled: Examples | None = None,
    start: Mapping[str, Tensor] = MappingProxyType({}),
) -> Run:
    """A student trained to the objective, once for each seed, with its control beside it.

    The control is the same net with the same start, examples, views and number of steps, asked
    for the labels alone; it is trained where there are labels and the objective is not itself the
    labels. With few labels it stops early on held-out ones; the run's notes say so. `labelled`
    are further examples for the control, the hard part and held-out decisions. `start` holds
    weights by name, as a model's `state_dict()` does, for every seed to begin with instead of
    its own; a name that is left out keeps what the seed drew.

    Which seed is shipped is decided by the held-out loss. An interrupted call goes on where it
    was when it is made again; one that is whole returns at once.

    Raises:
        LabelsError: the objective needs labels and there are none.
        MismatchError: scores and examples do not belong together.
        InputError: the objective needs scores and there are none, or the loss became infinite;
            or a weight in `start` is not one of the student's.
        OccupiedError: `to` holds something else.
        StorageError: the disk is full or read-only.
    """
    job = _Job(
        student=student,
        transfer=_as_transfer(transfer, labelled),
        objective=_as_objective(objective),
        to=Path(to),
        plan=plan,
        seeds=_as_seeds(seeds),
        wants_control=control,
        start=start,
    )
    job.check()
    if not _manifest.check_free(job.to, runs.ARTEFACT, job.request):
        job.run()
    return Run.open(job.to, trust=isinstance(student, Factory) and student.is_trusted)


def _as_transfer(
    given: TransferSet | ScoreSet | Examples, labelled: Examples | None
) -> TransferSet:
    check_labelled(labelled)
    if isinstance(given, ScoreSet):
        return TransferSet.of(given, labelled)
    transfer = given if isinstance(given, TransferSet) else TransferSet(given)
    if labelled is None:
        return transfer
    raise MismatchError("labelled= goes with a score set; these examples carry their own labels")


def _as_objective(given: Objective | Callable[..., Any]) -> Objective:
    if not isinstance(given, Objective):
        raise InputError(
            "an objective says its text, needs_scores and needs_labels; "
            f"this {type(given).__name__} does not"
        )
    return given


def _as_seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    wanted = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    if not wanted or len(set(wanted)) != len(wanted) or min(wanted) < 0:
        raise InputError(
            f"seeds are a count of 1 or more, or different numbers from 0; got {seeds}"
        )
    return wanted


@dataclass(frozen=True, eq=False, kw_only=True)
class _Job:
    student: Student
    transfer: TransferSet
    objective: Objective
    to: Path
    plan: Plan
    seeds: tuple[int, ...]
    wants_control: bool
    start: Mapping[str, Tensor]

    def check(self) -> None:
        """Everything that can be refused before any work."""
        examples, wanted = self.transfer.examples, self.objective.text
        if self.objective.needs_scores and not self.transfer.is_scored:
            raise InputError(
                f"{wanted} needs a teacher's scores; {examples.name} has none: score it"
            )
        if len(self.transfer.classes) < 2:
            raise LabelsError(
                f"{examples.name} names no classes to tell apart: give labels or classes"
            )
        if not self.labelled.any() and self.objective.needs_labels:
            raise LabelsError(f"{wanted} needs labels, and {examples.name} has none")
        runs.started(runs.build_model(self.sized, self.encoding, self.seeds[0]), self.start)

    @cached_property
    def labelled(self) -> Array:
        return self.transfer.examples.is_labelled

    @cached_property
    def sized(self) -> Student:
        return self.student.sized(self.transfer.examples.shape, len(self.transfer.classes))

    @cached_property
    def encoding(self) -> encodings.Affine:
        return encodings.standard(self.transfer.examples)

    @property
    def has_control(self) -> bool:
        """Whether a control can and shall be trained."""
        return self.wants_control and self.objective.needs_scores and bool(self.labelled.any())

    @cached_property
    def request(self) -> dict[str, Any]:
        transfer = self.transfer
        scored = transfer.scores
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
            "scores": scored.fingerprint if isinstance(scored, ScoreSet) else "",
            **({"start": runs.fingerprint(self.start)} if self.start else {}),
        }

    def run(self) -> None:
        if isinstance(self.transfer.scores, ScoreSet):
            self.transfer.scores.check_whole()
        tasks = list(self.tasks())
        _manifest.begin(self.to, runs.ARTEFACT, self.request)
        for task in tasks:
            fit(task)
        self.finish(tasks)

    def tasks(self) -> Iterable[Task]:
        """Each seed's student, and its control right after it."""
        for seed in self.seeds:
            yield self._student_task(seed)
            if self.has_control:
                yield self._control_task(seed)

    def _student_task(self, seed: int) -> Task:
        return self._task("student", seed, *self._student_parts, self.plan.patience)

    def _control_task(self, seed: int) -> Task:
        patience = PATIENCE if self.is_few else self.plan.patience
        return self._task("control", seed, *self._control_parts, patience)

    @cached_property
    def _student_parts(self) -> tuple[Array, Array]:
        return self._parts(self._teachable, self.plan.held_out)

    @cached_property
    def _control_parts(self) -> tuple[Array, Array]:
        least = FEW_HELD_OUT if self.is_few else 0.0
        return self._parts(self.labelled, max(self.plan.held_out, least))

    @property
    def _teachable(self) -> Array:
        """Rows the objective can learn from: those with scores, or with labels if it uses them."""
        if not self.objective.needs_scores:
            return self.labelled
        scored = self.transfer.positions >= 0
        return scored | self.labelled if self.objective.needs_labels else scored

    @property
    def is_few(self) -> bool:
        """Whether the control's labelled examples are far fewer than the student's examples."""
        return int(self._teachable.sum()) > FEW * int(self.labelled.sum())

    def _parts(self, usable: Array, share: float) -> tuple[Array, Array]:
        rows = np.flatnonzero(usable)
        if not share:
            return rows, rows[:0]
        # A split of the part, by groups, that every seed and every restart makes alike.
        part = self.transfer.examples.take(rows)
        held = part.split(share)[1]
        is_held = np.isin(part.keys, held.keys)
        return rows[~is_held], rows[is_held]

    def _task(self, role: str, seed: int, rows: Array, held: Array, patience: int) -> Task:
        per_epoch = math.ceil(len(self._student_parts[0]) / self.plan.batch)
        transfer = self.transfer if role == "student" else self.transfer.without_scores()
        return Task(
            what=f"{self.to.name} {role} {seed}",
            student=self.sized,
            encoding=self.encoding,
            transfer=transfer,
            objective=self.objective if role == "student" else Labels(),
            start=self.start,
            plan=self.plan,
            seed=seed,
            rows=rows,
            held_out=held,
            steps=per_epoch * self.plan.epochs,
            steps_per_record=per_epoch,
            patience=patience,
            to=self.to / f"{role}-{seed}",
        )

    def finish(self, tasks: Sequence[Task]) -> None:
        """Chooses the seeds to ship and writes the manifest."""
        seen = save({"content": self.transfer.examples.content_hashes})
        _manifest.write_file(self.to / SEEN, seen)
        nets = self._nets(tasks)
        scored = self.transfer.scores
        body = {
            **self.request,
            "examples": {
                "name": self.transfer.examples.name,
                "source": self.transfer.examples.source,
                "fingerprint": self.transfer.examples.fingerprint,
                "n": len(self.transfer.examples),
                "labelled": int(self.labelled.sum()),
            },
            "score_set": str(scored.directory) if isinstance(scored, ScoreSet) else "",
            "seconds": sum(net["seconds"] for of_role in nets.values() for net in of_role.values()),
            "score_seconds": scored.manifest["seconds"] if isinstance(scored, ScoreSet) else 0.0,
            "encoding": self.encoding.to_json(),
            "nets": nets,
            "shipped": {role: _best(of_role) for role, of_role in nets.items()},
            "notes": self._notes(),
            "seen": {"file": SEEN, **_manifest.file_entries(self.to, [SEEN])[SEEN]},
            "provenance": _manifest.provenance(),
        }
        _manifest.finish(self.to, runs.ARTEFACT, body)

    def _nets(self, tasks: Sequence[Task]) -> dict[str, dict[str, Any]]:
        nets: dict[str, dict[str, Any]] = {}
        for task in tasks:
            role = task.to.name.rpartition("-")[0]
            file = f"{task.to.name}/{runs.MODEL}"
            history = _manifest.read_json(task.to / runs.HISTORY)
            record = history["epochs"][history["best"]]  # -1, the last, where none was chosen
            nets.setdefault(role, {})[str(task.seed)] = {
                "file": file,
                **_manifest.file_entries(self.to, [file])[file],
                "steps": history["epochs"][-1]["step"],
                "seconds": history["seconds"],
                "held_out_loss": record.get("held_out"),
            }
        return nets

    def _notes(self) -> dict[str, list[str]]:
        """What a reader of the report has to know about these nets."""
        notes: dict[str, list[str]] = {"student": [], "control": []}
        steps = next(iter(self.tasks())).steps
        if steps < FEW_STEPS:
            notes["student"].append(
                f"training was only {steps} steps: more epochs or a smaller batch may do better"
            )
        if not self.plan.held_out:
            notes["student"].append("nothing was held out: the first seed is shipped")
        if self.objective.needs_scores and not self.labelled.any():
            notes["student"].append("there is no control: the examples have no labels")
        elif self.objective.needs_scores and not self.wants_control:
            notes["student"].append("there is no control: it was switched off")
        if self.has_control and self.is_few:
            rows, held_out = self._control_parts
            notes["control"].append(
                f"the control had {len(rows)} labels to learn from and stopped early on "
                f"{len(held_out)} held-out ones"
            )
        return notes


def _best(nets: dict[str, Any]) -> int:
    """The seed of the lowest held-out loss; the first one where nothing was held out."""
    losses = {seed: net["held_out_loss"] for seed, net in nets.items()}
    if None in losses.values():
        return int(next(iter(losses)))
    return int(min(losses, key=lambda seed: losses[seed]))
