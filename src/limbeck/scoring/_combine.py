"""combine(): the score sets of several teachers -> the score set of their ensemble."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from limbeck.errors import MismatchError
from limbeck.examples import Array, Examples
from limbeck.scores import Ensemble, Mean, Member, ScoreSet, Shard
from limbeck.scoring._held_out import HeldOut
from limbeck.scoring._writer import Job, Origin, Storage


def combine(
    score_sets: Sequence[ScoreSet],
    *,
    to: str | Path,
    mean: Mean | str = "geometric",
    storage: Storage = Storage(),
) -> ScoreSet:
    """What the ensemble of those teachers says, from what each of them said; nobody is asked again.

    The sets are about the same examples, in any order, in the same views, and name the same
    classes, in any order; the result has the first one's order of both. It is what `score` keeps
    of `teachers.ensemble`, up to the rounding of the sets, and is written as durably: an
    interrupted call goes on when it is made again.

    Raises:
        InputError: no sets, or no such mean.
        MismatchError: sets of other examples, views or classes, or of scores that are not of one
            softmax.
        CorruptError: a set was truncated or altered.
        OccupiedError: `to` holds something else.
        StorageError: the disk is full or read-only; finished shards are kept.
    """
    ensemble = Ensemble.of([_member(scores) for scores in score_sets], mean)
    first = score_sets[0]
    sets = _Sets(ensemble, tuple(score_sets), tuple(_positions_in(s, first) for s in score_sets))
    about = {"name": ensemble.name, "fingerprint": ensemble.fingerprint, **ensemble.to_json()}
    origin = Origin(
        about,
        ensemble.classes,
        ensemble.kind,
        sets.raw,
        verb="combining scores of",
        request={"scores": [scores.fingerprint for scores in score_sets]},
        seconds=sum(scores.record.seconds for scores in score_sets),
        held_out=_held_out({scores.held_out for scores in score_sets}),
    )
    place = Path(to)
    return Job(origin, first.examples, place, first.view, first.count, first.seed, storage).done()


@dataclass(frozen=True, eq=False)
class _Sets:
    """Score sets, and where the examples of the first are in each of them."""

    ensemble: Ensemble
    score_sets: tuple[ScoreSet, ...]
    positions: tuple[Array, ...]

    def raw(self, shard: Shard) -> Array:
        """The mean of what the sets hold of a shard's rows in its view."""
        numbers = np.full(shard.stop - shard.start, shard.view)
        return self.ensemble.combined(
            [
                scores.read(at[shard.start : shard.stop], numbers)
                for scores, at in zip(self.score_sets, self.positions, strict=True)
            ]
        )


def _member(scores: ScoreSet) -> Member:
    teacher = scores.record.teacher
    about = {
        **teacher,
        "scores": scores.fingerprint,
        "rounding_nats": scores.record.rounding_nats,
    }
    place, fingerprint = str(scores.directory), teacher["fingerprint"]
    return Member(place, fingerprint, scores.classes, scores.kind, about)


def _held_out(answers: set[str]) -> HeldOut:
    """What is held out from an ensemble: only what is from every member.

    Where it is in part, which examples those are is not known here.
    """
    if answers == {"yes"}:
        return HeldOut("yes", "members")
    if "no" in answers:
        return HeldOut("no", "members")
    return HeldOut() if "unknown" in answers else HeldOut("partly", "members")


def _positions_in(scores: ScoreSet, first: ScoreSet) -> Array:
    """Where the first set's examples are in a set that is shown the same way."""
    scores.check_view(first.view, first.seed, first.count)
    at = scores.rows(first.examples)
    _check_number(scores, first.examples)
    return at


def _check_number(scores: ScoreSet, examples: Examples) -> None:
    if len(scores) != len(examples):
        raise MismatchError(
            f"{scores.directory} holds scores of {len(scores)} examples and {len(examples)} are to "
            "be combined: the sets of an ensemble are about the same examples"
        )
