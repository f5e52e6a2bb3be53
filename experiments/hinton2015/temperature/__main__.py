"""Section 3: all temperatures above 8 alike for wide students, 2.5 to 4 best for narrow ones."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import limbeck
from experiments import harness
from experiments.harness import Experiment, Outcome, Setting
from experiments.hinton2015.shared import mnist_scores
from limbeck import metrics, objectives, students

TEMPERATURES = (1, 2, 2.5, 4, 8, 20, 50)
SEEDS = 5
WIDE = limbeck.Plan(epochs=10, batch=512, learning_rate=2e-3, precision="bfloat16", held_out=0.0)
PLANS = {
    800: WIDE,
    300: replace(WIDE, epochs=15),
    30: limbeck.Plan(epochs=40, batch=128, learning_rate=3e-3, held_out=0.0),
}
LONGER = 4  # times the epochs of the larger size

# The rule, fixed beforehand. Flat: for both wide nets the paired differences between T = 8, 20
# and 50 have intervals within so many errors of 10,000. Intermediate: for 30 units T = 2.5 and
# 4 each make fewer errors than T = 1 and than T = 50, with the whole paired interval.
MARGIN = 20
FLAT = (8, 20, 50)
MIDDLE, ENDS = (2.5, 4), (1, 50)

Logits = Mapping[str, np.ndarray]


def work(setting: Setting) -> Outcome:
    """One sweep a width: seven temperatures, the logits, the labels, five seeds of each."""
    test = setting.examples("mnist:test")
    logits = {units: _answers(setting, units, test) for units in PLANS}
    ours = {
        f"units{units}_{name}_errors": harness.entry_of("errors", said, test.labels)
        for units, of_units in logits.items()
        for name, said in of_units.items()
    }
    flat = _differences(
        test.labels, {f"units{u}": (logits[u], FLAT, FLAT) for u in PLANS if u >= 300}
    )
    middle = _differences(test.labels, {"units30": (logits[30], MIDDLE, ENDS)})
    is_flat, is_intermediate = _flat(flat, len(test)), _intermediate(middle)
    return Outcome(
        ours,
        holds=_both(is_flat, is_intermediate),
        seeds=setting.pick(full=SEEDS, smoke=2),
        headline=[f"units{units}_t{t}_errors" for units in PLANS for t in (1, 4, 20)],
        more={
            "flat_above_8": {"holds": is_flat, "margin_errors": MARGIN, "differences": flat},
            "intermediate_best_for_30": {"holds": is_intermediate, "differences": middle},
            "best": {f"units{u}": _best(ours, u) for u in PLANS},
        },
    )


def _answers(setting: Setting, units: int, test: limbeck.Examples) -> Logits:
    plan = setting.plan(PLANS[units])
    plan = replace(plan, epochs=plan.epochs * setting.pick(1, 1, LONGER))
    temperatures = setting.pick(full=TEMPERATURES, smoke=(1, 2.5, 4, 8, 20, 50))
    asked: dict[str, objectives.Objective] = {
        f"t{t}": objectives.SoftTargets(temperature=t) for t in temperatures
    }
    asked["logits"] = objectives.MatchLogits("centered")
    runs = limbeck.sweep(
        students.mlp([units // setting.pick(full=1, smoke=10)] * 2),
        mnist_scores(setting),
        asked,
        to=setting.place / f"units{units}",
        plan=plan,
        seeds=setting.pick(full=SEEDS, smoke=2),
    )
    return {name: harness.answers(run, test) for name, run in runs.items()}


def _differences(
    labels: np.ndarray, pairs: Mapping[str, tuple[Logits, tuple[float, ...], tuple[float, ...]]]
) -> dict[str, dict[str, Any]]:
    """Errors at one temperature less those at another, paired by example and seed."""
    found = {}
    for units, (said, firsts, seconds) in pairs.items():
        for one, other in itertools.product(firsts, seconds):
            if firsts != seconds or one < other:
                between = metrics.difference(
                    metrics.STANDARD["errors"],
                    said[f"t{one}"],
                    said[f"t{other}"],
                    labels,
                    harness.NOBODY,
                )
                found[f"{units}_t{one}_less_t{other}"] = between.to_json()
    return found


def _flat(differences: Mapping[str, Any], n: int) -> bool | str:
    margin = MARGIN * n / 10_000
    if all(-margin <= d["low"] and d["high"] <= margin for d in differences.values()):
        return True
    is_outside = any(d["low"] > margin or d["high"] < -margin for d in differences.values())
    return False if is_outside else "undecided"


def _intermediate(differences: Mapping[str, Any]) -> bool | str:
    if all(d["high"] < 0 for d in differences.values()):
        return True
    return False if any(d["low"] > 0 for d in differences.values()) else "undecided"


def _both(one: bool | str, other: bool | str) -> Any:
    if False in (one, other):
        return False
    return "undecided" if "undecided" in (one, other) else True


def _best(ours: Mapping[str, Any], units: int) -> str:
    """What made the fewest errors on the test set: a description, no choice is made by it."""
    mine = {
        name: found["mean"] for name, found in ours.items() if name.startswith(f"units{units}_")
    }
    return min(mine, key=lambda name: mine[name])


def draw(result: Mapping[str, Any]) -> Figure:
    """Errors over temperature, a panel a width, with logit matching at the right end."""
    figure = Figure(figsize=(9.0, 3.4))
    for axes, units in zip(figure.subplots(1, len(PLANS)), sorted(PLANS), strict=True):
        of_units = {
            name.split("_")[1]: found
            for name, found in result["ours"].items()
            if name.startswith(f"units{units}_")
        }
        warm = sorted((float(name[1:]), name) for name in of_units if name.startswith("t"))
        found = [of_units[name] for _, name in warm]
        harness.curve(axes, [t for t, _ in warm], found, color=harness.OURS, label="soft targets")
        harness.point(axes, 130, of_units["logits"], color=harness.TEACHER, label="logits")
        harness.level(axes, of_units["control"], color=harness.CONTROL, label="labels alone")
        axes.set(title=f"{units} units a layer", xlabel="temperature", xscale="log")
        axes.set_xticks([1, 2, 4, 8, 20, 50, 130], ["1", "2", "4", "8", "20", "50", "logits"])
        axes.minorticks_off()
    figure.axes[0].set_ylabel("errors of 10,000")
    harness.legend(figure.axes[0])
    figure.axes[0].axvspan(2.5, 4, color=harness.PAPER, alpha=0.12, linewidth=0)
    for axes in figure.axes[1:]:
        axes.axvspan(8, 50, color=harness.PAPER, alpha=0.12, linewidth=0)
    figure.suptitle("Which temperature; the paper's best range is shaded", fontsize=10)
    return figure


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="For students of 300 units a layer and more all temperatures above 8 are about equal; "
    "for 30 units temperatures of 2.5 to 4 are better than higher and lower ones.",
    paper={
        "says": "300 units and more: all T above 8 alike; 30 units: T of 2.5 to 4 best",
        "where": "section 3",
    },
    cost="25 minutes on two cores for 135 small nets, beside the teacher of `mnist`",
    work=work,
    draw=draw,
    large_cost="the same nets trained four times as long, 100 minutes on two cores",
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
