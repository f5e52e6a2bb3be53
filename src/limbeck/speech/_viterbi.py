"""Viterbi: the best path of states through an utterance's scores, exactly.

A phone is a chain of states that are passed from left to right. A frame stays in its state or goes
on to the next, so a phone lasts at least as many frames as it has states.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from limbeck.errors import InputError, MismatchError
from limbeck.examples import Array

UTTERANCES, NUMBERS = 16, 2**22  # of a batch at most, so that its products stay in the cache


@dataclass(frozen=True, eq=False)
class Loop:
    """What it costs to go from phone to phone: logarithms, minus infinity where nothing goes.

    Attributes:
        start: `(phones,)`, of each phone to be the first.
        step: `(phones, phones)`, from the row's phone to the column's.
        end: `(phones,)`, of each phone to be the last.
        states: how many states each phone has.
    """

    start: Array
    step: Array
    end: Array
    states: int


class Path(NamedTuple):
    """The states of the best path, `(frames,)`, whether a phone begins there, and its score."""

    states: Array
    begins: Array
    score: float


def best_paths(scores: Sequence[Array], loop: Loop) -> list[Path]:
    """For each utterance of scores `(frames, phones x states)` the path with the highest sum.

    The sums are in float64. Among paths of equal score the one that stays longer in its state
    wins, then the one through the phone of the lower number.

    Raises:
        InputError: no path reaches the end of an utterance.
    """
    paths: dict[int, Path] = {}
    for numbers in _batches([len(one) for one in scores], loop):
        sums = _forward([scores[n] for n in numbers], loop)
        for row, n in enumerate(numbers):
            paths[n] = _backward(sums[: len(scores[n]), row], loop, n)
    return [paths[n] for n in range(len(scores))]


def _batches(frames: list[int], loop: Loop) -> Iterator[list[int]]:
    """Positions of utterances, the longest first, so that those of a batch are alike in length."""
    longest_first = sorted(range(len(frames)), key=lambda n: -frames[n])
    while longest_first:
        a_whole_one = frames[longest_first[0]] * len(loop.start) * loop.states
        count = min(UTTERANCES, max(1, NUMBERS // a_whole_one))
        yield longest_first[:count]
        del longest_first[:count]


def _forward(batch: list[Array], loop: Loop) -> Array:
    """The best sum up to each state of each frame, `(frames, utterances, phones, states)`."""
    sums = _padded(batch, len(loop.start), loop.states)
    sums[0, :, :, 0] += loop.start
    sums[0, :, :, 1:] = -np.inf
    into = np.ascontiguousarray(loop.step.T)
    room = np.empty((len(batch), *into.shape))
    lengths = np.array([len(one) for one in batch])
    for t in range(1, len(sums)):
        there = int((lengths > t).sum())
        before, now = sums[t - 1, :there], sums[t, :there]
        entered = np.add(before[:, None, :, -1], into, out=room[:there]).max(axis=2)
        now[..., 1:] += np.maximum(before[..., 1:], before[..., :-1])
        now[..., 0] += np.maximum(before[..., 0], entered)
    return sums


def _padded(batch: list[Array], phones: int, states: int) -> Array:
    sums = np.zeros((len(batch[0]), len(batch), phones, states))
    for row, one in enumerate(batch):
        sums[: len(one), row] = one.reshape(len(one), phones, states)
    return sums


def _backward(sums: Array, loop: Loop, number: int) -> Path:
    """The path back from the best end of one utterance's sums `(frames, phones, states)`."""
    last = sums[-1, :, -1] + loop.end
    phone, state, score = int(last.argmax()), loop.states - 1, float(last.max())
    if not np.isfinite(score):
        raise InputError(
            f"utterance {number}: no path of phones leads through its {len(sums)} frames"
        )
    states = np.empty(len(sums), dtype=np.int64)
    begins = np.zeros(len(sums), dtype=bool)
    for t in range(len(sums) - 1, -1, -1):
        states[t] = phone * loop.states + state
        if t:
            # Only here is it asked where a sum came from, and only along the one path.
            origin = _origin(sums[t - 1], loop, phone, state)
            phone, state, begins[t] = origin
    begins[0] = True
    return Path(states, begins, score)


def _origin(before: Array, loop: Loop, phone: int, state: int) -> tuple[int, int, bool]:
    """The phone and state a frame earlier, and whether the phone after them is entered anew."""
    stays = before[phone, state]
    if state:
        return phone, state - int(before[phone, state - 1] > stays), False
    into = before[:, -1] + loop.step[:, phone]
    source = int(into.argmax())
    return (source, loop.states - 1, True) if into[source] > stays else (phone, state, False)


def forced_path(scores: Array, name: str) -> Array:
    """Where in a chain of states each frame is, `(frames,)`, from scores `(frames, chain)`.

    Every state of the chain is passed, in order.

    Raises:
        InputError: fewer frames than states, or no path of finite score.
    """
    frames, length = scores.shape
    if frames < length:
        raise InputError(
            f"{name}: {frames} frames cannot be aligned with {length} states, of which each takes "
            "at least one frame"
        )
    sums = scores.astype(np.float64)
    sums[0, 1:] = -np.inf
    for t in range(1, frames):
        sums[t, 1:] += np.maximum(sums[t - 1, 1:], sums[t - 1, :-1])
        sums[t, 0] += sums[t - 1, 0]
    if not np.isfinite(sums[-1, -1]):
        raise InputError(f"{name}: no path leads through its {length} states in {frames} frames")
    return _back_along(sums[:-1, :-1] > sums[:-1, 1:], length - 1)


def _back_along(came: Array, last: int) -> Array:
    """Positions from whether a state's best sum `(frames - 1, chain - 1)` was the one before's."""
    positions = np.empty(len(came) + 1, dtype=np.int64)
    position = positions[-1] = last
    for t in range(len(came) - 1, -1, -1):
        position -= int(position > 0 and came[t, position - 1])
        positions[t] = position
    return positions


def check_scores(scores: Array, states: int, name: str) -> None:
    """Refuses scores that are not `(frames, states)` numbers.

    Raises:
        MismatchError: another number of states.
        InputError: no frames, NaN, or an infinity that is not minus.
    """
    if scores.ndim != 2 or scores.shape[1] != states:
        raise MismatchError(
            f"{name} has scores of shape {scores.shape}, but (frames, {states}) are wanted: "
            f"one for each of {states} states"
        )
    if not len(scores):
        raise InputError(f"{name} has no frames")
    if np.isnan(scores).any() or np.isposinf(scores).any():
        raise InputError(f"{name} has scores that are NaN or infinite")
