"""TIMIT is read by its protocol, here from copies made in its layout: the corpus is licensed."""

from pathlib import Path

import numpy as np
import pytest
import recordings

from limbeck import speech
from limbeck.errors import CorruptError, ExamplesError, MissingError, SpeechWarning
from limbeck.speech import TIMIT_PHONES, Segment
from limbeck.speech.corpora._timit import CORE_TEST, DEVELOPMENT

pytest.importorskip("soundfile", reason="needs limbeck[speech]")

TRAIN = ("FCJF0", "MDAC0")
SMALL = (*CORE_TEST[:2], *DEVELOPMENT[:2], "MXXX0")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Two speakers to learn from, two of each other set, and one of the test part in neither."""
    return recordings.timit_copy(tmp_path / "TIMIT", TRAIN, SMALL, sentences=2)


def small(copy: Path, **options: bool) -> speech.Corpus:
    return speech.timit(copy, partial_copy=True, **options)


def test_the_lists_are_of_24_and_50_speakers_and_61_phones() -> None:
    assert [len(set(one)) for one in (CORE_TEST, DEVELOPMENT, TIMIT_PHONES)] == [24, 50, 61]
    assert not set(CORE_TEST) & set(DEVELOPMENT)
    assert sum(name.startswith("F") for name in CORE_TEST) == 8  # two men and a woman of 8 regions
    assert all(len(name) == 5 and name[0] in "FM" for name in CORE_TEST + DEVELOPMENT)


@pytest.mark.slow
def test_a_whole_copy_has_3696_400_and_192_sentences(tmp_path: Path) -> None:
    train = [f"{'FM'[n % 2]}A{n:03d}" for n in range(462)]
    test = [*CORE_TEST, *DEVELOPMENT, *[f"MT{n:03d}" for n in range(94)]]
    copy = recordings.timit_copy(tmp_path / "timit", train, test)
    made = speech.timit(copy)
    assert [len(made.train), len(made.development), len(made.test)] == [3696, 400, 192]
    assert {one.speaker for one in made.test} == set(CORE_TEST)
    assert {one.speaker for one in made.development} == set(DEVELOPMENT)
    (copy / "TRAIN/DR1" / train[0] / "SX9.WAV").unlink()
    with pytest.raises(ExamplesError, match=f"{train[0]} has 7 sentences, not 8"):
        speech.timit(copy)


def test_a_speaker_is_in_the_set_that_the_protocol_says(copy: Path) -> None:
    made = small(copy)
    assert [one.key for one in made.train] == ["FCJF0/SX18", "FCJF0/SX9", "MDAC0/SX18", "MDAC0/SX9"]
    assert {one.speaker for one in made.development} == set(DEVELOPMENT[:2])
    assert {one.speaker for one in made.test} == set(CORE_TEST[:2])
    assert (made.name, made.silence, len(made.phones)) == ("TIMIT", "h#", 61)


def test_an_utterance_has_its_samples_phones_and_words(copy: Path) -> None:
    one = small(copy).train[0]
    assert (one.rate, len(one.samples), one.text) == (16_000, 1600, "She had your suit.")
    assert [segment.phone for segment in one.segments] == list(recordings.PHONES)


def test_a_copy_in_small_letters_and_riff_is_the_same_corpus(copy: Path, tmp_path: Path) -> None:
    for file in copy.rglob("*.*"):
        to = tmp_path / "lower" / file.relative_to(copy.parent).as_posix().lower()
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(file.read_bytes())
        if to.suffix == ".wav":
            samples = np.frombuffer(file.read_bytes()[1024:], "<i2")
            recordings.riff(to, samples)
    one, other = small(copy), small(tmp_path / "lower")
    for mine, theirs in zip(one.train + one.test, other.train + other.test, strict=True):
        assert (mine.key, mine.segments, mine.text) == (theirs.key, theirs.segments, theirs.text)
        np.testing.assert_array_equal(mine.samples, theirs.samples)


def test_recordings_that_were_converted_beside_the_originals_are_read_once(copy: Path) -> None:
    for file in copy.rglob("*.WAV"):
        recordings.riff(file.with_name(f"{file.name}.wav"), recordings.tone(1600, 1))
    assert len(small(copy).train) == 4
    for file in copy.rglob("*.WAV"):
        file.unlink()
    assert [one.key for one in small(copy).train][:2] == ["FCJF0/SX18", "FCJF0/SX9"]


def test_the_folder_may_be_one_above(copy: Path) -> None:
    assert len(small(copy.parent).train) == 4


def test_segments_that_run_over_by_a_window_at_most_are_cut_and_gaps_are_kept(copy: Path) -> None:
    times = [(0, 300, "h#"), (250, 500, "sh"), (520, 900, "q"), (900, 2000, "h#")]
    recordings.phn(copy / "TRAIN/DR1/FCJF0/SX18.PHN", [Segment(*one) for one in times])
    assert small(copy).train[0].segments == (
        Segment(0, 250, "h#"),
        Segment(250, 500, "sh"),
        Segment(520, 900, "q"),
        Segment(900, 1600, "h#"),
    )


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([(0, 2001, "h#")], "FCJF0/SX18: 'h#' from sample 0 to 2001 is not within the recording"),
        ([(0, 900, "h#"), (400, 1600, "sh")], "'sh' begins at sample 400, before 'h#' ends at 900"),
        ([(0, 1600, "h#"), (1600, 1700, "sh")], "'sh' from sample 1600 to 1600 is not within"),
        (
            [(0, 100, "zz"), (100, 200, "yy")],
            "TIMIT has 2 phones that are not among its 61: yy, zz",
        ),
    ],
)
def test_segments_that_run_over_by_more_and_unknown_phones_are_refused(
    copy: Path, times: list[tuple[int, int, str]], words: str
) -> None:
    recordings.phn(copy / "TRAIN/DR1/FCJF0/SX18.PHN", [Segment(*one) for one in times])
    with pytest.raises(ExamplesError, match=words):
        small(copy)


def test_a_file_cut_short_is_named_and_left_out_only_when_asked(copy: Path) -> None:
    file = copy / "TRAIN/DR1/FCJF0/SX18.WAV"
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(CorruptError, match=r"SX18\.WAV is cut short"):
        small(copy)
    with pytest.warns(SpeechWarning, match=r"1 of 4 recordings are left out: .*SX18\.WAV is cut"):
        assert len(small(copy, skip_bad=True).train) == 3


def test_a_sentence_without_phones_is_named(copy: Path) -> None:
    (copy / "TRAIN/DR1/FCJF0/SX18.PHN").unlink()
    with pytest.raises(MissingError, match=r"there is no SX18\.phn beside .*SX18\.WAV"):
        small(copy)


def test_a_speaker_of_the_test_part_who_is_in_train_too_is_refused(copy: Path) -> None:
    recordings.sentence(copy / "TRAIN/DR3" / CORE_TEST[0], "SI800", seed=99)
    with pytest.raises(ExamplesError, match=f"both in train and in test.*{CORE_TEST[0]!r}"):
        small(copy)


def test_a_copy_that_is_not_whole_is_read_only_when_asked(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ExamplesError, match="TIMIT has 462 training speakers, here are 2; partial_copy=True reads"
    ):
        speech.timit(copy)
    for n in range(460):
        (copy / f"TRAIN/DR8/FZ{n:03d}").mkdir(parents=True)
    with pytest.raises(ExamplesError, match=r"no recordings of 70 of the 74 speakers: FADG0, .*"):
        speech.timit(copy)


def test_a_partial_copy_without_a_set_is_refused(tmp_path: Path) -> None:
    copy = recordings.timit_copy(tmp_path / "TIMIT", TRAIN, DEVELOPMENT[:1], sentences=1)
    with pytest.raises(ExamplesError, match="no recording of a speaker of its test set"):
        small(copy)


def test_a_folder_without_timit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        MissingError, match="holds no TIMIT: there is no folder with TRAIN and TEST"
    ):
        speech.timit(tmp_path)
    with pytest.raises(MissingError, match="there is no folder"):
        speech.timit(tmp_path / "absent")
