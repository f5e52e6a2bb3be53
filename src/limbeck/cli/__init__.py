"""One command a verb: parse, call, print."""

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from cyclopts import CycloptsError
from rich.console import Console
from rich.control import Control
from rich.segment import ControlType

# Importing them is what adds their commands.
from limbeck.cli import (  # noqa: F401  see above
    _combine,
    _comparing,
    _correcting,
    _looking,
    _making,
    _munging,
    _rivals,
    _specialists,
    _speech,
    _sweeping,
)
from limbeck.cli._words import BAD_INPUT, INTERRUPTED, NOT_MET, PIPE_CLOSED, app, fail
from limbeck.errors import LimbeckError


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command; leaves with status 0, 1 a bar missed, 2 bad input or 130 interrupted."""
    warnings.showwarning = _warn
    try:
        status = app(
            arguments, exit_on_error=False, print_error=False, result_action="return_value"
        )
    except KeyboardInterrupt:
        status = fail(
            "interrupted: what is finished is kept, run the same command to go on", INTERRUPTED
        )
    except (CycloptsError, LimbeckError) as error:
        missed = type(error).__name__ == "NotMetError"
        status = fail(str(error), NOT_MET if missed else BAD_INPUT)
    except BrokenPipeError:  # whoever read our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = PIPE_CLOSED
    except OSError as error:
        place = error.filename or "a file"
        status = fail(f"cannot read or write {place}: {error.strerror or error}", BAD_INPUT)
    raise SystemExit(status or 0)


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    # Where a bar stands, it goes on below the warning.
    empty = Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2))
    Console(stderr=True).control(empty)  # on a terminal only
    print(f"limbeck: warning: {message}", file=sys.stderr)
