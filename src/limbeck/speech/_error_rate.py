"""Error rates: what must be changed of what was said to get what was spoken, and wrong frames."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from limbeck.errors import ExamplesError, InputError, LabelsError, MismatchError
from limbeck.examples import UNLABELLED, Array
from limbeck.metrics import CONFIDENCE, Estimate, check_paired, resampled, unseen
from limbeck.runtime import needs
from limbeck.speech._phones import Folding, check_known, fold, phones_in

RESAMPLES = 1000


class ErrorRate(ABC):
    """What was wrong in each utterance, of so many things that could have been.

    Attributes:
        errors: `(seeds, utterances)`, for one or more seeds of a system.
        counts: `(utterances,)`, of how many.
    """

    errors: Array
    counts: Array

    @property
    def percent(self) -> float:
        """Errors in percent, averaged over seeds; of phones it can be above 100."""
        return float(self.each.mean())

    @property
    def each(self) -> Array:
        """The same of every seed, `(seeds,)`."""
        return _rates(self.errors, self.counts)

    def estimate(self, *, confidence: float = CONFIDENCE) -> Estimate:
        """The rate in percent, with an interval over utterances, bootstrapped, and seeds."""
        return _estimated(self.errors, self.counts, confidence, (0.0, self.most))

    def minus(self, other: "ErrorRate", *, confidence: float = CONFIDENCE) -> Estimate:
        """This rate less another's in percentage points, paired by utterance and seed.

        Below 0 this system errs less. One of the two may have a single seed.

        Raises:
            MismatchError: other utterances, or numbers of seeds that cannot be paired.
        """
        check_paired(self.errors.shape, other.errors.shape)
        if not np.array_equal(self.counts, other.counts):
            raise MismatchError(
                "two systems are compared on the same utterances, but one has "
                f"{self.counts.sum()} {self.what} and the other {other.counts.sum()}"
            )
        bounds = (-np.inf, np.inf)
        return _estimated(self.errors - other.errors, self.counts, confidence, bounds)

    @property
    @abstractmethod
    def what(self) -> str:
        """What is counted."""

    @property
    @abstractmethod
    def most(self) -> float:
        """The highest rate there can be, in percent."""


@dataclass(frozen=True, eq=False)
class PhoneErrorRate(ErrorRate):
    """How many phones were wrong in each utterance, for one or more seeds of a system.

    Which errors there are of each kind depends on the alignment where several are equally short;
    their sum does not.

    Attributes:
        substitutions: `(seeds, utterances)`, phones taken for others.
        deletions: `(seeds, utterances)`, phones that were not heard.
        insertions: `(seeds, utterances)`, phones that nobody spoke.
        counts: `(utterances,)`, the phones of the transcripts.
    """

    substitutions: Array
    deletions: Array
    insertions: Array
    counts: Array

    @property
    def errors(self) -> Array:  # type: ignore[override]  # a field of the other kind of rate
        """All errors, `(seeds, utterances)`."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def what(self) -> str:
        """What is counted."""
        return "phones"

    @property
    def most(self) -> float:
        """None: what was never spoken counts too."""
        return float("inf")


@dataclass(frozen=True, eq=False)
class FrameErrorRate(ErrorRate):
    """How many frames were given another state than theirs, for one or more seeds of a system."""

    errors: Array
    counts: Array

    @property
    def what(self) -> str:
        """What is counted."""
        return "labelled frames"

    @property
    def most(self) -> float:
        """All frames."""
        return 100.0


