"""Folders of recordings become utterances; a bad one is named, and left out only when asked."""

from pathlib import Path

import numpy as np
import pytest
import recordings

from limbeck import speech
from limbeck.errors import CorruptError, ExamplesError, MissingError, SpeechWarning
from limbeck.speech import Segment
from limbeck.speech.corpora._transcript import eased, read_segments

pytest.importorskip("soundfile", reason="needs limbeck[speech]")


@pytest.fixture
def anna(tmp_path: Path) -> Path:
    """The folder of a speaker with two recordings."""
    (tmp_path / "anna" / "monday").mkdir(parents=True)
    for n, name in enumerate(("one", "monday/two.v2")):
        recordings.riff(tmp_path / "anna" / f"{name}.wav", recordings.tone(1600, n))
        recordings.phn(
            tmp_path / "anna" / f"{name}.phn", recordings.evenly(1600, ["h#", "w", "ah"])
        )
    (tmp_path / "anna" / "one.txt").write_text("12 34 one\n")
    (tmp_path / "anna" / ".hidden.wav").write_bytes(b"")
    (tmp_path / "anna" / "notes.md").write_text("not a recording")
    return tmp_path / "anna"


def test_a_recording_has_its_phones_words_speaker_and_key(anna: Path) -> None:
    two, one = speech.utterances(anna.parent)
    assert [two.key, one.key] == ["anna/monday/two.v2", "anna/one"]
    assert {two.speaker, one.speaker} == {"anna"}
    assert one.segments == (
        Segment(0, 533, "h#"),
        Segment(533, 1066, "w"),
        Segment(1066, 1600, "ah"),
    )
    assert [one.text, two.text] == ["12 34 one", ""]
    np.testing.assert_array_equal(one.samples * 32768, recordings.tone(1600, 0))


def test_gaps_between_segments_stay_gaps(anna: Path) -> None:
    (anna / "one.phn").write_text("\n 100 300 w\r\n\n400   1600 ah")
    assert speech.utterances(anna.parent)[1].segments == (
        Segment(100, 300, "w"),
        Segment(400, 1600, "ah"),
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", r"one\.phn is an empty transcript: it says of no phone when it is spoken"),
        ("\n  \n", r"one\.phn is an empty transcript"),
        ("0 1700 w", "anna/one: 'w' from sample 0 to 1700 is not within the recording of 1600"),
        ("0 900 w\n800 1600 ah", "'ah' begins at sample 800, before 'w' ends at 900"),
        ("500 400 w", "'w' from sample 500 to 400 is not within"),
    ],
)
def test_segments_that_cannot_be_are_refused(anna: Path, content: str, words: str) -> None:
    (anna / "one.phn").write_text(content)
    with pytest.raises(ExamplesError, match=words):
        speech.utterances(anna.parent)


@pytest.mark.parametrize("line", ["0.0 0.5 w", "0 800", "-3 800 w", "0 800 w ah", "\udcff\udcfe"])
def test_a_line_of_another_form_is_named(anna: Path, line: str) -> None:
    content = f"0 10 h#\n{line}\n".encode(errors="surrogateescape")
    (anna / "one.phn").write_bytes(content)
    with pytest.raises(CorruptError, match=r"line 2 of .*one\.phn is .*, not 'first end phone'"):
        speech.utterances(anna.parent)


def test_a_recording_without_phones_is_named(anna: Path) -> None:
    (anna / "one.phn").unlink()
    with pytest.raises(MissingError, match=r"there is no one\.phn beside .*one\.wav"):
        speech.utterances(anna.parent)


def test_words_that_are_none_are_refused(anna: Path) -> None:
    (anna / "one.txt").write_text(" \n")
    with pytest.raises(ExamplesError, match=r"one\.txt is an empty transcript: it holds no word"):
        speech.utterances(anna.parent)


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros(1600), "anna/one is silent: all its 1600 samples are 0"),
        (np.full(1600, 77), "anna/one is silent: all its 1600 samples are 0.0023"),
        (
            np.clip(recordings.tone(1600) * 9.0, -32768, 32767),
            r"anna/one is clipped: \d\d% of its samples are as loud as a file can hold; record it",
        ),
    ],
)
def test_silence_and_clipping_are_refused(anna: Path, samples: np.ndarray, words: str) -> None:
    recordings.riff(anna / "one.wav", samples)
    with pytest.raises(ExamplesError, match=words):
        speech.utterances(anna.parent)


