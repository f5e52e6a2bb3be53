"""Priors and bigrams are probabilities, and agree with counting by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from limbeck.errors import ExamplesError, InputError, LabelsError
from limbeck.speech import Bigram, log_priors

PHONES = ("a", "b", "c")
TRANSCRIPTS = some.lists(some.lists(some.sampled_from(PHONES), min_size=1), min_size=1)


def test_priors_are_smoothed_shares_of_the_labelled_frames() -> None:
    labels = [np.array([0, 0, 1, -1]), np.array([0, -1]), np.array([], dtype=np.int64)]
    priors = np.exp(log_priors(labels, 3))
    assert priors == pytest.approx(np.array([4, 2, 1]) / 7)
    assert np.exp(log_priors(labels, 3, smoothing=1e-9)) == pytest.approx([0.75, 0.25, 0], abs=1e-9)


@pytest.mark.parametrize("wrong", [3, -2])
def test_labels_outside_the_states_are_refused(wrong: int) -> None:
    with pytest.raises(LabelsError, match="states are 0 to 2, and -1 is no label, but labels are"):
        log_priors([np.array([0, wrong])], 3)


def test_priors_need_a_label_and_a_smoothing() -> None:
    with pytest.raises(LabelsError, match="counted over labelled frames, but there are none"):
        log_priors([np.array([-1, -1])], 3)
    with pytest.raises(InputError, match="smoothing of priors is above 0, not 0"):
        log_priors([np.array([0])], 3, smoothing=0)


@given(TRANSCRIPTS)
def test_each_row_of_a_bigram_sums_to_one_and_nothing_is_impossible(
    transcripts: list[list[str]],
) -> None:
    probabilities = np.exp(Bigram.fit(transcripts, PHONES).log_probabilities)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(4))
    assert (probabilities > 0).all()


def test_a_bigram_is_smoothed_as_its_formula_says() -> None:
    learnt = Bigram.fit([["a", "b", "a"], ["a"]], PHONES)
    # What follows: a 3 times (twice first, once after b), b once, the end twice; c never.
    alone = {n: (count + 3 / 4) / (6 + 3) for n, count in enumerate([3, 1, 0, 2])}
    after_a = [(count + 2 * alone[n]) / (3 + 2) for n, count in enumerate([0, 1, 0, 2])]
    first = [(count + 1 * alone[n]) / (2 + 1) for n, count in enumerate([2, 0, 0, 0])]
    probabilities = np.exp(learnt.log_probabilities)
    assert probabilities[0] == pytest.approx(after_a)
    assert probabilities[3] == pytest.approx(first)
    assert probabilities[2] == pytest.approx(list(alone.values()))  # after c: never heard
    assert np.exp(learnt.start) == pytest.approx(first[:3])
    assert np.exp(learnt.end[0]) == pytest.approx(after_a[3])
    assert np.exp(learnt.step[0]) == pytest.approx(after_a[:3])


def test_perplexity_is_that_of_a_walk_through_the_transcripts() -> None:
    learnt = Bigram.fit([["a", "b", "a"], ["c", "c"]], PHONES)
    p = np.exp(learnt.log_probabilities)
    walked = p[3, 0] * p[0, 1] * p[1, 3] * p[3, 2] * p[2, 3]
    assert learnt.perplexity([["a", "b"], ["c"]]) == pytest.approx(walked ** (-1 / 5))


def test_of_equally_probable_phones_the_perplexity_is_their_number() -> None:
    uniform = Bigram(PHONES, np.log(np.full((4, 4), 1 / 4)))
    assert uniform.perplexity([["a", "c", "c"]]) == pytest.approx(4)


def test_probabilities_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(InputError, match=r"sum to 1, but the sums are 1\.2 to 1\.2"):
        Bigram(PHONES, np.log(np.full((4, 4), 0.3)))
    with (
        pytest.raises(InputError, match="probabilities above 0 that sum to 1"),
        np.errstate(divide="ignore"),
    ):
        Bigram(PHONES, np.log(np.eye(4)))
    with pytest.raises(InputError, match=r"3 phones has shape \(4, 4\), .* not \(3, 3\)"):
        Bigram(PHONES, np.log(np.full((3, 3), 1 / 3)))


def test_an_empty_transcript_is_refused() -> None:
    with pytest.raises(ExamplesError, match="the transcript of utterance 1 of 2 is empty"):
        Bigram.fit([["a"], []], PHONES)


def test_unknown_phones_are_listed() -> None:
    with pytest.raises(ExamplesError, match="2 phones are not among the 3 known: x, y"):
        Bigram.fit([["a", "y"], ["x"]], PHONES)


def test_a_bigram_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="counted in transcripts, but there are none"):
        Bigram.fit([], PHONES)
    with pytest.raises(InputError, match="over transcripts, but there are none"):
        Bigram.fit([["a"]], PHONES).perplexity([])
