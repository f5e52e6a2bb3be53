"""A bar on standard error for work that takes longer than a moment."""

import sys
import threading
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

QUIET_SECONDS = 2.0  # shorter work shows no bar


class Bar:
    """A progress bar that appears after two seconds, on a terminal only.

    Used as a context manager; `advance()` is called once for each piece of work. It appears by
    itself, so that a single long piece shows it too.
    """

    def __init__(self, what: str, total: int) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        # It never takes the streams over, as rich does unasked: rich puts back what stood there
        # when the bar appeared, be it a buffer that the work had put there for a while.
        self._progress = Progress(
            *columns,
            console=Console(file=sys.stderr, stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(what, total=total, note="")
        self._appearing = threading.Timer(QUIET_SECONDS, self._progress.start)
        self._appearing.daemon = True

    def __enter__(self) -> "Bar":
        if self._progress.console.is_terminal:
            self._appearing.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress.console.is_terminal:
            self._appearing.cancel()
            self._appearing.join()
            self._progress.stop()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Counts pieces of work as done; the note stands at the end of the line."""
        if self._progress.console.is_terminal:
            self._progress.update(self._task, advance=steps, note=note)
