"""The commands that look at something, and the one that does a whole recipe."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from limbeck.cli._words import (
    NOT_MET,
    ExamplesText,
    Json,
    MeanText,
    Require,
    TeacherTexts,
    Trust,
    app,
    as_lines,
    corpus_words,
    name_and_value,
    say,
    say_report,
    tell,
)
from limbeck.errors import InputError


@app.command
def evaluate(
    *,
    examples: ExamplesText,
    student: Annotated[str, Parameter(help="The directory of the student's run.")] = "",
    teacher: TeacherTexts | None = None,
    mean: MeanText = "",
    model: Annotated[
        list[str] | None,
        Parameter(help="A further row, NAME=DIRECTORY, or NAME= and any teacher.", negative=""),
    ] = None,
    reference: str = "",
    to: Annotated[Path | None, Parameter(help="Where the report lies.")] = None,
    require: Require = None,
    margin: float = 0.005,
    slices: Annotated[
        list[str] | None, Parameter(help="A column to report by.", negative="")
    ] = None,
    allow_seen: Annotated[bool, Parameter(help="Allow training examples.", negative="")] = False,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Hold student, control and teacher side by side, and say whether distillation helped."""
    import limbeck
    from limbeck._steps import open_teachers

    opened = limbeck.read(examples)
    if mean and not teacher:
        raise InputError("--mean goes with --teacher")
    named = {"student": student} | dict(
        name_and_value(one, "--model NAME=DIRECTORY") for one in model or ()
    )
    first = {"teacher": open_teachers(teacher, opened, mean=mean, trust=trust)} if teacher else {}
    others = {
        name: limbeck.teachers.read(at, opened.classes, trust=trust)
        for name, at in named.items()
        if at
    }
    models = {**first, **others}
    if not models:
        raise InputError("evaluate needs --student, --teacher or --model NAME=DIRECTORY")
    report = limbeck.evaluate(
        models,
        opened,
        reference=reference or ("teacher" if teacher else ""),
        to=to or "",
        require=require or (),
        comparison=limbeck.Comparison(
            margin=margin, slices=tuple(slices or ()), allow_seen=allow_seen
        ),
    )
    return say_report(report, to, json)


@app.command
def run(
    recipe: Annotated[Path, Parameter(help="A TOML file.")],
    /,
    *,
    to: Annotated[Path | None, Parameter(help="Instead of runs/NAME.")] = None,
    smoke: Annotated[bool, Parameter(help="Shrink all of it to seconds.", negative="")] = False,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Do the steps of a recipe in order; what is whole and unchanged is skipped."""
    import limbeck

    known = limbeck.read_recipe(recipe)
    place = to or known.place(smoke=smoke)
    report = limbeck.run_recipe(known, to=place, smoke=smoke, trust=trust, tell=tell)
    if report is None:
        return say({"recipe": str(recipe), "report": None}, f"{recipe}: done, no report", json)
    return say_report(report, place / "report", json)


@app.command
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
    """Say what an artefact is, what made it, and whether it is whole; status 1 if it is not.

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


@app.command
def data(
    name: Annotated[str, Parameter(help="mnist, fashion-mnist or spoken.")],
    /,
    *,
    folder: Annotated[
        Path | None, Parameter(help="Look here first, and only here; spoken is made here.")
    ] = None,
    hours: Annotated[float, Parameter(help="Of spoken: how much of it.")] = 1.0,
    voices: Annotated[int, Parameter(help="Of spoken: how many speakers.")] = 64,
    seed: Annotated[int, Parameter(help="Of spoken: another one, another corpus.")] = 0,
    json: Json = False,
) -> int:
    """Obtain a known set and verify it by checksum, from whichever source answers first.

    "spoken" is made here: synthetic speech with its phones, the same from the same seed.
    """
    from limbeck._fetch import obtain

    if name == "spoken":
        return _say_spoken(hours, voices, seed, folder or "", json)
    found = obtain(name, folder=folder or "", report=tell)
    shown = {"name": name, "directory": str(found.directory), "source": found.source}
    return say(shown, f"{name}: verified, in {found.directory}, from {found.source}", json)


def _say_spoken(hours: float, voices: int, seed: int, folder: Path | str, json: bool) -> int:
    from limbeck import speech

    shown = speech.spoken(hours, seed=seed, voices=voices, folder=folder).described()
    return say(shown, corpus_words(shown), json)


def _say_confidence(own: Path, held_out: Path, json: bool) -> int:
    import limbeck

    found = limbeck.confidence(own, held_out)
    return say(found.to_json(), str(found), json)


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
    from limbeck._figure import check_drawable
    from limbeck._load import load_run, load_scores

    place = check_drawable(figure) if figure else None
    opened = load_scores(scores, limbeck.read(examples) if examples else None)
    run = load_run(student, trust=trust) if student else None
    asked = {name: value for name, value in options.items() if value}
    found = limbeck.dark_knowledge(opened, student=run, **asked)
    if place:
        found.figure(place)
    return say(found.to_json(), found.text + (f"\n\ndrawn in {place}" if place else ""), json)
