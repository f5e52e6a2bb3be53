"""What a step of a recipe is, and what it needs to be whole."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from limbeck import objectives, students
from limbeck.deployment import check_format
from limbeck.errors import InputError, RecipeError
from limbeck.evaluation import Requirement
from limbeck.examples import views
from limbeck.metrics import MEASURES
from limbeck.recipes._tables import (
    CombineTable,
    CompareTable,
    EvaluateTable,
    ExportTable,
    ScoreTable,
    SplitTable,
    SweepTable,
    Table,
    Teachers,
    TrainTable,
)
from limbeck.runtime import did_you_mean
from limbeck.scores import check_mean
from limbeck.scoring import Storage, held_out_answer
from limbeck.selection import Budget
from limbeck.training import CONTROL, Plan, check_increasing, check_names

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


# Until something is opened nobody knows the kind: any kind's metric can be a bar.
BARS = list(dict.fromkeys(name for measures in MEASURES.values() for name in measures.metrics))


def readers(step: Step) -> list[Callable[[], object]]:
    table = step.table
    if step.verb == "score":
        means = [partial(_check_mean, [table.teacher], table.mean)]
        flag = partial(held_out_answer, table.held_out)
        return [lambda: views.read(table.views), lambda: storage_of(table), flag, *means]
    if step.verb == "combine":
        return [partial(_check_mean, [table.scores], table.mean)]
    if step.verb == "train":
        return _readers_of_net(table, [table.objective or "Labels()"])
    if step.verb == "sweep":
        asked = list(table.objectives.values())
        sizes = partial(_check_sizes, table)
        return [lambda: check_names(table.objectives), sizes, *_readers_of_net(table, asked)]
    if step.verb == "compare":
        texts = [text for candidates in table.methods.values() for text in candidates]
        return [
            lambda: students.read(table.student),
            *(partial(objectives.check, text) for text in texts),
            lambda: plan_of(table),
            lambda: budget_of(table),
        ]
    if step.verb == "evaluate":
        bars = [partial(Requirement.parse, text, BARS) for text in table.require]
        means = [partial(_check_mean, list(table.models.values()), table.mean)]
        return [*bars, lambda: _check_reference(table), *means]
    if step.verb == "export":
        return [lambda: check_format(table.to)]
    return []


def _readers_of_net(table: Any, asked: list[str]) -> list[Callable[[], object]]:
    return [
        lambda: students.read(table.student),
        *(partial(objectives.check, text) for text in asked),
        lambda: views.read(table.views),
        lambda: plan_of(table),
        partial(_check_mean, [table.teacher], table.mean),
    ]


def _check_sizes(table: Any) -> None:
    """Whether the sizes are any, and there is something to measure `test` at."""
    if table.sizes:
        check_increasing(table.sizes)
    elif table.test:
        raise RecipeError(f"test = {table.test!r} goes with sizes, and there are none")


def _check_mean(named: list[Teachers], mean: str) -> None:
    """Whether the mean is one, and there is something to take it of."""
    ensembles = [names for names in named if not isinstance(names, str)]
    if not all(ensembles):
        raise RecipeError("an ensemble has one member or more; got none")
    if check_mean(mean) != "geometric" and not ensembles:
        raise RecipeError(f"mean = {mean!r} goes with a list of teachers, and there is none")


def _check_reference(table: Any) -> None:
    if table.reference and table.reference not in table.models:
        known = did_you_mean(table.reference, table.models)
        raise RecipeError(f"has no model {table.reference!r}; {known}")
