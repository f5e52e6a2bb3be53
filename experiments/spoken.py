"""What the experiments on speech share: a corpus as frames with states, and its nets."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import log_softmax

import limbeck
from experiments import harness
from experiments.harness import Setting
from limbeck import objectives, speech, students, teachers

# The papers' nets, three layers of 2,000 units, are scaled down for two cores.
LAYERS, PAPERS_LAYERS, SMOKE_LAYERS = [512] * 3, [2000] * 3, [16]
PLAN = limbeck.Plan(epochs=12, batch=512, learning_rate=1e-3, precision="bfloat16", held_out=0.05)
PAPERS_BATCHES = 2  # times as large with the papers' nets: on a GPU such a step takes no longer
# The net that moves the borders of the states.
ALIGNER = replace(PLAN, epochs=4)

HOURS = 1.0  # of the corpus that espeak-ng speaks
MORE_HOURS, MORE_SEED, ALL_VOICES = 3.0, 1, 73  # of what it speaks beside it, for mimics
CLIP, FULL_SCALE = 30.0, 32767

Model = teachers.Teacher | Sequence[limbeck.Run]
"""Who is measured: a teacher, or the runs of a net, one for each seed."""
Said = np.ndarray
"""Log posteriors of all frames of a set, `(seeds, frames, states)`."""


@dataclass(frozen=True, eq=False)
class Part:
    """The utterances of a set: what was spoken in each, and their frames with states."""

    transcripts: tuple[tuple[str, ...], ...]
    frames: limbeck.Examples

    def each(self, values: np.ndarray) -> list[np.ndarray]:
        """Values of all frames, utterance by utterance."""
        starts = np.flatnonzero(self.frames.columns["position"] == 0)
        return np.split(values, starts[1:])

    @property
    def labels(self) -> list[np.ndarray]:
        """The states, utterance by utterance."""
        return self.each(self.frames.labels)


@dataclass(frozen=True, eq=False)
class Sets:
    """A corpus as frames whose states a net has aligned once.

    Attributes:
        phones: the inventory.
        folding: what they count as.
        clip: so many recordings of the test set as last `CLIP` seconds, for what is timed.
    """

    phones: tuple[str, ...]
    folding: speech.Folding
    train: Part
    development: Part
    test: Part
    clip: tuple[speech.Utterance, ...]


def without_silence(corpus: speech.Corpus) -> speech.Folding:
    """Silence is not counted, as it is easily heard: rates are of the other phones."""
    return {one: None if one == corpus.silence else one for one in corpus.phones}


def layers(setting: Setting) -> list[int]:
    """The hidden layers of the deep nets at this size."""
    chosen: list[int] = setting.pick(LAYERS, smoke=SMOKE_LAYERS, large=PAPERS_LAYERS)
    return chosen


def planned(setting: Setting, plan: limbeck.Plan) -> limbeck.Plan:
    """The plan at this size of run."""
    return setting.plan(replace(plan, batch=PAPERS_BATCHES * plan.batch) if setting.large else plan)


def made(setting: Setting) -> Sets:
    """The corpus that espeak-ng speaks, a synthesiser's voices."""
    name = "made" if setting.smoke else f"made-{HOURS:g}h"
    return opened(setting, name, lambda: corpus_made(setting.smoke), setting.of("spoken"))


@cache
def corpus_made(is_smoke: bool) -> speech.Corpus:
    """The recordings themselves."""
    return speech.spoken(0.01, voices=6) if is_smoke else speech.spoken(HOURS)


@cache
def more_voices(setting: Setting) -> limbeck.Examples:
    """The made corpus's training frames and speech that nobody labels, for a teacher to score.

    It is of other sentences, in all voices that the development and the test set do not have, with
    accents, pitches and speeds of their own.
    """
    train = made(setting).train.frames
    with np.load(_more(setting)) as kept:
        fields = {field: kept[field] for field in ("banks", "counts", "keys")}
    banks = _banks(fields)
    windows = train.inputs
    return limbeck.Examples.of(
        speech.Windows.of(
            np.concatenate([windows.frames, *banks]),
            [*np.diff(windows.ends, prepend=0).tolist(), *map(len, banks)],
        ),
        keys=np.concatenate([train.keys, np.strings.add("more/", _frame_keys(fields))]),
        classes=train.classes,
        name="frames and unlabelled ones",
    )