def test_the_sentence_of_a_bad_recording_says_how_to_go_on(anna: Path) -> None:
    (anna / "one.wav").write_bytes(b"nothing")
    with pytest.raises(
        CorruptError, match=r"one\.wav .*; skip_bad=True leaves such a recording out$"
    ):
        speech.utterances(anna.parent)


def test_one_bad_recording_is_named_and_the_rest_goes_on_when_asked(anna: Path) -> None:
    (anna / "one.wav").write_bytes(b"nothing")
    words = r"^1 of 2 recordings are left out: .*one\.wav is not"
    with pytest.warns(SpeechWarning, match=words) as told:
        (left,) = speech.utterances(anna.parent, skip_bad=True)
    (fault,) = told[0].message.faults
    assert fault.startswith(f"{anna}/one.wav is not readable audio")
    assert left.key == "anna/monday/two.v2"


def test_where_all_are_bad_there_is_nothing_to_go_on_with(anna: Path) -> None:
    for file in anna.rglob("*.phn"):
        file.unlink()
    with pytest.raises(ExamplesError, match="none of 2 recordings can be used: there is no two"):
        speech.utterances(anna.parent, skip_bad=True)


def test_a_recording_in_no_folder_of_a_speaker_is_refused(anna: Path) -> None:
    with pytest.raises(ExamplesError, match=r"lies in no folder of its speaker: SPEAKER/one\.wav"):
        speech.utterances(anna)


def test_folders_without_recordings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExamplesError, match=r"there are no recordings in .* \(\.flac, \.sph"):
        speech.utterances(tmp_path)
    with pytest.raises(MissingError, match="there is no folder"):
        speech.utterances(tmp_path / "absent")


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """A corpus of three speakers."""
    for n, name in enumerate(("train", "development", "test")):
        folder = tmp_path / "small" / name / f"s{n}"
        folder.mkdir(parents=True)
        recordings.riff(folder / "a.wav", recordings.tone(1600, n))
        recordings.phn(folder / "a.phn", recordings.evenly(1600, ["h#", "w", "ah", "h#"]))
    return tmp_path / "small"


def test_a_folder_of_three_sets_is_a_corpus(sets: Path) -> None:
    made = speech.folder(sets, silence="h#")
    assert (made.name, made.phones, made.silence) == ("small", ("ah", "h#", "w"), "h#")
    parts = (made.train, made.development, made.test)
    assert [part[0].speaker for part in parts] == ["s0", "s1", "s2"]
    assert speech.folder(sets, silence="h#", phones=["w", "ah", "h#"]).phones == ("w", "ah", "h#")


def test_phones_that_are_not_in_train_are_listed(sets: Path) -> None:
    recordings.phn(sets / "test/s2/a.phn", recordings.evenly(1600, ["h#", "zh", "ng"]))
    with pytest.raises(ExamplesError, match="small has 2 phones that are not among its 3: ng, zh"):
        speech.folder(sets, silence="h#")


def test_a_speaker_in_two_sets_is_refused_even_where_bad_ones_are_left_out(sets: Path) -> None:
    (sets / "test/s2").rename(sets / "test/s0")
    with pytest.raises(ExamplesError, match=r"1 speakers are both in train and in test.*'s0'"):
        speech.folder(sets, silence="h#", skip_bad=True)


def test_a_set_that_is_not_there_and_a_silence_that_is_none_are_refused(sets: Path) -> None:
    with pytest.raises(ExamplesError, match="has no phone 'sil', said to be silence, in train"):
        speech.folder(sets, silence="sil")
    (sets / "test").rename(sets / "rest")
    with pytest.raises(MissingError, match="has no folder 'test': a corpus has train, development"):
        speech.folder(sets, silence="h#")


def test_segments_that_run_over_a_little_are_cut_and_worse_ones_kept() -> None:
    ran = (Segment(0, 90, "a"), Segment(80, 200, "b"), Segment(150, 170, "c"))
    assert eased(ran, 165, 10) == (Segment(0, 80, "a"), ran[1], Segment(150, 165, "c"))


def test_a_byte_order_mark_is_no_number(tmp_path: Path) -> None:
    (tmp_path / "a.phn").write_text("0 10 h#", encoding="utf-8-sig")
    assert read_segments(tmp_path / "a.phn") == (Segment(0, 10, "h#"),)
