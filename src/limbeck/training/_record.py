"""What a run records: its nets, the seed of each to ship, what they have seen, and notes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from safetensors.numpy import save

from limbeck import artifacts, students
from limbeck.examples import Array
from limbeck.training import _control
from limbeck.training._job import Job

SEEN = "seen.safetensors"
FEW_STEPS = 300  # below this the notes say that training was short


def write_seen(job: Job) -> None:
    """Writes beside the nets which examples they have seen, for an evaluation to refuse."""
    artifacts.write_file(job.to / SEEN, save(_seen(job)))


def manifest(job: Job) -> dict[str, Any]:
    """What the manifest says of a run whose nets are there, and what they have seen."""
    examples = job.transfer.examples
    scored = job.transfer.source if job.transfer.has_scores else None
    nets = {role: {str(seed): _net(job, role, seed) for seed in job.seeds} for role in job.roles}
    return {
        **job.request,
        "parameters": students.parameters(job.sized),
        "examples": {
            "name": examples.name,
            "source": examples.source,
            "fingerprint": examples.fingerprint,
            "n": len(examples),
            "labelled": int(examples.is_labelled.sum()),
        },
        **({"features": list(examples.features)} if examples.features else {}),
        "score_set": scored.place if scored else "",
        "seconds": sum(net["seconds"] for of_role in nets.values() for net in of_role.values()),
        "score_seconds": scored.seconds if scored else 0.0,
        **({"teacher": dict(scored.about)} if scored and scored.about else {}),
        "encoding": job.encoding.to_json(),
        "nets": nets,
        "shipped": {role: _best(of_role) for role, of_role in nets.items()},
        "notes": {"student": list(_notes(job)), "control": list(_notes_of_control(job))},
        "seen": {"file": SEEN, **artifacts.file_entries(job.to, [SEEN])[SEEN]},
        "provenance": artifacts.provenance(),
    }


def _seen(job: Job) -> dict[str, Array]:
    """The content hash of each example, and for each role whether steps were taken on it."""
    contents = job.transfer.examples.content_hashes
    rows = np.arange(len(contents))
    return {
        "content": contents,
        **{role: np.isin(rows, job.regime(role).rows) for role in job.roles},
    }


def _net(job: Job, role: str, seed: int) -> dict[str, Any]:
    place = job.member(role, seed).to
    file = f"{place.name}/{students.MODEL}"
    history = artifacts.read_json(place / students.HISTORY)
    entry = artifacts.file_entries(job.to, [file])[file]
    record = history["epochs"][history["best"]]  # -1, the last, where none was chosen
    return {
        "file": file,
        **entry,
        "fingerprint": students.net_fingerprint(
            str(entry["sha256"]), str(job.request["student"]), job.encoding.to_json()
        ),
        "steps": history["epochs"][-1]["step"],
        "seconds": history["seconds"],
        "held_out_loss": record.get("held_out"),
    }


def _best(nets: dict[str, Any]) -> int:
    """The seed of the lowest held-out loss; the first one where nothing was held out."""
    losses = {seed: net["held_out_loss"] for seed, net in nets.items()}
    if None in losses.values():
        return int(next(iter(losses)))
    return int(min(losses, key=lambda seed: losses[seed]))


def _notes(job: Job) -> Iterator[str]:
    """What a reader of the report has to know about the students."""
    regime = job.regime("student")
    if regime.steps < FEW_STEPS:
        yield (
            f"training was only {regime.steps} steps: more epochs or a smaller batch may do better"
        )
    if not len(regime.held_out):
        yield "nothing was held out: the first seed is shipped"
    # A sweep's control is a run of its own, so that no student in it has one beside it.
    why = _control.why_none(job.objective, job.transfer, job.wants_control)
    if why and job.order == "own":
        yield why
    yield from _larger(job)
    if regime.note:
        yield regime.note


def _notes_of_control(job: Job) -> Iterator[str]:
    if "control" in job.roles and (note := job.regime("control").note):
        yield note


def _larger(job: Job) -> Iterator[str]:
    """A student may have more parameters than its teacher; whoever wants it small is told."""
    if not job.transfer.has_scores:
        return
    own, teacher = students.parameters(job.sized), job.transfer.source.teacher_parameters
    if 0 < teacher < own:
        yield (
            f"the student is larger than its teacher, {own:,} parameters against {teacher:,}: "
            "it may learn the same function, but nothing is compressed"
        )
