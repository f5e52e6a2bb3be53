"""Kitchen: the objects of a recipe while it is done, by the names its tables give them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from limbeck import teachers
from limbeck.datasets import read
from limbeck.errors import RecipeError
from limbeck.evaluation import Report
from limbeck.examples import Examples, View, views
from limbeck.recipes._load import load_run, load_scores
from limbeck.recipes._teachers import Teachers
from limbeck.scores import ScoreSet
from limbeck.students import Run
from limbeck.teachers import Teacher, ensemble
from limbeck.training import Plan

SMOKE_EXAMPLES = 300
SMOKE_EPOCHS, SMOKE_SEEDS, SMOKE_VIEWS = 1, 2, 2


@dataclass(eq=False)
class Kitchen:
    """What the steps of a recipe find, and leave for later ones.

    Attributes:
        name: the recipe's.
        sources: what each set of examples is opened from.
        learnt_from: the names of all sets that some step learns from.
        place: where outputs go.
        smoke: whether sets, epochs, seeds and views are few.
        trust: whether code that the recipe names is run.
        tell: takes a sentence on what is done.
        sets, scores, runs: what is open so far.
        report: the last one.
    """

    name: str
    sources: Mapping[str, str]
    learnt_from: frozenset[str]
    place: Path
    smoke: bool
    trust: bool
    tell: Callable[[str], None]
    sets: dict[str, Examples] = field(default_factory=dict)
    scores: dict[str, ScoreSet] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    report: Report | None = None

    def examples(self, name: str) -> Examples:
        """A set of the recipe's, opened when it is first asked for."""
        if name not in self.sets:
            if name not in self.sources:
                raise RecipeError(f"{name!r} is not a set of examples of this recipe")
            opened = read(self.sources[name])
            self.sets[name] = _shrunk(opened) if self.smoke else opened
        return self.sets[name]

    def labelled(self, name: str) -> Examples | None:
        """The set that a key `labelled` names, where it names one."""
        return self.examples(name) if name else None

    def score_set(self, name: str) -> ScoreSet:
        """A score set of the recipe's, or the one in a directory."""
        return self.scores[name] if name in self.scores else load_scores(name, trust=self.trust)

    def run(self, name: str) -> Run:
        """A run of the recipe's, or the one in a directory."""
        return self.runs[name] if name in self.runs else load_run(name, trust=self.trust)

    def model(self, named: Teachers, examples: Examples, mean: str) -> Run | Teacher:
        """A run of the recipe's, a teacher from elsewhere, or of several names their ensemble."""
        if not isinstance(named, str):
            return ensemble([self.model(name, examples, mean) for name in named], mean=mean)
        if named in self.runs:
            return self.runs[named]
        return teachers.from_text(named, examples.classes, trust=self.trust)

    def view(self, text: str) -> View:
        """The view that a text names."""
        return views.from_text(text, trust=self.trust)

    def seeds(self, number: int) -> int:
        """So many seeds, or fewer in a smoke run."""
        return min(number, SMOKE_SEEDS) if self.smoke else number

    def views(self, number: int) -> int:
        """So many views, or fewer in a smoke run."""
        return min(number, SMOKE_VIEWS) if self.smoke else number

    def plan(self, plan: Plan) -> Plan:
        """The plan, or the same with fewer epochs in a smoke run."""
        return (
            replace(plan, epochs=min(plan.epochs or SMOKE_EPOCHS, SMOKE_EPOCHS))
            if self.smoke
            else plan
        )


def _shrunk(examples: Examples) -> Examples:
    if len(examples) <= SMOKE_EXAMPLES:
        return examples
    few, _ = examples.split(1 - SMOKE_EXAMPLES / len(examples))
    return few
