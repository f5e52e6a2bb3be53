"""The table [evaluate]: models side by side, in a report."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar

from pydantic import Field

from limbeck.errors import RecipeError
from limbeck.evaluation import Comparison, Requirement, evaluate
from limbeck.examples import check_disjoint
from limbeck.metrics import MEASURES
from limbeck.recipes._kitchen import Kitchen
from limbeck.recipes._step import Step
from limbeck.recipes._teachers import Teachers, check_ensembles, names_of
from limbeck.runtime import did_you_mean

# Until something is opened nobody knows the kind: any kind's metric can be a bar.
BARS = list(dict.fromkeys(name for measures in MEASURES.values() for name in measures.metrics))


class EvaluateTable(Step):
    """The keywords of `evaluate` and of its comparison."""

    verb: ClassVar[str] = "evaluate"

    to: str = "report"
    models: dict[str, Teachers]
    mean: str = "geometric"
    examples: str
    reference: str = ""
    require: list[str] = Field([])
    student: str = Comparison.student
    control: str = Comparison.control
    margin: float = Comparison.margin
    slices: list[str] = Field([])
    allow_seen: bool = Comparison.allow_seen

    @property
    def makes(self) -> tuple[str, ...]:
        """The report."""
        return (self.to,)

    @property
    def needs(self) -> tuple[str, ...]:
        """The examples and the models."""
        return (self.examples, *self.opens)

    @property
    def opens(self) -> tuple[str, ...]:
        """The models."""
        return tuple(name for model in self.models.values() for name in names_of(model))

    def checks(self) -> Iterator[Callable[[], object]]:
        """The bars, the reference and the mean."""
        for text in self.require:
            yield partial(Requirement.parse, text, BARS)
        yield self._check_reference
        yield partial(check_ensembles, list(self.models.values()), self.mean)

    def _check_reference(self) -> None:
        if self.reference and self.reference not in self.models:
            hint = did_you_mean(self.reference, self.models)
            raise RecipeError(f"has no model {self.reference!r}; {hint}")

    def do(self, kitchen: Kitchen) -> None:
        """Evaluates them, on examples that none of them learnt from."""
        examples = kitchen.examples(self.examples)
        for name in kitchen.learnt_from & kitchen.sets.keys():
            if not self.allow_seen:
                check_disjoint({f"the set {name!r}": kitchen.sets[name], "the test set": examples})
        kitchen.report = evaluate(
            {n: kitchen.model(named, examples, self.mean) for n, named in self.models.items()},
            examples,
            reference=self.reference,
            to=kitchen.place / self.to,
            require=self.require,
            name=kitchen.name,
            comparison=Comparison(
                self.student,
                self.control,
                self.margin,
                tuple(self.slices),
                allow_seen=self.allow_seen,
            ),
        )
