"""The command that says what a directory is."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from limbeck.cli._options import ExamplesText, Json, Trust
from limbeck.cli._output import NOT_MET, as_lines, say


def show(
    path: Annotated[Path, Parameter(help="A directory, or an exported file.")],
    /,
    *,
    example: Annotated[
        list[str] | None,
        Parameter(help="The key of an example whose soft targets are shown.", negative=""),
    ] = None,
    temperature: Annotated[
        list[float] | None, Parameter(help="Of soft targets; else 1, 2, 4, 8, 20.", negative="")
    ] = None,
    student: Annotated[
        Path | None, Parameter(help="A run, to see where it differs from the teacher most.")
    ] = None,
    figure: Annotated[Path | None, Parameter(help="Draw it, into an .svg or .png file.")] = None,
    held_out: Annotated[
        Path | None,
        Parameter(help="Another score set, of points held out from the teacher of the first."),
    ] = None,
    examples: ExamplesText = "",
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Say what an artifact is, what made it, and whether it is whole; status 1 if it is not.

    Of a score set, with --held-out: how sure the teacher is of its own training points and of
    points it never saw; with any other option: what the teacher says beside its answers.
    """
    import limbeck

    if held_out:
        return _say_confidence(path, held_out, json)
    if example or temperature or student or figure:
        options = {"examples": example or (), "temperatures": temperature}
        return _say_knowledge(path, examples, options, student, figure, trust=trust, json=json)
    shown = limbeck.show(path)
    words = "\n".join(as_lines(shown))
    say(shown, words, json)
    return 0 if shown["whole"] == "yes" else NOT_MET


def _say_confidence(own: Path, held_out: Path, json: bool) -> int:
    from limbeck.scoring import confidence

    estimates = confidence(own, held_out)
    return say(estimates.to_json(), str(estimates), json)


def _say_knowledge(
    scores: Path,
    examples: str,
    options: dict[str, Any],
    student: Path | None,
    figure: Path | None,
    *,
    trust: bool,
    json: bool,
) -> int:
    import limbeck
    from limbeck.evaluation import check_drawable, dark_knowledge
    from limbeck.recipes import load_run, load_scores

    place = check_drawable(figure) if figure else None
    opened = load_scores(scores, limbeck.read(examples) if examples else None)
    run = load_run(student, trust=trust) if student else None
    how = {name: value for name, value in options.items() if value}
    knowledge = dark_knowledge(opened, student=run, **how)
    if place:
        knowledge.figure(place)
    return say(
        knowledge.to_json(), knowledge.text + (f"\n\ndrawn in {place}" if place else ""), json
    )
