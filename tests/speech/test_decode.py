"""A decoder hears what was spoken, and each weight does what it says."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from limbeck.errors import ExamplesError, InputError, MismatchError
from limbeck.speech import Bigram, Decoder, Grid, Utterance, Weights, states, transcript, tune

pytest.importorskip("rapidfuzz", reason="needs limbeck[speech]")

PHONES = ("sil", "a", "b", "c")
USUAL = np.array([[1, 6, 2, 1], [2, 1, 6, 1], [2, 1, 1, 6], [2, 6, 1, 1]]) / 10


def spoken_once(draw: np.random.Generator) -> tuple[list[str], np.ndarray]:
    """A random transcript from silence to silence and its states, each of 1 to 4 frames."""
    walk = [0]
    while len(walk) < 6 or walk[-1]:
        walk.append(int(draw.choice(4, p=USUAL[walk[-1]])))
    chain = np.concatenate([[3 * n, 3 * n + 1, 3 * n + 2] for n in walk])
    return [PHONES[n] for n in walk], np.repeat(chain, draw.integers(1, 5, size=len(chain)))


def heard(path: np.ndarray, draw: np.random.Generator, loudness: float) -> np.ndarray:
    """Logits of a net that hears the states through noise."""
    return np.eye(12)[path] * loudness + draw.normal(size=(len(path), 12))


DRAW = np.random.default_rng(0)
TRAIN = [spoken_once(DRAW) for _ in range(60)]
DEVELOPMENT = [spoken_once(DRAW) for _ in range(30)]
SPOKEN = [spoken for spoken, _ in DEVELOPMENT]
CLEAR = [heard(path, DRAW, 9) for _, path in DEVELOPMENT]
NOISY = [heard(path, DRAW, 2) for _, path in DEVELOPMENT]
DECODER = Decoder.fit([path for _, path in TRAIN], [spoken for spoken, _ in TRAIN], PHONES)


def test_what_is_heard_clearly_is_decoded_without_error() -> None:
    for found, (spoken, path) in zip(DECODER.decode(CLEAR), DEVELOPMENT, strict=True):
        assert list(found.phones) == spoken
        assert found.states.tolist() == path.tolist()


def test_the_phones_decoded_begin_where_their_states_do() -> None:
    for found in DECODER.decode(NOISY):
        firsts = found.states[found.begins]
        assert (firsts % 3 == 0).all()
        assert [PHONES[n // 3] for n in firsts] == list(found.phones)


def test_an_offset_of_a_frame_changes_no_phone() -> None:
    moved = [one + np.arange(len(one))[:, None] / 7 for one in NOISY]
    for one, other in zip(DECODER.decode(NOISY), DECODER.decode(moved), strict=True):
        assert one.phones == other.phones


def test_the_score_of_a_path_is_the_sum_of_its_parts() -> None:
    weights = Weights(prior=0.7, bigram=1.5, penalty=0.3)
    decoder = replace(DECODER, weights=weights)
    found = decoder.decode(NOISY[:1])[0]
    frames = np.arange(len(found.states))
    total = NOISY[0][frames, found.states].sum() - 0.7 * decoder.log_priors[found.states].sum()
    n = [PHONES.index(phone) for phone in found.phones]
    bigram = decoder.bigram
    walked = bigram.start[n[0]] + bigram.step[n[:-1], n[1:]].sum() + bigram.end[n[-1]]
    assert found.score == pytest.approx(total + 1.5 * walked - 0.3 * len(n))


def test_a_larger_penalty_gives_fewer_phones() -> None:
    counts = []
    for penalty in (-5.0, 0.0, 5.0, 1000.0):
        decoder = replace(DECODER, weights=Weights(penalty=penalty))
        counts.append(sum(len(one.phones) for one in decoder.decode(NOISY)))
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == len(NOISY)


def test_without_a_bigram_and_priors_the_scores_alone_decide() -> None:
    bare = replace(DECODER, weights=Weights(prior=0, bigram=0))
    other = Decoder(np.arange(12.0), Bigram(PHONES, np.log(np.full((5, 5), 0.2))), bare.weights)
    for one, same in zip(bare.decode(NOISY), other.decode(NOISY), strict=True):
        assert one.states.tolist() == same.states.tolist()


def test_the_segments_of_what_was_decoded_give_the_same_phones_to_its_frames() -> None:
    found = DECODER.decode(NOISY)[0]
    parts = found.segments(16_000)
    samples = np.zeros(parts[-1].end + 200, dtype=np.float32)
    again = Utterance("a", "a", samples, 16_000, parts)
    assert transcript(again) == found.phones
    assert (states(again, PHONES, len(found.states)) // 3).tolist() == (found.states // 3).tolist()
    assert parts[0].first == 0
    assert all(one.end == other.first for one, other in itertools.pairwise(parts))


def test_tuned_weights_are_the_best_of_the_grid() -> None:
    grid = Grid(prior=(1.0,), bigram=(0.0, 1.0, 2.0), penalty=(-6.0, 0.0, 2.0, 6.0))
    tuned = tune(DECODER, NOISY, SPOKEN, grid=grid)
    rates = [rate for _, rate in tuned.trials]
    assert [weights for weights, _ in tuned.trials] == grid.weights()
    best = tuned.trials[int(np.argmin(rates))][0]
    assert tuned.decoder.weights == best
    assert min(rates) < rates[grid.weights().index(Weights(bigram=0.0))]
    assert max(rates) > min(rates)


def test_weights_at_an_edge_of_the_grid_are_named() -> None:
    grid = Grid(prior=(1.0,), bigram=(1.0, 2.0, 3.0), penalty=(0.0, 1.0))
    assert grid.edges(Weights(1.0, 2.0, 1.0)) == ("penalty",)
    assert grid.edges(Weights(1.0, 3.0, 0.0)) == ("bigram", "penalty")


def test_scores_of_another_number_of_states_are_refused() -> None:
    words = r"utterance 1 has scores of shape \(5, 11\), but \(frames, 12\) are wanted"
    with pytest.raises(MismatchError, match=words):
        DECODER.decode([np.zeros((5, 12)), np.zeros((5, 11))])


def test_scores_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="utterance 0 has scores that are NaN or infinite"):
        DECODER.decode([np.full((5, 12), np.nan)])
    with pytest.raises(InputError, match="utterance 0 has no frames"):
        DECODER.decode([np.zeros((0, 12))])


def test_an_utterance_shorter_than_a_phone_has_no_path() -> None:
    with pytest.raises(InputError, match="utterance 0: no path of phones leads through its 2 fra"):
        DECODER.decode([np.zeros((2, 12))])


def test_priors_of_other_states_are_refused() -> None:
    with pytest.raises(MismatchError, match=r"shape \(9,\) do not belong to 12 states, 3 for each"):
        Decoder(np.zeros(9), DECODER.bigram)
    with pytest.raises(InputError, match="log priors are finite numbers"):
        Decoder(np.full(12, -np.inf), DECODER.bigram)


@pytest.mark.parametrize("wrong", [{"prior": -1.0}, {"bigram": -1.0}, {"penalty": np.inf}])
def test_weights_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match="weights are finite, of prior and bigram 0 or more, not"):
        Weights(**wrong)


def test_tuning_refuses_what_does_not_belong_together() -> None:
    with pytest.raises(MismatchError, match="30 utterances have scores, but 29 transcripts"):
        tune(DECODER, NOISY, SPOKEN[1:])
    with pytest.raises(InputError, match="one number or more for each weight, but has none"):
        tune(DECODER, NOISY, SPOKEN, grid=Grid(bigram=()))
    with pytest.raises(ExamplesError, match="utterance 0 of 1 is empty"):
        tune(DECODER, NOISY[:1], [[]], grid=Grid((1.0,), (1.0,), (0.0,)))
