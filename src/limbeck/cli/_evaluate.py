"""The command that evaluates models."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from limbeck.cli._options import ExamplesText, Json, MeanText, Require, TeacherTexts, Trust
from limbeck.cli._output import name_and_value, say_report
from limbeck.errors import InputError


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
    from limbeck.evaluation import Comparison
    from limbeck.teachers import open_teachers

    opened = limbeck.read(examples)
    if mean and not teacher:
        raise InputError("--mean goes with --teacher")
    named = {"student": student} | dict(
        name_and_value(one, "--model NAME=DIRECTORY") for one in model or ()
    )
    first = {"teacher": open_teachers(teacher, opened, mean=mean, trust=trust)} if teacher else {}
    others = {
        name: limbeck.teachers.from_text(at, opened.classes, trust=trust)
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
        comparison=Comparison(margin=margin, slices=tuple(slices or ()), allow_seen=allow_seen),
    )
    return say_report(report, to, json)
