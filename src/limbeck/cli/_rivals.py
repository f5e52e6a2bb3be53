"""The command that holds a student beside all that could be shipped in its place."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from limbeck.cli._options import ExamplesText, Json, MeanText, TeacherTexts, To, Trust
from limbeck.cli._output import say, tell


def rivals(
    *,
    run: Annotated[Path, Parameter(help="The directory of the student's run.")],
    teacher: TeacherTexts,
    labelled: ExamplesText,
    test: ExamplesText,
    to: To,
    mean: MeanText = "",
    threads: Annotated[int, Parameter(help="Of the processor, for the times.")] = 1,
    metric: Annotated[str, Parameter(help="auc for two classes, else accuracy.")] = "",
    budget_ms: Annotated[float, Parameter(help="What one example may take, by p50.")] = 1.0,
    margin: Annotated[float, Parameter(help="How much of the metric int8 may cost.")] = 0.005,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Hold a student beside all that could be shipped in its place, and say what to ship."""
    import limbeck
    from limbeck.recipes import load_run
    from limbeck.teachers import open_teachers

    test_set = limbeck.read(test)
    table = limbeck.rivals(
        load_run(run, trust=trust),
        test_set,
        teacher=open_teachers(teacher, test_set, mean=mean, trust=trust),
        labelled=limbeck.read(labelled),
        to=to,
        threads=threads,
        metric=metric,
        budget_ms=budget_ms,
        margin=margin,
        tell=tell,
    )
    return say(dict(table.document), str(table), json)
