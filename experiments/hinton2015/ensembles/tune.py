"""Settings of the ten nets and of the taught one, judged on 10,000 training images they don't see.

`python -m experiments.hinton2015.ensembles.tune --views "plain()" --count 1 --epochs 12` trains
four nets and one taught by them and prints a line; what was tried lies in
`build/experiments/hinton2015/ensembles/tune`.
"""

import argparse
from dataclasses import replace

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
    parser.add_argument("--rate", type=float, default=PLAN.learning_rate)
    parser.add_argument("--objective", default=OBJECTIVE.text)
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=1)
    print(*_tried(parser.parse_args()))


def _tried(options: argparse.Namespace) -> tuple[str, ...]:
    train, held = limbeck.read("fashion-mnist:train").split(HELD_OUT)
    place = (
        PLACE / f"{options.views}-{options.count}-{options.epochs}-{options.members}-{options.rate}"
    )
    view, plan = views.from_text(options.views), _plan(options)
    transfer = limbeck.TransferSet(train, view, options.count)
    members = limbeck.sweep(
        NET,
        transfer,
        {"members": objectives.Labels()},
        to=place,
        plan=plan,
        seeds=options.members,
    )["members"]
    together = teachers.ensemble([members], mean=MEAN)
    scores = limbeck.score(together, train, to=place / "scores", views=view, count=options.count)
    longer = replace(plan, epochs=options.student_epochs or options.epochs)
    name = f"{options.objective}-{longer.epochs}-{options.seeds}"
    distilled = limbeck.sweep(
        NET,
        scores,
        {name: objectives.from_text(options.objective)},
        to=place,
        plan=longer,
        seeds=options.seeds,
        control=False,
    )[name]
    found = {"single": members, "ensemble": together, "distilled": distilled}
    return tuple(f"{name} {_accuracy(model, held):.4f}" for name, model in found.items())


def _plan(options: argparse.Namespace) -> limbeck.Plan:
    return replace(PLAN, epochs=options.epochs, learning_rate=options.rate)


def _accuracy(model: limbeck.Run | teachers.Teacher, held: limbeck.Examples) -> float:
    mean = harness.entry_of("accuracy", harness.answers(model, held), held.labels)["mean"]
    return float(mean)


if __name__ == "__main__":
    main()
