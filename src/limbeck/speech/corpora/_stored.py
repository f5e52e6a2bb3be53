"""A made corpus as a folder: a file of samples for each speaker, the segments as JSON."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.artifacts import (
    FileEntry,
    Writing,
    file_entry,
    provenance,
    read_checked,
    read_record,
    write_file,
)
from limbeck.examples import Array
from limbeck.speech._utterance import SETS, Corpus, Segment, Utterance

ARTIFACT = "speech-corpus"
UTTERANCES = "utterances.json"
FULL_SCALE = 32767


@dataclass(frozen=True, eq=False)
class Made:
    """An utterance before it is stored.

    Attributes:
        part: the set that it is in, one of `SETS`.
        samples: `(samples,)` int16.
        notes: what else is known of it, for JSON.
    """

    part: str
    key: str
    speaker: str
    samples: Array
    segments: tuple[Segment, ...]
    text: str
    notes: Mapping[str, object]


@dataclass(frozen=True)
class _Record:
    """What the manifest of a corpus says, so far as reading it needs that."""

    name: str
    rate: int
    phones: Sequence[str]
    silence: str
    files: Mapping[str, FileEntry]


def store(artifact: Writing, made: Sequence[Made], body: Mapping[str, object]) -> None:
    """Writes the corpus, its manifest last."""
    artifact.begin()
    files = {}
    for speaker, spoken in groupby(made, lambda one: one.speaker):
        content = io.BytesIO()
        np.save(content, np.concatenate([one.samples for one in spoken]))
        files[f"{speaker}.npy"] = content.getvalue()
    lines = [json.dumps(_described(one), ensure_ascii=False) for one in made]
    files[UTTERANCES] = ("[\n" + ",\n".join(lines) + "\n]\n").encode()
    for name, content_bytes in files.items():
        write_file(artifact.directory / name, content_bytes)
    entries = {name: file_entry(content_bytes) for name, content_bytes in files.items()}
    artifact.finish({**body, "files": entries, "provenance": provenance()})


def _described(one: Made) -> dict[str, object]:
    return {
        "key": one.key,
        "speaker": one.speaker,
        "set": one.part,
        "text": one.text,
        **one.notes,
        "samples": len(one.samples),
        "segments": [[segment.first, segment.end, segment.phone] for segment in one.segments],
    }


def load(folder: Path) -> Corpus:
    """The corpus of a folder, every file compared with its checksum.

    Raises:
        MissingError: there is none, it is not whole, or a file is gone.
        CorruptError: a file was truncated or altered.
    """
    record = read_record(_Record, folder, ARTIFACT)
    described = json.loads(read_checked(folder, UTTERANCES, record.files[UTTERANCES]))
    sets: dict[str, list[Utterance]] = {part: [] for part in SETS}
    for speaker, spoken in groupby(described, lambda one: str(one["speaker"])):
        name = f"{speaker}.npy"
        content = read_checked(folder, name, record.files[name])
        samples = np.load(io.BytesIO(content), allow_pickle=False)
        at = 0
        for one in spoken:
            rows = samples[at : at + one["samples"]]
            sets[one["set"]].append(_utterance(one, rows, record.rate))
            at += one["samples"]
    ordered = {part: tuple(utterances) for part, utterances in sets.items()}
    phones = tuple(record.phones)
    return Corpus(name=record.name, **ordered, phones=phones, silence=record.silence)


def _utterance(one: Mapping[str, Any], rows: Array, rate: int) -> Utterance:
    return Utterance(
        key=one["key"],
        speaker=one["speaker"],
        samples=rows.astype(np.float32) / FULL_SCALE,
        rate=rate,
        segments=tuple(Segment(*segment) for segment in one["segments"]),
        text=one["text"],
    )