def frame_error_rate(*scores: Sequence[Array], labels: Sequence[Array]) -> FrameErrorRate:
    """The labelled frames whose state does not have the highest score.

    Args:
        scores: `(frames, states)` of each utterance; one such argument for each seed.
        labels: the state of each frame, -1 for none, in the same order.

    Raises:
        MismatchError: another number of utterances or of frames.
        InputError: no scores, or no utterances.
        LabelsError: an utterance without any labelled frame.
    """
    if not scores or not len(labels):
        raise InputError("an error rate needs the scores of each seed, and the labels")
    for seed in scores:
        if [len(one) for one in seed] != [len(one) for one in labels]:
            raise MismatchError("scores and labels are not of the same utterances and frames")
    counts = np.array([(one != UNLABELLED).sum() for one in labels])
    if not counts.all():
        raise LabelsError(f"no frame of utterance {int(np.argmin(counts))} is labelled")
    pairs = [[_wrong(*pair) for pair in zip(seed, labels, strict=True)] for seed in scores]
    return FrameErrorRate(np.array(pairs), counts)


def _wrong(scores: Array, labels: Array) -> int:
    return int(((scores.argmax(axis=1) != labels) & (labels != UNLABELLED)).sum())


def phone_error_rate(
    *said: Sequence[Sequence[str]],
    spoken: Sequence[Sequence[str]],
    folding: Folding | None = None,
) -> PhoneErrorRate:
    """The errors in what a system said, by the fewest substitutions, deletions and insertions.

    Args:
        said: the phones of each utterance; one such argument for each seed.
        spoken: the transcripts, in the same order.
        folding: what phones count as, such as `TIMIT_TO_39`; None compares them as they are.

    Raises:
        ExamplesError: an empty transcript, before or after folding; phones that the folding does
            not know, all of them listed.
        MismatchError: another number of utterances said than spoken.
        InputError: nothing is said, or no utterances.
        NeedsPackageError: rapidfuzz is not installed.
    """
    if not said or not len(spoken):
        raise InputError("an error rate needs what was said, once a seed, and what was spoken")
    truth = _folded(spoken, folding)
    _check_spoken(truth)
    kinds = np.array([_counts(_folded(seed, folding), truth) for seed in said])
    substitutions, deletions, insertions = np.moveaxis(kinds, 2, 0)
    lengths = np.array([len(one) for one in truth])
    return PhoneErrorRate(substitutions, deletions, insertions, lengths)


def _folded(transcripts: Sequence[Sequence[str]], folding: Folding | None) -> list[tuple[str, ...]]:
    if folding is None:
        phones_in(transcripts)  # refuses texts
        return [tuple(one) for one in transcripts]
    check_known(transcripts, folding)
    return [fold(one, folding) for one in transcripts]


def _check_spoken(spoken: Sequence[Sequence[str]]) -> None:
    for number, one in enumerate(spoken):
        if not one:
            raise ExamplesError(
                f"the transcript of utterance {number} of {len(spoken)} is empty: there is nothing "
                "in it that could be heard wrongly"
            )


def _counts(decoded: Sequence[Sequence[str]], spoken: Sequence[Sequence[str]]) -> Array:
    """Substitutions, deletions and insertions of each utterance, `(utterances, 3)`."""
    if len(decoded) != len(spoken):
        raise MismatchError(f"{len(decoded)} utterances are said, but {len(spoken)} are spoken")
    distance = needs("rapidfuzz.distance")
    counts = np.zeros((len(spoken), 3), dtype=np.int64)
    for row, (one, other) in enumerate(zip(spoken, decoded, strict=True)):
        tags = [edit.tag for edit in distance.Levenshtein.editops(one, other)]
        counts[row] = [tags.count(tag) for tag in ("replace", "delete", "insert")]
    return counts


def _rates(errors: Array, counts: Array) -> Array:
    rates: Array = 100 * errors.sum(axis=1) / counts.sum()
    return rates


def _estimated(
    errors: Array, counts: Array, confidence: float, bounds: tuple[float, float]
) -> Estimate:
    seeds, utterances = errors.shape
    return resampled(
        lambda rows: _rates(errors[:, rows], counts[rows]),
        seeds,
        utterances,
        resamples=RESAMPLES,
        bounds=bounds,
        least=100 * unseen([int(counts.sum())], confidence=confidence),
        confidence=confidence,
    )
