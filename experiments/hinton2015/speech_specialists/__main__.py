"""Section 5 on many classes: specialists for the states of phones that a generalist confuses."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import limbeck
from experiments import error_rates, harness, spoken
from experiments.harness import Entry, Experiment, Outcome, Setting
from experiments.hinton2015 import families
from experiments.hinton2015.families import Family
from limbeck import students, teachers

SEEDS = 3
PLAN = replace(spoken.PLAN, epochs=6, held_out=0.0)
SHORT = replace(PLAN, epochs=3)
COUNTS = (8, 12, 16)  # clusters that are tried; the specialists of small ones are left out
NAMES = ("generalist", "combined", "control", "distilled")


def work(setting: Setting) -> Outcome:
    """Trains a family a seed; measures everybody on the test frames."""
    sets = spoken.made(setting)
    seeds = setting.pick(SEEDS, smoke=2)
    grown = [family(setting, sets, seed) for seed in range(seeds)]
    said = {name: _said(grown, name, sets) for name in NAMES}
    rates = {name: error_rates.frame_error_rate(sets.test, logits) for name, logits in said.items()}
    ours = {name: error_rates.accuracy(rate) for name, rate in rates.items()}
    ours["gain"] = error_rates.more_accurate(rates["combined"], rates["generalist"])
    ours["distilled_gain"] = error_rates.more_accurate(rates["distilled"], rates["generalist"])
    ours["distilled_gain_over_control"] = error_rates.more_accurate(
        rates["distilled"], rates["control"]
    )
    return Outcome(
        ours,
        holds=_holds(ours["gain"]),
        seeds=seeds,
        headline=NAMES,
        more={
            "coverage": families.by_coverage(grown, said, sets.test.frames),
            "clusters": families.clusters(grown),
        },
    )


def family(setting: Setting, sets: spoken.Sets, seed: int) -> Family:
    """The generalist of a seed, and everything that comes of it."""
    return families.family(
        students.mlp(spoken.layers(setting)),
        sets.train.frames,
        spoken.planned(setting, PLAN),
        spoken.planned(setting, SHORT),
        COUNTS,
        seed,
        setting.place / f"seed-{seed}",
    )


def _said(grown: Sequence[Family], name: str, sets: spoken.Sets) -> spoken.Said:
    return np.concatenate([_heard(one.models[name], sets.test) for one in grown])


def _heard(model: limbeck.Run | teachers.Teacher, part: spoken.Part) -> spoken.Said:
    return spoken.log_posteriors([model] if isinstance(model, limbeck.Run) else model, part)


def _holds(gain: Entry) -> Any:
    if gain["low"] > 0:
        return True
    return False if gain["high"] < 0 else "undecided"


WORDS = {
    "generalist": "generalist",
    "combined": "with\nspecialists",
    "control": "trained on,\nlabels",
    "distilled": "trained on,\nthe combined",
}


def draw(result: Mapping[str, Any]) -> Figure:
    """Frame accuracies of all four."""
    return harness.bars(result, WORDS, "Specialists for confusable states", "frame accuracy, %")


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="Specialists for the states of phones that a generalist confuses make it right more "
    "often.",
    paper={
        "says": "25.0 % to 26.1 % on 15,000 classes of images; the more specialists know a class, "
        "the larger the gain",
        "where": "section 5, tables 3 and 4 (JFT)",
    },
    cost="1 hour on two cores",
    work=work,
    draw=draw,
    large_cost="three layers of 2,000 units: a GPU",
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
