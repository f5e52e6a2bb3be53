"""The command that looks at examples before anything is done with them."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from limbeck.cli._options import Json
from limbeck.cli._output import corpus_words, say, tell


def data(
    name: Annotated[str, Parameter(help="mnist, fashion-mnist or spoken.")],
    /,
    *,
    folder: Annotated[
        Path | None, Parameter(help="Look here first, and only here; spoken is made here.")
    ] = None,
    hours: Annotated[float, Parameter(help="Of spoken: how much of it.")] = 1.0,
    voices: Annotated[int, Parameter(help="Of spoken: how many speakers.")] = 64,
    seed: Annotated[int, Parameter(help="Of spoken: another one, another corpus.")] = 0,
    json: Json = False,
) -> int:
    """Obtain a known set and verify it by checksum, from whichever source answers first.

    "spoken" is made here: synthetic speech with its phones, the same from the same seed.
    """
    from limbeck.datasets import obtain

    if name == "spoken":
        return _say_spoken(hours, voices, seed, folder or "", json)
    known_set = obtain(name, folder=folder or "", report=tell)
    shown = {"name": name, "directory": str(known_set.directory), "source": known_set.source}
    return say(shown, f"{name}: verified, in {known_set.directory}, from {known_set.source}", json)


def _say_spoken(hours: float, voices: int, seed: int, folder: Path | str, json: bool) -> int:
    from limbeck import speech

    shown = speech.spoken(hours, seed=seed, voices=voices, folder=folder).described()
    return say(shown, corpus_words(shown), json)
