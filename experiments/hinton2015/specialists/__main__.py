"""Section 5: do specialists for confused classes help a generalist, and can one net learn both?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import limbeck
from experiments import harness
from experiments.harness import Entry, Experiment, Outcome, Setting
from experiments.hinton2015 import families
from experiments.hinton2015.families import Family
from limbeck import Examples, metrics, students

# Chosen with `tune.py` on 10,000 held-out training images; the test images had no say.
NET = students.mlp([30])
PLAN = limbeck.Plan(epochs=20, batch=256, learning_rate=3e-3, held_out=0.0)
SPECIALIST = replace(PLAN, epochs=10)
COUNTS = (4, 5, 6)
SEEDS = 5

SET = "fashion-mnist"
NOBODY = np.zeros((0, 0))


def work(setting: Setting) -> Outcome:
    """Trains a family a seed; measures everybody on the test images."""
    learnt, test = setting.examples(f"{SET}:train"), setting.examples(f"{SET}:test")
    seeds = range(setting.pick(full=SEEDS, smoke=2))
    grown = [family(setting, learnt, seed) for seed in seeds]
    logits = {
        name: np.concatenate([harness.answers(one.models[name], test) for one in grown])
        for name in grown[0].models
    }
    ours = {name: harness.entry_of("accuracy", said, test.labels) for name, said in logits.items()}
    ours |= _conditional(grown, logits, test)
    ours["gain"] = _difference(logits["combined"], logits["generalist"], test)
    ours["gain_over_control"] = _difference(logits["combined"], logits["control"], test)
    ours["distilled_gain"] = _difference(logits["distilled"], logits["generalist"], test)
    ours["distilled_gain_over_control"] = _difference(logits["distilled"], logits["control"], test)
    more = {
        "coverage": families.by_coverage(grown, logits, test),
        "clusters": families.clusters(grown),
    }
    headline = ("generalist", "combined", "control", "distilled")
    return Outcome(ours, _answer(ours["gain"]), len(seeds), headline, more)


def family(setting: Setting, learnt: Examples, seed: int) -> Family:
    """The generalist of a seed, and everything that comes of it."""
    plan, short = setting.plan(PLAN), setting.plan(SPECIALIST)
    place = setting.place / f"seed-{seed}"
    return families.family(NET, learnt, plan, short, COUNTS, seed, place)


def _difference(one: np.ndarray, other: np.ndarray, test: Examples) -> Entry:
    """Accuracy of one less that of the other, paired by example and seed."""
    found = metrics.difference(metrics.STANDARD["accuracy"], one, other, test.labels, NOBODY)
    assert found is not None
    values = (_right(one, test) * 1.0 - _right(other, test)).mean(axis=1)
    return {**found.to_json(), "n": len(values), "values": values.tolist()}


def _right(logits: np.ndarray, test: Examples) -> np.ndarray:
    """Which answers are right, `(seeds, examples)`."""
    return np.asarray(logits.argmax(axis=2) == test.labels)


def _conditional(
    grown: Sequence[Family], logits: Mapping[str, np.ndarray], test: Examples
) -> dict[str, Entry]:
    """Accuracy on the examples of special classes, with predictions restricted to these."""
    found = {}
    for name in ("generalist", "combined", "control", "distilled"):
        pairs = zip(grown, logits[name], strict=True)
        values = [_restricted(said, one.coverage(test.classes) > 0, test) for one, said in pairs]
        found[f"{name}_conditional"] = harness.entry(values)
    return found


def _restricted(logits: np.ndarray, is_special: np.ndarray, test: Examples) -> float:
    rows = is_special[test.labels]
    allowed = np.where(is_special, logits[rows], -np.inf)
    return float((allowed.argmax(axis=1) == test.labels[rows]).mean())


def _answer(gain: Entry) -> Any:
    if gain["low"] > 0:
        return True
    return False if gain["high"] < 0 else "undecided"


def draw(result: Mapping[str, Any]) -> Figure:
    """Accuracies with their intervals; the gain by the number of specialists for the class."""
    figure = Figure(figsize=(8.4, 3.6))
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    names = {
        "generalist": "generalist",
        "control": "trained on,\nlabels",
        "combined": "with\nspecialists",
        "distilled": "trained on,\nthe combined",
    }
    for at, name in enumerate(names):
        harness.point(left, at, result["ours"][name], color=harness.OURS)
        values = result["ours"][name]["values"]
        left.plot([at + 0.15] * len(values), values, ".", color=harness.OURS, alpha=0.35)
    left.set_xticks(range(len(names)), list(names.values()), fontsize=8)
    left.set(title="Specialists for what is confused", ylabel="test accuracy")
    table = result["more"]["coverage"]
    covered = [str(line["specialists"]) for line in table]
    right.bar(covered, [100 * line["relative"] for line in table], color=harness.OURS)
    right.set(xlabel="specialists that know the class", ylabel="more right answers, %")
    return figure


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="Specialists for the classes that a generalist confuses make it right more often.",
    paper={
        "generalist": 0.250,
        "combined": 0.261,
        "generalist_conditional": 0.431,
        "combined_conditional": 0.459,
        "says": "25.0 % to 26.1 % on JFT; conditional 43.1 % to 45.9 %",
        "where": "section 5, Table 3 (JFT, 15,000 classes)",
    },
    cost="4 minutes on two cores",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
