"""Does the steps of a recipe in order; those that are whole and unchanged are skipped."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limbeck import artifacts, objectives, students, teachers
from limbeck.datasets import read
from limbeck.deployment import export
from limbeck.errors import RecipeError
from limbeck.evaluation import Comparison, Report, evaluate
from limbeck.examples import Examples, check_disjoint, views
from limbeck.recipes._load import load_run, load_scores
from limbeck.recipes._parse import Recipe
from limbeck.recipes._steps import Step, budget_of, plan_of, storage_of
from limbeck.recipes._tables import Teachers
from limbeck.scores import ScoreSet
from limbeck.scoring import combine, score
from limbeck.selection import by_size, compare
from limbeck.students import Run
from limbeck.teachers import Teacher, ensemble, in_precision
from limbeck.training import FRESH, TransferSet, live, sweep, train

SMOKE_EXAMPLES = 300
SMOKE_EPOCHS, SMOKE_SEEDS, SMOKE_VIEWS = 1, 2, 2


def run_recipe(
    recipe: Recipe,
    *,
    to: str | Path = "",
    smoke: bool = False,
    trust: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Report | None:
    """Does every step of a recipe under `runs/NAME`, or `to`; whole and unchanged ones are skipped.

    `smoke` shrinks sets, epochs, seeds and views so that all of it takes seconds, in a directory
    of its own. Returns the last report.

    Raises:
        TrustError: the recipe names code, and `trust` is not given.
        Whatever the verbs raise.
    """
    place = Path(to) if to else recipe.place(smoke=smoke)
    # Code that is not trusted is refused before any work.
    for text in _objectives(recipe):
        objectives.read(text, trust=trust)
    for text in _teachers(recipe):
        teachers.check(text, trust=trust)
    kitchen = _Kitchen(recipe, place, smoke, trust, tell)
    for step in recipe.steps:
        kitchen.do(step)
    return kitchen.report


def _objectives(recipe: Recipe) -> Iterator[str]:
    """The texts of all objectives that a recipe names."""
    for step in recipe.steps:
        if step.verb == "train" and step.table.objective:
            yield step.table.objective
        if step.verb == "sweep":
            yield from step.table.objectives.values()
        if step.verb == "compare":
            yield from (text for of in step.table.methods.values() for text in of)


def _teachers(recipe: Recipe) -> Iterator[str]:
    """The texts of all teachers and models that are not runs of the recipe's own."""
    own = {name for step in recipe.steps for name in step.makes}
    for step in recipe.steps:
        yield from (text for text in step.teachers if text not in own)


