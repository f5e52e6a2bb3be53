"""Viterbi finds what a search through all paths finds, in every topology."""

from collections.abc import Iterator
from itertools import combinations, pairwise, product

import numpy as np
import pytest

from limbeck.errors import InputError
from limbeck.speech import _viterbi
from limbeck.speech._viterbi import Loop, best_paths, forced_path

# phones, states a phone, frames: a phone lasts one frame at least, or two, or three, or four.
TOPOLOGIES = [
    (1, 1, 4),
    (3, 1, 5),
    (5, 1, 4),
    (2, 2, 7),
    (4, 2, 6),
    (1, 3, 8),
    (2, 3, 9),
    (3, 3, 8),
    (3, 3, 3),
    (2, 4, 9),
]
Place = tuple[int, int, bool]  # phone, state in it, whether the phone begins here


def all_paths(loop: Loop, frames: int) -> Iterator[list[Place]]:
    """Every path there is, found by going everywhere."""
    phones = range(len(loop.start))
    paths: list[list[Place]] = [[(phone, 0, True)] for phone in phones]
    for _ in range(frames - 1):
        longer = []
        for path in paths:
            phone, state, _ = path[-1]
            longer.append([*path, (phone, state, False)])
            if state + 1 < loop.states:
                longer.append([*path, (phone, state + 1, False)])
            else:
                longer.extend([*path, (other, 0, True)] for other in phones)
        paths = longer
    yield from (path for path in paths if path[-1][1] == loop.states - 1)


def score_of(path: list[Place], scores: np.ndarray, loop: Loop) -> float:
    total = loop.start[path[0][0]] + loop.end[path[-1][0]]
    total += sum(row[p * loop.states + s] for row, (p, s, _) in zip(scores, path, strict=True))
    phones = [phone for phone, _, begins in path if begins]
    return float(total + sum(loop.step[a, b] for a, b in pairwise(phones)))


def random_loop(draw: np.random.Generator, phones: int, states: int) -> Loop:
    step = draw.normal(size=(phones, phones)) * 2
    step[draw.random(step.shape) < 0.2] = -np.inf
    return Loop(draw.normal(size=phones), step, draw.normal(size=phones), states)


@pytest.mark.parametrize(("phones", "states", "frames"), TOPOLOGIES)
def test_the_best_path_is_the_best_of_all(phones: int, states: int, frames: int) -> None:
    draw = np.random.default_rng(phones * 100 + states * 10 + frames)
    for _ in range(5):
        loop = random_loop(draw, phones, states)
        scores = draw.normal(size=(frames, phones * states))
        found = best_paths([scores], loop)[0]
        best = max(all_paths(loop, frames), key=lambda path: score_of(path, scores, loop))
        assert found.score == pytest.approx(score_of(best, scores, loop), rel=1e-12)
        assert found.states.tolist() == [p * states + s for p, s, _ in best]
        assert found.begins.tolist() == [begins for _, _, begins in best]


def test_every_path_was_looked_at() -> None:
    # With one state a phone, each frame after the first stays or enters any of the phones anew.
    loop = Loop(np.zeros(2), np.zeros((2, 2)), np.zeros(2), 1)
    assert len(list(all_paths(loop, 4))) == 2 * 3**3


@pytest.mark.parametrize("together", [1, 2, 5])
def test_utterances_of_any_length_are_decoded_together_as_alone(
    monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr(_viterbi, "UTTERANCES", together)
    draw = np.random.default_rng(0)
    loop = random_loop(draw, 4, 3)
    scores = [draw.normal(size=(frames, 12)) for frames in (9, 3, 30, 12, 9, 4, 55)]
    for one, found in zip(scores, best_paths(scores, loop), strict=True):
        alone = best_paths([one], loop)[0]
        assert found.states.tolist() == alone.states.tolist()
        assert found.begins.tolist() == alone.begins.tolist()
        assert found.score == alone.score


def test_a_large_batch_is_cut_so_that_it_fits_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_viterbi, "NUMBERS", 12 * 9)
    loop = random_loop(np.random.default_rng(0), 4, 3)
    batches = list(_viterbi._batches([3, 9, 4, 20], loop))
    assert batches == [[3], [1], [2, 0]]


def test_with_equal_scores_a_path_stays_where_it_is() -> None:
    loop = Loop(np.zeros(2), np.zeros((2, 2)), np.zeros(2), 1)
    found = best_paths([np.zeros((4, 2))], loop)[0]
    assert found.states.tolist() == [0, 0, 0, 0]
    assert found.begins.tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("frames", "hole"), [(2, False), (6, True)], ids=["too few frames", "a frame nobody passes"]
)
def test_where_no_path_leads_it_says_so(frames: int, hole: bool) -> None:
    loop = Loop(np.zeros(2), np.zeros((2, 2)), np.zeros(2), 3)
    scores = np.zeros((frames, 6))
    if hole:
        scores[3] = -np.inf
    words = f"utterance 1: no path of phones leads through its {frames} frames"
    with pytest.raises(InputError, match=words):
        best_paths([np.zeros((3, 6)), scores], loop)


def slow_forced(scores: np.ndarray) -> tuple[float, list[int]]:
    """The best of all ways to share the frames among the states of a chain."""
    frames, length = scores.shape
    found = []
    for cuts in combinations(range(1, frames), length - 1):
        path = [sum(t >= cut for cut in cuts) for t in range(frames)]
        found.append((float(sum(scores[t, p] for t, p in enumerate(path))), path))
    return max(found)


@pytest.mark.parametrize(("frames", "length"), [*product((1, 4, 8), (1, 3, 4, 8))])
def test_a_forced_path_is_the_best_of_all(frames: int, length: int) -> None:
    draw = np.random.default_rng(frames * 10 + length)
    for _ in range(5):
        scores = draw.normal(size=(frames, length))
        if frames < length:
            words = f"s1/a: {frames} frames cannot be aligned with {length} states"
            with pytest.raises(InputError, match=words):
                forced_path(scores, "s1/a")
        else:
            assert forced_path(scores, "s1/a").tolist() == slow_forced(scores)[1]


def test_a_forced_path_that_is_closed_says_so() -> None:
    scores = np.zeros((4, 2))
    scores[:, 1] = -np.inf
    with pytest.raises(InputError, match="s1/a: no path leads through its 2 states in 4 frames"):
        forced_path(scores, "s1/a")
