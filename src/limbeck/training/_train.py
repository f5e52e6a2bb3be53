"""train(): a student, its control and their seeds, each through the one loop in `_loop`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Tensor

from limbeck import artifacts, students
from limbeck.errors import InputError, MismatchError
from limbeck.examples import Examples
from limbeck.objectives import Objective, as_objective
from limbeck.scores import ScoreSet
from limbeck.students import Run, Student
from limbeck.training import _record
from limbeck.training._job import Job
from limbeck.training._loop import fit
from limbeck.training._nets import CHECKPOINT, Task
from limbeck.training._plan import Plan
from limbeck.training._transfer import TransferSet, check_labelled


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

    The control is the same net with the same start, examples, views and number of steps, trained
    on hard labels; it is trained where there are labels and the objective is not itself the
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
    shown = as_transfer(transfer, labelled)
    job = Job(
        student=student,
        transfer=shown,
        objective=as_objective(objective),
        to=Path(to),
        plan=plan.suited(len(shown.examples)),
        seeds=as_seeds(seeds),
        wants_control=control,
        start=start,
    )
    job.check()
    if not artifacts.check_free(job.to, students.ARTIFACT, job.request):
        run([job], job.tasks())
    return Run.open(job.to, trust=student.is_trusted)


def run(jobs: Sequence[Job], tasks: Iterable[Task]) -> None:
    """Trains those tasks, which are all of the jobs', and leaves a run of each job."""
    with ExitStack() as lives:
        written = [
            lives.enter_context(artifacts.writing(job.to, students.ARTIFACT, job.request))
            for job in jobs
        ]
        for job in jobs:
            if job.transfer.has_scores:
                job.transfer.source.check()
        tasks = list(tasks)  # what cannot be split so is refused before anything is written
        for artifact in written:
            artifact.begin()
        for task in tasks:
            fit(task)
        for job, artifact in zip(jobs, written, strict=True):
            for leftover in job.to.rglob(CHECKPOINT):  # of nets that were grouped otherwise before
                leftover.unlink()
            _record.write_seen(job)
            artifact.finish(_record.manifest(job))


def as_transfer(given: TransferSet | ScoreSet | Examples, labelled: Examples | None) -> TransferSet:
    """The transfer set in whatever was handed in, with further labelled examples if any."""
    check_labelled(labelled)
    if isinstance(given, ScoreSet):
        return TransferSet.of(given, labelled)
    transfer = given if isinstance(given, TransferSet) else TransferSet(given)
    if labelled is None:
        return transfer
    raise MismatchError("labelled= goes with a score set; these examples carry their own labels")


def as_seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    """The seeds, if they are a count or different numbers."""
    numbers = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    if not numbers or len(set(numbers)) != len(numbers) or min(numbers) < 0:
        raise InputError(
            f"seeds are a count of 1 or more, or different numbers from 0; got {seeds}"
        )
    return numbers
