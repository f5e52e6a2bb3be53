"""Settings of the small net, judged by errors on 10,000 training images that it does not see.

`python -m experiments.hinton2015.mnist.tune --rate 0.001 0.003 --hard-weight 0 0.1` tries each
pair and prints one line for each; what was tried lies in `build/experiments/hinton2015/mnist-tune`.
"""

import argparse
import itertools
from dataclasses import replace
from pathlib import Path

import limbeck
from experiments import harness
from experiments.harness import Setting
from experiments.hinton2015.mnist.__main__ import PLAN, STUDENT
from experiments.hinton2015.shared import mnist_scores
from limbeck import objectives

HELD_OUT = 1 / 6
NAMES = ("learning_rate", "epochs", "batch", "weight_decay", "average")


def main() -> None:
    """Trains one net for each combination and prints its held-out errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, nargs="+", default=[PLAN.learning_rate])
    parser.add_argument("--epochs", type=int, nargs="+", default=[PLAN.epochs])
    parser.add_argument("--batch", type=int, nargs="+", default=[PLAN.batch])
    parser.add_argument("--temperature", type=float, nargs="+", default=[20.0])
    parser.add_argument("--hard-weight", type=float, nargs="+", default=[0.0])
    parser.add_argument("--decay", type=float, nargs="+", default=[PLAN.weight_decay])
    parser.add_argument("--average", type=float, nargs="+", default=[PLAN.average])
    parser.add_argument("--labels", action="store_true", help="the plain net instead")
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    place = harness.BUILD / "hinton2015" / ("mnist" + "-smoke" * options.smoke)
    setting = Setting("mnist", place.parent, place, "smoke" if options.smoke else "full")
    chosen = (options.rate, options.epochs, options.batch, options.decay, options.average)
    asked = [(0.0, 0.0)] if options.labels else _pairs(options.temperature, options.hard_weight)
    for values in itertools.product(*chosen):
        plan = replace(PLAN, held_out=HELD_OUT, **dict(zip(NAMES, values, strict=True)))
        for temperature, weight in asked:
            objective = _objective(temperature, weight)
            print(f"{held_out_errors(setting, plan, objective):4.0f} errors", objective.text, plan)


def _objective(temperature: float, weight: float) -> objectives.Objective:
    if not temperature:
        return objectives.Labels()
    return objectives.SoftTargets(temperature=temperature, hard_weight=weight)


def _pairs(temperatures: list[float], weights: list[float]) -> list[tuple[float, float]]:
    return list(itertools.product(temperatures, weights))


def held_out_errors(setting: Setting, plan: limbeck.Plan, objective: objectives.Objective) -> float:
    """The errors of one net on the training images that were held out from it."""
    train = setting.examples("mnist:train")
    transfer = mnist_scores(setting) if objective.needs_scores else train
    place = setting.of("mnist-tune") / _folder(plan, objective)
    run = limbeck.train(
        STUDENT, transfer, objective, to=place, plan=setting.plan(plan), control=False
    )
    held = train.split(HELD_OUT)[1]  # the part that training held out too
    return harness.entry_of("errors", harness.answers(run, held), held.labels)["mean"]


def _folder(plan: limbeck.Plan, objective: objectives.Objective) -> Path:
    return Path("-".join([objective.text, *(str(getattr(plan, name)) for name in NAMES)]))


if __name__ == "__main__":
    main()
