"""A recording and the files beside it as an utterance; of many the bad ones may be left out."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from limbeck.errors import CorruptError, ExamplesError, InputError, MissingError, SpeechWarning
from limbeck.runtime import Bar
from limbeck.speech._features import FilterBanks
from limbeck.speech._utterance import Utterance
from limbeck.speech.corpora._audio import read_samples
from limbeck.speech.corpora._transcript import eased, read_segments, read_words

HINT = "skip_bad=True leaves such a recording out"
NAMED = 20  # faults that one warning spells out

File = TypeVar("File")
Read = TypeVar("Read")


def beside(audio: Path, ending: str) -> Path:
    """The file of that ending beside a recording, in small letters or capitals."""
    # Some copies of TIMIT have SA1.WAV.wav beside SA1.PHN.
    stems = dict.fromkeys((audio.stem, audio.name.partition(".")[0]))
    names = [stem + form for stem in stems for form in (ending, ending.upper())]
    return next((audio.with_name(n) for n in names if audio.with_name(n).is_file()), audio)


def utterance(
    audio: Path, key: str, speaker: str, rate: int, *, slack: int = 0, with_times: bool = False
) -> Utterance:
    """The recording with its phones (`.phn`) and, where there are any, its words (`.txt`).

    Raises:
        MissingError: a file is not there.
        CorruptError: a file cannot be read.
        ExamplesError: no frames could be made of it.
    """
    phones, words = beside(audio, ".phn"), beside(audio, ".txt")
    if phones == audio:
        raise MissingError(f"there is no {audio.stem}.phn beside {audio}: nobody says its phones")
    samples = read_samples(audio, rate)
    segments = eased(read_segments(phones), len(samples), slack)
    text = "" if words == audio else read_words(words, with_times=with_times)
    one = Utterance(key, speaker, samples, rate, segments, text)
    one.check()
    FilterBanks().count(one)  # one that is shorter than a window has no frame
    return one


def gathered(
    files: Sequence[File], read: Callable[[File], Read], *, skip_bad: bool
) -> tuple[Read, ...]:
    """What is read of each file; with `skip_bad` a bad one is named in a warning and left out.

    Raises:
        InputError, CorruptError, MissingError: the first fault, or all files have one.
    """
    utterances, faults = [], []
    with Bar("reading recordings", len(files)) as bar:
        for file in files:
            try:
                utterances.append(read(file))
            except (InputError, CorruptError, MissingError) as error:
                if not skip_bad:
                    raise type(error)(f"{error}; {HINT}") from error
                faults.append(str(error))
            bar.advance()
    if not utterances:
        raise ExamplesError(f"none of {len(files)} recordings can be used: {faults[0]}")
    if faults:
        _warn(faults, len(files))
    return tuple(utterances)


def _warn(faults: Sequence[str], files: int) -> None:
    more = "; and more" if len(faults) > NAMED else ""
    listed = "; ".join(faults[:NAMED])
    sentence = f"{len(faults)} of {files} recordings are left out: {listed}{more}"
    warnings.warn(SpeechWarning(sentence, faults), stacklevel=4)