def _more(setting: Setting) -> Path:
    file = setting.of("spoken") / ("more.npz" if setting.smoke else f"more-{MORE_HOURS:g}h.npz")
    if not file.exists():
        corpus = corpus_made(setting.smoke)
        hidden = {_voice(one) for one in (*corpus.development, *corpus.test)}
        size = (0.01, 6) if setting.smoke else (MORE_HOURS, ALL_VOICES)
        other = speech.spoken(size[0], seed=MORE_SEED, voices=size[1])
        spoken = [one for name in speech.SETS for one in getattr(other, name)]
        unheard = [one for one in spoken if _voice(one) not in hidden]
        _written(file, _described(unheard, other.phones))
    return file


def _voice(one: speech.Utterance) -> str:
    return one.speaker.split("-", 1)[1]  # after the accent


# --- frames with states, which are kept -------------------------------------------------------

FIELDS = ("banks", "counts", "keys", "speakers", "transcripts", "states")


def opened(
    setting: Setting,
    name: str,
    corpus: Callable[[], speech.Corpus],
    place: Path,
    folding: speech.Folding | None = None,
) -> Sets:
    """Frames of all three sets, with states split evenly and then realigned once.

    They are kept in the place under that name, in 16 bits a number, without the differences, which
    are made anew: whoever has this file needs neither the recordings nor what made them.
    """
    file = place / f"{name}.npz"
    if not file.exists():
        _keep(setting, corpus(), file, folding)
    with np.load(file) as kept:
        phones = tuple(kept["phones"].tolist())
        fields = [{field: kept[f"{part}_{field}"] for field in FIELDS} for part in speech.SETS]
        folded = json.loads(str(kept["folding"]))
        clip = _uncut(kept["clip"], kept["clip_lengths"], int(kept["clip_rate"]))
        return Sets(phones, folded, *(_part(one, phones) for one in fields), clip)


def _keep(
    setting: Setting, corpus: speech.Corpus, file: Path, folding: speech.Folding | None
) -> None:
    fields = [_described(one, corpus.phones) for one in (getattr(corpus, n) for n in speech.SETS)]
    even = [_part(one, corpus.phones) for one in fields]
    net = limbeck.train(
        students.mlp(setting.pick(LAYERS, smoke=SMOKE_LAYERS)),
        even[0].frames,
        objectives.Labels(),
        to=file.with_name(f"{file.stem}-aligner"),
        plan=setting.plan(ALIGNER),
        control=False,
    )
    priors = speech.log_priors(even[0].labels, 3 * len(corpus.phones))
    content: dict[str, Any] = {
        "phones": np.array(corpus.phones),
        "folding": json.dumps(dict(folding or without_silence(corpus))),
    }
    for name, one, part in zip(speech.SETS, fields, even, strict=True):
        said = part.each(log_posteriors([net], part)[0] - priors)
        moved = speech.realign(getattr(corpus, name), said, corpus.phones)
        one["states"] = np.concatenate(moved).astype(np.int16)
        content |= {f"{name}_{field}": one[field] for field in FIELDS}
    _written(file, content | _clip(corpus.test))


def _written(file: Path, content: dict[str, Any]) -> None:
    written = file.with_name(f"{os.getpid()}.npz")  # what has its name is whole
    np.savez_compressed(written, **content)
    written.replace(file)


