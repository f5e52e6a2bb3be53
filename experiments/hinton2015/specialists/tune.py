"""Settings of the specialists, judged on 10,000 training images that nobody was trained on.

`python -m experiments.hinton2015.specialists.tune --rate 0.001 0.003 --linkage average complete`
tries each combination with one generalist; what was tried lies in `build/`.
"""

import argparse
import itertools
from dataclasses import replace

import numpy as np
from sklearn.cluster import AgglomerativeClustering

import limbeck
from experiments import harness
from experiments.hinton2015.specialists.__main__ import COUNTS, NET, PLAN, SET, SPECIALIST
from limbeck import objectives, teachers
from limbeck.training import specialists

PLACE = harness.BUILD / "hinton2015" / "specialists" / "tune"


def main() -> None:
    """Prints the held-out accuracy of the generalist, and of each combination."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, nargs="+", default=[SPECIALIST.learning_rate])
    parser.add_argument("--epochs", type=int, nargs="+", default=[SPECIALIST.epochs])
    parser.add_argument("--linkage", nargs="+", default=["average"])
    parser.add_argument("--count", type=int, nargs="+", default=list(COUNTS))
    options = parser.parse_args()
    learnt, held = limbeck.read(f"{SET}:train").split(1 / 6)
    to = PLACE / "generalist"
    generalist = limbeck.train(NET, learnt, objectives.Labels(), to=to, plan=PLAN)
    print("generalist", _accuracy(generalist, held))
    predicted = specialists.predictions(teachers.run(generalist), learnt)
    for linkage in options.linkage:
        how = AgglomerativeClustering(metric="cosine", linkage=linkage)
        subsets = specialists.confusable(
            predicted, count=options.count, classes=learnt.classes, clusterer=how
        )
        print(linkage, subsets)
        for rate, epochs in itertools.product(options.rate, options.epochs):
            name = f"{linkage}-{'-'.join(map(str, options.count))}-{rate:g}-{epochs}"
            plan = replace(SPECIALIST, learning_rate=rate, epochs=epochs)
            made = specialists.train(generalist, learnt, subsets, to=PLACE / name, plan=plan)
            found = [_accuracy(made.combined(top=top), held) for top in (1, 2)]
            print(f"{name}: top 1 {found[0]:.4f}, top 2 {found[1]:.4f}")


def _accuracy(model: limbeck.Run | teachers.Teacher, held: limbeck.Examples) -> float:
    return float(np.mean(harness.answers(model, held)[0].argmax(axis=1) == held.labels))


if __name__ == "__main__":
    main()
