"""Settings for the 3 %, judged on 10,000 of the training images that are not among them.

`python -m experiments.hinton2015.regulariser.tune --rate 0.0005 0.001 --temperature 2 4 8` prints
one line for each net; what was tried lies in `build/experiments/hinton2015/regulariser-tune`. The
net that gives the soft targets has seen the 10,000 in its own training.
"""

import argparse
import itertools
from dataclasses import replace

import numpy as np

import limbeck
from experiments import harness
from experiments.hinton2015.regulariser.__main__ import ALL, HARD, LONG, SHARE, STUDENT, few_rows
from limbeck import objectives

PLACE = harness.BUILD / "hinton2015" / "regulariser-tune"


def main() -> None:
    """Trains one net for each combination and prints its accuracy on the judges."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", default="fashion-mnist")
    parser.add_argument("--rate", type=float, nargs="+", default=[LONG.learning_rate])
    parser.add_argument("--epochs", type=int, nargs="+", default=[LONG.epochs])
    parser.add_argument("--temperature", type=float, nargs="+", default=[4.0])
    options = parser.parse_args()
    whole = limbeck.read(f"{options.set}:train")
    rows = few_rows(whole.labels, SHARE)
    others = np.setdiff1d(np.arange(len(whole)), rows)
    judges = whole.take(np.sort(np.random.default_rng(1).choice(others, 10_000, replace=False)))
    few, place = whole.take(rows), PLACE / options.set
    everything = limbeck.train(STUDENT, whole, objectives.Labels(), to=place / "all", plan=ALL)
    print(
        f"{_accuracy(everything, judges):.4f} all the data, of which it has seen these", flush=True
    )
    scores = limbeck.score(everything, few, to=place / "scores")
    for rate in options.rate:
        _try(few, objectives.Labels(), replace(HARD, learning_rate=rate), judges, place)
    chosen = (options.rate, options.epochs, options.temperature)
    for rate, epochs, temperature in itertools.product(*chosen):
        plan = replace(LONG, learning_rate=rate, epochs=epochs)
        _try(scores, objectives.SoftTargets(temperature=temperature), plan, judges, place)


def _try(transfer, objective, plan: limbeck.Plan, judges: limbeck.Examples, place) -> None:
    to = place / f"{objective.text}-{plan.learning_rate}-{plan.epochs}"
    run = limbeck.train(STUDENT, transfer, objective, to=to, plan=plan, control=False)
    print(f"{_accuracy(run, judges):.4f} {to.name}", flush=True)


def _accuracy(run: limbeck.Run, judges: limbeck.Examples) -> float:
    return harness.entry_of("accuracy", harness.answers(run, judges), judges.labels)["mean"]


if __name__ == "__main__":
    main()
