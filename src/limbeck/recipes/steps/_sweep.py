"""The table [sweep]: a student for several objectives and sizes at once."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar

from pydantic import Field

from limbeck import objectives, students
from limbeck.errors import RecipeError
from limbeck.recipes._kitchen import Kitchen
from limbeck.recipes.steps._net import Net, with_plan
from limbeck.scores import ScoreSet
from limbeck.selection import by_size
from limbeck.students import Run
from limbeck.training import CONTROL, TransferSet, check_increasing, check_names, sweep


@with_plan()
class SweepTable(Net):
    """The keywords of `sweep`, and beside them the plan's."""

    verb: ClassVar[str] = "sweep"

    objectives: dict[str, str]
    sizes: list[int] = Field([])
    test: str = ""  # measured at each size, into the sweep's directory

    @property
    def makes(self) -> tuple[str, ...]:
        """A run for each size and objective, in one directory."""
        names = (*self.objectives, CONTROL)
        folders = [f"{self.to}/{size}" for size in self.sizes] or [self.to]
        return tuple(f"{folder}/{name}" for folder in folders for name in names)

    @property
    def place(self) -> str:
        """The directory of all runs."""
        return self.to

    @property
    def needs(self) -> tuple[str, ...]:
        """What it learns from, the set it is measured on, and the teachers."""
        names = (self.on, self.labelled, self.test, *self.opens)
        return tuple(name for name in names if name)

    @property
    def objective_texts(self) -> tuple[str, ...]:
        """Its objectives."""
        return tuple(self.objectives.values())

    def checks(self) -> Iterator[Callable[[], object]]:
        """The objectives' names and the sizes, and what is checked of any net."""
        yield partial(check_names, self.objectives)
        yield self._check_sizes
        yield from super().checks()

    def _check_sizes(self) -> None:
        """Whether the sizes are any, and there is something to measure `test` at."""
        if self.sizes:
            check_increasing(self.sizes)
        elif self.test:
            raise RecipeError(f"test = {self.test!r} goes with sizes, and there are none")

    def do(self, kitchen: Kitchen) -> None:
        """Trains them, and measures each size where there is a set for it."""
        methods = {
            name: objectives.from_text(text, trust=kitchen.trust)
            for name, text in self.objectives.items()
        }
        transfer_set = self.transfer_set(kitchen)
        sizes = self._sizes(kitchen, transfer_set)
        runs = sweep(
            students.from_text(self.student, trust=kitchen.trust),
            transfer_set,
            methods,
            sizes=list(sizes.values()),
            **self.keywords(kitchen),
        )
        # In a smoke run, which has fewer examples, a size keeps the name it has in the recipe.
        named = {str(small): size for size, small in sizes.items()}
        for name, run in runs.items():
            size, _, rest = name.rpartition("/")
            kitchen.runs["/".join(filter(None, (self.to, str(named.get(size, "")), rest)))] = run
        if self.test:
            self._measure(runs, kitchen)

    def _sizes(self, kitchen: Kitchen, transfer_set: TransferSet | ScoreSet) -> dict[int, int]:
        """Each size, and how many examples that is in this run of the recipe."""
        examples = transfer_set if isinstance(transfer_set, ScoreSet) else transfer_set.examples
        most = len(examples)
        if not kitchen.smoke or not self.sizes or self.sizes[-1] <= most:
            return dict(zip(self.sizes, self.sizes, strict=True))
        parts = range(1, len(self.sizes) + 1)
        return {size: most * i // len(parts) for size, i in zip(self.sizes, parts, strict=True)}

    def _measure(self, runs: dict[str, Run], kitchen: Kitchen) -> None:
        table = by_size(runs, kitchen.examples(self.test))
        table.write(kitchen.place / self.to)
        kitchen.tell(str(table))
