"""The table [export]: a run into a verified file."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar

from limbeck.deployment import check_format, export
from limbeck.recipes._kitchen import Kitchen
from limbeck.recipes._step import Step


class ExportTable(Step):
    """The keywords of `export`."""

    verb: ClassVar[str] = "export"

    run: str
    to: str = "student.onnx"
    check: str
    tolerance: float = 1e-3
    absorb: bool = False

    @property
    def makes(self) -> tuple[str, ...]:
        """The file."""
        return (self.to,)

    @property
    def needs(self) -> tuple[str, ...]:
        """The run, and the examples that the file is held against it on."""
        return (self.run, self.check)

    def checks(self) -> Iterator[Callable[[], object]]:
        """The file's ending."""
        yield partial(check_format, self.to)

    def do(self, kitchen: Kitchen) -> None:
        """Writes the file, with the last report in its card."""
        export(
            kitchen.run(self.run),
            to=kitchen.place / self.to,
            check=kitchen.examples(self.check),
            tolerance=self.tolerance,
            absorb=self.absorb,
            report=kitchen.report,
        )
