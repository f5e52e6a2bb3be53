"""From a net's scores to phones: priors, a bigram and Viterbi, with weights for each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from limbeck.errors import InputError, MismatchError
from limbeck.examples import Array
from limbeck.speech._error_rate import phone_error_rate
from limbeck.speech._grammar import Bigram, log_priors
from limbeck.speech._phones import Folding
from limbeck.speech._states import HOP, STATES, WINDOW, segments
from limbeck.speech._utterance import Segment
from limbeck.speech._viterbi import Loop, Path, best_paths, check_scores


@dataclass(frozen=True)
class Weights:
    """What counts how much, beside scores of weight 1: only ratios decide which path is best.

    Attributes:
        prior: times the log priors is subtracted from the scores; 1 makes posteriors likelihoods.
        bigram: times the bigram's log probabilities is added.
        penalty: nats that each phone costs; more of it gives fewer phones.

    Raises:
        InputError: one is not finite, or a prior or bigram is negative.
    """

    prior: float = 1.0
    bigram: float = 1.0
    penalty: float = 0.0

    def __post_init__(self) -> None:
        numbers = (self.prior, self.bigram, self.penalty)
        if not np.isfinite(numbers).all() or self.prior < 0 or self.bigram < 0:
            raise InputError(f"weights are finite, of prior and bigram 0 or more, not {self}")


@dataclass(frozen=True, eq=False)
class Decoded:
    """What a decoder heard in an utterance.

    Attributes:
        phones: in their order.
        begins: the frame at which each begins, int64 `(phones,)`.
        states: of the best path, int64 `(frames,)`.
        score: the path's sum.
    """

    phones: tuple[str, ...]
    begins: Array
    states: Array
    score: float

    def segments(
        self, rate: int, *, hop: float = HOP, window: float = WINDOW
    ) -> tuple[Segment, ...]:
        """The phones in samples; a boundary lies midway between the centres of two frames."""
        begins = [int(begin) for begin in self.begins]
        return segments(self.phones, begins, len(self.states), rate, hop, window)


@dataclass(frozen=True, eq=False)
class Decoder:
    """Finds the phones that explain a net's scores best, of all sequences there are.

    Each phone passes through its three states, each for a frame or more. A path's score is the sum
    of its frames' scores less weighted log priors, and of its phones' weighted log probabilities
    less the penalty.

    Attributes:
        log_priors: of the states, `(states,)`, three for each of the bigram's phones in order.
        bigram: which phone follows which.
        weights: how much each counts; `tune` finds good ones.

    Raises:
        MismatchError: priors of another number of states.
        InputError: priors that are not finite.
    """

    log_priors: Array
    bigram: Bigram
    weights: Weights = Weights()

    def __post_init__(self) -> None:
        if self.log_priors.shape != (self._states,):
            raise MismatchError(
                f"priors of shape {self.log_priors.shape} do not belong to {self._states} states, "
                f"{STATES} for each of {len(self.bigram.phones)} phones"
            )
        if not np.isfinite(self.log_priors).all():
            raise InputError("log priors are finite numbers: smooth those of states never seen")

    @classmethod
    def fit(
        cls,
        labels: Sequence[Array],
        transcripts: Sequence[Sequence[str]],
        phones: Sequence[str],
    ) -> "Decoder":
        """Priors counted in the frames' states, and a bigram in the transcripts, of training.

        Raises:
            ExamplesError: an empty transcript, or unknown phones, all of them listed.
            LabelsError: a label that is no state, or no label at all.
            InputError: no transcripts, or an inventory with a phone twice.
        """
        priors = log_priors(labels, STATES * len(phones))
        return cls(priors, Bigram.fit(transcripts, phones))

    @property
    def _states(self) -> int:
        return STATES * len(self.bigram.phones)

    def decode(self, scores: Sequence[Array]) -> list[Decoded]:
        """The phones of each utterance, by exact Viterbi; many at once are quicker than one.

        Args:
            scores: `(frames, states)` for each utterance: log posteriors, or logits, whose offset
                in each frame changes nothing but the score.

        Raises:
            MismatchError: scores of another number of states.
            InputError: NaN or infinity among scores, or no path, as in an utterance of fewer
                frames than a phone has states.
        """
        for number, one in enumerate(scores):
            check_scores(one, self._states, f"utterance {number}")
        paths = best_paths([self._weighed(one) for one in scores], self._loop())
        return [self._decoded(path) for path in paths]

    def _weighed(self, scores: Array) -> Array:
        weighed: Array = scores - self.weights.prior * self.log_priors
        return weighed

    def _loop(self) -> Loop:
        start = self.weights.bigram * self.bigram.start - self.weights.penalty
        step = self.weights.bigram * self.bigram.step - self.weights.penalty
        return Loop(start, step, self.weights.bigram * self.bigram.end, STATES)

    def _decoded(self, path: Path) -> Decoded:
        begins = np.flatnonzero(path.begins)
        phones = tuple(self.bigram.phones[n] for n in path.states[begins] // STATES)
        return Decoded(phones, begins, path.states, path.score)


@dataclass(frozen=True)
class Grid:
    """The weights that are tried, each with each."""

    prior: tuple[float, ...] = (0.5, 1.0)
    bigram: tuple[float, ...] = (1.0, 2.0, 3.0, 5.0, 8.0)
    penalty: tuple[float, ...] = (-4.0, 0.0, 4.0)

    def weights(self) -> list[Weights]:
        """All of them."""
        return [Weights(*numbers) for numbers in product(self.prior, self.bigram, self.penalty)]

    def edges(self, best: Weights) -> tuple[str, ...]:
        """Which weights are the smallest or largest that were tried: more may be better still."""
        values = {"prior": self.prior, "bigram": self.bigram, "penalty": self.penalty}
        return tuple(
            name
            for name, numbers in values.items()
            if len(set(numbers)) > 1 and getattr(best, name) in (min(numbers), max(numbers))
        )


@dataclass(frozen=True, eq=False)
class Tuned:
    """A decoder with the best weights of a grid.

    Attributes:
        decoder: has them.
        trials: all weights in the order of the grid, with their error rate in percent.
        edges: the weights at an end of what was tried, `prior`, `bigram` or `penalty`: try more.
    """

    decoder: Decoder
    trials: tuple[tuple[Weights, float], ...]
    edges: tuple[str, ...]


def tune(
    decoder: Decoder,
    scores: Sequence[Array],
    spoken: Sequence[Sequence[str]],
    *,
    folding: Folding | None = None,
    grid: Grid = Grid(),
) -> Tuned:
    """The decoder with those weights of a grid that give the lowest phone error rate.

    Give it the development set, never the set that is reported. Of equal rates the first wins.

    Args:
        decoder: whose weights are replaced.
        scores: `(frames, states)` for each utterance.
        spoken: their transcripts.
        folding: what phones count as, the same that the report will use.
        grid: what is tried.

    Raises:
        InputError: an empty grid, and what `decode` and `phone_error_rate` refuse.
        MismatchError: another number of scores than of transcripts, or of states.
    """
    candidates = grid.weights()
    if not candidates:
        raise InputError("a grid holds one number or more for each weight, but has none for one")
    if len(scores) != len(spoken):
        raise MismatchError(f"{len(scores)} utterances have scores, but {len(spoken)} transcripts")
    rates = [_rate(replace(decoder, weights=one), scores, spoken, folding) for one in candidates]
    best = candidates[int(np.argmin(rates))]
    trials = tuple(zip(candidates, rates, strict=True))
    return Tuned(replace(decoder, weights=best), trials, grid.edges(best))


def _rate(
    decoder: Decoder,
    scores: Sequence[Array],
    spoken: Sequence[Sequence[str]],
    folding: Folding | None,
) -> float:
    phones = [one.phones for one in decoder.decode(scores)]
    return phone_error_rate(phones, spoken=spoken, folding=folding).percent
