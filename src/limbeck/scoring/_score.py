"""score(): teacher + examples -> score set."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from limbeck.errors import InputError
from limbeck.examples import Array, Examples, Plain, Show, Shows, View, as_view
from limbeck.scores import ScoreSet, Shard, check_width, warn_if_mistaken
from limbeck.scoring._confidence import warn_if_far_apart
from limbeck.scoring._determinism import check_steady
from limbeck.scoring._held_out import held_out_from
from limbeck.scoring._writer import Job, Origin, Storage
from limbeck.students import Run
from limbeck.teachers import Answer, Teacher, as_teacher, ordered


def score(
    teacher: Teacher | Run | nn.Module | Answer,
    examples: Examples,
    *,
    to: str | Path,
    views: View | Shows | Show = Plain(),
    count: int = 1,
    seed: int = 0,
    storage: Storage = Storage(),
    held_out: bool | str = "unknown",
) -> ScoreSet:
    """What the teacher says of every example in `count` views, kept in the directory `to`.

    The teacher answers in eval mode and without gradients; its classes are found by name, in
    whatever order it has them. It is asked about a few examples twice before the work starts. An
    interrupted call goes on where it was when it is made again, and one that is whole already
    returns at once. Labels play no part.

    `held_out` says whether the examples were held out from the teacher, which the set records. A
    run of ours, and an ensemble of them, know it themselves. Where some of the examples are the
    teacher's own training points, others not, and it is far more confident on its own, a
    `ScoresWarning` gives the figures. A set that did not know learns it when it is asked for again
    with the flag; nobody is asked anew.

    Raises:
        TeacherError: the teacher answers with another number of classes, NaN or infinity, or the
            same input twice with different scores.
        MismatchError: teacher and examples name other classes, or `held_out` is not so.
        OccupiedError: `to` holds something else.
        StorageError: the disk is full or read-only; finished shards are kept.
    """
    able = ordered(as_teacher(teacher, examples.classes), examples.classes, of=examples.name)
    view = as_view(views)
    able.check_asked(examples, view)
    check_width(able.kind, storage.width, f"{able.name} answers with")
    if count < 1:
        raise InputError(f"score takes 1 view or more, not {count}")
    asked = _Asked(able, examples, view, seed, storage.batch)
    known = held_out_from(able, examples, held_out)
    origin = Origin(able.to_json(), able.classes, able.kind, asked.raw, held_out=known)
    job = Job(origin, examples, Path(to), view, count, seed, storage)
    if not job.is_whole:
        check_steady(able, examples, view, seed)
    scores = job.done()
    warn_if_far_apart(scores)
    return scores


@dataclass(frozen=True, eq=False)
class _Asked:
    """A teacher who is asked about examples, so many at a time."""

    teacher: Teacher
    examples: Examples
    view: View
    seed: int
    batch: int

    def raw(self, shard: Shard) -> Array:
        """The teacher's scores of a shard's rows in its view."""
        whose = f"the teacher {self.teacher.name}"
        parts = []
        for start in range(shard.start, shard.stop, self.batch):
            rows = np.arange(start, min(start + self.batch, shard.stop))
            batch = self.view.show(self.examples, rows, np.full(len(rows), shard.view), self.seed)
            parts.append(self.teacher.ask(batch.inputs, batch.keys, whose))
        raw = np.concatenate(parts)
        if shard.view == shard.start == 0:
            warn_if_mistaken(raw, self.teacher.kind, whose)
        return raw
