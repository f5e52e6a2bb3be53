"""Phones: TIMIT's inventory, what it is folded to for scoring, and phones as numbers."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from limbeck.errors import ExamplesError, InputError
from limbeck.examples import Array

Folding = Mapping[str, str | None]  # None: such a phone is left out

# fmt: off
TIMIT_PHONES = (
    "aa", "ae", "ah", "ao", "aw", "ax", "ax-h", "axr", "ay", "b", "bcl", "ch", "d", "dcl", "dh",
    "dx", "eh", "el", "em", "en", "eng", "epi", "er", "ey", "f", "g", "gcl", "h#", "hh", "hv",
    "ih", "ix", "iy", "jh", "k", "kcl", "l", "m", "n", "ng", "nx", "ow", "oy", "p", "pau", "pcl",
    "q", "r", "s", "sh", "t", "tcl", "th", "uh", "uw", "ux", "v", "w", "y", "z", "zh",
)
# fmt: on

_ALLOPHONES: dict[str, str | None] = {
    "ax-h": "ax",
    "axr": "er",
    "em": "m",
    "eng": "ng",
    "hv": "hh",
    "nx": "n",
    "ux": "uw",
    "h#": "sil",
    "pau": "sil",
    "bcl": "vcl",
    "dcl": "vcl",
    "gcl": "vcl",
    "kcl": "cl",
    "pcl": "cl",
    "tcl": "cl",
    "q": None,
}
_CONFUSIONS = {
    "ao": "aa",
    "ax": "ah",
    "cl": "sil",
    "el": "l",
    "en": "n",
    "epi": "sil",
    "ix": "ih",
    "vcl": "sil",
    "zh": "sh",
}


def _to_39(phone: str) -> str | None:
    among_48 = _ALLOPHONES.get(phone, phone)
    return None if among_48 is None else _CONFUSIONS.get(among_48, among_48)


# Lee & Hon 1989, IEEE Transactions on Acoustics, Speech, and Signal Processing 37, 1641-1648:
# 48 phones are modelled, and confusions within 39 groups of them do not count as errors.
TIMIT_TO_48: Folding = MappingProxyType({p: _ALLOPHONES.get(p, p) for p in TIMIT_PHONES})
TIMIT_TO_39: Folding = MappingProxyType({p: _to_39(p) for p in TIMIT_PHONES})


def fold(phones: Sequence[str], folding: Folding) -> tuple[str, ...]:
    """The phones as the folding calls them; those that it maps to None are left out.

    Equal neighbours that this makes, as the two `sil` of a pause after a closure, stay two: that
    is how TIMIT's error rates are counted.

    Raises:
        ExamplesError: phones that the folding does not know, all of them listed.
    """
    check_known([phones], folding)
    return tuple(name for phone in phones if (name := folding[phone]) is not None)


def check_known(transcripts: Iterable[Sequence[str]], phones: Iterable[str]) -> None:
    """Refuses transcripts with other phones than these.

    Raises:
        ExamplesError: some are unknown, and are listed; or a transcript is one text.
    """
    names = set(phones)
    unknown = sorted(phones_in(transcripts) - names)
    if unknown:
        raise ExamplesError(
            f"{len(unknown)} phones are not among the {len(names)} known: {', '.join(unknown)}"
        )


def phones_in(transcripts: Iterable[Sequence[str]]) -> set[str]:
    """All phones in the transcripts.

    Raises:
        ExamplesError: a transcript is one text, whose letters would pass for phones.
    """
    phones_seen = set[str]()
    for one in transcripts:
        if isinstance(one, str):
            raise ExamplesError(f"a transcript is a sequence of phones, not the text {one!r}")
        phones_seen.update(one)
    return phones_seen


def numbered(transcripts: Sequence[Sequence[str]], phones: Sequence[str]) -> list[Array]:
    """Each transcript as positions in the inventory, int64 `(phones spoken,)`.

    Raises:
        ExamplesError: an empty transcript, or unknown phones, all of them listed.
    """
    check_known(transcripts, phones)
    position = {phone: i for i, phone in enumerate(phones)}
    for number, transcript in enumerate(transcripts):
        if not len(transcript):
            raise ExamplesError(
                f"the transcript of utterance {number} of {len(transcripts)} is empty: leave out "
                "utterances in which nobody speaks, or give them the phone of silence"
            )
    return [np.array([position[p] for p in one], dtype=np.int64) for one in transcripts]


def check_inventory(phones: Sequence[str]) -> None:
    """Refuses an inventory without phones, or with a phone twice.

    Raises:
        InputError: it is one of these.
    """
    twice = sorted({phone for phone in phones if list(phones).count(phone) > 1})
    if twice or not len(phones):
        fault = f"{', '.join(twice)} twice" if twice else "none"
        raise InputError(f"an inventory holds each phone once, and at least one, but has {fault}")
