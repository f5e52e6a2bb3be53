"""One command a verb: parse, call, print."""

import json as json_text
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from limbeck.errors import InputError, LimbeckError

if TYPE_CHECKING:
    from limbeck import Plan, Report

NOT_MET, BAD_INPUT, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141

app = App(
    name="limbeck",
    help="Turns a large model into a small fast one, and shows with evidence whether it worked.",
    help_flags=["--help", "-h"],
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,
)

# What several commands take, said once.
TeacherText = Annotated[str, Parameter(help="A run's directory, or `module:name` with --trust.")]
ExamplesText = Annotated[
    str, Parameter(help="A known set (`mnist:train`), a file, a folder, or `read('x.csv', ...)`.")
]
StudentText = Annotated[str, Parameter(help="Such as `mlp([800, 800])` or `convnet('small')`.")]
ObjectiveText = Annotated[
    str, Parameter(help="Such as `SoftTargets(temperature=4)`, `MatchLogits('centred')`, `Labels`.")
]
ViewsText = Annotated[str, Parameter(help="Such as `jitter(2)` or `flip(of=crop(4))`.")]
To = Annotated[Path, Parameter(help="Where the result lies; never overwritten.")]
Json = Annotated[bool, Parameter(help="Print one JSON object instead of words.", negative="")]
Trust = Annotated[bool, Parameter(help="Run the code that a text names.", negative="")]
Require = Annotated[
    list[str] | None,
    Parameter(
        help="A bar such as `agreement>=0.97` or `verdict=yes`; missed, status 1.", negative=""
    ),
]
PlanText = Annotated[
    str, Parameter(help="Further numbers of the training, such as `learning_rate=0.01, batch=64`.")
]


