"""How the commands print, and the status they leave with."""

import json as json_text
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limbeck import Report

from limbeck.errors import InputError
from limbeck.runtime import printable

NOT_MET, BAD_INPUT, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141


def fail(message: str, status: int) -> int:
    """Prints what went wrong where errors go, and hands the status back."""
    print(f"limbeck: {printable(message)}", file=sys.stderr)
    return status


def tell(sentence: str) -> None:
    """Says what is being done, where errors go: the output is the result alone."""
    print(printable(sentence), file=sys.stderr)


def say(value: dict[str, Any], words: str, json: bool) -> int:
    """Prints the result, in words or as JSON; status 0."""
    print(json_text.dumps(value, indent=1) if json else printable(words))
    return 0


def say_report(report: "Report", place: Path | None, json: bool) -> int:
    """The report, and the status that its requirements ask for."""
    words = str(report) + (f"\n\nThe report lies in {place}: report.html" if place else "")
    say(dict(report.document), words, json)
    missed = [bar for bar in report.document.get("requirements", []) if not bar["met"]]
    for bar in missed:
        fail(f"not met: {bar['text']} ({bar['measured']})", NOT_MET)
    return NOT_MET if missed else 0


def as_lines(shown: dict[str, Any], indent: str = "") -> list[str]:
    """Nested values as indented lines `key: value`."""
    lines = []
    for key, value in shown.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", *as_lines(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {value}")
    return lines


def name_and_value(text: str, form: str) -> tuple[str, str]:
    """The two sides of `NAME=...`; the form, `--option NAME=WHAT`, is for the error."""
    option, _, form_of_it = form.partition(" ")
    name, _, value = text.partition("=")
    if not name or not value or "(" in name:
        raise InputError(f"{option} takes {form_of_it}, not {text!r}")
    return name, value


def corpus_words(shown: dict[str, Any]) -> str:
    """A corpus of speech, as it describes itself: a row for each set, and the rarest phones."""
    head = ["set", "speakers", "utterances", "minutes", "segments", "phones"]
    rows = [head]
    for name, of in shown["sets"].items():
        counts = [str(of[key]) for key in ("speakers", "utterances", "segments", "phones")]
        rows.append([name, *counts[:2], f"{60 * of['hours']:.2f}", *counts[2:]])
    counted = shown["phones"]
    rare = ", ".join(f"{phone} {counted[phone]}" for phone in sorted(counted, key=counted.get)[:5])
    return "\n".join(
        [
            f"{shown['name']}: {shown['rate']:,} samples a second",
            *(f"{row[0]:<11}" + "".join(f"{cell:>12}" for cell in row[1:]) for row in rows),
            f"{len(counted)} phones with silence; the rarest: {rare}",
        ]
    )
