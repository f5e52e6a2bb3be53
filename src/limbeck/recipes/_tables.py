"""The tables of a recipe: which keys a step has, what it makes, and what it needs."""

from dataclasses import fields
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, create_model
from pydantic_core import PydanticCustomError

from limbeck.evaluation import Comparison
from limbeck.scoring import Storage
from limbeck.selection import Budget
from limbeck.training import CONTROL, Plan


def _check_texts(given: object) -> object:
    """Says of a name or a list of names in one sentence what it is not."""
    texts = given if isinstance(given, list) else [given]
    if not all(isinstance(text, str) for text in texts):
        raise PydanticCustomError("names", "a name or a list of names")
    return given


# The name of a teacher, or the names of an ensemble's members.
Teachers = Annotated[str | list[str], BeforeValidator(_check_texts)]


class Table(BaseModel):
    """A table: its keys are known, and its values of the right type."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class SplitTable(Table):
    """One set of examples into two: by groups (of a column, with `by`) or by `time`."""

    of: str
    rest: str
    part: str
    fraction: float
    by: str = ""
    time: str = ""
    seed: int = 0


class ScoreTable(Table):
    """The keywords of `score`."""

    to: str = "scores"
    teacher: Teachers
    mean: str = "geometric"
    examples: str
    views: str = "plain()"
    count: int = 1
    seed: int = 0
    width: str = ""
    shard_rows: int = Storage.shard_rows
    batch: int = Storage.batch
    precision: str = "float32"
    held_out: bool | str = "unknown"


class CombineTable(Table):
    """The keywords of `combine`."""

    to: str
    scores: list[str]
    mean: str = "geometric"


class _NetTable(Table):
    to: str
    student: str
    on: str
    teacher: Teachers = ""  # in the loop, where `on` names examples
    mean: str = "geometric"
    views: str = "plain()"
    count: int = 0
    view_seed: int = 0
    labelled: str = ""
    seeds: int = 1
    control: bool = True


class _TrainTable(_NetTable):
    objective: str = ""  # SoftTargets(temperature=4) where there is a teacher, else Labels()


class _SweepTable(_NetTable):
    objectives: dict[str, str]
    sizes: list[int] = []
    test: str = ""  # measured at each size, into the sweep's directory


# The keywords of `train` and of `sweep`, and beside them the plan's own: a plan is not a table of
# its own.
_PLAN: Any = {f.name: (f.type, f.default) for f in fields(Plan)}
TrainTable = create_model("TrainTable", __base__=_TrainTable, **_PLAN)
SweepTable = create_model("SweepTable", __base__=_SweepTable, **_PLAN)


class _CompareTable(Table):
    to: str = "compared"
    student: str
    on: str
    methods: dict[str, list[str]]
    test: str
    labelled: str = ""
    baseline: str = CONTROL
    trials: int = Budget.trials
    learning_rates: list[float] = list(Budget.learning_rates)
    tuning_held_out: float = Budget.held_out
    seeds: int = 5


# The keywords of `compare`, its budget's and the plan's, whose learning rate is what is tuned.
CompareTable = create_model(
    "CompareTable",
    __base__=_CompareTable,
    **{name: of for name, of in _PLAN.items() if name != "learning_rate"},
)


class EvaluateTable(Table):
    """The keywords of `evaluate` and of its comparison."""

    to: str = "report"
    models: dict[str, Teachers]
    mean: str = "geometric"
    examples: str
    reference: str = ""
    require: list[str] = []
    student: str = Comparison.student
    control: str = Comparison.control
    margin: float = Comparison.margin
    slices: list[str] = []
    allow_seen: bool = Comparison.allow_seen


class ExportTable(Table):
    """The keywords of `export`."""

    run: str
    to: str = "student.onnx"
    check: str
    tolerance: float = 1e-3
    absorb: bool = False
