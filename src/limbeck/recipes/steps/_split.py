"""The table [split]: one set of examples into two."""

from typing import ClassVar

from limbeck.recipes._kitchen import Kitchen
from limbeck.recipes._step import Step


class SplitTable(Step):
    """One set of examples into two: by groups (of a column, with `by`) or by `time`."""

    verb: ClassVar[str] = "split"
    is_kept: ClassVar[bool] = False  # it is done again each time: the parts are positions alone

    of: str
    rest: str
    part: str
    fraction: float
    by: str = ""
    time: str = ""
    seed: int = 0

    @property
    def makes(self) -> tuple[str, ...]:
        """The two parts."""
        return (self.rest, self.part)

    @property
    def needs(self) -> tuple[str, ...]:
        """The whole set."""
        return (self.of,)

    def do(self, kitchen: Kitchen) -> None:
        """Leaves the two parts beside the whole."""
        whole = kitchen.examples(self.of)
        if self.time:
            parts = whole.split_by_time(self.time, self.fraction)
        else:
            parts = whole.split(self.fraction, by=self.by, seed=self.seed)
        kitchen.sets |= dict(zip((self.rest, self.part), parts, strict=True))
