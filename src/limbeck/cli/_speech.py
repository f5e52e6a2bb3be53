"""The command that reads a corpus of speech before anything is trained on it."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from limbeck.speech import Corpus

from limbeck.cli._options import Json
from limbeck.cli._output import corpus_words, say, tell
from limbeck.errors import InputError, LimbeckError, SpeechWarning

RATE = 16_000


def speech(
    folder: Annotated[
        Path, Parameter(help="It holds train, development and test, SPEAKER/name.wav in each.")
    ],
    /,
    *,
    silence: Annotated[str, Parameter(help="The phone of silence.")] = "",
    phones: Annotated[
        str, Parameter(help="The inventory, with commas; else the phones of train.")
    ] = "",
    rate: Annotated[int, Parameter(help="Samples a second.")] = RATE,
    timit: Annotated[
        bool, Parameter(help="It is TIMIT, as its licence holders have it.", negative="")
    ] = False,
    partial_copy: Annotated[
        bool, Parameter(help="Of TIMIT, without all of its sentences.", negative="")
    ] = False,
    skip_bad: Annotated[
        bool, Parameter(help="List all bad recordings, and count the others.", negative="")
    ] = False,
    json: Json = False,
) -> int:
    """Read every recording of a corpus of speech, say what there is, and name a bad one.

    Nothing is written. A bad recording ends it with status 2, unless --skip-bad leaves it out; a
    speaker in two sets and phones outside the inventory are refused even then.
    """
    from limbeck import speech as known

    _check(silence, phones, rate, timit=timit, partial_copy=partial_copy)
    inventory = [name for name in phones.split(",") if name]
    its_own = {"silence": silence, "phones": inventory, "rate": rate}
    options = {"partial_copy": partial_copy} if timit else its_own
    read: Callable[..., Corpus] = known.timit if timit else known.folder
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", SpeechWarning)
        try:
            corpus = read(folder, skip_bad=skip_bad, **options)
        except LimbeckError as error:
            raise type(error)(_as_options(str(error))) from error
    return _say(corpus, warned, json)


def _check(silence: str, phones: str, rate: int, *, timit: bool, partial_copy: bool) -> None:
    own = [f"--{name}" for name, value in (("silence", silence), ("phones", phones)) if value]
    own += ["--rate"] if rate != RATE else []
    if timit and own:
        raise InputError(f"TIMIT has its own silence, phones and rate: leave out {', '.join(own)}")
    if partial_copy and not timit:
        raise InputError("--partial-copy goes with --timit")
    if not timit and not silence:
        raise InputError("speech needs --silence PHONE, or --timit")


def _as_options(sentence: str) -> str:
    """What Python calls keywords, as this command calls them."""
    for name in ("skip_bad", "partial_copy"):
        sentence = sentence.replace(f"{name}=True", f"--{name.replace('_', '-')}")
    return sentence


def _say(corpus: "Corpus", warned: list[warnings.WarningMessage], json: bool) -> int:
    faults = [fault for one in warned for fault in getattr(one.message, "faults", ())]
    for other in warned:
        if not isinstance(other.message, SpeechWarning):
            warnings.showwarning(other.message, other.category, other.filename, other.lineno)
    shown = corpus.described() | {"silence": corpus.silence, "left_out": faults}
    if faults:
        all_files = len(faults) + sum(of["utterances"] for of in shown["sets"].values())
        head = f"limbeck: warning: {len(faults)} of {all_files} recordings are left out:"
        tell("\n- ".join([head, *faults]))
    return say(shown, corpus_words(shown), json)
