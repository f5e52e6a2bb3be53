"""Device, precision, seeds and progress: what every verb needs from the machine."""

import contextlib
import functools
import random
import sys
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from limbeck._lazy import Inputs

M = TypeVar("M", bound=torch.nn.Module)
Precision = Literal["float32", "bfloat16"]

QUIET_SECONDS = 2.0  # shorter work shows no bar


def device() -> torch.device:
    """Where models compute: the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(precision: Precision | str) -> contextlib.AbstractContextManager[object]:
    """A block in which matrix products run in bfloat16, or one that changes nothing."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device().type, dtype=torch.bfloat16)


def is_text(inputs: Inputs) -> bool:
    """Whether these raw inputs are texts, `(examples,)` of numpy's `StringDType`."""
    return inputs.dtype.kind == "T"


def numbers(inputs: NDArray[Any]) -> NDArray[Any]:
    """Raw inputs as numbers: texts as their UTF-8 bytes, uint8 `(batch, longest)`, 0 after the end.

    What is a number already stays as it is.
    """
    if not is_text(inputs):
        return inputs
    encoded = [text.encode() for text in inputs.tolist()]
    lengths = np.array([len(content) for content in encoded])
    rows = np.zeros((len(encoded), max(1, int(lengths.max(initial=0)))), np.uint8)
    rows[np.arange(rows.shape[1]) < lengths[:, None]] = np.frombuffer(b"".join(encoded), np.uint8)
    return rows


def tensor(array: NDArray[Any]) -> torch.Tensor:
    """An array as a tensor that shares its memory where it can: torch takes no read-only arrays.

    Texts become their bytes: see `numbers`.
    """
    return torch.from_numpy(np.require(numbers(array), requirements=["C", "W"]))


@contextlib.contextmanager
def evaluating(module: M) -> Iterator[M]:
    """The module in eval mode without gradients; every submodule's mode is put back after."""
    modes = {m: m.training for m in module.modules()}
    module.eval()
    try:
        with torch.inference_mode():
            yield module
    finally:
        for submodule, mode in modes.items():
            submodule.training = mode


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """A block whose random numbers follow from the seed, whoever draws them.

    The callers' own generators (torch on the CPU, numpy, Python) are put back after the block.
    """
    kept = torch.get_rng_state(), np.random.get_state(), random.getstate()
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(kept[0])
        np.random.set_state(kept[1])
        random.setstate(kept[2])


def mixed(seed: int, number: int) -> int:
    """A seed for one step or epoch of a seeded job; neighbours share no random numbers."""
    return (seed * 1_000_003 + number * 7_919 + 17) % 2**63


@functools.lru_cache(maxsize=2)
def shuffled(count: int, seed: int) -> torch.Tensor:
    """The numbers below count in the order of that seed; kept, since a whole epoch asks for it."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


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
