"""Learning rates of the students, judged by accuracy on 5,000 training images they do not see.

`python -m experiments.ba2014.cifar.tune --rate 0.001 0.003 --epochs 15` tries each rate for mimic
and control alike and prints a line for each; what was tried lies in `build/experiments`.
"""

import argparse
from dataclasses import replace

import limbeck
from experiments import harness
from experiments.ba2014.cifar.__main__ import OBJECTIVE, PLAN, SHALLOW, SIZES, ensemble, scores
from experiments.ba2014.cifar.images import cifar
from experiments.harness import Setting
from limbeck import students

HELD_OUT = 1 / 10


def main() -> None:
    """Trains a mimic and a control for each rate and prints their held-out accuracies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, nargs="+", default=[PLAN.learning_rate])
    parser.add_argument("--decay", type=float, nargs="+", default=[PLAN.weight_decay])
    parser.add_argument("--size", choices=list(SIZES), default="1m")
    parser.add_argument("--epochs", type=int, default=15)
    options = parser.parse_args()
    root = harness.BUILD / "ba2014"
    setting = Setting("cifar", root, root / "cifar")
    for rate in options.rate:
        for decay in options.decay:
            plan = replace(
                PLAN,
                learning_rate=rate,
                weight_decay=decay,
                epochs=options.epochs,
                held_out=HELD_OUT,
            )
            print(rate, decay, _held_out(setting, plan, options.size), flush=True)


def _held_out(setting: Setting, plan: limbeck.Plan, size: str) -> dict[str, float]:
    train = cifar(setting, "train")
    place = setting.root / "cifar-tune" / f"{size}-{plan.learning_rate}-{plan.weight_decay}"
    runs = limbeck.sweep(
        students.of_size(SHALLOW.family, SIZES[size]),
        scores(setting, ensemble(setting)),
        {"mimic": OBJECTIVE},
        to=place,
        plan=plan,
        seeds=1,
    )
    held = train.split(HELD_OUT)[1]  # the part that training held out too
    return {
        name: harness.entry_of("accuracy", harness.answers(run, held), held.labels)["mean"]
        for name, run in runs.items()
    }


if __name__ == "__main__":
    main()
