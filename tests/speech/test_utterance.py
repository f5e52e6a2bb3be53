"""Recordings and corpora that no one could learn from are refused, with the fault named."""

from dataclasses import replace

import numpy as np
import pytest

from limbeck.errors import ExamplesError
from limbeck.speech import Corpus, Segment, Utterance

SAMPLES = np.sin(np.arange(1600) / 9).astype(np.float32) / 2
ONE = Utterance("s1/a", "s1", SAMPLES, 16_000, (Segment(0, 800, "h#"), Segment(800, 1600, "aa")))
OTHER = replace(ONE, key="s2/a", speaker="s2")
THIRD = replace(ONE, key="s3/a", speaker="s3")
CORPUS = Corpus("small", (ONE,), (OTHER,), (THIRD,), ("h#", "aa"), "h#")


def test_a_whole_utterance_passes_and_knows_how_long_it_is() -> None:
    ONE.check()
    assert ONE.seconds == 0.1


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros(0, np.float32), r"s1/a holds samples of shape \(0,\), not one channel"),
        (np.zeros((1600, 2), np.float32), r"s1/a holds samples of shape \(1600, 2\)"),
        (SAMPLES * 3, "s1/a holds samples outside -1 to 1"),
        (SAMPLES * np.nan, "s1/a holds samples outside -1 to 1"),
        (SAMPLES * 0, "s1/a is silent: all its 1600 samples are 0"),
    ],
)
def test_a_recording_without_sound_is_refused(samples: np.ndarray, words: str) -> None:
    with pytest.raises(ExamplesError, match=words):
        replace(ONE, samples=samples).check()


@pytest.mark.parametrize(
    ("segments", "words"),
    [
        ([Segment(800, 1601, "aa")], "'aa' from sample 800 to 1601 is not within the recording"),
        ([Segment(5, 5, "aa")], "'aa' from sample 5 to 5 is not within"),
        (
            [Segment(0, 900, "h#"), Segment(800, 1600, "aa")],
            "'aa' begins at sample 800, before 'h#' ends at 900",
        ),
    ],
)
def test_a_segment_that_cannot_be_is_refused(segments: list[Segment], words: str) -> None:
    with pytest.raises(ExamplesError, match=words):
        replace(ONE, segments=tuple(segments)).check()


def test_a_corpus_whose_speakers_are_in_one_set_passes() -> None:
    CORPUS.check()


def test_a_speaker_in_two_sets_is_refused() -> None:
    with pytest.raises(ExamplesError, match=r"1 speakers are both in train and in test.*'s1'"):
        replace(CORPUS, test=(replace(ONE, key="s1/b"),)).check()


def test_phones_outside_the_inventory_are_listed() -> None:
    with pytest.raises(ExamplesError, match="2 phones that are not among its 1: aa, h#"):
        replace(CORPUS, phones=("iy",)).check()
