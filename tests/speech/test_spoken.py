"""Synthetic speech: the same from the same seed, no voice or sentence in two sets, all verified."""

import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from limbeck import speech
from limbeck.cli import main
from limbeck.errors import CorruptError, ExamplesError, InputError, NeedsPackageError, OccupiedError
from limbeck.speech import Corpus
from limbeck.speech.corpora._espeak import Manner, speaking
from limbeck.speech.corpora._mnemonics import PHONES, phone, segments
from limbeck.speech.corpora._sentences import sentences

HOURS, VOICES = 0.009, 4  # about three sentences a voice
SETS = ("train", "development", "test")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("espeakng_loader", reason="needs limbeck[speech]")
    return tmp_path_factory.mktemp("spoken") / "corpus"


@pytest.fixture(scope="module")
def corpus(place: Path) -> Corpus:
    return speech.spoken(HOURS, voices=VOICES, folder=place)


def utterances(corpus: Corpus) -> list[speech.Utterance]:
    return [one for part in SETS for one in getattr(corpus, part)]


def test_a_corpus_passes_its_checks_and_says_that_it_is_synthetic(corpus: Corpus) -> None:
    corpus.check()
    for one in utterances(corpus):
        one.check()
        assert one.rate == 16_000
    assert corpus.name.startswith("synthetic speech of espeak-ng 1.")


def test_no_voice_is_in_two_sets_and_no_sentence_is_spoken_twice(corpus: Corpus) -> None:
    voices = [{one.speaker.split("-")[1] for one in getattr(corpus, part)} for part in SETS]
    assert [len(part) for part in voices] == [2, 1, 1]
    assert len(set.union(*voices)) == VOICES
    texts = [one.text for one in utterances(corpus)]
    assert len(set(texts)) == len(texts) >= 8


def test_the_segments_fill_an_utterance_and_begin_and_end_with_silence(corpus: Corpus) -> None:
    for one in utterances(corpus):
        first, last = one.segments[0], one.segments[-1]
        assert (first.first, last.end) == (0, len(one.samples))
        assert first.phone == last.phone == corpus.silence
        assert all(a.end == b.first for a, b in pairwise(one.segments))


def test_speech_is_louder_than_the_silence_around_it(corpus: Corpus) -> None:
    for one in utterances(corpus):
        inner = one.samples[one.segments[0].end : one.segments[-1].first]
        outer = one.samples[: one.segments[0].end]
        decibels = 10 * np.log10(np.mean(inner**2) / np.mean(outer**2))
        assert 12 < decibels < 45  # the noise is drawn 15 to 40 below the speech


def test_the_same_seed_gives_the_same_bytes(corpus: Corpus, place: Path, tmp_path: Path) -> None:
    speech.spoken(HOURS, voices=VOICES, folder=tmp_path / "again")
    for file in [*place.glob("*.npy"), place / "utterances.json"]:
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes()


def test_another_seed_gives_other_sentences(corpus: Corpus, tmp_path: Path) -> None:
    other = speech.spoken(HOURS, voices=VOICES, seed=1, folder=tmp_path / "other")
    texts = {one.text for one in utterances(corpus)}
    assert not texts & {one.text for one in utterances(other)}


def test_a_second_call_reads_what_the_first_kept(
    corpus: Corpus, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)  # reading needs no espeak-ng
    again = speech.spoken(HOURS, voices=VOICES, folder=place)
    for one, other in zip(utterances(corpus), utterances(again), strict=True):
        assert (one.key, one.text, one.segments) == (other.key, other.text, other.segments)
        assert np.array_equal(one.samples, other.samples)


def test_without_espeak_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(NeedsPackageError, match=r"pip install 'limbeck\[speech\]'"):
        speech.spoken(HOURS, voices=VOICES, folder=tmp_path / "none")


def test_an_altered_file_is_refused(corpus: Corpus, place: Path, tmp_path: Path) -> None:
    for file in place.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    name = next(tmp_path.glob("*.npy"))
    content = bytearray(name.read_bytes())
    content[-1] ^= 1
    name.write_bytes(content)
    with pytest.raises(CorruptError, match=f"{name.name} was altered"):
        speech.spoken(HOURS, voices=VOICES, folder=tmp_path)


