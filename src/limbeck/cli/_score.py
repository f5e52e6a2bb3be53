"""The command that asks a teacher about examples."""

from typing import Annotated

from cyclopts import Parameter

from limbeck.cli._options import (
    AcceptTeacher,
    ExamplesText,
    Json,
    MeanText,
    TeacherTexts,
    To,
    Trust,
    ViewsText,
)
from limbeck.cli._output import say


def score(
    *,
    teacher: TeacherTexts,
    examples: ExamplesText,
    to: To,
    mean: MeanText = "",
    views: ViewsText = "plain",
    count: int = 1,
    seed: int = 0,
    width: Annotated[str, Parameter(help="float16 or float32; by default what suits.")] = "",
    shard_rows: Annotated[int, Parameter(help="Examples a file.")] = 8192,
    batch: Annotated[int, Parameter(help="Examples the teacher answers at a time.")] = 512,
    precision: Annotated[
        str, Parameter(help="float32, or bfloat16: faster, of runs and ensembles of runs.")
    ] = "float32",
    held_out: Annotated[
        bool | None,
        Parameter(help="Whether the teacher was trained on none of them; a run of ours knows."),
    ] = None,
    accept_teacher: AcceptTeacher = False,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Keep what a teacher says of every example, in so many views."""
    import limbeck
    from limbeck.scoring import Storage
    from limbeck.teachers import open_teachers

    rows = limbeck.read(examples)
    model = open_teachers(teacher, rows, mean=mean, trust=trust)
    scores = limbeck.score(
        limbeck.teachers.in_precision(model, precision),
        rows,
        to=to,
        views=limbeck.views.from_text(views, trust=trust),
        count=count,
        seed=seed,
        storage=Storage(width, shard_rows, batch),
        held_out="unknown" if held_out is None else held_out,
        accept_teacher=accept_teacher,
    )
    words = f"{to}: scores of {len(scores)} examples in {scores.count} views, {scores.kind}"
    if scores.held_out != "unknown":
        words += f"; held out from the teacher: {scores.held_out}"
    return say(limbeck.show(to) if json else {}, words, json)
