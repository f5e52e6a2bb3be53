"""The table [combine]: one score set of several."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar

from limbeck.recipes._kitchen import Kitchen
from limbeck.recipes._step import Step
from limbeck.recipes._teachers import check_ensembles
from limbeck.scoring import combine


class CombineTable(Step):
    """The keywords of `combine`."""

    verb: ClassVar[str] = "combine"

    to: str
    scores: list[str]
    mean: str = "geometric"

    @property
    def makes(self) -> tuple[str, ...]:
        """The score set."""
        return (self.to,)

    @property
    def needs(self) -> tuple[str, ...]:
        """The members' score sets."""
        return tuple(self.scores)

    def checks(self) -> Iterator[Callable[[], object]]:
        """The mean."""
        yield partial(check_ensembles, [self.scores], self.mean)

    def do(self, kitchen: Kitchen) -> None:
        """Takes the mean."""
        kitchen.scores[self.to] = combine(
            [kitchen.score_set(name) for name in self.scores],
            to=kitchen.place / self.to,
            mean=self.mean,
        )
