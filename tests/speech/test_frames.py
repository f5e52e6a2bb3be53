"""Frames keep their utterance, speaker and place, and the labels that they are given."""

from dataclasses import replace

import numpy as np
import pytest
import recordings

from limbeck.errors import ExamplesError, LabelsError
from limbeck.speech import FilterBanks, Segment, Windows, frames, states

pytest.importorskip("kaldi_native_fbank", reason="needs limbeck[speech]")

SPOKEN = [recordings.spoken(4000, n, speaker=f"s{n // 2}") for n in range(6)]
SPOKEN[1] = recordings.spoken(800, 1, speaker="s0")


def test_an_example_is_a_frame_in_its_context() -> None:
    made = frames(SPOKEN)
    assert isinstance(made.inputs, Windows)
    assert made.inputs.shape == (5 * 23 + 3, 123, 15)
    banks = FilterBanks().of(SPOKEN[2])
    row = 23 + 3 + 10
    np.testing.assert_array_equal(made.inputs[row], banks[3:18].T)
    assert made.keys[row] == "s1/2:00010"
    assert not made.is_labelled.any()


def test_a_frame_knows_its_utterance_speaker_and_position() -> None:
    made = frames(SPOKEN)
    assert (made.groups == made.column("utterance")).all()
    assert made.column("utterance")[[0, 22, 23, 25]].tolist() == ["s0/0", "s0/0", "s0/1", "s0/1"]
    assert made.column("speaker")[[0, 25, -1]].tolist() == ["s0", "s0", "s2"]
    assert made.column("position")[[0, 22, 23, 25]].tolist() == [0, 22, 0, 2]


def test_a_split_keeps_utterances_or_speakers_whole() -> None:
    made = frames(SPOKEN)
    for by in ("", "speaker"):
        parts = made.split(0.4, by=by)
        owners = [set(part.column(by or "utterance").tolist()) for part in parts]
        assert not owners[0] & owners[1]
        assert isinstance(parts[1].inputs, Windows)


def test_labels_stand_at_their_frames() -> None:
    labels = [np.full(count, n % 3) for n, count in enumerate([23, 3, 23, 23, 23, 23])]
    labels[2] = np.array([-1] * 5 + [2] * 18)
    made = frames(SPOKEN, labels, classes=["a", "b", "c"])
    assert made.classes == ("a", "b", "c")
    np.testing.assert_array_equal(made.labels, np.concatenate(labels))


def test_bands_and_context_may_be_others() -> None:
    made = frames(SPOKEN, banks=FilterBanks(bands=13), context=2, name="small")
    assert made.shape == (42, 5)
    assert made.name == "small"


def test_the_same_recording_under_two_speakers_is_found() -> None:
    twin = replace(SPOKEN[0], key="s9/0", speaker="s9")
    made = frames([SPOKEN[0], twin])
    with pytest.raises(ExamplesError, match=r"23 of the examples in .* are also in"):
        made.split(0.5, by="speaker")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([np.zeros(23, int)] * 5, "there are labels for 5 utterances of 6"),
        ([np.zeros(23, int)] * 6, r"s0/1 has 3 frames, its labels have shape \(23,\)"),
    ],
)
def test_labels_of_other_frames_are_refused(labels: list[np.ndarray], words: str) -> None:
    with pytest.raises(LabelsError, match=words):
        frames(SPOKEN, labels)


def test_no_utterances_are_refused() -> None:
    with pytest.raises(ExamplesError, match="no utterances: there is nothing to make frames of"):
        frames([])


def test_utterances_of_two_rates_are_refused() -> None:
    other = recordings.spoken(4000, 9, rate=8000)
    with pytest.raises(ExamplesError, match="s/9 has 8000 samples a second, s0/0 has 16000"):
        frames([*SPOKEN, other])


def test_two_utterances_of_one_key_are_refused() -> None:
    with pytest.raises(ExamplesError, match=r"23 keys are not unique, the first is 's0/0:00000'"):
        frames([SPOKEN[0], replace(SPOKEN[2], key="s0/0")])


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050])
def test_a_frame_has_the_state_at_its_centre(rate: int) -> None:
    one = recordings.spoken(rate, rate=rate)
    one = replace(one, segments=(Segment(0, rate // 2, "a"), Segment(rate // 2, rate, "b")))
    banks = FilterBanks()
    found = states(one, ("a", "b"), banks.count(one))
    np.testing.assert_array_equal(found // 3, banks.centers(one) >= rate // 2)
    made = frames([one], [found], classes=["a0", "a1", "a2", "b0", "b1", "b2"])
    assert len(made) == len(banks.of(one))
