"""Learning rates of the students, judged by accuracy on 5,000 training images they do not see.

`python -m experiments.ba2014.cifar.tune --rate 0.001 0.003 --epochs 15` tries each rate for mimic
and control alike and prints a line for each; `--objective "MatchLogits('centered')"` is another
loss of the mimic, `--clip 0 --warmup 0.05` a training without a limit on gradients. What was tried
lies in `build/experiments`.
"""

import argparse
from dataclasses import replace

import limbeck
from experiments import harness
from experiments.ba2014.cifar import __main__ as cifar
from experiments.ba2014.cifar.images import cifar as images
from experiments.harness import Setting
from limbeck import objectives, students

HELD_OUT = 1 / 10


def main() -> None:
    """Trains a mimic and a control for each rate and prints their held-out accuracies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, nargs="+", default=sorted(set(cifar.RATES.values())))
    parser.add_argument("--name", choices=cifar.NAMES, nargs="+", default=cifar.NAMES)
    parser.add_argument("--size", choices=list(cifar.SIZES), default="1m")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--objective", default=cifar.OBJECTIVE.text)
    parser.add_argument("--clip", type=float, default=cifar.PLAN.clip_norm)
    parser.add_argument("--warmup", type=float, default=cifar.PLAN.warmup)
    options = parser.parse_args()
    root = harness.BUILD / "ba2014"
    setting = Setting("cifar", root, root / "cifar")
    scores = cifar.scores(setting, cifar.ensemble(setting))
    how = {"epochs": options.epochs, "clip_norm": options.clip, "warmup": options.warmup}
    plan = replace(cifar.PLAN, held_out=HELD_OUT, **how)
    objective = objectives.from_text(options.objective)
    for rate in options.rate:
        for name in options.name:
            tried = (options.size, name, rate, *how.values(), options.objective)
            to = root / "cifar-tune" / "-".join(map(str, tried))
            student = students.of_size(cifar.SHALLOW.family, cifar.SIZES[options.size])
            run = cifar.taught(student, scores, name, cifar.at(plan, rate), 1, to, objective)
            print(name, rate, _accuracy(run, setting), flush=True)


def _accuracy(run: limbeck.Run, setting: Setting) -> float:
    held = images(setting, "train").split(HELD_OUT)[1]  # the part that training held out too
    found = harness.entry_of("accuracy", harness.answers(run, held), held.labels)
    return float(found["mean"])


if __name__ == "__main__":
    main()