def _described(
    utterances: Sequence[speech.Utterance], phones: Sequence[str]
) -> dict[str, np.ndarray]:
    """What is kept of a set, with the states of an even split."""
    banks, states = [], []
    for one in utterances:
        numbers = speech.FilterBanks().of(one)
        banks.append(numbers[:, : numbers.shape[1] // 3].astype(np.float16))
        states.append(speech.states(one, phones, len(numbers)))
    return {
        "banks": np.concatenate(banks),
        "counts": np.array([len(one) for one in banks]),
        "keys": np.array([one.key for one in utterances]),
        "speakers": np.array([one.speaker for one in utterances]),
        "transcripts": np.array([" ".join(speech.transcript(one)) for one in utterances]),
        "states": np.concatenate(states).astype(np.int16),
    }


def _clip(utterances: Sequence[speech.Utterance]) -> dict[str, np.ndarray]:
    ends = np.cumsum([one.seconds for one in utterances])
    chosen = utterances[: int((ends < CLIP).sum()) + 1]
    samples = np.concatenate([one.samples for one in chosen])
    return {
        "clip": np.round(samples * FULL_SCALE).astype(np.int16),
        "clip_lengths": np.array([len(one.samples) for one in chosen]),
        "clip_rate": np.array(chosen[0].rate),
    }


def _uncut(samples: np.ndarray, lengths: np.ndarray, rate: int) -> tuple[speech.Utterance, ...]:
    each = np.split(samples.astype(np.float32) / FULL_SCALE, np.cumsum(lengths)[:-1])
    return tuple(
        speech.Utterance(str(number), "", one, rate, (), "") for number, one in enumerate(each)
    )


def _part(kept: Mapping[str, np.ndarray], phones: Sequence[str]) -> Part:
    counts = kept["counts"].tolist()
    spoken = np.repeat(kept["keys"], counts)
    frames = limbeck.Examples.of(
        speech.Windows.of(np.concatenate(_banks(kept)), counts),
        kept["states"].astype(np.int64),
        keys=_frame_keys(kept),
        classes=speech.state_names(phones),
        groups=spoken,
        columns={
            "utterance": spoken,
            "speaker": np.repeat(kept["speakers"], counts),
            "position": _positions(kept),
        },
        name="frames",
    )
    return Part(tuple(tuple(one.split()) for one in kept["transcripts"].tolist()), frames)


def _banks(kept: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Each utterance's numbers, with their differences."""
    each = np.split(kept["banks"].astype(np.float32), np.cumsum(kept["counts"])[:-1])
    return [_with_differences(one) for one in each]


def _positions(kept: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([np.arange(count) for count in kept["counts"]])


def _frame_keys(kept: Mapping[str, np.ndarray]) -> np.ndarray:
    spoken = np.repeat(kept["keys"], kept["counts"])
    return np.strings.add(spoken, np.strings.mod(":%05d", _positions(kept)))


def _with_differences(banks: np.ndarray) -> np.ndarray:
    first = speech.differences(banks)
    return np.concatenate([banks, first, speech.differences(first)], axis=1)


# --- nets, a run for each seed ----------------------------------------------------------------


def taught(
    setting: Setting,
    name: str,
    student: students.Student,
    given: limbeck.Examples | limbeck.ScoreSet | limbeck.TransferSet,
    objective: Any,
    plan: limbeck.Plan,
    seeds: int | Sequence[int],
    place: Path | None = None,
) -> list[limbeck.Run]:
    """A run for each seed, so that several machines or processes can each train some of them."""
    wanted = range(seeds) if isinstance(seeds, int) else seeds
    return [
        limbeck.train(
            student,
            given,
            objective,
            to=(place or setting.place) / name / str(seed),
            plan=planned(setting, plan),
            seeds=[seed],
            control=False,
        )
        for seed in wanted
    ]


def log_posteriors(model: Model, part: Part) -> Said:
    """What each seed of a net says of every frame."""
    each = [model] if isinstance(model, teachers.Teacher) else model
    logits = np.concatenate([harness.answers(one, part.frames) for one in each])
    made: np.ndarray = log_softmax(logits.astype(np.float32), axis=-1)
    return made