@app.command
def distill(
    *,
    teacher: TeacherText,
    examples: ExamplesText,
    student: StudentText,
    to: To,
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
    from limbeck._steps import open_teacher

    unlabelled = limbeck.read(examples)
    known_classes = unlabelled if unlabelled.classes or not labelled else limbeck.read(labelled)
    how = limbeck.Distillation(
        objective=known_objectives.read(objective),
        views=known.read(views),
        count=count,
        seed=seed,
        plan=_plan(plan, epochs),
        seeds=seeds,
        margin=margin,
        require=tuple(require or ()),
    )
    made = limbeck.distill(
        open_teacher(teacher, known_classes, trust=trust),
        unlabelled,
        known_students.read(student, trust=trust),
        to=to,
        labelled=limbeck.read(labelled) if labelled else None,
        test=limbeck.read(test) if test else None,
        how=how,
    )
    return _print_report(made.report, to / "report", json)


@app.command
def score(
    *,
    teacher: TeacherText,
    examples: ExamplesText,
    to: To,
    views: ViewsText = "plain",
    count: int = 1,
    seed: int = 0,
    width: Annotated[str, Parameter(help="float16 or float32; by default what suits.")] = "",
    shard_rows: Annotated[int, Parameter(help="Examples a file.")] = 8192,
    batch: Annotated[int, Parameter(help="Examples the teacher answers at a time.")] = 512,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Keep what a teacher says of every example, in so many views."""
    import limbeck
    from limbeck import views as known
    from limbeck._steps import open_teacher

    opened = limbeck.read(examples)
    scores = limbeck.score(
        open_teacher(teacher, opened, trust=trust),
        opened,
        to=to,
        views=known.read(views),
        count=count,
        seed=seed,
        storage=limbeck.Storage(width, shard_rows, batch),
    )
    words = f"{to}: scores of {len(scores)} examples in {scores.count} views, {scores.kind}"
    return _print(limbeck.show(to) if json else {}, words, json)


@app.command
def train(
    *,
    student: StudentText,
    to: To,
    scores: Annotated[Path | None, Parameter(help="A score set's directory.")] = None,
    examples: ExamplesText = "",
    labelled: ExamplesText = "",
    objective: ObjectiveText = "",
    views: ViewsText = "",
    count: Annotated[int, Parameter(help="Views of each example; 0: a new one an epoch.")] = 0,
    seeds: int = 1,
    epochs: int = 30,
    plan: PlanText = "",
    control: bool = True,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Train a student on a score set, with its control, or a net on labelled examples."""
    import limbeck
    from limbeck import objectives as known_objectives
    from limbeck import students as known_students

    usual = "SoftTargets(temperature=4)" if scores else "Labels()"
    run = limbeck.train(
        known_students.read(student, trust=trust),
        _transfer(scores, examples, views, count),
        known_objectives.read(objective or usual),
        to=to,
        plan=_plan(plan, epochs),
        seeds=seeds,
        control=control,
        labelled=limbeck.read(labelled) if labelled else None,
    )
    beside = "with its control" if run.control else "without a control"
    words = f"{to}: {run.student.text}, {len(run.seeds)} seeds, {beside}; seed {run.shipped} ships"
    words = "\n- ".join([words, *run.notes, *(run.control.notes if run.control else ())])
    return _print(limbeck.show(to) if json else {}, words, json)


@app.command
def evaluate(
    *,
    examples: ExamplesText,
    student: Annotated[str, Parameter(help="The directory of the student's run.")] = "",
    teacher: TeacherText = "",
    model: Annotated[
        list[str] | None, Parameter(help="A further row, NAME=DIRECTORY.", negative="")
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
    from limbeck._steps import open_teacher

    opened = limbeck.read(examples)
    named = {"teacher": teacher, "student": student} | dict(_named(one) for one in model or ())
    models = {name: open_teacher(at, opened, trust=trust) for name, at in named.items() if at}
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
    return _print_report(report, to, json)


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
    return _print({**asdict(made), "path": str(made.path)}, words, json)


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
    report = limbeck.run_recipe(known, to=place, smoke=smoke, trust=trust, tell=_tell)
    if report is None:
        return _print({"recipe": str(recipe), "report": None}, f"{recipe}: done, no report", json)
    return _print_report(report, place / "report", json)


@app.command
def show(
    path: Annotated[Path, Parameter(help="A directory, or an exported file.")],
    /,
    *,
    json: Json = False,
) -> int:
    """Say what an artefact is, what made it, and whether it is whole; status 1 if it is not."""
    import limbeck

    shown = limbeck.show(path)
    words = "\n".join(_lines(shown))
    _print(shown, words, json)
    return 0 if shown["whole"] == "yes" else NOT_MET


@app.command
def data(
    name: Annotated[str, Parameter(help="mnist or fashion-mnist.")],
    /,
    *,
    folder: Annotated[Path | None, Parameter(help="Look here first, and only here.")] = None,
    json: Json = False,
) -> int:
    """Obtain a known set and verify it by checksum, from whichever source answers first."""
    from limbeck._fetch import obtain

    found = obtain(name, folder=folder or "", report=_tell)
    shown = {"name": name, "directory": str(found.directory), "source": found.source}
    return _print(shown, f"{name}: verified, in {found.directory}, from {found.source}", json)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command; leaves with status 0, 1 a bar missed, 2 bad input or 130 interrupted."""
    warnings.showwarning = _warn
    try:
        status = app(
            arguments, exit_on_error=False, print_error=False, result_action="return_value"
        )
    except KeyboardInterrupt:
        status = _fail(
            "interrupted: what is finished is kept, run the same command to go on", INTERRUPTED
        )
    except (CycloptsError, LimbeckError) as error:
        missed = type(error).__name__ == "NotMetError"
        status = _fail(str(error), NOT_MET if missed else BAD_INPUT)
    except BrokenPipeError:  # whoever read our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = PIPE_CLOSED
    except OSError as error:
        place = error.filename or "a file"
        status = _fail(f"cannot read or write {place}: {error.strerror or error}", BAD_INPUT)
    raise SystemExit(status or 0)


def _fail(message: str, status: int) -> int:
    print(f"limbeck: {message}", file=sys.stderr)
    return status


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"limbeck: warning: {message}", file=sys.stderr)


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _print(value: dict[str, Any], words: str, json: bool) -> int:
    print(json_text.dumps(value, indent=1) if json else words)
    return 0


def _print_report(report: "Report", place: Path | None, json: bool) -> int:
    """The report, and the status that its requirements ask for."""
    words = str(report) + (f"\n\nThe report lies in {place}: report.html" if place else "")
    _print(dict(report.document), words, json)
    missed = [bar for bar in report.document.get("requirements", []) if not bar["met"]]
    for bar in missed:
        _fail(f"not met: {bar['text']} ({bar['measured']})", NOT_MET)
    return NOT_MET if missed else 0


def _lines(shown: dict[str, Any], indent: str = "") -> list[str]:
    lines = []
    for key, value in shown.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", *_lines(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {value}")
    return lines


def _named(text: str) -> tuple[str, str]:
    name, found, directory = text.partition("=")
    if not (name and found and directory):
        raise InputError(f"--model takes NAME=DIRECTORY, not {text!r}")
    return name, directory


def _plan(text: str, epochs: int) -> "Plan":
    import limbeck
    from limbeck._calls import make

    plan: Plan = make(f"Plan({text})", {"Plan": limbeck.Plan}, "plan")
    if plan.epochs != limbeck.Plan.epochs:
        raise InputError("--plan names the epochs, which are given by --epochs")
    return replace(plan, epochs=epochs)


def _transfer(scores: Path | None, examples: str, views: str, count: int) -> Any:
    import limbeck
    from limbeck import views as known
    from limbeck._load import load_scores

    if scores is not None:
        if views or count:
            raise InputError("--views and --count go with --examples; a score set knows its own")
        return load_scores(scores, limbeck.read(examples) if examples else None)
    if not examples:
        raise InputError("train needs --scores, or --examples with labels")
    view = known.read(views or "plain")
    return limbeck.TransferSet(limbeck.read(examples), view, count or limbeck.FRESH)


if __name__ == "__main__":
    main()
