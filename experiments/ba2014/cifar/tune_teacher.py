"""Sizes and lengths of a deep net on labels, judged on 5,000 training images it does not see.

`python -m experiments.ba2014.cifar.tune_teacher --widths 64 256 256 --epochs 16` prints its
held-out accuracy, and that of its answers averaged over an image and its mirror image.
"""

import argparse
from dataclasses import replace

import limbeck
from experiments import harness
from experiments.ba2014.cifar import __main__ as cifar
from experiments.ba2014.cifar.images import cifar as images
from experiments.ba2014.cifar.tune import HELD_OUT
from experiments.harness import Setting
from limbeck import objectives, students, views
from limbeck.training import FRESH


def main() -> None:
    """Trains one net and prints what it is right on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--widths", type=int, nargs="+", default=[64, 256, 256])
    parser.add_argument("--epochs", type=int, default=cifar.TEACHER.epochs)
    parser.add_argument("--rate", type=float, default=cifar.TEACHER.learning_rate)
    parser.add_argument("--crop", type=int, default=2)
    options = parser.parse_args()
    root = harness.BUILD / "ba2014"
    train = images(Setting("cifar", root, root / "cifar"), "train")
    tried = "-".join(map(str, (*options.widths, options.epochs, options.rate, options.crop)))
    how = {"epochs": options.epochs, "learning_rate": options.rate, "held_out": HELD_OUT}
    run = limbeck.train(
        students.fastnet(options.widths),
        limbeck.TransferSet(train, views.flip(of=views.crop(options.crop)), FRESH),
        objectives.Labels(),
        to=root / "cifar-tune" / f"teacher-{tried}",
        plan=replace(cifar.TEACHER, **how),
        control=False,
        start=students.whitening(train),
    )
    held = train.split(HELD_OUT)[1]
    mirrored = replace(held, inputs=held.inputs[:].copy()[..., ::-1].copy())
    said = [harness.answers(run, one) for one in (held, mirrored)]
    found = [harness.entry_of("accuracy", each, held.labels) for each in (said[0], sum(said) / 2)]
    print(tried, *(round(one["mean"], 4) for one in found), flush=True)


if __name__ == "__main__":
    main()
