"""Section 4's acoustic model: ten nets, their ensemble, and one net that the ensemble taught."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import limbeck
from experiments import harness, spoken
from experiments.harness import Entry, Experiment, Outcome, Setting
from limbeck import objectives, students, teachers

MEMBERS, SEEDS = 10, 3
NET = students.mlp(spoken.LAYERS)
LABELS = replace(spoken.PLAN, epochs=6, patience=2)
SOFT = replace(spoken.PLAN, epochs=12)
TEMPERATURES = (1, 2, 5, 10)
HARD = 0.5  # the weight of the labels, relative to that of the soft targets
SHARE = 0.8  # of the gain that has to transfer
DRAWS = 1000


def work(setting: Setting) -> Outcome:
    """Members, ensemble, and students at four temperatures; the development set chooses one."""
    sets = spoken.made(setting)
    members = _members(setting, sets)
    teacher = teachers.ensemble([members], mean="geometric")
    scores = limbeck.score(teacher, sets.train.frames, to=setting.place / "scores")
    tried = {t: _taught(setting, scores, t) for t in setting.pick(TEMPERATURES, smoke=(2,))}
    judged = {
        t: spoken.frame_error_rate(
            sets.development, spoken.log_posteriors(run, sets.development)
        ).percent
        for t, run in tried.items()
    }
    chosen = min(judged, key=lambda t: judged[t])
    models = {"single": members, "ensemble": teacher, "distilled": tried[chosen]}
    said = {name: _both(model, sets) for name, model in models.items()}
    frames = {name: spoken.frame_error_rate(sets.test, test) for name, (_, test) in said.items()}
    ours = {name: spoken.accuracy(rate) for name, rate in frames.items()}
    for name, parts in said.items():
        ours[f"{name}_phones"] = spoken.entry(spoken.phone_error_rate(sets, *parts))
    ours["share_of_gain"] = share_of_gain(*(frames[name] for name in models))
    return Outcome(
        ours,
        holds=_holds(ours),
        seeds=setting.pick(SEEDS, smoke=2),
        headline=["single", "ensemble", "distilled", "share_of_gain"],
        more={"temperature": chosen, "development_frame_errors": judged},
    )


def _members(setting: Setting, sets: spoken.Sets) -> limbeck.Run:
    return limbeck.train(
        setting.pick(NET, smoke=students.mlp([16])),
        sets.train.frames,
        objectives.Labels(),
        to=setting.place / "members",
        plan=setting.plan(LABELS),
        seeds=setting.pick(MEMBERS, smoke=3),
        control=False,
    )


def _taught(setting: Setting, scores: limbeck.ScoreSet, temperature: float) -> limbeck.Run:
    return limbeck.train(
        setting.pick(NET, smoke=students.mlp([16])),
        scores,
        objectives.SoftTargets(temperature=temperature, hard_weight=HARD),
        to=setting.place / f"distilled-{temperature}",
        plan=setting.plan(SOFT),
        seeds=setting.pick(SEEDS, smoke=2),
        control=False,
    )


def _both(
    model: limbeck.Run | teachers.Teacher, sets: spoken.Sets
) -> tuple[spoken.Said, spoken.Said]:
    development, test = (
        spoken.log_posteriors(model, part) for part in (sets.development, sets.test)
    )
    return development, test


def share_of_gain(single: Any, ensemble: Any, distilled: Any) -> Entry:
    """(single - distilled) / (single - ensemble) in frame errors, a value a seed.

    The interval is a bootstrap over utterances, the same for all nets, and over the taught seeds.
    """
    drawn = np.random.default_rng(0)
    utterances, seeds = len(single.counts), len(distilled.errors)
    whole = _shares(single, ensemble, distilled, np.arange(utterances))
    means = [
        _shares(single, ensemble, distilled, drawn.integers(utterances, size=utterances))[
            drawn.integers(seeds, size=seeds)
        ].mean()
        for _ in range(DRAWS)
    ]
    low, high = np.quantile(means, [0.025, 0.975])
    return {
        "mean": float(whole.mean()),
        "low": float(low),
        "high": float(high),
        "n": seeds,
        "values": whole.tolist(),
    }


def _shares(single: Any, ensemble: Any, distilled: Any, rows: np.ndarray) -> np.ndarray:
    wrong = [rate.errors[:, rows].sum(axis=1) for rate in (single, ensemble, distilled)]
    gain = wrong[0].mean() - wrong[1].mean()
    return np.asarray((wrong[0].mean() - wrong[2]) / max(gain, 1.0))  # a frame at least


def _holds(ours: Mapping[str, Entry]) -> Any:
    if ours["share_of_gain"]["low"] >= SHARE:
        return True
    return False if ours["share_of_gain"]["high"] < SHARE else "undecided"


WORDS = {"single": "ten nets", "ensemble": "their ensemble", "distilled": "distilled"}


def draw(result: Mapping[str, Any]) -> Figure:
    """Frame accuracies, and the paper's."""
    return harness.bars(result, WORDS, "Speech that espeak-ng made", "frame accuracy, %")


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="A net taught by an ensemble of ten hears the states of phones nearly as well: at least "
    "80 % of the ensemble's gain in frame accuracy transfers.",
    paper={
        "single": 58.9,
        "ensemble": 61.1,
        "distilled": 60.8,
        "share_of_gain": 0.86,
        "where": "section 4, table 1: frame accuracy in %, on 2,000 hours of speech",
    },
    cost="1 hour on two cores",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
