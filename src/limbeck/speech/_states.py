"""States: the third of a phone that each frame is in, and a realignment of them by a net's scores.

Frame `i` covers the samples from `i` hops on, as many as the window has; hop and window are whole
numbers of samples, rounded down, as Kaldi counts them. The sample half a window after the first,
the frame's centre, decides.
"""

from collections.abc import Sequence

import numpy as np

from limbeck.errors import ExamplesError, InputError, MismatchError
from limbeck.examples import UNLABELLED, Array
from limbeck.speech._phones import check_inventory, check_known, numbered
from limbeck.speech._utterance import Segment, Utterance
from limbeck.speech._viterbi import check_scores, forced_path

STATES = 3  # of each phone: its beginning, its middle, its end
HOP, WINDOW = 0.010, 0.025  # seconds


def state_names(phones: Sequence[str]) -> tuple[str, ...]:
    """The names of all states in their order: `aa.0`, `aa.1`, `aa.2`, and so for every phone."""
    check_inventory(phones)
    return tuple(f"{phone}.{state}" for phone in phones for state in range(STATES))


def transcript(utterance: Utterance) -> tuple[str, ...]:
    """The phones that are spoken, in their order."""
    return tuple(one.phone for one in utterance.segments)


def states(
    utterance: Utterance,
    phones: Sequence[str],
    frames: int,
    *,
    hop: float = HOP,
    window: float = WINDOW,
) -> Array:
    """The state of every frame by a uniform split, int64 `(frames,)`, positions in `state_names`.

    Each segment is cut into three equal parts, and a frame has the state of the part in which its
    centre lies. A frame whose centre is in no segment is unlabelled, -1: silence would be a guess.

    Raises:
        ExamplesError: an utterance without segments, or phones outside the inventory, all listed.
        MismatchError: more frames than the recording has.
        InputError: an inventory with a phone twice; a hop or window shorter than a sample.
    """
    check_inventory(phones)
    [positions] = _phone_positions([utterance], phones)
    centers = _centers(utterance, frames, hop, window)
    first, end = _ends(utterance)
    which = np.searchsorted(first, centers, side="right") - 1
    is_within = (which >= 0) & (centers < end[which])
    part = STATES * (centers - first[which]) // (end - first)[which]
    return np.where(is_within, positions[which] * STATES + part.astype(np.int64), UNLABELLED)


def _ends(utterance: Utterance) -> tuple[Array, Array]:
    bounds = np.array([(one.first, one.end) for one in utterance.segments], dtype=np.float64)
    return bounds[:, 0], bounds[:, 1]


def _centers(utterance: Utterance, frames: int, hop: float, window: float) -> Array:
    step, length = _in_samples(hop, utterance.rate), _in_samples(window, utterance.rate)
    centers = np.arange(frames) * step + length // 2
    if frames and centers[-1] >= len(utterance.samples):
        raise MismatchError(
            f"{utterance.key}: the last of {frames} frames has its centre at sample "
            f"{centers[-1]}, but the recording has {len(utterance.samples)}: the frames are of "
            "another recording, or of another hop"
        )
    return centers


def _in_samples(seconds: float, rate: int) -> int:
    samples = int(seconds * rate + 1e-6)  # 0.029 x 16,000 is a little less than 464
    if samples < 1:
        raise InputError(f"a hop and a window last one sample or more, not {seconds} s at {rate}/s")
    return samples


def _phone_positions(utterances: Sequence[Utterance], phones: Sequence[str]) -> list[Array]:
    """The phones of each as positions in the inventory."""
    transcripts = [transcript(utterance) for utterance in utterances]
    for utterance, spoken in zip(utterances, transcripts, strict=True):
        if not spoken:
            raise ExamplesError(f"{utterance.key} has an empty transcript: no phone has a segment")
    return numbered(transcripts, phones)


def align(scores: Array, spoken: Sequence[str], phones: Sequence[str]) -> Array:
    """The state of every frame on the best path through the phones spoken, int64 `(frames,)`.

    Viterbi with the phones known: their states are passed in order, each for a frame or more. Only
    scores decide, since all such paths go on equally often.

    Args:
        scores: `(frames, states)`: the log posteriors of a net less the log priors, or likelihoods.
        spoken: the transcript.
        phones: the inventory.

    Raises:
        ExamplesError: an empty transcript, or unknown phones, all of them listed.
        MismatchError: scores of another number of states.
        InputError: fewer frames than states; scores that are not finite, or leave no path.
    """
    check_inventory(phones)
    [numbers] = numbered([spoken], phones)
    check_scores(scores, STATES * len(phones), "the utterance")
    return _aligned(scores, numbers, "the utterance")


def _aligned(scores: Array, spoken: Array, name: str) -> Array:
    chain = (spoken[:, None] * STATES + np.arange(STATES)).reshape(-1)
    aligned: Array = chain[forced_path(scores[:, chain], name)]
    return aligned


def realign(
    utterances: Sequence[Utterance],
    scores: Sequence[Array],
    phones: Sequence[str],
    *,
    hop: float = HOP,
    window: float = WINDOW,
) -> list[Array]:
    """The states of every utterance's frames on the best path through its phones.

    `align` for many. Frames in no segment stay unlabelled: their scores are not looked at, and the
    path goes through the others.

    Raises:
        ExamplesError: an empty transcript, or phones outside the inventory, all of them listed.
        MismatchError: not the scores of each utterance, another number of states or of frames.
        InputError: fewer frames than states; scores that are not finite, or leave no path.
    """
    if len(utterances) != len(scores):
        raise MismatchError(f"{len(utterances)} utterances cannot have {len(scores)} scores")
    check_known(map(transcript, utterances), phones)
    pairs = zip(utterances, scores, strict=True)
    return [_realigned(one, of_one, phones, hop, window) for one, of_one in pairs]


def _realigned(
    utterance: Utterance, scores: Array, phones: Sequence[str], hop: float, window: float
) -> Array:
    check_scores(scores, STATES * len(phones), utterance.key)
    labels = states(utterance, phones, len(scores), hop=hop, window=window)
    is_labelled = labels != UNLABELLED
    [positions] = _phone_positions([utterance], phones)
    labels[is_labelled] = _aligned(scores[is_labelled], positions, utterance.key)
    return labels


def segments(
    spoken: Sequence[str], begins: Sequence[int], frames: int, rate: int, hop: float, window: float
) -> tuple[Segment, ...]:
    """Phones that begin at these frames, in samples; boundaries lie midway between two centres."""
    step, length = _in_samples(hop, rate), _in_samples(window, rate)
    bounds = [round((begin - 0.5) * step + length // 2) for begin in (*begins, frames)]
    bounds[0] = 0
    return tuple(
        Segment(first, end, phone)
        for first, end, phone in zip(bounds[:-1], bounds[1:], spoken, strict=True)
    )
