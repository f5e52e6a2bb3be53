"""Settings of the ten nets and of the taught one, judged on 10,000 training images they don't see.

`python -m experiments.hinton2015.ensembles.tune --views "plain()" --count 1 --epochs 12` trains
four nets and one taught by them and prints a line; what was tried lies in
`build/experiments/hinton2015/ensembles/tune`.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import limbeck
from experiments import harness
from experiments.hinton2015.ensembles.__main__ import COUNT, MEAN, NET, OBJECTIVE, PLAN, VIEW
from limbeck import objectives, teachers, views

HELD_OUT = 1 / 6
PLACE = harness.BUILD / "hinton2015" / "ensembles" / "tune"


def main() -> None:
    """Trains nets and a taught one with the settings asked for; prints held-out accuracies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--views", default=VIEW.text)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--epochs", type=int, default=PLAN.epochs)
    parser.add_argument("--student-epochs", type=int, default=0, help="0: the same")
    parser.add_argument("--objective", default=OBJECTIVE.text)
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=1)
    print(*_tried(parser.parse_args()))


def _tried(options: argparse.Namespace) -> tuple[str, ...]:
    train, held = limbeck.read("fashion-mnist:train").split(HELD_OUT)
    place = PLACE / f"{options.views}-{options.count}-{options.epochs}-{options.members}"
    view, plan = views.read(options.views), replace(PLAN, epochs=options.epochs)
    transfer = limbeck.TransferSet(train, view, options.count)
    members = limbeck.train(
        NET,
        transfer,
        objectives.Labels(),
        to=place / "members",
        plan=plan,
        seeds=options.members,
        control=False,
    )
    together = teachers.ensemble([members], mean=MEAN)
    scores = limbeck.score(together, train, to=place / "scores", views=view, count=options.count)
    longer = replace(plan, epochs=options.student_epochs or options.epochs)
    distilled = limbeck.train(
        NET,
        scores,
        objectives.read(options.objective),
        to=place / Path(f"{options.objective}-{longer.epochs}-{options.seeds}"),
        plan=longer,
        seeds=options.seeds,
        control=False,
    )
    found = {"single": members, "ensemble": together, "distilled": distilled}
    return tuple(f"{name} {_accuracy(model, held):.4f}" for name, model in found.items())


def _accuracy(model: limbeck.Run | teachers.Teacher, held: limbeck.Examples) -> float:
    mean = harness.entry_of("accuracy", harness.answers(model, held), held.labels)["mean"]
    return float(mean)


if __name__ == "__main__":
    main()
