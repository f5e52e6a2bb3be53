"""Section 6 on speech: 3 % of the data with soft targets, and with labels."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import limbeck
from experiments import harness, spoken
from experiments.harness import Entry, Experiment, Outcome, Setting
from limbeck import objectives, students

SHARE, SEEDS = 0.03, 5
NET = students.mlp(spoken.LAYERS)
ALL = replace(spoken.PLAN, epochs=8, patience=2)
# On 3 %: labels stop early on a held-out tenth, soft targets go on to the end, as in the paper.
HARD = limbeck.Plan(
    epochs=60, batch=128, learning_rate=1e-3, schedule="constant", held_out=0.1, patience=5
)
SOFT = replace(HARD, held_out=0.0, patience=0)
TEMPERATURES = (1, 2, 5)  # the development set chooses
CURVE = (1, 2, 4, 8, 16, 32)  # epochs; each is the beginning of a longer training
CLOSED = 0.5  # of the gap between 3 % and all data that soft targets have to close


def work(setting: Setting) -> Outcome:
    """All data, 3 % with labels, 3 % with soft targets; and both of these over epochs."""
    sets = spoken.made(setting)
    few = few_frames(sets, setting.pick(SHARE, smoke=0.5))
    everything = _trained(setting, "all_data", sets.train.frames, objectives.Labels(), ALL)
    scores = limbeck.score(everything, few, to=setting.place / "scores")
    tried = {
        t: _trained(setting, f"soft-{t}", scores, objectives.SoftTargets(temperature=t), SOFT)
        for t in setting.pick(TEMPERATURES, smoke=(2,))
    }
    judged = {t: _rate(run, sets.development).percent for t, run in tried.items()}
    chosen = min(judged, key=lambda t: judged[t])
    runs = {
        "hard": _trained(setting, "hard", few, objectives.Labels(), HARD),
        "soft": tried[chosen],
        "all_data": everything,
    }
    rates = {name: _rate(run, sets.test) for name, run in runs.items()}
    ours = {name: spoken.accuracy(rate) for name, rate in rates.items()}
    ours["soft_less_hard"] = spoken.more_accurate(rates["soft"], rates["hard"])
    ours["gap_closed"] = _closed(ours)
    curves = _curves(setting, few, scores, chosen, sets)
    return Outcome(
        ours,
        holds=_holds(ours),
        seeds=setting.pick(SEEDS, smoke=2),
        headline=["hard", "soft", "all_data", "gap_closed"],
        more={"temperature": chosen, "frames": len(few), "curves": curves},
    )


def few_frames(sets: spoken.Sets, share: float) -> limbeck.Examples:
    """The frames of that share of the training utterances, drawn once and for all."""
    utterances = len(sets.train.utterances)
    chosen = np.random.default_rng(0).permutation(utterances)[: max(2, round(share * utterances))]
    keys = [sets.train.utterances[at].key for at in chosen]
    return sets.train.frames.take(
        np.flatnonzero(np.isin(sets.train.frames.columns["utterance"], keys))
    )


def _trained(
    setting: Setting, name: str, given: Any, objective: Any, plan: limbeck.Plan
) -> limbeck.Run:
    return limbeck.train(
        setting.pick(NET, smoke=students.mlp([16])),
        given,
        objective,
        to=setting.place / name,
        plan=setting.plan(plan),
        seeds=setting.pick(SEEDS, smoke=2),
        control=False,
    )


def _rate(run: limbeck.Run, part: spoken.Part) -> Any:
    return spoken.frame_error_rate(part, spoken.log_posteriors(run, part))


def _closed(ours: Mapping[str, Entry]) -> Entry:
    """The share of the gap between labels on few and on all data, a seed each."""
    hard, soft, everything = (
        np.array(ours[name]["values"]) for name in ("hard", "soft", "all_data")
    )
    return harness.entry((soft - hard) / np.maximum(everything - hard, 0.1))


def _curves(
    setting: Setting,
    few: limbeck.Examples,
    scores: limbeck.ScoreSet,
    temperature: float,
    sets: spoken.Sets,
) -> dict[str, list[dict[str, Any]]]:
    """Frame accuracy after so many epochs, by labels to the end and by soft targets."""
    soft = objectives.SoftTargets(temperature=temperature)
    kinds = {"hard": (few, objectives.Labels()), "soft": (scores, soft)}
    return {
        name: [
            {"epochs": epochs, **_point(setting, f"curve-{name}-{epochs}", *kind, epochs, sets)}
            for epochs in setting.pick(CURVE, smoke=(1, 2))
        ]
        for name, kind in kinds.items()
    }


def _point(
    setting: Setting, name: str, given: Any, objective: Any, epochs: int, sets: spoken.Sets
) -> Entry:
    plan = replace(SOFT, epochs=epochs, warmup=0.0)
    return spoken.accuracy(_rate(_trained(setting, name, given, objective, plan), sets.test))


def _holds(ours: Mapping[str, Entry]) -> Any:
    """Whether soft targets beat labels, and close half of the gap."""
    if ours["soft_less_hard"]["low"] > 0 and ours["gap_closed"]["low"] > CLOSED:
        return True
    is_missed = ours["soft_less_hard"]["high"] < 0 or ours["gap_closed"]["high"] < CLOSED
    return False if is_missed else "undecided"


def draw(result: Mapping[str, Any]) -> Figure:
    """Frame accuracy over epochs on 3 % of the data, beside all of it."""
    figure = harness.chart("3 % of the speech", "epochs", "frame accuracy, %")
    axes = figure.axes[0]
    harness.level(axes, result["ours"]["all_data"], color=harness.TEACHER, label="all data")
    for name, color in (("soft", harness.OURS), ("hard", harness.CONTROL)):
        points = result["more"]["curves"][name]
        harness.curve(
            axes, [p["epochs"] for p in points], points, color=color, label=f"3 %, {name}"
        )
    axes.set_xscale("log")
    harness.legend(axes)
    return figure


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="With 3 % of the speech, soft targets of a net that heard all of it teach more than "
    "labels do, and close most of the gap.",
    paper={
        "hard": 44.5,
        "soft": 57.0,
        "all_data": 58.9,
        "where": "section 6, table 5: test frame accuracy in %; 3 % are 20 million frames",
    },
    cost="30 minutes on two cores",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
