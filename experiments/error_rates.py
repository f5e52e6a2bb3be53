"""How often the nets of the experiments on speech are wrong, in phones and in frames."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from experiments.harness import Entry
from experiments.spoken import Model, Part, Said, Sets, log_posteriors
from limbeck import speech, teachers

DRAWS = 1000  # of a bootstrap

Rate = speech.FrameErrorRate | speech.PhoneErrorRate
R = TypeVar("R", speech.FrameErrorRate, speech.PhoneErrorRate)


@dataclass(frozen=True, eq=False)
class Rates:
    """What a system got wrong in the test set, and with which weights it was decoded."""

    phones: speech.PhoneErrorRate
    frames: speech.FrameErrorRate
    weights: dict[str, float]
    edges: tuple[str, ...]


KINDS = ("substitutions", "deletions", "insertions", "counts")


GRID = speech.Grid()


def rates(model: Model, sets: Sets, file: Path, grid: speech.Grid = GRID) -> Rates:
    """The rates of a system, which are kept: to choose the decoder's weights takes a while."""
    of = [*_fingerprints(model), str(grid)]
    kept = json.loads(file.read_text()) if file.exists() else {}
    if kept.get("of") != of:
        kept = {"of": of, **_measured(model, sets, grid)}
        file.parent.mkdir(parents=True, exist_ok=True)
        written = file.with_suffix(f".{os.getpid()}")
        written.write_text(json.dumps(kept))
        written.replace(file)
    return Rates(
        speech.PhoneErrorRate(*(np.array(kept["phones"][kind]) for kind in KINDS)),
        speech.FrameErrorRate(np.array(kept["frames"]), np.array(kept["frame_counts"])),
        kept["weights"],
        tuple(kept["edges"]),
    )


def _fingerprints(model: Model) -> list[str]:
    each = [model] if isinstance(model, teachers.Teacher) else model
    return [one.fingerprint for one in each]


def _measured(model: Model, sets: Sets, grid: speech.Grid) -> dict[str, Any]:
    heard = log_posteriors(model, sets.test)
    frames = frame_error_rate(sets.test, heard)
    phones, tuned = phone_error_rate(sets, log_posteriors(model, sets.development), heard, grid)
    return {
        "phones": {kind: getattr(phones, kind).tolist() for kind in KINDS},
        "frames": frames.errors.tolist(),
        "frame_counts": frames.counts.tolist(),
        "weights": vars(tuned.decoder.weights),
        "edges": list(tuned.edges),
    }


def decoder(sets: Sets) -> speech.Decoder:
    """Priors and bigram of the training set."""
    return speech.Decoder.fit(sets.train.labels, sets.train.transcripts, sets.phones)


def phone_error_rate(
    sets: Sets, development: Said, test: Said, grid: speech.Grid
) -> tuple[speech.PhoneErrorRate, speech.Tuned]:
    """Of the test set, with weights that are best for the first seed on the development set."""
    tuned = speech.tune(
        decoder(sets),
        sets.development.each(development[0]),
        sets.development.transcripts,
        folding=sets.folding,
        grid=grid,
    )
    heard = [[one.phones for one in tuned.decoder.decode(sets.test.each(seed))] for seed in test]
    found = speech.phone_error_rate(*heard, spoken=sets.test.transcripts, folding=sets.folding)
    return found, tuned


def frame_error_rate(part: Part, said: Said) -> speech.FrameErrorRate:
    """Frames whose best state is not the aligned one."""
    return speech.frame_error_rate(*map(part.each, said), labels=part.labels)


def entry(rate: Rate) -> Entry:
    """A rate in percent with its interval over utterances and seeds."""
    return {**rate.estimate().to_json(), "n": len(rate.each), "values": rate.each.tolist()}


def less(one: Rate, other: Rate) -> Entry:
    """The first rate less the second, in points, paired by utterance and seed."""
    each = np.broadcast_arrays(one.each, other.each)
    values = (each[0] - each[1]).tolist()
    return {**one.minus(other).to_json(), "n": len(values), "values": values}


def accuracy(rate: speech.FrameErrorRate) -> Entry:
    """The frames that are right, in percent, with the interval of those that are wrong."""
    found = entry(rate)
    ends = {"mean": 100 - found["mean"], "low": 100 - found["high"], "high": 100 - found["low"]}
    return {**ends, "n": found["n"], "values": [100 - value for value in found["values"]]}


def more_accurate(one: speech.FrameErrorRate, other: speech.FrameErrorRate) -> Entry:
    """By how many points the first is more often right, paired by utterance and seed."""
    return less(other, one)


def share_of_way(start: R, end: R, one: R) -> Entry:
    """How far from the start's error rate to the end's a system gets, a value for each seed of it.

    The interval is a bootstrap over utterances, the same for all three, and over the system's
    seeds. A way of less than a single error counts as one error long.
    """
    drawn = np.random.default_rng(0)
    utterances, seeds = len(one.counts), len(one.errors)
    whole = _shares(start, end, one, np.arange(utterances))
    means = [
        _shares(start, end, one, drawn.integers(utterances, size=utterances))[
            drawn.integers(seeds, size=seeds)
        ].mean()
        for _ in range(DRAWS)
    ]
    mean, (low, high) = float(whole.mean()), np.quantile(means, [0.025, 0.975]).tolist()
    # Of a ratio whose divisor is hardly known the quantiles need not lie around the mean.
    ends = {"low": min(low, mean), "high": max(high, mean)}
    return {"mean": mean, **ends, "n": seeds, "values": whole.tolist()}


def _shares(start: R, end: R, one: R, rows: np.ndarray) -> np.ndarray:
    wrong = [rate.errors[:, rows].sum(axis=1) for rate in (start, end, one)]
    way = max(wrong[0].mean() - wrong[1].mean(), 1.0)
    return np.asarray((wrong[0].mean() - wrong[2]) / way)
