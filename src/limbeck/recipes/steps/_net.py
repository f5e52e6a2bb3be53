"""What the tables that train share: a plan's keys beside their own, and what a net learns from."""

from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial
from typing import Any, TypeVar

from pydantic import create_model

from limbeck import objectives, students
from limbeck.errors import RecipeError
from limbeck.examples import views
from limbeck.recipes._kitchen import Kitchen
from limbeck.recipes._step import Step
from limbeck.recipes._teachers import Teachers, check_ensembles, names_of
from limbeck.scores import ScoreSet
from limbeck.training import FRESH, Plan, TransferSet, live

AnyStep = TypeVar("AnyStep", bound=Step)


def with_plan(*, without: str = "") -> Callable[[type[AnyStep]], type[AnyStep]]:
    """The same table with the plan's keys after its own: a plan is not a table of its own."""
    keys: Any = {f.name: (f.type, f.default) for f in fields(Plan) if f.name != without}

    def extended(step: type[AnyStep]) -> type[AnyStep]:
        return create_model(
            step.__name__, __base__=step, __doc__=step.__doc__, __module__=step.__module__, **keys
        )

    return extended


def plan_of(step: Step) -> Plan:
    """The plan in a table."""
    values: dict[str, Any] = {f.name: getattr(step, f.name, f.default) for f in fields(Plan)}
    return Plan(**values)


class Net(Step):
    """The keywords that `train` and `sweep` share."""

    to: str
    student: str
    on: str
    teacher: Teachers = ""  # in the loop, where `on` names examples
    mean: str = "geometric"
    views: str = "plain()"
    count: int = 0
    view_seed: int = 0
    accept_teacher: bool = False
    labelled: str = ""
    seeds: int = 1
    control: bool = True

    @property
    def needs(self) -> tuple[str, ...]:
        """What it learns from, and the teachers."""
        return tuple(name for name in (self.on, self.labelled, *self.opens) if name)

    @property
    def opens(self) -> tuple[str, ...]:
        """The teachers in the loop."""
        return names_of(self.teacher) if self.teacher else ()

    @property
    def learns_from(self) -> tuple[str, ...]:
        """The examples, or the score set, and the labelled examples beside it."""
        return (self.on, self.labelled)

    @property
    def student_texts(self) -> tuple[str, ...]:
        """Its student."""
        return (self.student,)

    @property
    def view_texts(self) -> tuple[str, ...]:
        """Its views."""
        return (self.views,)

    def checks(self) -> Iterator[Callable[[], object]]:
        """Student, objectives, views, plan and the mean."""
        yield partial(students.from_text, self.student)
        for text in self.objective_texts:
            yield partial(objectives.check_text, text)
        yield partial(views.check_text, self.views)
        yield partial(plan_of, self)
        yield partial(check_ensembles, [self.teacher], self.mean)

    def keywords(self, kitchen: Kitchen) -> dict[str, Any]:
        """The keywords that `train` and `sweep` share."""
        # A teacher in the loop is asked about labelled examples too: they are in the transfer set.
        labelled = "" if self.teacher else self.labelled
        return {
            "to": kitchen.place / self.to,
            "plan": kitchen.plan(plan_of(self)),
            "seeds": kitchen.seeds(self.seeds),
            "control": self.control,
            "labelled": kitchen.labelled(labelled),
        }

    def transfer_set(self, kitchen: Kitchen) -> TransferSet | ScoreSet:
        """What `on` names: scores, or examples, which a teacher in the loop is asked about."""
        if self.on in kitchen.scores:
            return self._stored(kitchen)
        examples, view = kitchen.examples(self.on), kitchen.view(self.views)
        # No number means a new view every epoch: there is no store to fill.
        count = self.count or FRESH
        if not self.teacher:
            return TransferSet(examples, view, count, self.view_seed)
        return live(
            kitchen.model(self.teacher, examples, self.mean),
            examples,
            views=view,
            count=count,
            seed=self.view_seed,
            accept_teacher=self.accept_teacher,
            labelled=kitchen.labelled(self.labelled),
        )

    def _stored(self, kitchen: Kitchen) -> ScoreSet:
        scores = kitchen.scores[self.on]
        if self.teacher:
            raise RecipeError(
                f"{self.on!r} are scores already: a teacher in the loop goes with examples"
            )
        if self.views != "plain()" or self.count or self.view_seed:
            count = self.count or scores.count
            scores.check_view(kitchen.view(self.views), self.view_seed, count)
        return scores
