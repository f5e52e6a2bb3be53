"""The commands that make something: distill, score, train, export."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from limbeck.cli._transfer import Transfer
from limbeck.cli._words import (
    ExamplesText,
    Json,
    MeanText,
    ObjectiveText,
    PlanText,
    Require,
    StudentText,
    TeacherTexts,
    To,
    Trust,
    ViewsText,
    app,
    say,
    say_report,
    training_plan,
)


@app.command
def distill(
    *,
    teacher: TeacherTexts,
    examples: ExamplesText,
    student: StudentText,
    to: To,
    mean: MeanText = "",
    labelled: ExamplesText = "",
    test: ExamplesText = "",
    objective: ObjectiveText = "SoftTargets(temperature=4)",
    views: ViewsText = "plain",
    count: int = 1,
    seed: Annotated[int, Parameter(help="What the views are drawn with.")] = 0,
    seeds: int = 3,
    epochs: int = 30,
    plan: PlanText = "",
    margin: float = 0.005,
    require: Require = None,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Score, train, evaluate and export in one go, and write down the recipe that does it again."""
    import limbeck
    from limbeck import objectives as known_objectives
    from limbeck import students as known_students
    from limbeck import views as known
    from limbeck._steps import open_teachers

    unlabelled = limbeck.read(examples)
    known_classes = unlabelled if unlabelled.classes or not labelled else limbeck.read(labelled)
    how = limbeck.Distillation(
        objective=known_objectives.read(objective, trust=trust),
        views=known.read(views),
        count=count,
        seed=seed,
        plan=training_plan(plan, epochs),
        seeds=seeds,
        margin=margin,
        require=tuple(require or ()),
    )
    made = limbeck.distill(
        open_teachers(teacher, known_classes, mean=mean, trust=trust),
        unlabelled,
        known_students.read(student, trust=trust),
        to=to,
        labelled=limbeck.read(labelled) if labelled else None,
        test=limbeck.read(test) if test else None,
        how=how,
    )
    return say_report(made.report, to / "report", json)


@app.command
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
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Keep what a teacher says of every example, in so many views."""
    import limbeck
    from limbeck import views as known
    from limbeck._steps import open_teachers

    opened = limbeck.read(examples)
    asked = open_teachers(teacher, opened, mean=mean, trust=trust)
    scores = limbeck.score(
        limbeck.teachers.in_precision(asked, precision),
        opened,
        to=to,
        views=known.read(views),
        count=count,
        seed=seed,
        storage=limbeck.Storage(width, shard_rows, batch),
        held_out="unknown" if held_out is None else held_out,
    )
    words = f"{to}: scores of {len(scores)} examples in {scores.count} views, {scores.kind}"
    if scores.held_out != "unknown":
        words += f"; held out from the teacher: {scores.held_out}"
    return say(limbeck.show(to) if json else {}, words, json)


@app.command
def train(
    *,
    student: StudentText,
    to: To,
    transfer: Transfer = Transfer(),  # noqa: B008  frozen, so one can be every call's default
    objective: ObjectiveText = "",
    seeds: int = 1,
    epochs: int = 30,
    plan: PlanText = "",
    control: bool = True,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Train a student on a score set or a live teacher, with its control; or a net on labels."""
    import limbeck
    from limbeck import objectives as known_objectives
    from limbeck import students as known_students

    usual = "SoftTargets(temperature=4)" if transfer.is_taught else "Labels()"
    run = limbeck.train(
        known_students.read(student, trust=trust),
        transfer.opened(trust=trust),
        known_objectives.read(objective or usual, trust=trust),
        to=to,
        plan=training_plan(plan, epochs),
        seeds=seeds,
        control=control,
        labelled=transfer.apart,
    )
    beside = "with its control" if run.control else "without a control"
    net = f"{run.student.text} of {run.parameters:,} parameters"
    words = f"{to}: {net}, {len(run.seeds)} seeds, {beside}; seed {run.shipped} ships"
    words = "\n- ".join([words, *run.notes, *(run.control.notes if run.control else ())])
    return say(limbeck.show(to) if json else {}, words, json)


@app.command
def export(
    *,
    run: Annotated[Path, Parameter(help="The directory of the student's run.")],
    to: Annotated[Path, Parameter(help="A file ending in .onnx or .safetensors.")],
    check: ExamplesText,
    tolerance: float = 1e-3,
    absorb: Annotated[bool, Parameter(help="Multiply out a bottleneck.", negative="")] = False,
    report: Annotated[Path | None, Parameter(help="A report, for the card.")] = None,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Write the student to a file, after seeing that the file answers alike."""
    import limbeck
    from limbeck._load import load_run

    made = limbeck.export(
        load_run(run, trust=trust),
        to=to,
        check=limbeck.read(check),
        tolerance=tolerance,
        absorb=absorb,
        report=limbeck.Report.read(report) if report else None,
    )
    words = (
        f"{made.path}: held against the student on {made.n} examples, largest difference of a "
        f"score {made.largest_difference:.2g}, same class on {made.agreement:.2%}"
    )
    return say({**asdict(made), "path": str(made.path)}, words, json)
