"""The command line: one command a verb.

Files:
    _combine: The command that makes one score set of several.
    _compare: The command that holds methods side by side.
    _correct: The command that corrects a run's biases.
    _data: The command that looks at examples before anything is done with them.
    _distill: The command that scores, trains, evaluates and exports in one go.
    _evaluate: The command that evaluates models.
    _export: The command that exports a model.
    _munge: The command that makes new rows for a table: munge.
    _options: What the commands share: the application, and the options that several take.
    _output: How the commands print, and the status they leave with.
    _rivals: The command that holds a student beside all that could be shipped in its place.
    _run: The command that does a whole recipe.
    _score: The command that asks a teacher about examples.
    _show: The command that says what a directory is.
    _specialists: The command that trains specialists for the classes a generalist confuses.
    _speech: The command that reads a corpus of speech before anything is trained on it.
    _sweep: The command that trains many students at once.
    _train: The command that trains a student and its control.
    _transfer: The options that say what a student learns from: stored scores, a live teacher, or
        labels.
"""

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
    _compare,
    _correct,
    _data,
    _distill,
    _evaluate,
    _export,
    _munge,
    _rivals,
    _run,
    _score,
    _show,
    _specialists,
    _speech,
    _sweep,
    _train,
)
from limbeck.cli._options import app
from limbeck.cli._output import BAD_INPUT, INTERRUPTED, NOT_MET, PIPE_CLOSED, fail
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
