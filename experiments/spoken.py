"""What the experiments on speech share: a corpus as frames with states, its nets, error rates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from scipy.special import log_softmax

import limbeck
from experiments import harness
from experiments.harness import Entry, Setting
from limbeck import objectives, speech, students, teachers

# The papers' nets, three layers of 2,000 units and nine of them, are scaled down for two cores.
LAYERS = [512, 512, 512]
DNN = students.mlp(LAYERS, dropout=0.2)
CNN = students.frequency_conv(64, LAYERS, dropout=0.2)
PLAN = limbeck.Plan(epochs=12, batch=512, learning_rate=1e-3, precision="bfloat16", held_out=0.05)
# The net that moves the borders of the states.
ALIGNER = replace(PLAN, epochs=4)

HOURS = 1.0  # of the corpus that espeak-ng speaks

Rate = speech.FrameErrorRate | speech.PhoneErrorRate
Said = np.ndarray
"""Log posteriors or logits of all frames of a set, `(seeds, frames, states)`."""


@dataclass(frozen=True, eq=False)
class Part:
    """The utterances of a set, and their frames with states."""

    utterances: tuple[speech.Utterance, ...]
    frames: limbeck.Examples

    def each(self, values: np.ndarray) -> list[np.ndarray]:
        """Values of all frames, utterance by utterance."""
        starts = np.flatnonzero(self.frames.columns["position"] == 0)
        return np.split(values, starts[1:])

    @property
    def labels(self) -> list[np.ndarray]:
        """The states, utterance by utterance."""
        return self.each(self.frames.labels)

    @property
    def transcripts(self) -> list[tuple[str, ...]]:
        """The phones spoken in each utterance."""
        return [speech.transcript(one) for one in self.utterances]


@dataclass(frozen=True, eq=False)
class Sets:
    """A corpus as frames whose states a net has aligned once."""

    corpus: speech.Corpus
    folding: speech.Folding
    train: Part
    development: Part
    test: Part


def without_silence(corpus: speech.Corpus) -> speech.Folding:
    """Silence is not counted, as it is easily heard: rates are of the other phones."""
    return {one: None if one == corpus.silence else one for one in corpus.phones}


def opened(
    setting: Setting, corpus: speech.Corpus, place: Path, folding: speech.Folding | None = None
) -> Sets:
    """Frames of all three sets, with states split evenly and then realigned once."""
    names = speech.state_names(corpus.phones)
    sets = (corpus.train, corpus.development, corpus.test)
    plain = [_frames(part, None, names) for part in sets]
    even = [_split(part, frames, corpus) for part, frames in zip(sets, plain, strict=True)]
    net = limbeck.train(
        setting.pick(students.mlp(LAYERS), smoke=students.mlp([16])),
        even[0].frames,
        objectives.Labels(),
        to=place / "aligner",
        plan=setting.plan(ALIGNER),
        control=False,
    )
    priors = speech.log_priors(even[0].labels, len(names))
    moved = [_realigned(part, net, priors, corpus) for part in even]
    return Sets(corpus, folding or without_silence(corpus), *moved)


def made(setting: Setting) -> Sets:
    """The corpus that espeak-ng speaks, a synthesiser's voices."""
    corpus = _made(setting.smoke)
    return opened(setting, corpus, setting.place / "made")


@cache
def _made(is_smoke: bool) -> speech.Corpus:
    return speech.spoken(0.02, voices=6) if is_smoke else speech.spoken(HOURS)


def _frames(
    utterances: Sequence[speech.Utterance],
    labels: Sequence[np.ndarray] | None,
    names: Sequence[str],
) -> limbeck.Examples:
    return speech.frames(utterances, labels, classes=names)


def _labelled(part: Part, labels: Sequence[np.ndarray]) -> Part:
    return replace(part, frames=replace(part.frames, labels=np.concatenate(labels)))


def _split(
    utterances: tuple[speech.Utterance, ...], frames: limbeck.Examples, corpus: speech.Corpus
) -> Part:
    part = Part(utterances, frames)
    pairs = zip(utterances, part.labels, strict=True)
    return _labelled(part, [speech.states(one, corpus.phones, len(had)) for one, had in pairs])


def _realigned(part: Part, net: limbeck.Run, priors: np.ndarray, corpus: speech.Corpus) -> Part:
    said = log_posteriors(net, part)[0] - priors
    return _labelled(part, speech.realign(part.utterances, part.each(said), corpus.phones))


def log_posteriors(model: limbeck.Run | teachers.Teacher, part: Part) -> Said:
    """What each seed of a net says of every frame."""
    logits = harness.answers(model, part.frames).astype(np.float32)
    made: np.ndarray = log_softmax(logits, axis=-1)
    return made


def phone_error_rate(sets: Sets, development: Said, test: Said) -> speech.PhoneErrorRate:
    """Of the test set, with the decoder's weights chosen on the development set."""
    first = speech.Decoder.learnt(sets.train.labels, sets.train.transcripts, sets.corpus.phones)
    tuned = speech.tune(
        first,
        sets.development.each(development[0]),
        sets.development.transcripts,
        folding=sets.folding,
    )
    heard = [[one.phones for one in tuned.decoder.decode(sets.test.each(seed))] for seed in test]
    return speech.phone_error_rate(*heard, spoken=sets.test.transcripts, folding=sets.folding)


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
