"""The tables of a recipe: which keys a step has, what it makes, and what it needs."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, create_model
from pydantic_core import PydanticCustomError

from limbeck._evaluate import Comparison
from limbeck._shards import Storage
from limbeck._tune import Budget
from limbeck.errors import InputError
from limbeck.runs import Plan
from limbeck.sweeps import CONTROL


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


TABLES: Mapping[str, type[Table]] = {
    "split": SplitTable,
    "score": ScoreTable,
    "combine": CombineTable,
    "train": TrainTable,
    "sweep": SweepTable,
    "compare": CompareTable,
    "evaluate": EvaluateTable,
    "export": ExportTable,
}


@dataclass(frozen=True)
class Step:
    """One table of a recipe: which verb, and its keywords."""

    verb: str
    table: Any

    @property
    def makes(self) -> tuple[str, ...]:
        """The names it gives to later steps."""
        table = self.table
        if self.verb == "split":
            return (table.rest, table.part)
        if self.verb == "sweep":
            names = (*table.objectives, CONTROL)
            folders = [f"{table.to}/{size}" for size in table.sizes] or [table.to]
            return tuple(f"{folder}/{name}" for folder in folders for name in names)
        return (table.to,)

    @property
    def place(self) -> str:
        """The name of what it makes, as users know it."""
        return str(self.makes[0] if self.verb == "split" else self.table.to)

    @property
    def teachers(self) -> tuple[str, ...]:
        """The teachers and models it names: runs of the recipe's, or texts that open others."""
        match self.verb:
            case "score":
                return tuple(_names(self.table.teacher))
            case "train" | "sweep":
                return tuple(_names(self.table.teacher)) if self.table.teacher else ()
            case "evaluate":
                return tuple(name for one in self.table.models.values() for name in _names(one))
        return ()

    @property
    def needs(self) -> tuple[str, ...]:
        """The names it takes from the recipe; a teacher or model may also be named by path."""
        table = self.table
        match self.verb:
            case "split":
                return (table.of,)
            case "score":
                return (table.examples, *self.teachers)
            case "combine":
                return tuple(table.scores)
            case "train" | "sweep":
                test = table.test if self.verb == "sweep" else ""
                given = [table.on, table.labelled, test, *self.teachers]
                return tuple(name for name in given if name)
            case "compare":
                return (table.on, table.test, *([table.labelled] if table.labelled else []))
            case "evaluate":
                return (table.examples, *self.teachers)
        return (table.run, table.check)


def _names(teachers: Teachers) -> list[str]:
    return [teachers] if isinstance(teachers, str) else teachers


def plan_of(table: Any, most_epochs: int = 0) -> Plan:
    """The plan in a table, with no more epochs than that if a number is given."""
    values: dict[str, Any] = {f.name: getattr(table, f.name, f.default) for f in fields(Plan)}
    if most_epochs:
        values["epochs"] = min(values["epochs"], most_epochs)
    return Plan(**values)


def budget_of(table: Any) -> Budget:
    """How much tuning a [compare] table gives each method."""
    if len(table.learning_rates) != 2:
        raise InputError(
            f"learning_rates are two, the lowest and the highest, not {table.learning_rates}"
        )
    low, high = table.learning_rates
    return Budget(table.trials, (low, high), table.tuning_held_out)


def storage_of(table: Any) -> Storage:
    """How the scores of a [score] table are kept."""
    if table.count < 1:
        raise InputError(f"count is 1 view or more, not {table.count}")
    return Storage(table.width, table.shard_rows, table.batch)
