"""The options that several commands take, said once."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from limbeck import Plan

from limbeck.errors import InputError

TeacherTexts = Annotated[
    list[str],
    Parameter(
        help="A run's directory or a model's file, `PREFIX:PATH` (run, onnx, exported, sklearn, "
        "lightgbm, xgboost, hf, head, scores), `http://...`, a call such as "
        "`onnx('m.onnx', kind='probabilities')`, or with --trust `file.py:name` or `module:name`; "
        "several are an ensemble.",
        negative="",
    ),
]
MeanText = Annotated[
    str,
    Parameter(
        help="geometric or arithmetic: an ensemble of the teachers, a run with each of its seeds; "
        "geometric where there are several."
    ),
]
ExamplesText = Annotated[
    str,
    Parameter(
        help="A known set (`mnist:train`), a file, a folder, `read('x.csv', ...)`, or of speech "
        "`timit('FOLDER', 'train')`, `speech('FOLDER', 'train', silence='sil')`."
    ),
]
StudentText = Annotated[str, Parameter(help="Such as `mlp([800, 800])` or `convnet('small')`.")]
ObjectiveText = Annotated[
    str,
    Parameter(
        help="Such as `SoftTargets(temperature=4)`, `MatchLogits('centered')`, `Labels`; or "
        "`mine.py:Focal(2)` with --trust."
    ),
]
ViewsText = Annotated[str, Parameter(help="Such as `jitter(2)` or `flip(of=crop(4))`.")]
To = Annotated[Path, Parameter(help="Where the result lies; never overwritten.")]
Json = Annotated[bool, Parameter(help="Print one JSON object instead of words.", negative="")]
Trust = Annotated[bool, Parameter(help="Run the code that a text names.", negative="")]
Tolerance = Annotated[
    float,
    Parameter(help="How far the file's scores may be off, as a share of an output's deviation."),
]
AcceptTeacher = Annotated[
    bool,
    Parameter(
        help="Go on with a teacher that is right less often than by chance, or always says the "
        "same.",
        negative="",
    ),
]
Require = Annotated[
    list[str] | None,
    Parameter(
        help="A bar such as `agreement>=0.97` or `verdict=yes`; missed, status 1.", negative=""
    ),
]
PlanText = Annotated[
    str, Parameter(help="Further numbers of the training, such as `learning_rate=0.01, batch=64`.")
]
Epochs = Annotated[
    int, Parameter(help="Passes over the examples; 0 for 30, or as many more as make 2,000 steps.")
]


def training_plan(text: str, epochs: int) -> "Plan":
    """The plan that `--plan` and `--epochs` describe together."""
    import limbeck
    from limbeck.runtime import make

    plan: Plan = make(f"Plan({text})", {"Plan": limbeck.Plan}, "plan")
    if plan.epochs != limbeck.Plan.epochs:
        raise InputError("--plan names the epochs, which are given by --epochs")
    return replace(plan, epochs=epochs)
