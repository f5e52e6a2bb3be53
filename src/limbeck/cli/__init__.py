"""The command line: one command a verb.

A new command is a file with its function, and its place in `COMMANDS`.

Files:
    _combine: The command that makes one score set of several.
    _compare: The command that holds methods side by side.
    _correct: The command that corrects a run's biases.
    _data: The command that looks at examples before anything is done with them.
    _distill: The command that scores, trains, evaluates and exports in one go.
    _evaluate: The command that evaluates models.
    _export: The command that exports a model.
    _munge: The command that makes new rows for a table: munge.
    _options: The options that several commands take, said once.
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

import logging
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from cyclopts import App, CycloptsError
from rich.console import Console
from rich.control import Control
from rich.segment import ControlType

from limbeck.cli._combine import combine
from limbeck.cli._compare import compare
from limbeck.cli._correct import correct
from limbeck.cli._data import data
from limbeck.cli._distill import distill
from limbeck.cli._evaluate import evaluate
from limbeck.cli._export import export
from limbeck.cli._munge import munge
from limbeck.cli._output import BAD_INPUT, INTERRUPTED, NOT_MET, PIPE_CLOSED, fail
from limbeck.cli._rivals import rivals
from limbeck.cli._run import run
from limbeck.cli._score import score
from limbeck.cli._show import show
from limbeck.cli._specialists import specialists
from limbeck.cli._speech import speech
from limbeck.cli._sweep import sweep
from limbeck.cli._train import train
from limbeck.errors import LimbeckError
from limbeck.runtime import printable

DEBUG = "--debug"  # a traceback of what was not foreseen, with any command

# A command is a function of its own file: its name, its keywords and its docstring are what users
# see. What it needs of torch it imports when it is run, so that `--help` answers at once.
COMMANDS = (
    combine,
    compare,
    correct,
    data,
    distill,
    evaluate,
    export,
    munge,
    rivals,
    run,
    score,
    show,
    specialists,
    speech,
    sweep,
    train,
)


def _application() -> App:
    """The command `limbeck` with all its commands."""
    app = App(
        name="limbeck",
        help="Turns a large model into a small fast one, and shows with evidence whether it "
        "worked. With any command, --debug shows the traceback of an error that was not foreseen.",
        help_flags=["--help", "-h"],
        version_flags=["--version"],
        suppress_keyboard_interrupt=False,
    )
    for command in COMMANDS:
        app.command(command)
    return app


app = _application()


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command; leaves with status 0, 1 a bar missed, 2 bad input or 130 interrupted."""
    warnings.showwarning = _warn
    _show_log()
    given = list(sys.argv[1:] if arguments is None else arguments)
    words = [word for word in given if word != DEBUG]
    try:
        status = app(words, exit_on_error=False, print_error=False, result_action="return_value")
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
    except Exception as error:
        if DEBUG in given:
            raise
        status = fail(_unforeseen(error, words), BAD_INPUT)
    raise SystemExit(status or 0)


def _unforeseen(error: Exception, words: Sequence[str]) -> str:
    """One sentence for what no door refused in its own words: a fault of the input, or of ours."""
    reason = (str(error).strip() or "no reason given").split("\n")[0]
    return (
        f"{words[0] if words else 'this'} stopped with {type(error).__name__}: {reason}; "
        f"the same command with {DEBUG} shows where, and what is finished is kept"
    )


class _ToStandardError(logging.Handler):
    """Prints what the library logs where errors go, which a test or a shell may have redirected."""

    def emit(self, record: logging.LogRecord) -> None:
        """Prints one line."""
        _print_line(record.getMessage())


def _show_log() -> None:
    log = logging.getLogger("limbeck")
    log.setLevel(logging.INFO)
    if not any(isinstance(handler, _ToStandardError) for handler in log.handlers):
        log.addHandler(_ToStandardError())


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    _print_line(f"limbeck: warning: {message}")


def _print_line(line: str) -> None:
    # Where a bar stands, it goes on below the line.
    empty = Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2))
    Console(stderr=True).control(empty)  # on a terminal only
    print(printable(line), file=sys.stderr)
