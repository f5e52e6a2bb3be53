"""Frames get the third of the phone in whose middle they lie, and a net's scores move the cuts."""

from dataclasses import replace

import numpy as np
import pytest

from limbeck.errors import ExamplesError, InputError, MismatchError
from limbeck.speech import Segment, Utterance, align, realign, state_names, states, transcript

PHONES = ("h#", "aa", "t")
NAMES = state_names(PHONES)
# Ten frames of 160 samples, whose centers are at 200, 360, ..., 1640.
SEGMENTS = (Segment(0, 500, "h#"), Segment(500, 1300, "aa"), Segment(1400, 2000, "t"))
SAMPLES = np.sin(np.arange(2000) / 9).astype(np.float32) / 2
ONE = Utterance("s1/a", "s1", SAMPLES, 16_000, SEGMENTS)


def slow_states(utterance: Utterance, frames: int) -> list[int]:
    found = []
    for frame in range(frames):
        centre, state = frame * 160 + 200, -1
        for one in utterance.segments:
            for part in range(3):
                length = (one.end - one.first) / 3
                if one.first + part * length <= centre < one.first + (part + 1) * length:
                    state = PHONES.index(one.phone) * 3 + part
        found.append(state)
    return found


def test_the_states_are_named_in_their_order() -> None:
    assert NAMES == ("h#.0", "h#.1", "h#.2", "aa.0", "aa.1", "aa.2", "t.0", "t.1", "t.2")


def test_a_frame_has_the_state_of_the_third_in_which_its_centre_lies() -> None:
    found = states(ONE, PHONES, 10)
    assert found.dtype == np.int64
    assert found.tolist() == slow_states(ONE, 10)
    said = [NAMES[i] if i >= 0 else "" for i in found]
    # The centre at 1320 is in the gap.
    assert said[:5] == ["h#.1", "h#.2", "aa.0", "aa.0", "aa.1"]
    assert said[5:] == ["aa.1", "aa.2", "", "t.0", "t.1"]


def test_random_segments_are_split_as_one_would_by_hand() -> None:
    draw = np.random.default_rng(0)
    for _ in range(20):
        bounds = np.sort(draw.choice(np.arange(1, 2000), size=8, replace=False)).tolist()
        pairs = zip(bounds[::2], bounds[1::2], draw.choice(PHONES, 4).tolist(), strict=True)
        one = replace(ONE, segments=tuple(Segment(a, b, p) for a, b, p in pairs))
        assert states(one, PHONES, 11).tolist() == slow_states(one, 11)


def test_another_rate_hop_and_window_move_the_centres() -> None:
    one = replace(ONE, rate=8000)
    assert states(one, PHONES, 5, hop=0.02, window=0.05).tolist() == slow_states(ONE, 5)


def test_more_frames_than_a_recording_has_are_refused() -> None:
    with pytest.raises(MismatchError, match=r"s1/a: the last of 13 frames .* 2120, but .* 2000"):
        states(ONE, PHONES, 13)


def test_a_hop_shorter_than_a_sample_is_refused() -> None:
    with pytest.raises(InputError, match="last one sample or more, not 1e-05 s at 16000/s"):
        states(ONE, PHONES, 3, hop=1e-5)


def test_unknown_phones_are_listed() -> None:
    with pytest.raises(ExamplesError, match="2 phones are not among the 1 known: aa, t"):
        states(ONE, ("h#",), 10)


def test_an_inventory_with_a_phone_twice_is_refused() -> None:
    with pytest.raises(InputError, match="each phone once, and at least one, but has aa twice"):
        state_names(("aa", "t", "aa"))
    with pytest.raises(InputError, match="each phone once, and at least one, but has none"):
        state_names(())


def test_an_utterance_without_segments_is_refused() -> None:
    with pytest.raises(ExamplesError, match="s1/a has an empty transcript: no phone has a segment"):
        states(replace(ONE, segments=()), PHONES, 10)


