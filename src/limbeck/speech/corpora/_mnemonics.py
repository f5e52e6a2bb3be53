"""The phones of English in espeak-ng's names: 46 and silence, and where each begins and ends."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from limbeck.errors import ExamplesError
from limbeck.examples import Array
from limbeck.speech._utterance import Segment

SILENCE = "sil"

# The phone, then the mnemonics that are counted as it. Where TIMIT has the phone it has TIMIT's
# name. Length, stress and allophones are folded; so is the r that colours a vowel, but where it
# makes a diphthong of its own (ehr, ihr, uhr).
_INVENTORY = """
aa A: A@
ae a aa
ah V
ao O: O@ o@
aw aU
ax @ @2 a# 3
ay aI aI2 aI3 aI@
eh E
ehr e@
el @L
er 3: IR VR
ey eI
ih I I2 I#
ihr i@ i@3
iy i: i
oh 0 O2
ow oU
oy OI
uh U
uhr U@
uw u:
b b
ch tS
d d
dh D
dx t#
f f
g g
hh h
jh dZ
k k
l l
m m
n n n-
ng N
p p
r r r-
s s
sh S
t t t2 t[ ?
th T
v v
w w w#
y j ;
z z
zh Z
"""

# Where an accent says something else by the same name, as espeak-ng's own IPA for it shows.
_EXCEPTIONS = {
    "en-029": {"a#": "ae"},
    "en-GB-x-gbclan": {"V": "uh"},
    "en-GB-x-gbcwmd": {"V": "uh", "e@": "er"},
    "en-GB-x-rp": {"aa": "aa", "U@": "ao", "i": "ih"},
    "en-US": {"3": "er"},
}

_ROWS = [line.split() for line in _INVENTORY.strip().splitlines()]
_PHONE_OF = {mnemonic: row[0] for row in _ROWS for mnemonic in row[1:]}
PHONES = (SILENCE, *(row[0] for row in _ROWS))

_STRESS = "',%=\""
_STOPS = frozenset(("b", "ch", "d", "g", "jh", "k", "p", "t"))
_QUIET = 0.01  # of the peak; what lies below is a closure
_MOVED_SECONDS = 0.08  # at most, and
_KEPT = 1 / 3  # of the phone before stays its own
_LIQUIDS = frozenset(("l", "r"))
_LATE_SECONDS = 0.02


def phone(mnemonic: str, accent: str) -> str:
    """The phone that a mnemonic stands for in an accent.

    Raises:
        ExamplesError: none does.
    """
    bare = mnemonic.lstrip(_STRESS)
    if bare.startswith("_"):
        return SILENCE
    name = _EXCEPTIONS.get(accent, {}).get(bare) or _PHONE_OF.get(bare)
    if name is None:
        raise ExamplesError(
            f"espeak-ng's phoneme {mnemonic!r}, spoken in the accent {accent}, is none of the "
            f"{len(PHONES)} phones"
        )
    return name


def segments(
    phonemes: Sequence[tuple[int, str]], samples: Array, rate: int, accent: str
) -> tuple[Segment, ...]:
    """The phones of a synthesised sentence, with no gap from its first sample to its last.

    espeak-ng marks the burst of a stop; the closure before it, which would be part of the phone
    before, is given to the stop. An l or r that ends a vowel is marked when it is over; it gets
    the vowel's last third.
    """
    spoken = [(first, phone(mnemonic, accent)) for first, mnemonic in phonemes]
    # Before the first phoneme nothing is said.
    whole = _without_empty_silences([(0, SILENCE), *spoken], len(samples))
    moved = _with_closures(_with_liquids(whole, rate), samples, rate)
    ends = [first for first, _ in moved[1:]] + [len(samples)]
    return tuple(Segment(first, end, name) for (first, name), end in zip(moved, ends, strict=True))


def _without_empty_silences(spoken: list[tuple[int, str]], total: int) -> list[tuple[int, str]]:
    result: list[tuple[int, str]] = []
    ends = [first for first, _ in spoken[1:]] + [total]
    for (first, name), end in zip(spoken, ends, strict=True):
        if name != SILENCE or (end > first and not (result and result[-1][1] == SILENCE)):
            result.append((first, name))
    return result


def _with_liquids(spoken: list[tuple[int, str]], rate: int) -> list[tuple[int, str]]:
    # A liquid after a vowel sounds as the vowel's end: its own event comes when it is over.
    moved = spoken[:1]
    ends = [first for first, _ in spoken[2:]] + [spoken[-1][0]]
    for (before, _), (first, name), end in zip(spoken, spoken[1:], ends, strict=False):
        is_late = name in _LIQUIDS and end - first < _LATE_SECONDS * rate
        back = min(int((1 - _KEPT) / 2 * (first - before)), int(_MOVED_SECONDS * rate))
        moved.append((first - back * is_late, name))
    return moved


def _with_closures(
    spoken: list[tuple[int, str]], samples: Array, rate: int
) -> list[tuple[int, str]]:
    level = np.abs(samples.astype(np.int32))
    loud = level > _QUIET * level.max()
    moved = spoken[:1]
    for (before, previous), (first, name) in pairwise(spoken):
        begin = first
        if name in _STOPS and previous != SILENCE:
            kept = before + int(_KEPT * (first - before))
            earliest = max(kept, first - int(_MOVED_SECONDS * rate))
            audible = np.flatnonzero(loud[earliest:first])
            begin = earliest + (int(audible[-1]) + 1 if len(audible) else 0)
        moved.append((begin, name))
    return moved
