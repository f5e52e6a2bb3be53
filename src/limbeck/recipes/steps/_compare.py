"""The table [compare]: methods side by side, with the same seeds and tuning."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar

from pydantic import Field

from limbeck import objectives, students
from limbeck.errors import InputError
from limbeck.recipes._kitchen import Kitchen
from limbeck.recipes._step import Step
from limbeck.recipes.steps._net import plan_of, with_plan
from limbeck.selection import Budget, compare
from limbeck.training import CONTROL, TransferSet


@with_plan(without="learning_rate")  # which is what is tuned
class CompareTable(Step):
    """The keywords of `compare`, its budget's and the plan's."""

    verb: ClassVar[str] = "compare"

    to: str = "compared"
    student: str
    on: str
    methods: dict[str, list[str]]
    test: str
    labelled: str = ""
    baseline: str = CONTROL
    trials: int = Budget.trials
    learning_rates: list[float] = Field(list(Budget.learning_rates))
    tuning_held_out: float = Budget.held_out
    seeds: int = 5

    @property
    def makes(self) -> tuple[str, ...]:
        """The comparison."""
        return (self.to,)

    @property
    def needs(self) -> tuple[str, ...]:
        """The scores, the test set and the labelled examples."""
        return (self.on, self.test, *([self.labelled] if self.labelled else []))

    @property
    def student_texts(self) -> tuple[str, ...]:
        """Its student."""
        return (self.student,)

    @property
    def objective_texts(self) -> tuple[str, ...]:
        """All candidates of all methods."""
        return tuple(text for candidates in self.methods.values() for text in candidates)

    @property
    def learns_from(self) -> tuple[str, ...]:
        """The scores, and the labelled examples beside them."""
        return (self.on, self.labelled)

    def checks(self) -> Iterator[Callable[[], object]]:
        """Student, candidates, plan and budget."""
        yield partial(students.from_text, self.student)
        for text in self.objective_texts:
            yield partial(objectives.check_text, text)
        yield partial(plan_of, self)
        yield self._budget

    def _budget(self) -> Budget:
        """How much tuning each method gets."""
        if len(self.learning_rates) != 2:
            raise InputError(
                f"learning_rates are two, the lowest and the highest, not {self.learning_rates}"
            )
        low, high = self.learning_rates
        return Budget(self.trials, (low, high), self.tuning_held_out)

    def do(self, kitchen: Kitchen) -> None:
        """Compares them, and says what came of it."""
        labelled = kitchen.labelled(self.labelled)
        compared = compare(
            students.from_text(self.student, trust=kitchen.trust),
            TransferSet.of(kitchen.score_set(self.on), labelled),
            {
                name: [objectives.from_text(text, trust=kitchen.trust) for text in texts]
                for name, texts in self.methods.items()
            },
            test=kitchen.examples(self.test),
            to=kitchen.place / self.to,
            plan=kitchen.plan(plan_of(self)),
            budget=self._budget(),
            seeds=kitchen.seeds(self.seeds),
            baseline=self.baseline,
            tell=kitchen.tell,
        )
        kitchen.tell(str(compared))
