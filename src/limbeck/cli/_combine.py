"""The command that makes one score set of several."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from limbeck.cli._options import ExamplesText, Json, To
from limbeck.cli._output import say


def combine(
    *,
    scores: Annotated[list[Path], Parameter(help="A score set's directory.", negative="")],
    to: To,
    mean: Annotated[str, Parameter(help="geometric or arithmetic.")] = "geometric",
    examples: ExamplesText = "",
    width: Annotated[str, Parameter(help="float16 or float32; by default what suits.")] = "",
    json: Json = False,
) -> int:
    """Make the score set of an ensemble from its members' score sets; nobody is asked again."""
    import limbeck
    from limbeck.recipes import load_scores
    from limbeck.scoring import Storage

    remembered = limbeck.read(examples) if examples else None
    combined = limbeck.combine(
        [load_scores(directory, remembered) for directory in scores],
        to=to,
        mean=mean,
        storage=Storage(width),
    )
    words = (
        f"{to}: {mean} mean of {len(scores)} score sets, {len(combined)} examples, {combined.kind}"
    )
    return say(limbeck.show(to) if json else {}, words, json)
