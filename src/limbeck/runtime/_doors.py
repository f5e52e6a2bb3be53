"""Doors: whatever a library raises about what somebody handed in becomes one sentence of ours."""

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from limbeck.errors import CorruptError, InputError, LimbeckError, MissingError, StorageError

P = ParamSpec("P")
T = TypeVar("T")

SHOWN = 200  # characters of a path or of a library's own words


@contextmanager
def door(doing: str) -> Iterator[None]:
    """A block that reads what is not ours; `doing` begins a sentence: "a.csv cannot be read".

    What Limbeck itself refuses passes through as it is. The library's own exception is chained.

    Raises:
        MissingError, StorageError: the system refuses the file.
        CorruptError: anything else that a library may raise.
    """
    try:
        yield
    except LimbeckError:
        raise
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingError(f"{doing}: there is no {error.filename or 'such file'}") from error
    except OSError as error:
        raise StorageError(f"{doing}: {error.strerror or _first_line(error)}") from error
    except MemoryError as error:
        raise CorruptError(f"{doing}: it asks for more memory than there is") from error
    except RecursionError as error:
        raise CorruptError(f"{doing}: it is nested too deeply") from error
    except Exception as error:  # there is no end to what libraries raise about odd files
        raise CorruptError(f"{doing}: {type(error).__name__}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().split("\n")[0] or "no reason given")[:SHOWN]


def at_the_door(what: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A function whose first argument names what is read: it raises our errors alone.

    Raises:
        InputError: the name can be none of a file.
        As `door`.
    """

    def wrapped(function: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(function)

        @wraps(function)
        def guarded(*arguments: P.args, **keywords: P.kwargs) -> T:
            # A keyword that is none is a slip in the call, and no fault of a file's.
            named: Any = next(iter(signature.bind(*arguments, **keywords).arguments.values()))
            _check_name(named, what)
            with door(f"{what} {_shown(named)} cannot be read"):
                return function(*arguments, **keywords)

        return guarded

    return wrapped


def _check_name(named: Any, what: str) -> None:
    text = os.fspath(named) if isinstance(named, str | os.PathLike) else ""
    if "\0" in text:
        raise InputError(f"{what} {_shown(named)} has a zero byte in its name, as no file has")
    if _shown(text) != text[:SHOWN] + "..." * (len(text) > SHOWN):
        raise InputError(
            f"{what} {_shown(named)} has a name that is not UTF-8, which no manifest can hold: "
            "rename it"
        )


def _shown(named: Any) -> str:
    text = str(named)
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
    return shown.encode(errors="backslashreplace").decode()


def check_file(path: Path, what: str, most: int) -> None:
    """Refuses what is no plain file of at most so many bytes: a pipe is waited for for ever.

    Raises:
        MissingError: there is none, or something else.
        CorruptError: it is longer.
    """
    if not path.is_file():
        raise MissingError(f"there is no {what} {path}")
    if (size := path.stat().st_size) > most:
        raise CorruptError(f"{path} has {size:,} bytes; a {what} has at most {most:,}")


def printable(text: str) -> str:
    """The text with all but its line ends escaped that a terminal would obey instead of show.

    Names come from files and servers: `ESC [ 2 K` in one would erase the line it stands in, and a
    zero byte makes an SVG that nobody can read.
    """
    shown = (c if c in "\n\t" or c.isprintable() else ascii(c)[1:-1] for c in text)
    return "".join(shown)
