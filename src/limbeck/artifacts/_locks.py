"""Locks: one process at a time writes an artifact, and says who it is."""

import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from limbeck.errors import OccupiedError

LOCK = ".limbeck.lock"
HOLDER = ".limbeck.holder"
# What lies in a directory that is held, and may lie there after a crash.
LEFTOVERS = (LOCK, HOLDER)
_SCRATCH = "limbeck-scratch-"


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """A block in which no other process (nor another thread) writes in a directory.

    The system gives the lock back when its process ends, however it ends, so that none is stale:
    the file that stays after a crash holds nobody up. It is advisory, and on a network it binds as
    far as the file system's own locks do.

    A directory that was made for the lock and holds nothing else is removed afterwards.

    Raises:
        OccupiedError: another process holds it; says which.
    """
    made = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    # Not a singleton: another thread of this process is another writer.
    lock = FileLock(directory / LOCK, timeout=0, is_singleton=False, thread_local=False)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise OccupiedError(
            f"{directory} is being written by {_holder(directory)}; nothing was changed: wait "
            "until that is done, or choose another directory"
        ) from error
    except OSError:  # read-only, say, or full: whoever writes the first file there says it better
        _remove(made)
        yield
        return
    try:
        with suppress(OSError):
            (directory / HOLDER).write_text(json.dumps(_me()))
        yield
    finally:
        for name in LEFTOVERS:  # before it is released: whoever waits sees that the file is gone
            (directory / name).unlink(missing_ok=True)
        lock.release()
        _remove(made)


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder that is removed at the end; those that killed processes left go first."""
    for left in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*"):
        with suppress(OSError, Timeout), FileLock(left / LOCK, timeout=0, is_singleton=False):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_SCRATCH))
    try:
        with held(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # it holds something, and stays
            folder.rmdir()


def _me() -> dict[str, object]:
    since = time.strftime("%H:%M:%S on %Y-%m-%d")
    command = Path(sys.argv[0]).name if sys.argv else ""
    return {"pid": os.getpid(), "host": platform.node(), "since": since, "command": command}


def _holder(directory: Path) -> str:
    try:
        holder = json.loads((directory / HOLDER).read_text())
        return (
            f"process {holder['pid']} ({holder['command']}) on {holder['host']} since "
            f"{holder['since']}"
        )
    except (OSError, ValueError, KeyError, TypeError):  # it is just being written or removed
        return "another process"
