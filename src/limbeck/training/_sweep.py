"""sweep(): many students trained over the same batches, with one control for all."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Tensor

from limbeck import artifacts, students
from limbeck.errors import InputError
from limbeck.examples import Examples
from limbeck.objectives import Labels, Objective, as_objective, of_control
from limbeck.scores import ScoreSet
from limbeck.students import Run, Student
from limbeck.training import _control
from limbeck.training._job import Job
from limbeck.training._nets import Task
from limbeck.training._plan import Plan
from limbeck.training._train import as_seeds, as_transfer, run
from limbeck.training._transfer import TransferSet

CONTROL = "control"


def sweep(
    student: Student,
    transfer: TransferSet | ScoreSet | Examples,
    objectives: Mapping[str, Objective | Callable[..., Any]],
    *,
    to: str | Path,
    plan: Plan = Plan(),
    seeds: int | Sequence[int] = 1,
    control: bool = True,
    labelled: Examples | None = None,
    start: Mapping[str, Tensor] = MappingProxyType({}),
    sizes: Sequence[int] = (),
) -> dict[str, Run]:
    """A run for each objective, in the directory `to` under its name, and one "control" for all.

    Every seed of every objective and of the control learns from the same batches in the same
    order, and ends as it would alone: a sweep of one net is that net trained by itself. Nets of
    linear layers and ReLU without dropout are computed as one, which makes small ones cheap; others
    are computed one after the other. The control is the same net trained on hard labels; it
    is there where there are labels and an objective needs scores.

    With `sizes` all of this is done for so many examples of the transfer set each, the smaller
    parts of the larger ones, and a run's name and place is `SIZE/NAME`: "1000/control". Every
    size has the number of steps that the plan makes at the largest, so a smaller one is seen more
    often, not trained less; a control that would see its labels more than twice as often as a
    plan's epochs ask for stops early, as in `train`, and its notes say so.

    An interrupted call goes on where it was when it is made again; runs that are whole are kept,
    so an objective that is added later costs only its own nets. Keywords as in `train`.

    Raises:
        InputError: no objectives, or a name that is no plain file name or is "control"; sizes that
            do not increase, or are more than there are examples.
        What `train` raises.
    """
    shown = as_transfer(transfer, labelled)
    common = Job(
        student=student,
        transfer=shown,
        objective=Labels(),
        to=Path(to),
        plan=plan.suited(max(sizes, default=len(shown.examples))),
        seeds=as_seeds(seeds),
        wants_control=False,
        start=start,
        order="shared",
    )
    checked = _checked(objectives)
    groups = (
        _of_sizes(common, checked, control, sizes) if sizes else [_jobs(common, checked, control)]
    )
    # All places are looked at before anything is trained.
    missing = [[job for job in jobs.values() if not _is_whole(job)] for jobs in groups]
    for jobs in missing:
        if jobs:
            _run(jobs, jobs[0].to.parent)
    runs = {
        job.to: Run.open(job.to, trust=student.is_trusted)
        for jobs in groups
        for job in jobs.values()
    }
    return {place.relative_to(common.to).as_posix(): run for place, run in runs.items()}


def check_names(names: Iterable[str]) -> None:
    """Refuses a sweep without objectives, or whose names cannot be its runs' directories.

    Raises:
        InputError: there are none, or one is no plain file name or is "control".
    """
    listed = list(names)
    if not listed:
        raise InputError("a sweep takes one objective or more")
    for name in listed:
        if name == CONTROL or name != Path(name).name or name.startswith("."):
            raise InputError(
                f"a sweep names its runs' directories: {name!r} is not a name for one"
                + (" (it is the control's)" if name == CONTROL else "")
            )


def _checked(objectives: Mapping[str, Objective | Callable[..., Any]]) -> dict[str, Objective]:
    check_names(objectives)
    return {name: as_objective(objective) for name, objective in objectives.items()}


def _jobs(common: Job, objectives: Mapping[str, Objective], wants_control: bool) -> dict[str, Job]:
    jobs = {
        name: replace(
            common, objective=one, to=common.to / name, transfer=_seen_by(one, common.transfer)
        )
        for name, one in objectives.items()
    }
    for job in jobs.values():
        job.check()
    taught = [
        job
        for job in jobs.values()
        if _control.has_control(job.objective, common.transfer, wants_control)
    ]
    if taught:
        jobs[CONTROL] = replace(
            common,
            objective=of_control([job.objective for job in taught], common.transfer.answers),
            transfer=common.transfer.without_scores(),
            to=common.to / CONTROL,
            beside=len(taught[0].regime("student").rows),
        )
    return jobs


def _of_sizes(
    common: Job, objectives: Mapping[str, Objective], wants_control: bool, sizes: Sequence[int]
) -> list[dict[str, Job]]:
    """The jobs of each size, all with the number of steps of the largest."""
    common.transfer.check_sizes(sizes)
    groups = [
        _jobs(
            replace(common, transfer=common.transfer.of_size(size), to=common.to / str(size)),
            objectives,
            wants_control,
        )
        for size in sizes
    ]
    pace = {name: job.beside or len(job.regime("student").rows) for name, job in groups[-1].items()}
    return [
        {name: replace(job, pace=pace[name]) for name, job in jobs.items() if name in pace}
        for jobs in groups
    ]


def _seen_by(objective: Objective, transfer: TransferSet) -> TransferSet:
    return transfer if objective.needs_scores else transfer.without_scores()


def _is_whole(job: Job) -> bool:
    return artifacts.check_free(job.to, students.ARTIFACT, job.request)


def _run(jobs: Sequence[Job], to: Path) -> None:
    run(jobs, _grouped(jobs, to))
    # Of an interrupted sweep that was then asked for with other objectives.
    for leftover in to.glob("checkpoint-*.safetensors"):
        leftover.unlink()


def _grouped(jobs: Sequence[Job], to: Path) -> Iterator[Task]:
    """The tasks: nets that learn from the same rows over as many steps are one."""
    groups: dict[Any, list[Job]] = {}
    for job in jobs:
        groups.setdefault(_batches_of(job), []).append(job)
    for alike in groups.values():
        # The one with scores shows the others the same inputs and labels.
        first = max(alike, key=lambda job: job.transfer.has_scores)
        members = tuple(job.member("student", seed) for job in alike for seed in job.seeds)
        name = "checkpoint-" + artifacts.fingerprint([member.what for member in members])
        task = first.task("student", members)
        what = f"{to.name}: {len(members)} nets"
        yield replace(task, what=what, checkpoint=to / f"{name}.safetensors")


def _batches_of(job: Job) -> tuple[Any, ...]:
    regime = job.regime("student")
    # Labels are standardised by their own moments, scores by theirs.
    is_of_labels = job.objective.standardizes and not job.transfer.has_scores
    rows, held_out = regime.rows.tobytes(), regime.held_out.tobytes()
    return rows, held_out, regime.steps, regime.patience, is_of_labels
