"""Where the phones of a spoken word are, by forced alignment with pocketsphinx."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.signal import resample_poly

from limbeck.errors import MissingError
from limbeck.examples import Array
from limbeck.runtime import needs
from limbeck.speech._utterance import Segment

RATE = 16_000  # of pocketsphinx's model, and of what comes out
TELEPHONE = 8_000  # samples a second of what goes in
SILENCE = "sil"
Align = Callable[[Array, str], tuple[Segment, ...]]

_FRAME = RATE // 100
# A frame is heard in a window of 410 samples: it speaks for the middle 160.
_DELAY = (410 - _FRAME) // 2
# The first that succeeds: seconds of nothing around the word, noise of 16-bit samples.
_TRIES = ((0.15, 30.0), (0.3, 100.0), (0.15, 8.0), (0.05, 30.0))
_PEAK = 16_000.0
_MIRRORED = 0.5
_SHORTEST = _FRAME // 2
_LOUD = 10 ** (-35 / 10)  # of the loudest frame's power


def aligner() -> tuple[Align, Callable[[str], tuple[str, ...]]]:
    """A function that finds the phones of a recorded word, and one that spells a word in phones.

    The first takes 8,000 samples a second and gives segments of 16,000, from the first sample to
    the last, or none where the word cannot be found.

    Raises:
        NeedsPackageError: pocketsphinx is not installed.
        MissingError: its dictionary has not a word that is to be spelt.
    """
    decoder = needs("pocketsphinx").Decoder(samprate=RATE, lm=None, loglevel="FATAL")
    return partial(_align, decoder), partial(_pronunciation, decoder)


def _pronunciation(decoder: Any, word: str) -> tuple[str, ...]:
    ways = [decoder.lookup_word(name) for name in (word, f"{word}(2)", f"{word}(3)")]
    if ways[0] is None:
        raise MissingError(f"pocketsphinx's dictionary has no {word!r}")
    return tuple(sorted({phone for way in ways if way for phone in way.lower().split()}))


def _align(decoder: Any, samples: Array, word: str) -> tuple[Segment, ...]:
    for seconds, noise in _TRIES:
        margin = int(seconds * TELEPHONE)
        audio = _as_broad(np.pad(samples / np.abs(samples).max() * _PEAK, margin), noise)
        spans = _frames(decoder, audio, word)
        parts = _within(spans, 2 * margin, resample_poly(samples.astype(float), 2, 1))
        if parts:
            return parts
    return ()


def _as_broad(samples: Array, noise: float) -> bytes:
    # The model knows speech up to 6,800 Hz, and takes a fricative that ends at 4,000 for silence:
    # the upper half is filled with the lower one's mirror image.
    noisy = samples + np.random.default_rng(0).normal(0, noise, len(samples))
    doubled = np.zeros(2 * len(noisy))
    doubled[::2] = 2 * noisy
    mixed = (1 - _MIRRORED) * resample_poly(noisy, 2, 1) + _MIRRORED * doubled
    return bytes(mixed.clip(-32768, 32767).astype(np.int16).tobytes())


def _frames(decoder: Any, content: bytes, word: str) -> list[tuple[int, str]]:
    """The first frame and name of each phone, silence where it is none; [] if not found."""
    try:
        decoder.set_align_text(word)
        _decode(decoder, content)
        if decoder.hyp() is None:
            return []
        decoder.set_alignment()
        _decode(decoder, content)
    except RuntimeError:  # no path through the word
        return []
    phones = [phone for part in decoder.get_alignment() for phone in part]
    return [(phone.start, phone.name.lower() if phone.name.isalpha() else "") for phone in phones]


def _decode(decoder: Any, content: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(content, full_utt=True)
    decoder.end_utt()


def _within(parts_heard: list[tuple[int, str]], margin: int, samples: Array) -> tuple[Segment, ...]:
    """The phones of a recording that lay after a margin of silence, in its own samples."""
    total = len(samples)
    names = ["" if name == SILENCE else name for _, name in parts_heard]
    spoken = [at for at, name in enumerate(names) if name]
    if not spoken or not all(names[spoken[0] : spoken[-1] + 1]):
        return ()
    starts = [frame * _FRAME + _DELAY - margin for frame, _ in parts_heard[: spoken[-1] + 2]]
    if len(starts) == spoken[-1] + 1:  # the word ends with what was heard
        starts.append(total)
    inner = np.clip(starts[spoken[0] :], 0, total).tolist()
    inner[0], inner[-1] = _stretched(inner[0], inner[-1], samples)
    parts = [(0, ""), *((a, names[at]) for a, at in zip(inner[:-1], spoken, strict=True))]
    edges = [first for first, _ in parts] + [inner[-1], total]
    named = [name or SILENCE for _, name in parts] + [SILENCE]
    whole = [Segment(a, b, name) for (a, b), name in zip(pairwise(edges), named, strict=True)]
    # A phone that would lie in what was put around the recording was not found.
    if any(one.phone != SILENCE and one.end - one.first < _SHORTEST for one in whole):
        return ()
    return tuple(one for one in whole if one.end > one.first)


def _stretched(first: int, end: int, samples: Array) -> tuple[int, int]:
    # Weak fricatives at the edges are still taken for silence; what is loud there is speech.
    count = len(samples) // _FRAME
    power = (samples[: count * _FRAME].reshape(count, _FRAME) ** 2).mean(1)
    loud = power > _LOUD * power.max()
    while first > 0 and loud[min((first - 1) // _FRAME, count - 1)]:
        first = (first - 1) // _FRAME * _FRAME
    while end < len(samples) and loud[min(end // _FRAME, count - 1)]:
        end = min((end // _FRAME + 1) * _FRAME, len(samples))
    return first, end
