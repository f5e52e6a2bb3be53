"""Spoken digits of real voices: phones by forced alignment, each speaker held out in turn."""

import io
import json
import struct
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

from limbeck.artifacts import (
    cache_of,
    checksum,
    file_entries,
    fingerprint,
    provenance,
    read_checked,
    read_manifest,
    write_file,
    writing,
)
from limbeck.errors import ExamplesError, InputError, MissingError, SpeechWarning
from limbeck.examples import Array
from limbeck.runtime import Bar, did_you_mean, needs
from limbeck.speech._utterance import Corpus, Segment, Utterance
from limbeck.speech.corpora._forced import RATE, SILENCE, TELEPHONE, Align, aligner
from limbeck.speech.corpora._reading import gathered

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
RECIPE = 1  # raised when the same recordings would be aligned otherwise

_ARTIFACT, _FILE = "alignments", "alignments.json"
_COLUMNS = ("audio", "label", "speaker", "index")
_FEWEST = 3  # speakers: one for each set
_MARGIN = RATE // 20
_NAMED = 10  # of those left out, the first so many are named

Row = Mapping[str, Any]
Alignments = dict[str, tuple[Segment, ...]]


def digits(
    path: str | Path, held_out: str, *, folder: str | Path = "", skip_bad: bool = False
) -> Corpus:
    """Recorded digits, a word an utterance: one speaker is the test, the next the development set.

    The phones are ARPABET's, from pocketsphinx's dictionary, and their times are what its
    forced alignment says, on frames of 10 ms: nobody checked them by ear. The recordings, of
    8,000 samples a second, come with 16,000, between 50 ms of noise as quiet as their quietest
    10 ms. Alignments are kept in the folder, else in the cache, so that they are made once.

    Args:
        path: a Parquet file with the columns audio (bytes of a wav file, path), label (0 to 9),
            speaker and index.
        held_out: the speaker of the test; the speaker after it in the alphabet, or the first
            after the last, is the development set.
        folder: where the alignments are kept.
        skip_bad: a recording that cannot be read is named in a warning and left out.

    Warns:
        SpeechWarning: some recordings could not be aligned; they are counted, named and left out.

    Raises:
        MissingError: no such file.
        ExamplesError: it lacks a column, or a recording that is named cannot be read.
        InputError: no such speaker, or fewer than three.
        NeedsPackageError: pyarrow or pocketsphinx is not installed.
    """
    content = _content(Path(path))
    all_rows = _rows(content, str(path))
    speakers = sorted({row["speaker"] for row in all_rows})
    development = _next(speakers, held_out, str(path))
    rows = gathered(all_rows, _checked, skip_bad=skip_bad)
    phones, aligned = _alignments(content, rows, Path(folder) if folder else None)
    utterances = [_utterance(row, aligned[_key(row)]) for row in rows if aligned[_key(row)]]
    _warn_of([_key(row) for row in rows if not aligned[_key(row)]], len(rows))
    return Corpus(
        name=f"spoken digits, {held_out} held out, phones by forced alignment",
        train=tuple(u for u in utterances if u.speaker not in (held_out, development)),
        development=tuple(u for u in utterances if u.speaker == development),
        test=tuple(u for u in utterances if u.speaker == held_out),
        phones=phones,
        silence=SILENCE,
    )


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise MissingError(f"there is no {path}: give a Parquet file of recorded digits")
    return path.read_bytes()


def _rows(content: bytes, where: str) -> list[Row]:
    try:
        table = needs("pyarrow.parquet").read_table(io.BytesIO(content))
    except needs("pyarrow").ArrowInvalid as error:
        raise ExamplesError(f"{where} is not a Parquet file: {error}") from error
    lacking = [name for name in _COLUMNS if name not in table.column_names]
    if lacking:
        raise ExamplesError(f"{where} has no column {', '.join(lacking)}")
    rows: list[Row] = table.select(_COLUMNS).to_pylist()
    for row in rows:
        if row["label"] not in range(len(WORDS)):
            raise ExamplesError(f"{where}: {_key(row)} has the label {row['label']}, not 0 to 9")
    return rows


