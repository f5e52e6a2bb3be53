"""score(): teacher + examples -> score set."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import nn

from limbeck.errors import InputError
from limbeck.examples import Array, Examples, Plain, Show, Shows, View, as_view
from limbeck.scores import ScoreSet, Shard, check_width
from limbeck.scoring._confidence import warn_if_far_apart
from limbeck.scoring._held_out import held_out_from
from limbeck.scoring._sample import Sample
from limbeck.scoring._sanity import check_sense
from limbeck.scoring._writer import Job, Origin, Storage
from limbeck.students import Run
from limbeck.teachers import Answer, Teacher, as_teacher, fitted_to


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
    labelled: Examples | None = None,
    accept_teacher: bool = False,
) -> ScoreSet:
    """What the teacher says of every example in `count` views, kept in the directory `to`.

    The teacher answers in eval mode and without gradients; its classes, and the columns of a table
    that it learned from, are found by name, in whatever order it has them. An interrupted call goes
    on where it was when it is made again, and one that is whole already returns at once. Labels
    play no part in the scores.

    Before the work starts the teacher is asked about up to 256 examples, and about a few of them
    twice. It has to answer the same twice, and different inputs differently; where there are labels
    it may not be right significantly less often than by chance. `accept_teacher` goes on all the
    same, with a `ScoresWarning`. Another order of the classes that fits the labels better, or a
    linear model of these labels that is far better, is warned of. What was seen is the set's
    `sanity`; the answers are rows of the set, and nobody is asked for them again. Where the
    examples have no labels, the teacher is asked about up to 256 `labelled` ones for this step.

    `held_out` says whether the examples were held out from the teacher, which the set records. A
    run of ours, and an ensemble of them, know it themselves. Where some of the examples are the
    teacher's own training points, others not, and it is far more confident on its own, a
    `ScoresWarning` gives the figures. A set that did not know learns it when it is asked for again
    with the flag; nobody is asked anew.

    Raises:
        TeacherError: the teacher answers with another number of classes, NaN or infinity, the same
            input twice with different scores, all inputs with the same scores, or is right less
            often than by chance.
        MismatchError: teacher and examples name other classes or columns, or `held_out` is not so.
        OccupiedError: `to` holds something else.
        StorageError: the disk is full or read-only; finished shards are kept.
    """
    able = fitted_to(as_teacher(teacher, examples.classes), examples)
    view = as_view(views)
    able.check_asked(examples, view)
    check_width(able.kind, storage.width, f"{able.name} answers with")
    if count < 1:
        raise InputError(f"score takes 1 view or more, not {count}")
    source = _Asked(able, examples, view, seed, storage.batch)
    own_held_out = held_out_from(able, examples, held_out)
    origin = Origin(able.to_json(), able.classes, able.kind, source.raw, held_out=own_held_out)
    job = Job(origin, examples, Path(to), view, count, seed, storage)
    if not job.is_whole:
        sample = Sample.read(job.to) or Sample.of(able, examples, view, seed, storage.batch)
        sanity = check_sense(able, examples, view, sample, accept=accept_teacher)
        if labelled is not None and not examples.is_labelled.any() and not able.answers_keys:
            beside = Sample.of(able, labelled, Plain(), seed, storage.batch)
            sanity = check_sense(able, labelled, Plain(), beside, accept=accept_teacher)
        source = replace(source, sample=sample)
        origin = replace(origin, raw=source.raw, sample=sample, sanity=sanity.to_json())
        job = replace(job, origin=origin)
    scores = job.done()
    warn_if_far_apart(scores)
    return scores


@dataclass(frozen=True, eq=False)
class _Asked:
    """A teacher who is asked about examples, so many at a time, but for those of the sample."""

    teacher: Teacher
    examples: Examples
    view: View
    seed: int
    batch: int
    sample: Sample | None = None

    def raw(self, shard: Shard) -> Array:
        """The teacher's scores of a shard's rows in its view."""
        rows = np.arange(shard.start, shard.stop)
        raw = np.empty((len(rows), len(self.teacher.classes)), np.float32)
        is_known = np.zeros(len(rows), dtype=bool)
        if self.sample is not None and shard.view == 0:
            is_known, answers = self.sample.known(rows)
            raw[is_known] = answers
        left = np.flatnonzero(~is_known)
        for start in range(0, len(left), self.batch):
            part = left[start : start + self.batch]
            raw[part] = self._answers(rows[part], shard.view)
        return raw

    def _answers(self, rows: Array, view: int) -> Array:
        shown = self.view.show(self.examples, rows, np.full(len(rows), view), self.seed)
        return self.teacher.ask(shown.inputs, shown.keys, f"the teacher {self.teacher.name}")
