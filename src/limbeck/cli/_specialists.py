"""The command that trains specialists for the classes a generalist confuses."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from limbeck.cli._options import Epochs, ExamplesText, Json, PlanText, To, Trust, training_plan
from limbeck.cli._output import say
from limbeck.errors import InputError


def specialists(
    *,
    generalist: Annotated[Path, Parameter(help="The directory of a run.")],
    examples: ExamplesText,
    count: Annotated[
        list[int], Parameter(help="Into how many clusters; several are joined.", negative="")
    ],
    clusterer: Annotated[
        str, Parameter(help="One of scikit-learn's, such as `AgglomerativeClustering()`.")
    ] = "KMeans(n_init=10)",
    to: To,
    epochs: Epochs = 0,
    plan: PlanText = "",
    seed: Annotated[int, Parameter(help="For clusters, samples and training.")] = 0,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Cluster the classes a run confuses, and train a specialist for each cluster."""
    import limbeck
    from limbeck import teachers
    from limbeck.recipes import load_run
    from limbeck.training.specialists import confusable, predictions, read_clusterer, train

    run, opened = load_run(generalist, trust=trust), limbeck.read(examples)
    predicted = predictions(teachers.run(run), opened)
    subsets = confusable(
        predicted,
        count=count,
        classes=run.classes,
        clusterer=read_clusterer(clusterer),
        seed=seed,
    )
    if not subsets:
        raise InputError(
            f"no cluster of {' or '.join(map(str, count))} has two classes or more and leaves "
            "some out: ask for another --count"
        )
    trained = train(run, opened, subsets, to=to, plan=training_plan(plan, epochs), seed=seed)
    return say(limbeck.show(to) if json else {}, _words(to, trained.subsets), json)


def _words(to: Path, subsets: tuple[tuple[str, ...], ...]) -> str:
    lines = [f"{to}: {len(subsets)} specialists, a teacher for --teacher together"]
    return "\n".join([*lines, *(f"- {', '.join(subset)}" for subset in subsets)])
