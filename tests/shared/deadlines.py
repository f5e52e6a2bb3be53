"""A deadline for a block: a hang is a failure too."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = 30  # a busy machine may take a while to load what the first call needs


@contextmanager
def soon() -> Iterator[None]:
    """A block that raises TimeoutError, which is none of ours, where it takes far too long."""

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