def test_a_corpus_does_not_replace_another(corpus: Corpus, place: Path) -> None:
    with pytest.raises(OccupiedError, match=r"speech-corpus of another request \(other seed\)"):
        speech.spoken(HOURS, voices=VOICES, seed=7, folder=place)


@pytest.mark.parametrize("hours", [0, -1.0, float("nan"), float("inf")])
def test_hours_that_are_not_positive_are_refused(hours: float) -> None:
    with pytest.raises(InputError, match="hours must be positive, not"):
        speech.spoken(hours)


@pytest.mark.parametrize("voices", [2, 999])
def test_voices_that_cannot_be_are_refused(voices: int) -> None:
    with pytest.raises(InputError, match=f"from 3, one for each set, to 7., .* not {voices}"):
        speech.spoken(voices=voices)


def test_the_command_makes_a_corpus_and_says_what_is_in_it(
    corpus: Corpus, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--hours", str(HOURS), "--voices", str(VOICES), "--folder", str(place)]
    with pytest.raises(SystemExit) as left:
        main(["data", "spoken", *options, "--json"])
    assert not left.value.code
    shown = json.loads(capsys.readouterr().out)
    assert shown == corpus.described()
    assert shown["sets"]["train"]["speakers"] == 2
    assert list(shown["phones"]) == list(PHONES)


def test_an_inventory_has_no_phone_twice_and_folds_by_accent() -> None:
    assert len(set(PHONES)) == len(PHONES) == 47
    assert [phone(name, "en") for name in ("'A@", ",@L", "_:", "t[")] == ["aa", "el", "sil", "t"]
    assert (phone("3", "en"), phone("3", "en-US")) == ("ax", "er")
    with pytest.raises(ExamplesError, match=r"phoneme 'x\?', spoken in the accent en-US, is none"):
        phone("x?", "en-US")


def test_a_stop_has_its_closure_and_a_late_liquid_the_end_of_its_vowel() -> None:
    samples = np.full(4000, 20_000, np.int16)
    samples[1500:2000] = 0  # the closure of the k that is marked at 2000
    made = segments([(0, "I"), (2000, "k"), (2500, "'O:"), (4000, "l")], samples, 10_000, "en")
    assert [(one.first, one.end, one.phone) for one in made] == [
        (0, 1500, "ih"),
        (1500, 2500, "k"),
        (2500, 3500, "ao"),
        (3500, 4000, "l"),
    ]


@pytest.mark.slow
def test_sentences_differ_and_follow_from_the_generator() -> None:
    first = [
        text for text, _ in zip(sentences(np.random.default_rng(3)), range(2000), strict=False)
    ]
    again = [
        text for text, _ in zip(sentences(np.random.default_rng(3)), range(2000), strict=False)
    ]
    assert first == again
    assert len(set(first)) == 2000
    assert not any(mark in text for text in first for mark in "{}|-")
    assert len({word.strip(".,?").lower() for text in first for word in text.split()}) > 300


def test_what_was_spoken_before_leaves_no_trace() -> None:
    pytest.importorskip("espeakng_loader", reason="needs limbeck[speech]")
    sounds = []
    for before in ("Short.", "Something that takes longer."):
        with speaking() as other:
            other(before, Manner("gmw/en+klatt"))
        with speaking() as say:
            sounds.append(say("A good choice.", Manner("gmw/en-US+Reed")))
    assert np.array_equal(sounds[0].samples, sounds[1].samples)
    assert sounds[0].phonemes == sounds[1].phonemes


def test_a_voice_or_data_that_is_not_there_is_refused() -> None:
    pytest.importorskip("espeakng_loader", reason="needs limbeck[speech]")
    with speaking() as say, pytest.raises(InputError, match="espeak-ng has no voice 'gmw/en-XX'"):
        say("Hello.", Manner("gmw/en-XX"))
    with (
        pytest.raises(InputError, match="does not start with the data in /nowhere"),
        speaking("/nowhere"),
    ):
        pass


@pytest.mark.slow
def test_every_accent_says_every_word_in_known_phones(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader", reason="needs limbeck[speech]")
    corpus = speech.spoken(1.0, folder=tmp_path / "corpus")
    counts = corpus.described()["phones"]
    assert min(counts.values()) >= 50, counts
    assert [len({u.speaker.split("-")[0] for u in getattr(corpus, s)}) for s in SETS] == [8, 8, 8]
