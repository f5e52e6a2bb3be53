"""The table [score]: what a teacher says of examples, in a score set."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar

from limbeck.errors import InputError
from limbeck.examples import views
from limbeck.recipes._kitchen import Kitchen
from limbeck.recipes._step import Step
from limbeck.recipes._teachers import Teachers, check_ensembles, names_of
from limbeck.scoring import Storage, held_out_answer, score
from limbeck.teachers import in_precision


class ScoreTable(Step):
    """The keywords of `score`."""

    verb: ClassVar[str] = "score"

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
    accept_teacher: bool = False

    @property
    def makes(self) -> tuple[str, ...]:
        """The score set."""
        return (self.to,)

    @property
    def needs(self) -> tuple[str, ...]:
        """The examples and the teachers."""
        return (self.examples, *self.opens)

    @property
    def opens(self) -> tuple[str, ...]:
        """The teachers."""
        return names_of(self.teacher)

    @property
    def learns_from(self) -> tuple[str, ...]:
        """The examples: what is learnt from the scores has seen them."""
        return (self.examples,)

    @property
    def view_texts(self) -> tuple[str, ...]:
        """Its views."""
        return (self.views,)

    def checks(self) -> Iterator[Callable[[], object]]:
        """Views, storage, `held_out` and the mean."""
        yield partial(views.check_text, self.views)
        yield self._storage
        yield partial(held_out_answer, self.held_out)
        yield partial(check_ensembles, [self.teacher], self.mean)

    def _storage(self) -> Storage:
        if self.count < 1:
            raise InputError(f"count is 1 view or more, not {self.count}")
        return Storage(self.width, self.shard_rows, self.batch)

    def do(self, kitchen: Kitchen) -> None:
        """Asks the teacher."""
        examples = kitchen.examples(self.examples)
        kitchen.scores[self.to] = score(
            in_precision(kitchen.model(self.teacher, examples, self.mean), self.precision),
            examples,
            to=kitchen.place / self.to,
            views=kitchen.view(self.views),
            count=kitchen.views(self.count),
            seed=self.seed,
            storage=self._storage(),
            held_out=self.held_out,
            accept_teacher=self.accept_teacher,
        )
