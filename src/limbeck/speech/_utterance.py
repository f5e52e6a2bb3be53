"""Utterances: recorded sentences with the phones in them, and the sets of a corpus."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from limbeck.errors import ExamplesError
from limbeck.examples import Array

SETS = ("train", "development", "test")  # of a corpus, as its fields are called
FULL = 1 - 2.0**-15  # the loudest sample of 16 bits
CLIPPED = 0.01  # the share of samples that loud above which the waves have lost their crests


@dataclass(frozen=True)
class Segment:
    """A phone and the samples in which it is spoken: from `first`, up to but without `end`."""

    first: int
    end: int
    phone: str


@dataclass(frozen=True, eq=False)
class Utterance:
    """One recorded sentence.

    Attributes:
        key: no two of a corpus are alike.
        speaker: no speaker is in two sets of a corpus.
        samples: `(samples,)` float32 from -1 to 1, of one channel.
        rate: samples a second.
        segments: in order of time; where nobody says what is spoken there are none.
        text: the words, where they are known.
    """

    key: str
    speaker: str
    samples: Array
    rate: int
    segments: tuple[Segment, ...]
    text: str = ""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate

    def check(self) -> None:
        """Refuses what no frames could be made of.

        Raises:
            ExamplesError: no sound, samples outside -1 to 1 or clipped, segments that are empty,
                overlap or lie outside the recording.
        """
        _check_samples(self.samples, self.key)
        for one in self.segments:
            if not 0 <= one.first < one.end <= len(self.samples):
                raise ExamplesError(
                    f"{self.key}: {one.phone!r} from sample {one.first} to {one.end} is not within "
                    f"the recording of {len(self.samples)} samples"
                )
        for one, other in pairwise(self.segments):
            if other.first < one.end:
                raise ExamplesError(
                    f"{self.key}: {other.phone!r} begins at sample {other.first}, before "
                    f"{one.phone!r} ends at {one.end}"
                )


def _check_samples(samples: Array, key: str) -> None:
    if samples.ndim != 1 or not len(samples):
        raise ExamplesError(f"{key} holds samples of shape {samples.shape}, not one channel")
    if not np.isfinite(samples).all() or np.abs(samples).max() > 1:
        raise ExamplesError(f"{key} holds samples outside -1 to 1")
    if samples.min() == samples.max():
        raise ExamplesError(f"{key} is silent: all its {len(samples)} samples are {samples[0]:g}")
    clipped = float((np.abs(samples) >= FULL).mean())
    if clipped > CLIPPED:
        raise ExamplesError(
            f"{key} is clipped: {clipped:.0%} of its samples are as loud as a file can hold; "
            "record it at a lower level"
        )


@dataclass(frozen=True, eq=False)
class Corpus:
    """The three sets of a corpus, of which no speaker is in two.

    Attributes:
        phones: the inventory, in the order of the states; silence among them.
        silence: the phone of silence, with which a sentence begins and ends.
    """

    name: str
    train: tuple[Utterance, ...]
    development: tuple[Utterance, ...]
    test: tuple[Utterance, ...]
    phones: tuple[str, ...]
    silence: str

    def check(self) -> None:
        """Refuses sets that share a speaker or an utterance, and phones outside the inventory.

        Raises:
            ExamplesError: the first fault is named.
        """
        parts = {"train": self.train, "development": self.development, "test": self.test}
        for (one, first), (other, second) in combinations(parts.items(), 2):
            shared = {u.speaker for u in first} & {u.speaker for u in second}
            if shared:
                raise ExamplesError(
                    f"{self.name}: {len(shared)} speakers are both in {one} and in {other}, the "
                    f"first is {min(shared)!r}: a test is of voices that nobody learnt"
                )
        for part in parts.values():
            _check_keys(part, self.name)
            check_phones(part, self.phones, self.name)

    def described(self) -> dict[str, Any]:
        """Its name, and how much of what there is, for JSON.

        Of each set the speakers, utterances, hours, segments and how many different phones these
        are of; and how many segments each phone has in all.
        """
        sets = {"train": self.train, "development": self.development, "test": self.test}
        spoken = Counter(s.phone for part in sets.values() for u in part for s in u.segments)
        return {
            "name": self.name,
            "rate": next((u.rate for part in sets.values() for u in part), 0),
            "sets": {name: _described(part) for name, part in sets.items()},
            "phones": {phone: spoken[phone] for phone in self.phones},
        }


def _check_keys(part: Sequence[Utterance], name: str) -> None:
    times = Counter(one.key for one in part)
    twice = sorted(key for key, count in times.items() if count > 1)
    if twice:
        raise ExamplesError(
            f"{name} has {len(twice)} keys that are not of one utterance alone, the first is "
            f"{twice[0]!r}: of a recording in two formats keep one"
        )


def _described(part: Sequence[Utterance]) -> dict[str, float]:
    spoken = [one.phone for utterance in part for one in utterance.segments]
    return {
        "speakers": len({one.speaker for one in part}),
        "utterances": len(part),
        "hours": sum(one.seconds for one in part) / 3600,
        "segments": len(spoken),
        "phones": len(set(spoken)),
    }


def check_phones(utterances: Sequence[Utterance], phones: Sequence[str], name: str) -> None:
    """Refuses phones that are not in the inventory, all of them listed.

    Raises:
        ExamplesError: there are some.
    """
    spoken = {one.phone for utterance in utterances for one in utterance.segments}
    unknown = sorted(spoken - set(phones))
    if unknown:
        raise ExamplesError(
            f"{name} has {len(unknown)} phones that are not among its {len(phones)}: "
            f"{', '.join(unknown)}"
        )
