"""Corpora of speech by command: what there is, and a bad recording in a sentence that names it."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import recordings

from limbeck import cli

pytest.importorskip("soundfile", reason="needs limbeck[speech]")
pytest.importorskip("kaldi_native_fbank", reason="needs limbeck[speech]")

SETS = {"train": ("anna", "ben"), "development": ("carla",), "test": ("dan",)}
PHONES = ("h#", "w", "ah", "h#")
NAMES = ("one", "two")
SMALL = ("speech", "small", "--silence", "h#")
LEARNT = "speech('small', 'train', silence='h#')"


def record(audio: Path, seed: int) -> Path:
    audio.parent.mkdir(parents=True, exist_ok=True)
    recordings.riff(audio, recordings.tone(1600, seed))
    recordings.phn(audio.with_suffix(".phn"), recordings.evenly(1600, PHONES))
    return audio


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus of four speakers, two recordings of each; the directory above it is the current."""
    monkeypatch.chdir(tmp_path)
    places = [(part, one, name) for part, two in SETS.items() for one in two for name in NAMES]
    for seed, (part, speaker, name) in enumerate(places):
        record(Path("small", part, speaker, f"{name}.wav"), seed)
    return Path("small")


def limbeck(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # as outside the tests, where a warning is no error
        with pytest.raises(SystemExit) as left:
            cli.main([str(one) for one in arguments])
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one sentence that the command ends with, which has written nothing."""
    before = sorted(Path().rglob("*"))
    status, out, err = limbeck(capsys, *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert sorted(Path().rglob("*")) == before
    return err.removeprefix("limbeck: ").rstrip()


def not_trained(capsys: pytest.CaptureFixture[str], examples: str) -> str:
    given = ("--student", "mlp([2])", "--examples", examples, "--to", "net")
    return refused(capsys, "train", *given)


def cut(audio: Path) -> None:
    audio.write_bytes(audio.read_bytes()[:-100])


def no_audio(audio: Path) -> None:
    audio.write_text("this is a letter, not a recording")


def other_rate(audio: Path) -> None:
    recordings.riff(audio, recordings.tone(1600), rate=8000)


def stereo(audio: Path) -> None:
    recordings.riff(audio, recordings.tone(3200), channels=2)


def clipped(audio: Path) -> None:
    recordings.riff(audio, np.clip(recordings.tone(1600) * 9.0, -32768, 32767))


def silent(audio: Path) -> None:
    recordings.riff(audio, np.zeros(1600))


def shorter_than_a_window(audio: Path) -> None:
    recordings.riff(audio, recordings.tone(300))
    recordings.phn(audio.with_suffix(".phn"), recordings.evenly(300, PHONES))


def outside(audio: Path) -> None:
    audio.with_suffix(".phn").write_text("0 800 h#\n800 1700 w\n")


def overlapping(audio: Path) -> None:
    audio.with_suffix(".phn").write_text("0 800 h#\n700 1600 w\n")


def without_phones(audio: Path) -> None:
    audio.with_suffix(".phn").write_text("\n")


def without_words(audio: Path) -> None:
    audio.with_suffix(".txt").write_text(" \n")


def without_transcript(audio: Path) -> None:
    audio.with_suffix(".phn").unlink()


def in_seconds(audio: Path) -> None:
    audio.with_suffix(".phn").write_text("0.0 0.1 h#\n")


Spoil = Callable[[Path], None]
FAULTS: list[tuple[Spoil, str]] = [
    (cut, "{}/one.wav is cut short: its header says 3200 bytes of samples, 3100 are there"),
    (no_audio, "{}/one.wav is not readable audio: "),
    (other_rate, "{}/one.wav has 8000 samples a second, not 16000: resample it, or ask for its "),
    (stereo, "{}/one.wav has 2 channels, not one: mix them, or keep one of them"),
    (clipped, "anna/one is clipped: "),
    (silent, "anna/one is silent: all its 1600 samples are 0"),
    (shorter_than_a_window, "anna/one has 300 samples, less than the 400 of one window of 25 ms"),
    (outside, "anna/one: 'w' from sample 800 to 1700 is not within the recording of 1600 samples"),
    (overlapping, "anna/one: 'w' begins at sample 700, before 'h#' ends at 800"),
    (without_phones, "{}/one.phn is an empty transcript: it says of no phone when it is spoken"),
    (without_words, "{}/one.txt is an empty transcript: it holds no word"),
    (without_transcript, "there is no one.phn beside {}/one.wav: nobody says its phones"),
    (in_seconds, "line 1 of {}/one.phn is '0.0 0.1 h#', not 'first end phone' in samples"),
]
each_fault = pytest.mark.parametrize(
    ("spoil", "sentence"), FAULTS, ids=[spoil.__name__ for spoil, _ in FAULTS]
)


@each_fault
def test_a_bad_recording_is_named_and_nothing_is_written(
    spoil: Spoil, sentence: str, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(small / "train/anna/one.wav")
    told = refused(capsys, *SMALL)
    assert told.startswith(sentence.format("small/train/anna"))
    assert told.endswith("; --skip-bad leaves such a recording out")
    told = not_trained(capsys, LEARNT)
    assert told.startswith(sentence.format(Path("small/train/anna").absolute()))
    assert told.endswith("; skip_bad=True leaves such a recording out")


@each_fault
def test_the_rest_goes_on_when_asked(
    spoil: Spoil, sentence: str, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(small / "train/anna/one.wav")
    status, out, err = limbeck(capsys, *SMALL, "--skip-bad")
    assert status == 0, err
    warning, reason = err.splitlines()
    assert warning == "limbeck: warning: 1 of 8 recordings are left out:"
    assert reason.startswith("- " + sentence.format("small/train/anna"))
    assert "skip" not in reason
    assert out.splitlines()[2].split() == ["train", "2", "3", "0.01", "12", "3"]


def test_a_student_learns_from_the_rest_when_asked(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut(small / "train/anna/one.wav")
    asked = LEARNT.replace("silence", "skip_bad=True, silence")
    given = ("--student", "mlp([2])", "--examples", asked, "--epochs", 1, "--plan", "held_out=0")
    status, out, err = limbeck(capsys, "train", *given, "--to", "net")
    assert status == 0, err
    assert out.startswith("net: mlp(inputs=[123, 15], outputs=9, hidden=[2])")
    assert err.startswith("limbeck: warning: 1 of 4 recordings are left out: ")
    assert "one.wav is cut short" in err


def test_all_bad_recordings_are_listed(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = [record(small / "train/ben" / f"bad{n:02}.wav", n) for n in range(25)]
    for audio in [*bad, small / "test/dan/two.wav"]:
        cut(audio)
    status, out, err = limbeck(capsys, *SMALL, "--skip-bad", "--json")
    shown = json.loads(out)
    assert (status, len(shown["left_out"]), err.count("is cut short")) == (0, 26, 26)
    assert {part: of["utterances"] for part, of in shown["sets"].items()} == {
        "train": 4,
        "development": 2,
        "test": 1,
    }


def test_a_set_of_which_nothing_is_left_is_refused(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for audio in (small / "test/dan").glob("*.wav"):
        silent(audio)
    told = refused(capsys, *SMALL, "--skip-bad")
    assert told.startswith("none of 2 recordings can be used: dan/one is silent: ")


def test_a_speaker_in_two_sets_is_refused_always(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (small / "test/dan").rename(small / "test/anna")
    sentence = "small: 1 speakers are both in train and in test, the first is 'anna': "
    assert refused(capsys, *SMALL).startswith(sentence)
    assert refused(capsys, *SMALL, "--skip-bad").startswith(sentence)
    for text in (LEARNT, LEARNT.replace("silence", "skip_bad=True, silence")):
        assert not_trained(capsys, text).startswith(sentence)


def test_unknown_phones_are_listed_and_refused_always(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phones = recordings.evenly(1600, ["h#", "zh", "ng", "h#"])
    recordings.phn(small / "development/carla/two.phn", phones)
    sentence = "small has 2 phones that are not among its 3: ng, zh"
    assert refused(capsys, *SMALL) == sentence
    assert refused(capsys, *SMALL, "--skip-bad") == sentence
    for text in (LEARNT, LEARNT.replace("silence", "skip_bad=True, silence")):
        assert not_trained(capsys, text) == sentence
    more = ("--phones", "ah,h#,ng,w,zh")
    assert limbeck(capsys, *SMALL, *more)[0] == 0
    named = refused(capsys, *SMALL, "--phones", "ah,w,h#,ng")
    assert named == "small has 1 phones that are not among its 4: zh"


def test_a_recording_in_two_formats_is_refused(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings.sphere(small / "train/anna/one.sph", recordings.tone(1600))
    told = refused(capsys, *SMALL)
    assert told == (
        "small has 1 keys that are not of one utterance alone, the first is 'anna/one': of a "
        "recording in two formats keep one"
    )


def test_the_table_says_what_there_is(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(Path().rglob("*"))
    assert limbeck(capsys, *SMALL) == (
        0,
        "small: 16,000 samples a second\n"
        "set            speakers  utterances     minutes    segments      phones\n"
        "train                 2           4        0.01          16           3\n"
        "development           1           2        0.00           8           3\n"
        "test                  1           2        0.00           8           3\n"
        "3 phones with silence; the rarest: ah 8, w 8, h# 16\n",
        "",
    )
    assert sorted(Path().rglob("*")) == before
    shown = json.loads(limbeck(capsys, *SMALL, "--json")[1])
    assert shown["phones"] == {"ah": 8, "h#": 16, "w": 8}
    assert shown["sets"]["train"]["hours"] == pytest.approx(0.4 / 3600)
    assert (shown["silence"], shown["left_out"]) == ("h#", [])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "speech needs --silence PHONE, or --timit"),
        (("--partial-copy", "--silence", "h#"), "--partial-copy goes with --timit"),
        (
            ("--timit", "--silence", "h#", "--rate", 8000),
            "TIMIT has its own silence, phones and rate: leave out --silence, --rate",
        ),
        (("--silence", "sil"), "small has no phone 'sil', said to be silence, in train"),
        (
            ("--timit",),
            "TIMIT has 462 training speakers, here are 0; --partial-copy reads what is there",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    options: tuple[object, ...],
    sentence: str,
    small: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert refused(capsys, "speech", "small", *options) == sentence


@pytest.fixture
def timit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small copy in TIMIT's layout: two speakers to learn from, one of each other set."""
    monkeypatch.chdir(tmp_path)
    return recordings.timit_copy(Path("TIMIT"), ["FCJF0", "MDAC0"], ["FAKS0", "MDAB0"], 2)


PART = ("speech", "TIMIT", "--timit", "--partial-copy")


def test_a_copy_of_timit_is_read_whole_or_as_a_part(
    timit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = refused(capsys, *PART[:-1])
    assert told == "TIMIT has 462 training speakers, here are 2; --partial-copy reads what is there"
    told = not_trained(capsys, "timit('TIMIT', 'train')")
    assert told.endswith("here are 2; partial_copy=True reads what is there")
    status, out, _ = limbeck(capsys, *PART)
    assert status == 0
    rows = [line.split()[:3] for line in out.splitlines()[2:5]]
    assert rows == [["train", "2", "4"], ["development", "1", "2"], ["test", "1", "2"]]
    assert out.splitlines()[5].startswith("61 phones with silence; the rarest: aa 0, ae 0,")


def test_a_bad_sentence_of_timit_is_named_or_left_out(
    timit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut(timit / "TRAIN/DR1/FCJF0/SX18.WAV")
    sentence = "TIMIT/TRAIN/DR1/FCJF0/SX18.WAV is cut short: its header says 3200 bytes"
    assert refused(capsys, *PART).startswith(sentence)
    status, out, err = limbeck(capsys, *PART, "--skip-bad")
    assert (status, out.splitlines()[2].split()[:3]) == (0, ["train", "2", "3"])
    assert f"\n- {sentence}" in err


def test_phones_that_timit_has_not_are_refused_always(
    timit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phones = recordings.evenly(1600, ["h#", "oh", "h#"])
    recordings.phn(timit / "TEST/DR2/MDAB0/SX9.PHN", phones)
    sentence = "TIMIT has 1 phones that are not among its 61: oh"
    assert refused(capsys, *PART) == refused(capsys, *PART, "--skip-bad") == sentence


def test_a_speaker_in_both_parts_of_timit_is_refused_always(
    timit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (timit / "TRAIN/DR1/FCJF0").rename(timit / "TRAIN/DR1/MDAB0")
    sentence = "TIMIT: 1 speakers are both in train and in test, the first is 'MDAB0': "
    assert refused(capsys, *PART).startswith(sentence)
    assert refused(capsys, *PART, "--skip-bad").startswith(sentence)
