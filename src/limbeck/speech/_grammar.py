"""What is known before a frame is heard: how frequent states are, and which phone follows which."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from limbeck.errors import InputError, LabelsError
from limbeck.examples import Array
from limbeck.speech._phones import check_inventory, numbered


def log_priors(labels: Iterable[Array], states: int, *, smoothing: float = 1.0) -> Array:
    """The logarithm of each state's share of the labelled frames, float64 `(states,)`.

    Args:
        labels: the states of each utterance's frames; -1 is no label.
        states: how many there are.
        smoothing: is added to every state's count, so that one never seen is rare, not impossible.

    Raises:
        LabelsError: a label that is no state, or no label at all.
        InputError: a smoothing that is not above 0.
    """
    if not smoothing > 0:
        raise InputError(f"the smoothing of priors is above 0, not {smoothing}")
    counts = np.zeros(states)
    for one in labels:
        if len(one) and not -1 <= one.min() <= one.max() < states:
            raise LabelsError(
                f"states are 0 to {states - 1}, and -1 is no label, but labels are {one.min()} "
                f"to {one.max()}"
            )
        counts += np.bincount(one[one >= 0], minlength=states)
    if not counts.any():
        raise LabelsError("priors are counted over labelled frames, but there are none")
    smoothed: Array = np.log(counts + smoothing) - np.log((counts + smoothing).sum())
    return smoothed


@dataclass(frozen=True, eq=False)
class Bigram:
    """How probable each phone is after another.

    Attributes:
        phones: the inventory.
        log_probabilities: `(phones + 1, phones + 1)`, of the column's phone after the row's. The
            last row is the start of an utterance, the last column its end.

    Raises:
        InputError: another shape, a probability of 0, or a row that does not sum to 1.
    """

    phones: tuple[str, ...]
    log_probabilities: Array

    def __post_init__(self) -> None:
        check_inventory(self.phones)
        size = len(self.phones) + 1
        if self.log_probabilities.shape != (size, size):
            raise InputError(
                f"a bigram of {size - 1} phones has shape {(size, size)}, with a row for the start "
                f"and a column for the end, not {self.log_probabilities.shape}"
            )
        sums = np.exp(self.log_probabilities).sum(axis=1)
        if not np.isfinite(self.log_probabilities).all() or np.abs(sums - 1).max() > 1e-6:
            raise InputError(
                "each row of a bigram holds probabilities above 0 that sum to 1, but the sums are "
                f"{sums.min():.6g} to {sums.max():.6g}"
            )

    @classmethod
    def fit(cls, transcripts: Sequence[Sequence[str]], phones: Sequence[str]) -> "Bigram":
        """Counted in transcripts, with the smoothing of Witten & Bell.

        After a phone that was heard `n` times, followed by `t` different ones, the probability of
        the next is `(count + t x share) / (n + t)`, where the share is that of a single phone,
        smoothed by the same formula towards all being equal (method C of Witten & Bell 1991, IEEE
        Transactions on Information Theory 37, 1085-1094, interpolated). The end of an utterance
        counts as a phone that follows, its start as one that is followed.

        Raises:
            ExamplesError: an empty transcript, or unknown phones, all of them listed.
            InputError: no transcripts, or an inventory with a phone twice.
        """
        check_inventory(phones)
        if not len(transcripts):
            raise InputError("a bigram is counted in transcripts, but there are none")
        counts = _pairs(numbered(transcripts, phones), len(phones))
        alone = _witten_bell(counts.sum(axis=0), np.full(len(counts), 1 / len(counts)))
        rows = [_witten_bell(row, alone) for row in counts]
        return cls(tuple(phones), np.log(rows))

    @property
    def start(self) -> Array:
        """Logarithms `(phones,)` of each phone to be the first."""
        return self.log_probabilities[-1, :-1]

    @property
    def step(self) -> Array:
        """Logarithms `(phones, phones)` of the column's phone after the row's."""
        return self.log_probabilities[:-1, :-1]

    @property
    def end(self) -> Array:
        """Logarithms `(phones,)` of each phone to be the last."""
        return self.log_probabilities[:-1, -1]

    def perplexity(self, transcripts: Sequence[Sequence[str]]) -> float:
        """Among how many equally probable phones the next is to be guessed, ends included.

        Raises:
            ExamplesError: an empty transcript, or unknown phones, all of them listed.
            InputError: no transcripts.
        """
        if not len(transcripts):
            raise InputError("a perplexity is over transcripts, but there are none")
        counts = _pairs(numbered(transcripts, self.phones), len(self.phones))
        return float(np.exp(-(counts * self.log_probabilities).sum() / counts.sum()))


def _pairs(transcripts: Sequence[Array], phones: int) -> Array:
    counts = np.zeros((phones + 1, phones + 1))
    for one in transcripts:
        whole = np.array([phones, *one, phones])
        np.add.at(counts, (whole[:-1], whole[1:]), 1)
    return counts


def _witten_bell(counts: Array, otherwise: Array) -> Array:
    different = np.count_nonzero(counts)
    if not different:
        return otherwise
    shares: Array = (counts + different * otherwise) / (counts.sum() + different)
    return shares