def _next(speakers: Sequence[str], held_out: str, where: str) -> str:
    if held_out not in speakers:
        raise InputError(f"{where} has no speaker {held_out!r}; {did_you_mean(held_out, speakers)}")
    if len(speakers) < _FEWEST:
        raise InputError(f"{where} has {len(speakers)} speakers: each of the three sets needs one")
    return speakers[(speakers.index(held_out) + 1) % len(speakers)]


def _key(row: Row) -> str:
    return f"{row['speaker']}/{row['label']}_{row['index']}"


def _alignments(
    content: bytes, rows: Sequence[Row], folder: Path | None
) -> tuple[tuple[str, ...], Alignments]:
    request = {"recipe": RECIPE, "recordings": checksum(content)}
    place = folder or cache_of("spoken-digits") / fingerprint(request)
    with writing(place, _ARTIFACT, request) as artifact:
        if not artifact.is_whole:
            alignments = _align_all(rows)
            artifact.begin()
            write_file(place / _FILE, json.dumps(alignments).encode())
            files = file_entries(place, [_FILE])
            artifact.finish({"files": files, "provenance": provenance()})
    entry = read_manifest(place, _ARTIFACT)["files"][_FILE]
    document = json.loads(read_checked(place, _FILE, entry))
    segments = document["segments"].items()
    aligned = {key: tuple(Segment(*one) for one in parts) for key, parts in segments}
    return tuple(document["phones"]), aligned


def _align_all(rows: Sequence[Row]) -> dict[str, object]:
    align, spelling = aligner()
    phones = sorted({phone for word in WORDS for phone in spelling(word)})
    alignments = {}
    with Bar("recordings", len(rows)) as bar:
        for row in rows:
            alignments[_key(row)] = _aligned(row, align)
            bar.advance()
    return {"phones": [SILENCE, *phones], "segments": alignments}


def _aligned(row: Row, align: Align) -> list[tuple[int, int, str]]:
    return [(one.first, one.end, one.phone) for one in align(_read(row), WORDS[row["label"]])]


def _checked(row: Row) -> Row:
    _read(row)
    return row


def _read(row: Row) -> Array:
    """The samples of a recording, int16."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # chunks it does not know
            warnings.filterwarnings("error", "Reached EOF", wavfile.WavFileWarning)
            rate, samples = wavfile.read(io.BytesIO(row["audio"]["bytes"]))
    except (ValueError, EOFError, TypeError, struct.error, wavfile.WavFileWarning) as error:
        raise ExamplesError(f"the recording {_key(row)} cannot be read as wav: {error}") from error
    if rate != TELEPHONE or samples.ndim != 1 or samples.dtype != np.int16 or not samples.any():
        raise ExamplesError(
            f"the recording {_key(row)} has {rate} samples a second of type {samples.dtype} in the "
            f"shape {samples.shape}, not {TELEPHONE} of int16 in one channel with sound in it"
        )
    return np.asarray(samples)


def _utterance(row: Row, aligned: tuple[Segment, ...]) -> Utterance:
    samples = _read(row) / 32768
    frames = samples[: len(samples) // 80 * 80].reshape(-1, 80)
    quietest = max(1 / 32768, float(np.sqrt((frames**2).mean(1)).min(initial=1)))
    seed = int(row["label"]) * 1000 + int(row["index"])
    noise = np.random.default_rng(seed).normal(0, quietest, (2, _MARGIN // 2))
    whole = resample_poly(np.concatenate([noise[0], samples, noise[1]]), 2, 1)
    whole = whole.clip(-1, 1).astype(np.float32)
    segments = _with_margins(aligned, len(whole))
    return Utterance(_key(row), row["speaker"], whole, RATE, segments, WORDS[row["label"]])


def _with_margins(aligned: tuple[Segment, ...], total: int) -> tuple[Segment, ...]:
    inner = [one for one in aligned if one.phone != SILENCE]
    moved = [Segment(one.first + _MARGIN, one.end + _MARGIN, one.phone) for one in inner]
    head, tail = Segment(0, moved[0].first, SILENCE), Segment(moved[-1].end, total, SILENCE)
    return (head, *moved, tail)


def _warn_of(left_out: Sequence[str], total: int) -> None:
    if left_out:
        more = ", ..." if len(left_out) > _NAMED else ""
        warnings.warn(
            f"{len(left_out)} of {total} recordings could not be aligned and are left out: "
            f"{', '.join(left_out[:_NAMED])}{more}",
            SpeechWarning,
            stacklevel=3,
        )