@dataclass(eq=False)
class _Kitchen:
    """The objects of a recipe while it is done."""

    recipe: Recipe
    place: Path
    smoke: bool
    trust: bool
    tell: Callable[[str], None]
    sets: dict[str, Examples] = field(default_factory=dict)
    scores: dict[str, ScoreSet] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    report: Report | None = None

    def do(self, step: Step) -> None:
        verbs = {
            "split": self._split,
            "score": self._score,
            "combine": self._combine,
            "train": self._train,
            "sweep": self._sweep,
            "compare": self._compare,
            "evaluate": self._evaluate,
            "export": self._export,
        }
        if step.verb != "split":
            whole = all(_is_whole(self.place / name) for name in step.makes)
            self.tell(f"{step.verb} {self.place / step.place}{' (already whole)' if whole else ''}")
        verbs[step.verb](step.table)

    @property
    def learnt_from(self) -> set[str]:
        """The sets that are open and that a [score] or [train] learns from."""
        tables = [(s.verb, s.table) for s in self.recipe.steps]
        names = {table.examples for verb, table in tables if verb == "score"}
        for table in (table for verb, table in tables if verb in ("train", "sweep", "compare")):
            names |= {table.on, table.labelled}
        return names & self.sets.keys()

    def _examples(self, name: str) -> Examples:
        if name not in self.sets:
            if name not in self.recipe.sources:
                raise RecipeError(f"{name!r} is not a set of examples of this recipe")
            opened = read(self.recipe.sources[name])
            self.sets[name] = _shrunk(opened) if self.smoke else opened
        return self.sets[name]

    def _split(self, table: Any) -> None:
        whole = self._examples(table.of)
        if table.time:
            parts = whole.split_by_time(table.time, table.fraction)
        else:
            parts = whole.split(table.fraction, by=table.by, seed=table.seed)
        self.sets |= dict(zip((table.rest, table.part), parts, strict=True))

    def _score(self, table: Any) -> None:
        examples = self._examples(table.examples)
        count = min(table.count, SMOKE_VIEWS) if self.smoke else table.count
        self.scores[table.to] = score(
            in_precision(self._model(table.teacher, examples, table.mean), table.precision),
            examples,
            to=self.place / table.to,
            views=views.read(table.views),
            count=count,
            seed=table.seed,
            storage=storage_of(table),
            held_out=table.held_out,
        )

    def _combine(self, table: Any) -> None:
        self.scores[table.to] = combine(
            [self._scores(name) for name in table.scores], to=self.place / table.to, mean=table.mean
        )

    def _scores(self, name: str) -> ScoreSet:
        return self.scores[name] if name in self.scores else load_scores(name)

    def _train(self, table: Any) -> None:
        self.runs[table.to] = train(
            students.read(table.student, trust=self.trust),
            self._transfer(table),
            objectives.read(table.objective or self._usual_objective(table), trust=self.trust),
            to=self.place / table.to,
            **self._common(table),
        )

    def _sweep(self, table: Any) -> None:
        asked = {
            name: objectives.read(text, trust=self.trust) for name, text in table.objectives.items()
        }
        transfer = self._transfer(table)
        sizes = self._sizes(table, transfer)
        made = sweep(
            students.read(table.student, trust=self.trust),
            transfer,
            asked,
            to=self.place / table.to,
            sizes=list(sizes.values()),
            **self._common(table),
        )
        # In a smoke run, which has fewer examples, a size keeps the name it has in the recipe.
        named = {str(small): size for size, small in sizes.items()}
        for name, run in made.items():
            size, _, rest = name.rpartition("/")
            self.runs["/".join(filter(None, (table.to, str(named.get(size, "")), rest)))] = run
        if table.test:
            self._by_size(made, table)

    def _sizes(self, table: Any, transfer: TransferSet | ScoreSet) -> dict[int, int]:
        """Each size of a [sweep], and how many examples that is in this run of the recipe."""
        most = len(transfer) if isinstance(transfer, ScoreSet) else len(transfer.examples)
        if not self.smoke or not table.sizes or table.sizes[-1] <= most:
            return dict(zip(table.sizes, table.sizes, strict=True))
        parts = range(1, len(table.sizes) + 1)
        return {size: most * i // len(parts) for size, i in zip(table.sizes, parts, strict=True)}

    def _by_size(self, made: dict[str, Run], table: Any) -> None:
        found = by_size(made, self._examples(table.test))
        found.write(self.place / table.to)
        self.tell(str(found))

    def _common(self, table: Any) -> dict[str, Any]:
        """The keywords that `train` and `sweep` share."""
        # A teacher in the loop is asked about labelled examples too: they are in the transfer set.
        is_apart = table.labelled and not table.teacher
        return {
            "plan": plan_of(table, SMOKE_EPOCHS) if self.smoke else plan_of(table),
            "seeds": min(table.seeds, SMOKE_SEEDS) if self.smoke else table.seeds,
            "control": table.control,
            "labelled": self._examples(table.labelled) if is_apart else None,
        }

    def _usual_objective(self, table: Any) -> str:
        is_taught = table.on in self.scores or table.teacher
        return "SoftTargets(temperature=4)" if is_taught else "Labels()"

    def _transfer(self, table: Any) -> TransferSet | ScoreSet:
        if table.on in self.scores:
            return self._stored(table)
        examples, view = self._examples(table.on), views.read(table.views)
        # No number means a new view every epoch: there is no store to fill.
        count = table.count or FRESH
        if not table.teacher:
            return TransferSet(examples, view, count, table.view_seed)
        return live(
            self._model(table.teacher, examples, table.mean),
            examples,
            views=view,
            count=count,
            seed=table.view_seed,
            labelled=self._examples(table.labelled) if table.labelled else None,
        )

    def _compare(self, table: Any) -> None:
        labelled = self._examples(table.labelled) if table.labelled else None
        compared = compare(
            students.read(table.student, trust=self.trust),
            TransferSet.of(self._scores(table.on), labelled),
            {
                name: [objectives.read(text, trust=self.trust) for text in texts]
                for name, texts in table.methods.items()
            },
            test=self._examples(table.test),
            to=self.place / table.to,
            plan=plan_of(table, SMOKE_EPOCHS) if self.smoke else plan_of(table),
            budget=budget_of(table),
            seeds=min(table.seeds, SMOKE_SEEDS) if self.smoke else table.seeds,
            baseline=table.baseline,
            tell=self.tell,
        )
        self.tell(str(compared))

    def _stored(self, table: Any) -> ScoreSet:
        scores = self.scores[table.on]
        if table.teacher:
            raise RecipeError(
                f"{table.on!r} are scores already: a teacher in the loop goes with examples"
            )
        if table.views != "plain()" or table.count or table.view_seed:
            count = table.count or scores.count
            scores.check_view(views.read(table.views), table.view_seed, count)
        return scores

    def _evaluate(self, table: Any) -> None:
        examples = self._examples(table.examples)
        for name in self.learnt_from:
            if not table.allow_seen:
                check_disjoint({f"the set {name!r}": self.sets[name], "the test set": examples})
        self.report = evaluate(
            {n: self._model(path, examples, table.mean) for n, path in table.models.items()},
            examples,
            reference=table.reference,
            to=self.place / table.to,
            require=table.require,
            name=self.recipe.name,
            comparison=Comparison(
                table.student,
                table.control,
                table.margin,
                tuple(table.slices),
                allow_seen=table.allow_seen,
            ),
        )

    def _export(self, table: Any) -> None:
        export(
            self._run(table.run),
            to=self.place / table.to,
            check=self._examples(table.check),
            tolerance=table.tolerance,
            absorb=table.absorb,
            report=self.report,
        )

    def _run(self, name: str) -> Run:
        return self.runs[name] if name in self.runs else load_run(name, trust=self.trust)

    def _model(self, named: Teachers, examples: Examples, mean: str) -> Run | Teacher:
        if not isinstance(named, str):
            return ensemble([self._model(name, examples, mean) for name in named], mean=mean)
        if named in self.runs:
            return self.runs[named]
        return teachers.read(named, examples.classes, trust=self.trust)


def _is_whole(place: Path) -> bool:
    return artifacts.state(place) == "whole" if place.suffix == "" else place.exists()


def _shrunk(examples: Examples) -> Examples:
    if len(examples) <= SMOKE_EXAMPLES:
        return examples
    few, _ = examples.split(1 - SMOKE_EXAMPLES / len(examples))
    return few