def spoken_for(durations: list[int]) -> tuple[Utterance, np.ndarray]:
    """An utterance of h# aa t aa h# whose states really last so many frames, and which they are."""
    path = np.repeat([0, 1, 2, 3, 4, 5, 6, 7, 8, 3, 4, 5, 0, 1, 2], durations)
    ends = np.cumsum(durations)[2::3] * 160 + 120  # midway between two centers
    firsts = [0, *ends[:-1].tolist()]
    phones = ("h#", "aa", "t", "aa", "h#")
    parts = [
        Segment(a, b, p) for a, b, p in zip(firsts, [int(e) for e in ends], phones, strict=True)
    ]
    samples = np.full(int(ends[-1]) + 200, 0.1, dtype=np.float32)
    return Utterance("s1/b", "s1", samples, 16_000, tuple(parts)), path


def test_realignment_finds_where_the_states_really_are() -> None:
    draw = np.random.default_rng(0)
    means = np.eye(9) * 4
    made = [spoken_for(draw.integers(1, 9, size=15).tolist()) for _ in range(20)]
    heard = [means[path] + draw.normal(size=(len(path), 9)) for _, path in made]
    found = [states(one, PHONES, len(path)) for one, path in made]
    truth = np.concatenate([path for _, path in made])
    uniform = float(np.mean(np.concatenate(found) == truth))
    for _ in range(2):  # each pass learns the means of the states as they are, then aligns anew
        rows, known = np.concatenate(heard), np.concatenate(found)
        learnt = np.stack([rows[known == state].mean(axis=0) for state in range(9)])
        scores = [-((one[:, None] - learnt) ** 2).sum(axis=2) / 2 for one in heard]
        found = realign([one for one, _ in made], scores, PHONES)
    assert uniform < 0.8
    assert np.mean(np.concatenate(found) == truth) > 0.98


def test_aligned_states_pass_through_the_phones_in_order() -> None:
    draw = np.random.default_rng(0)
    found = align(draw.normal(size=(30, 9)), ["t", "aa", "t"], PHONES)
    changes = found[np.flatnonzero(np.diff(found, prepend=-1))]
    assert [NAMES[i] for i in changes] == [
        *("t.0", "t.1", "t.2"),
        *("aa.0", "aa.1", "aa.2"),
        *("t.0", "t.1", "t.2"),
    ]


def test_frames_in_no_segment_stay_unlabelled_and_their_scores_do_not_count() -> None:
    one, path = spoken_for([2] * 15)
    parts = list(one.segments)
    parts[2] = replace(parts[2], first=parts[2].first + 160)  # its first frame is now in a gap
    scores = np.eye(9)[path]
    scores[parts[1].end // 160] = -np.inf
    found = realign([replace(one, segments=tuple(parts))], [scores], PHONES)[0]
    assert np.flatnonzero(found == -1).tolist() == [12]
    assert np.delete(found, 12).tolist() == np.delete(path, 12).tolist()


def test_an_utterance_shorter_than_its_states_cannot_be_aligned() -> None:
    with pytest.raises(InputError, match="s1/a: 8 frames cannot be aligned with 9 states"):
        realign([ONE], [np.zeros((9, 9))], PHONES)  # one of the nine lies in the gap
    with pytest.raises(InputError, match="5 frames cannot be aligned with 6 states"):
        align(np.zeros((5, 9)), ["aa", "t"], PHONES)


def test_an_empty_transcript_cannot_be_aligned() -> None:
    with pytest.raises(ExamplesError, match="utterance 0 of 1 is empty: leave out utterances"):
        align(np.zeros((9, 9)), [], PHONES)
    with pytest.raises(ExamplesError, match="s1/a has an empty transcript"):
        realign([replace(ONE, segments=())], [np.zeros((9, 9))], PHONES)


def test_scores_of_another_number_of_states_are_refused() -> None:
    words = r"s1/a has scores of shape \(10, 8\), but \(frames, 9\) are wanted"
    with pytest.raises(MismatchError, match=words):
        realign([ONE], [np.zeros((10, 8))], PHONES)
    with pytest.raises(MismatchError, match="1 utterances cannot have 2 scores"):
        realign([ONE], [np.zeros((10, 9))] * 2, PHONES)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_refused(wrong: float) -> None:
    with pytest.raises(InputError, match="the utterance has scores that are NaN or infinite"):
        align(np.full((9, 9), wrong), ["aa"], PHONES)
    with pytest.raises(InputError, match="the utterance has no frames"):
        align(np.zeros((0, 9)), ["aa"], PHONES)


def test_a_transcript_is_what_the_segments_say() -> None:
    assert transcript(ONE) == ("h#", "aa", "t")
