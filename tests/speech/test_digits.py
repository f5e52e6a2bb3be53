"""Recorded digits: each speaker held out in turn, and what cannot be used is named."""

import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import wavfile

from limbeck import speech
from limbeck.errors import ExamplesError, InputError, MissingError, SpeechWarning

parquet = pytest.importorskip("pyarrow.parquet", reason="needs limbeck[parquet]")
pyarrow = pytest.importorskip("pyarrow", reason="needs limbeck[parquet]")
pytest.importorskip("pocketsphinx", reason="needs limbeck[speech]")

SILENT_SPEAKERS = ("ann", "bob", "cid")


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def wav(samples: np.ndarray, rate: int = 8000) -> bytes:
    content = io.BytesIO()
    wavfile.write(content, rate, samples)
    return content.getvalue()


def row(speaker: str, content: bytes) -> dict[str, Any]:
    audio = {"bytes": content, "path": f"3_{speaker}_0.wav"}
    return {"audio": audio, "label": 3, "speaker": speaker, "index": 0}


# Of ten recordings a speaker now and then one is not aligned, which a warning says.
UNALIGNED_IS_SAID = pytest.mark.filterwarnings("ignore::limbeck.errors.SpeechWarning")


@pytest.fixture(scope="module")
def recordings(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of each speaker each digit once."""
    whole = data / "spoken-digits" / "recordings.parquet"
    if not whole.is_file():
        pytest.skip("LIMBECK_DATA has no spoken-digits/recordings.parquet")
    rows = [one for one in parquet.read_table(whole).to_pylist() if one["index"] == 1]
    return write(tmp_path_factory.mktemp("digits") / "some.parquet", rows)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("alignments") / "kept"


@UNALIGNED_IS_SAID
def test_each_speaker_can_be_held_out(recordings: Path, kept: Path) -> None:
    for held_out, development in (("george", "jackson"), ("yweweler", "george")):
        corpus = speech.digits(recordings, held_out, folder=kept)
        corpus.check()
        assert {one.speaker for one in corpus.test} == {held_out}
        assert {one.speaker for one in corpus.development} == {development}
        assert len({one.speaker for one in corpus.train}) == 3
        assert held_out in corpus.name


@UNALIGNED_IS_SAID
def test_a_digit_is_its_phones_between_silence(recordings: Path, kept: Path) -> None:
    corpus = speech.digits(recordings, "lucas", folder=kept)
    everyone = [*corpus.train, *corpus.development, *corpus.test]
    assert len(everyone) >= 47  # of 50
    for one in everyone:
        one.check()
        assert one.segments[0].phone == one.segments[-1].phone == corpus.silence
        assert all(a.end == b.first for a, b in pairwise(one.segments))
    sixes = [[s.phone for s in one.segments] for one in everyone if one.text == "six"]
    assert sixes
    assert all(six == ["sil", "s", "ih", "k", "s", "sil"] for six in sixes)


@UNALIGNED_IS_SAID
def test_a_vowel_is_louder_than_what_is_around_it(recordings: Path, kept: Path) -> None:
    for one in speech.digits(recordings, "george", folder=kept).test:
        level = {s.phone: np.mean(one.samples[s.first : s.end] ** 2) for s in one.segments}
        vowels = [level[name] for name in ("ih", "ah", "ay", "ey", "iy", "ao") if name in level]
        assert all(vowel > 3 * level["sil"] for vowel in vowels), one.key


def test_what_cannot_be_aligned_is_named_and_left_out(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 3000, 400).astype(np.int16)  # 50 ms: no "three"
    path = write(tmp_path / "three.parquet", [row(name, wav(noise)) for name in SILENT_SPEAKERS])
    words = "3 of 3 recordings could not be aligned and are left out: ann/3_0, bob/3_0, cid/3_0"
    with pytest.warns(SpeechWarning, match=words):
        corpus = speech.digits(path, "bob", folder=tmp_path / "kept")
    assert corpus.test == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"RIFF", "the recording ann/3_0 cannot be read as wav"),
        (wav(np.ones(8000, np.int16))[:900], "ann/3_0 cannot be read as wav: Reached EOF"),
        (wav(np.ones((80, 2), np.int16)), r"of type int16 in the shape \(80, 2\), not 8000"),
        (wav(np.ones(80, np.int16), 44_100), "ann/3_0 has 44100 samples a second"),
        (wav(np.zeros(80, np.int16)), "in one channel with sound in it"),
    ],
)
def test_a_recording_that_cannot_be_read_is_named(
    content: bytes, words: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "bad.parquet", [row(name, content) for name in SILENT_SPEAKERS])
    with pytest.raises(ExamplesError, match=words):
        speech.digits(path, "bob", folder=tmp_path / "kept")


def test_a_recording_that_cannot_be_read_is_left_out_when_asked(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 3000, 400).astype(np.int16)
    rows = [row(name, wav(noise)) for name in SILENT_SPEAKERS]
    path = write(tmp_path / "bad.parquet", [*rows, row("ann", b"RIFF") | {"index": 7}])
    kept = tmp_path / "kept"
    with pytest.warns(SpeechWarning) as told:
        speech.digits(path, "bob", folder=kept, skip_bad=True)
    bad, unaligned = [str(one.message) for one in told]
    assert bad.startswith("1 of 4 recordings are left out: the recording ann/3_7 cannot be read as")
    assert unaligned.startswith("3 of 3 recordings could not be aligned")
    # The alignments that are kept now do not make the recording a good one.
    with pytest.raises(ExamplesError, match=r"ann/3_7 cannot .*; skip_bad=True leaves such a rec"):
        speech.digits(path, "bob", folder=kept)


def test_a_file_that_holds_no_digits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"there is no .*none.parquet: give a Parquet file"):
        speech.digits(tmp_path / "none.parquet", "bob")
    (tmp_path / "text.parquet").write_text("no table")
    with pytest.raises(ExamplesError, match=r"text.parquet is not a Parquet file"):
        speech.digits(tmp_path / "text.parquet", "bob")
    path = write(tmp_path / "eleven.parquet", [row("ann", b"") | {"label": 11}])
    with pytest.raises(ExamplesError, match="ann/11_0 has the label 11, not 0 to 9"):
        speech.digits(path, "ann")
    path = write(tmp_path / "other.parquet", [{"label": 1}])
    with pytest.raises(ExamplesError, match="has no column audio, speaker, index"):
        speech.digits(path, "bob")


def test_a_speaker_that_is_not_there_and_too_few_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "two.parquet", [row(name, b"") for name in ("ann", "bob")])
    with pytest.raises(InputError, match="has no speaker 'bobb'; did you mean 'bob'"):
        speech.digits(path, "bobb")
    with pytest.raises(InputError, match="has 2 speakers: each of the three sets needs one"):
        speech.digits(path, "bob")
