"""Table 1 of Ba & Caruana on speech anyone can have: phone error rates of shallow and deep nets."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

import limbeck
from experiments import harness, spoken
from experiments.harness import Entry, Experiment, Outcome, Setting
from limbeck import objectives, speech, students, teachers

SEEDS = 3
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "yweweler")  # of the digits
SYSTEMS = ("shallow", "dnn", "cnn", "ensemble", "mimic_small", "mimic_large")


@dataclass(frozen=True)
class Sizes:
    """The nets of a table: those of the paper, or their twins for two cores.

    Attributes:
        members: convolutional nets in the ensemble.
        shallow: the shallow net on labels; about as many parameters as the DNN.
        small: its mimic.
        large: a wider mimic.
    """

    dnn: students.Student
    cnn: students.Student
    members: int
    shallow: students.Student
    small: students.Student
    large: students.Student


def sizes(layers: Sequence[int], channels: int, members: int, *hidden: int, narrow: int) -> Sizes:
    """Those on labels have dropout, mimics none."""
    small, large = (students.shallow(units, bottleneck=narrow) for units in hidden)
    return Sizes(
        students.mlp(layers, dropout=0.2),
        students.frequency_conv(channels, layers, dropout=0.2),
        members,
        replace(small, dropout=0.2),
        small,
        large,
    )


TWINS = sizes(spoken.LAYERS, 64, 5, 5_000, 20_000, narrow=128)
PAPERS = sizes([2000] * 3, 128, 9, 8_000, 400_000, narrow=250)
SMOKE = sizes([12, 12], 4, 2, 20, 30, narrow=8)
OBJECTIVE = objectives.MatchLogits("centred")
CLOCKED = 30  # seconds of the test set that are timed


@dataclass(frozen=True, eq=False)
class Nets:
    """The nets of one corpus, trained or found."""

    setting: Setting
    sets: spoken.Sets
    place: Path
    seeds: int

    @property
    def sizes(self) -> Sizes:
        """The nets of this size of run."""
        chosen: Sizes = self.setting.pick(TWINS, smoke=SMOKE, large=PAPERS)
        return chosen

    def on_labels(self, name: str, student: students.Student, seeds: int) -> limbeck.Run:
        """A net on the states of the training frames."""
        return self._trained(name, student, self.sets.train.frames, objectives.Labels(), seeds)

    def mimic(self, name: str, student: students.Student) -> limbeck.Run:
        """A net on what the ensemble says of the training frames."""
        scores = limbeck.score(
            self.ensemble(), self.sets.train.frames.without_labels(), to=self.place / "scores"
        )
        return self._trained(name, student, scores, OBJECTIVE, self.seeds)

    def cnn(self) -> limbeck.Run:
        """Convolutional nets, as many as the ensemble has."""
        return self.on_labels("cnn", self.sizes.cnn, self.sizes.members)

    def ensemble(self) -> teachers.Teacher:
        """The mean of their centred logits."""
        run = self.cnn()
        return teachers.ensemble([teachers.run(run, seed) for seed in run.seeds], mean="geometric")

    def _trained(
        self, name: str, student: students.Student, given: Any, objective: Any, seeds: int
    ) -> limbeck.Run:
        return limbeck.train(
            student,
            given,
            objective,
            to=self.place / name,
            plan=self.setting.plan(spoken.PLAN),
            seeds=seeds,
            control=False,
        )

    def systems(self) -> dict[str, limbeck.Run | teachers.Teacher]:
        """All of them, by name."""
        return {
            "shallow": self.on_labels("shallow", self.sizes.shallow, self.seeds),
            "dnn": self.on_labels("dnn", self.sizes.dnn, self.seeds),
            "cnn": self.cnn(),
            "ensemble": self.ensemble(),
            "mimic_small": self.mimic("mimic_small", self.sizes.small),
            "mimic_large": self.mimic("mimic_large", self.sizes.large),
        }


def made(setting: Setting) -> list[Nets]:
    """The corpus that espeak-ng speaks."""
    seeds = setting.pick(SEEDS, smoke=2)
    return [Nets(setting, spoken.made(setting), setting.place / "made", seeds)]


def real(setting: Setting) -> list[Nets]:
    """The spoken digits, each speaker the test in turn; a net for each, instead of seeds."""
    path = Path(os.environ.get("LIMBECK_DATA", "data")) / "spoken-digits" / "recordings.parquet"
    folds = []
    for speaker in SPEAKERS[: setting.pick(len(SPEAKERS), smoke=1)]:
        corpus = speech.digits(path, held_out=speaker)
        place = setting.place / f"real-{speaker}"
        folds.append(Nets(setting, spoken.opened(setting, corpus, place), place, 1))
    return folds


def timit(setting: Setting) -> list[Nets]:
    """The licensed corpus, which its holder brings; 39 phones are counted."""
    corpus = speech.timit(os.environ.get("LIMBECK_TIMIT", "TIMIT"))
    place = setting.place / "timit"
    sets = spoken.opened(setting, corpus, place, speech.TIMIT_TO_39)
    return [Nets(setting, sets, place, SEEDS)]


def corpora(setting: Setting) -> dict[str, list[Nets]]:
    """Speech that anyone can have; the paper's, with the paper's nets, in a large run."""
    if setting.large:
        return {"timit": timit(setting)}
    return {"made": made(setting), "real": real(setting)}


def work(setting: Setting) -> Outcome:
    """Every system on both corpora."""
    ours: dict[str, Entry] = {}
    more: dict[str, Any] = {}
    for name, folds in corpora(setting).items():
        phones, frames = _rates(folds)
        ours |= {f"{name}_{system}": spoken.entry(rate) for system, rate in phones.items()}
        ours |= {f"{name}_{system}_frames": spoken.entry(rate) for system, rate in frames.items()}
        ours[f"{name}_gain"] = spoken.less(phones["shallow"], phones["mimic_small"])
        ours[f"{name}_way_to_dnn"] = _way(phones)
        more[name] = _facts(folds)
    return Outcome(
        ours,
        holds=_holds([ours[f"{name}_gain"] for name in more]),
        seeds=setting.pick(SEEDS, smoke=2),
        headline=[f"{name}_{system}" for name in more for system in SYSTEMS],
        more=more,
    )


def _rates(
    folds: Sequence[Nets],
) -> tuple[dict[str, speech.PhoneErrorRate], dict[str, speech.FrameErrorRate]]:
    """Phone and frame error rates of every system, over the utterances of all folds."""
    phones: dict[str, list[speech.PhoneErrorRate]] = {name: [] for name in SYSTEMS}
    frames: dict[str, list[speech.FrameErrorRate]] = {name: [] for name in SYSTEMS}
    for nets in folds:
        for name, model in nets.systems().items():
            heard = [
                spoken.log_posteriors(model, part)
                for part in (nets.sets.development, nets.sets.test)
            ]
            phones[name].append(spoken.phone_error_rate(nets.sets, *heard))
            frames[name].append(spoken.frame_error_rate(nets.sets.test, heard[1]))
    return (
        {name: _phones_joined(rates) for name, rates in phones.items()},
        {name: _frames_joined(rates) for name, rates in frames.items()},
    )


def _phones_joined(rates: Sequence[speech.PhoneErrorRate]) -> speech.PhoneErrorRate:
    kinds = [
        np.concatenate([getattr(rate, kind) for rate in rates], axis=1)
        for kind in ("substitutions", "deletions", "insertions")
    ]
    return speech.PhoneErrorRate(*kinds, np.concatenate([rate.counts for rate in rates]))


def _frames_joined(rates: Sequence[speech.FrameErrorRate]) -> speech.FrameErrorRate:
    errors = np.concatenate([rate.errors for rate in rates], axis=1)
    return speech.FrameErrorRate(errors, np.concatenate([rate.counts for rate in rates]))


def _way(phones: Mapping[str, speech.PhoneErrorRate]) -> Entry:
    """How much of the way from the shallow net to the DNN its mimic goes, a value a seed."""
    shallow, dnn = (phones[name].percent for name in ("shallow", "dnn"))
    gap = max(shallow - dnn, 0.1)  # what is gone along has to be there
    return harness.entry([(shallow - one) / gap for one in phones["mimic_small"].each])


def _facts(folds: Sequence[Nets]) -> dict[str, Any]:
    """Sizes of sets and nets, and how long a second of speech takes."""
    first = folds[0]
    systems = first.systems()
    sized = {
        name: students.parameters(model.model())
        for name, model in systems.items()
        if isinstance(model, limbeck.Run)
    }
    parts = {
        "train": first.sets.train,
        "development": first.sets.development,
        "test": first.sets.test,
    }
    return {
        "phones": len(first.sets.corpus.phones),
        "states": len(first.sets.train.frames.classes),
        "frames": {name: len(part.frames) for name, part in parts.items()},
        "utterances": {name: len(part.utterances) for name, part in parts.items()},
        "parameters": {**sized, "ensemble": sized["cnn"] * first.sizes.members},
        "real_time_factor": {
            name: _real_time_factor(first, systems[name]) for name in ("ensemble", "mimic_small")
        },
    }


def _real_time_factor(nets: Nets, model: limbeck.Run | teachers.Teacher) -> dict[str, float]:
    """Seconds of one core for a second of speech: features, net and decoding."""
    chosen, length = [], 0.0
    for one in nets.sets.test.utterances:
        if length < CLOCKED:
            chosen.append(one)
            length += one.seconds
    teacher = model if isinstance(model, teachers.Teacher) else teachers.run(model)
    train = nets.sets.train
    decoder = speech.Decoder.learnt(train.labels, train.transcripts, nets.sets.corpus.phones)
    with threadpool_limits(1):
        marks = [time.process_time()]
        frames = speech.frames(chosen)
        marks.append(time.process_time())
        part = spoken.Part(tuple(chosen), frames)
        said = spoken.log_posteriors(teacher, part)[0]
        marks.append(time.process_time())
        decoder.decode(part.each(said))
        marks.append(time.process_time())
    seconds = np.diff(marks) / length
    return dict(zip(("features", "net", "decoding"), seconds.tolist(), strict=True))


def _holds(gains: Sequence[Entry]) -> Any:
    """Whether the mimic errs less than the same net on labels, on both corpora."""
    if all(gain["low"] > 0 for gain in gains):
        return True
    return False if any(gain["high"] <= 0 for gain in gains) else "undecided"


WORDS = {
    "shallow": "shallow,\nlabels",
    "mimic_small": "shallow,\nmimic",
    "mimic_large": "wider,\nmimic",
    "dnn": "DNN",
    "cnn": "CNN",
    "ensemble": "ensemble",
}


def draw(result: Mapping[str, Any]) -> Figure:
    """Phone error rates of all systems on both corpora."""
    titles = {"made": "made by espeak-ng", "real": "spoken digits", "timit": "TIMIT, core test"}
    names = [name for name in titles if f"{name}_shallow" in result["ours"]]
    figure = Figure(figsize=(4.0 * len(names), 3.4), layout="constrained")
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        found = [result["ours"][f"{name}_{system}"] for system in WORDS]
        colors = [
            {
                "shallow": harness.CONTROL,
                "mimic_small": harness.OURS,
                "mimic_large": harness.OURS,
            }.get(system, harness.TEACHER)
            for system in WORDS
        ]
        means = [one["mean"] for one in found]
        ends = [
            [one["mean"] - one["low"] for one in found],
            [one["high"] - one["mean"] for one in found],
        ]
        axes.bar(range(len(means)), means, color=colors, yerr=ends, capsize=3)
        axes.set_xticks(range(len(means)), WORDS.values(), fontsize=7)
        axes.set(title=titles[name], ylabel="phone error rate, %")
    return figure


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="A net of one hidden layer that mimics an ensemble of convolutional nets makes fewer "
    "phone errors than the same net on labels, on a synthesiser's speech and on real digits.",
    paper={
        "shallow": 23.1,
        "dnn": 21.9,
        "cnn": 19.5,
        "ensemble": 18.5,
        "mimic_small": 21.6,
        "mimic_large": 20.0,
        "where": "table 1: phone error rate in % on TIMIT's core test, with 8k units (large: 400k)",
    },
    cost="2 hours on two cores",
    work=work,
    draw=draw,
    large_cost="TIMIT itself, in the folder LIMBECK_TIMIT, with the paper's nets: a GPU",
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
