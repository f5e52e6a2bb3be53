"""Section 6 on speech: 3 % of the data with soft targets, and with labels."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import limbeck
from experiments import error_rates, harness, spoken
from experiments.harness import Entry, Experiment, Outcome, Setting
from limbeck import objectives, speech, students

SHARE, SEEDS = 0.03, 5
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
    tried = {t: soft(setting, sets, t) for t in setting.pick(TEMPERATURES, smoke=(2,))}
    judged = {t: _rate(runs, sets.development).percent for t, runs in tried.items()}
    chosen = min(judged, key=lambda t: judged[t])
    nets = {
        "hard": hard(setting, sets),
        "soft": tried[chosen],
        "all_data": all_data(setting, sets),
    }
    rates = {name: _rate(runs, sets.test) for name, runs in nets.items()}
    ours = {name: error_rates.accuracy(rate) for name, rate in rates.items()}
    ours["soft_less_hard"] = error_rates.more_accurate(rates["soft"], rates["hard"])
    ours["gap_closed"] = error_rates.share_of_way(rates["hard"], rates["all_data"], rates["soft"])
    return Outcome(
        ours,
        holds=_holds(ours),
        seeds=setting.pick(SEEDS, smoke=2),
        headline=["hard", "soft", "all_data", "gap_closed"],
        more={
            "temperature": chosen,
            "development_frame_errors": judged,
            "frames": len(few_frames(setting, sets)),
            "curves": _curves(setting, sets),
        },
    )


def few_frames(setting: Setting, sets: spoken.Sets) -> limbeck.Examples:
    """The frames of 3 % of the training utterances, drawn once and for all."""
    names = sets.train.frames.columns["utterance"]
    utterances = np.unique(names)
    count = max(2, round(setting.pick(SHARE, smoke=0.5) * len(utterances)))
    chosen = np.random.default_rng(0).permutation(utterances)[:count]
    return sets.train.frames.take(np.flatnonzero(np.isin(names, chosen)))


def all_data(setting: Setting, sets: spoken.Sets, seeds: Sequence[int] = ()) -> list[limbeck.Run]:
    """Nets on all labels."""
    return _taught(setting, "all_data", sets.train.frames, objectives.Labels(), ALL, seeds)


def hard(setting: Setting, sets: spoken.Sets, seeds: Sequence[int] = ()) -> list[limbeck.Run]:
    """Nets on few labels."""
    return _taught(setting, "hard", few_frames(setting, sets), objectives.Labels(), HARD, seeds)


def soft(
    setting: Setting, sets: spoken.Sets, temperature: float, seeds: Sequence[int] = ()
) -> list[limbeck.Run]:
    """Nets on what the first of those on all data says of few frames."""
    objective = objectives.SoftTargets(temperature=temperature)
    return _taught(setting, f"soft-{temperature}", _scores(setting, sets), objective, SOFT, seeds)


def _scores(setting: Setting, sets: spoken.Sets) -> limbeck.ScoreSet:
    [first] = all_data(setting, sets, [0])
    return limbeck.score(first, few_frames(setting, sets), to=setting.place / "scores")


def _taught(
    setting: Setting,
    name: str,
    given: limbeck.Examples | limbeck.ScoreSet,
    objective: Any,
    plan: limbeck.Plan,
    seeds: Sequence[int],
) -> list[limbeck.Run]:
    net = students.mlp(spoken.layers(setting))
    wanted = seeds or range(setting.pick(SEEDS, smoke=2))
    return spoken.taught(setting, name, net, given, objective, plan, wanted)


def _rate(runs: Sequence[limbeck.Run], part: spoken.Part) -> speech.FrameErrorRate:
    return error_rates.frame_error_rate(part, spoken.log_posteriors(runs, part))


KINDS = ("hard", "soft")


def curve(
    setting: Setting, sets: spoken.Sets, kind: str, epochs: int, seeds: Sequence[int] = ()
) -> list[limbeck.Run]:
    """Nets after so many epochs, on labels to the end or on soft targets at temperature 1."""
    plan = replace(SOFT, epochs=epochs, warmup=0.0)
    name = f"curve-{kind}-{epochs}"
    if kind == "hard":
        return _taught(setting, name, few_frames(setting, sets), objectives.Labels(), plan, seeds)
    objective = objectives.SoftTargets(temperature=1)
    return _taught(setting, name, _scores(setting, sets), objective, plan, seeds)


def _curves(setting: Setting, sets: spoken.Sets) -> dict[str, list[dict[str, Any]]]:
    """Frame accuracy after so many epochs of either kind."""
    return {
        kind: [
            {
                "epochs": epochs,
                **error_rates.accuracy(_rate(curve(setting, sets, kind, epochs), sets.test)),
            }
            for epochs in setting.pick(CURVE, smoke=(1, 2))
        ]
        for kind in KINDS
    }


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
    large_cost="three layers of 2,000 units: a GPU",
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
