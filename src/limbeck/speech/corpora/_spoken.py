"""Synthetic speech with its phones: a corpus that anyone can make, of voices of espeak-ng."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from math import gcd
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from limbeck.artifacts import cache_of, fingerprint, writing
from limbeck.errors import InputError
from limbeck.examples import Array
from limbeck.runtime import Bar
from limbeck.speech._utterance import SETS, Corpus, Segment
from limbeck.speech.corpora._espeak import Manner, Say, Sound, speaking, version
from limbeck.speech.corpora._mnemonics import PHONES, SILENCE, segments
from limbeck.speech.corpora._sentences import sentences
from limbeck.speech.corpora._stored import ARTIFACT, FULL_SCALE, Made, load, store

RATE = 16_000
VOICES = 64
RECIPE = 2  # raised when the same seed would give another corpus

# An accent is one of espeak-ng's kinds of English, by its file.
ACCENTS = {
    "british": "en",
    "american": "en-US",
    "scottish": "en-GB-scotland",
    "caribbean": "en-029",
    "lancaster": "en-GB-x-gbclan",
    "newyork": "en-US-nyc",
    "midlands": "en-GB-x-gbcwmd",
    "received": "en-GB-x-rp",
}

# espeak-ng's voices, as it names them, without robots, whispers, jests and twins of others.
_NAMES = """
Alex Alicia Andrea Andy Annie Denis Diogo Gene Hugo Jacky Lee Marco Mario Michael Mike Nguyen
Reed RicishayMax RicishayMax2 adam anika announcer antonio aunty belinda benjamin boris caleb
david ed edward f1 f2 f3 f4 f5 grandma grandpa gustave ian iven iven2 iven4 john klatt klatt2
klatt3 klatt5 linda m1 m2 m3 m4 m5 m6 m7 m8 marcelo max michel mike2 norbert pablo paul pedro
quincy robert sandro shelby steph travis victor zac
"""
VARIANTS = tuple(_NAMES.split())
HELD_OUT = 8  # one voice of so many is for development, one for the test

_SNR_DECIBELS = (15.0, 40.0)
_COLOURS = (0.0, 1.0)  # of noise whose power falls with frequency to this power: white to pink
_PEAKS = (0.1, 0.9)
_MARGIN_SECONDS = (0.1, 0.25)  # of nothing but noise, before and after
_MANNERS = {"words_per_minute": (130, 210), "pitch": (25, 75), "pitch_range": (30, 70)}
_HURRY = 0.1  # one sentence is spoken up to so much faster or slower than the next


@dataclass(frozen=True)
class _Speaker:
    name: str
    accent: str
    manner: Manner
    part: str


def spoken(
    hours: float = 1.0, *, seed: int = 0, voices: int = VOICES, folder: str | Path = ""
) -> Corpus:
    """A corpus of synthetic speech: what it says was spoken was, but by no human being.

    espeak-ng reads sentences of a small grammar, no sentence twice. A speaker is one of its
    voices, in one of eight accents, with a pitch, a range and a speed of his own; every sentence
    has its own speed, level and noise. Six voices of eight are for training, one for development,
    one for the test; each speaks for the same time. 16,000 samples a second, 46 phones and
    silence.

    The same arguments give the same bytes. The corpus is kept and found again, every file
    verified: in the folder, else in `$LIMBECK_CACHE/spoken/...` or `~/.cache/limbeck/spoken/...`.

    Args:
        hours: of all the speech together; a little more is made.
        seed: of everything that is drawn.
        voices: from 3 to 73.
        folder: where it is kept.

    Raises:
        InputError: hours that are not positive, or fewer or more voices than there can be.
        NeedsPackageError: espeak-ng is not installed; a corpus that is whole is read without.
        OccupiedError: the folder holds something else.
        CorruptError: a file of the corpus was altered.
    """
    _check(hours, voices)
    request = {"recipe": RECIPE, "hours": float(hours), "seed": seed, "voices": voices}
    place = Path(folder) if folder else cache_of("spoken") / fingerprint(request)
    with writing(place, ARTIFACT, request) as artifact:
        if not artifact.is_whole:
            recordings = tuple(_recordings(hours * 3600 / voices, _speakers(voices, seed), seed))
            body = {
                "name": f"synthetic speech of espeak-ng {version()} ({hours:g} h, seed {seed})",
                "rate": RATE,
                "phones": PHONES,
                "silence": SILENCE,
                "speakers": [asdict(speaker) for speaker in _speakers(voices, seed)],
            }
            store(artifact, recordings, body)
    return load(place)


def _check(hours: float, voices: int) -> None:
    if not 0 < hours < float("inf"):
        raise InputError(f"hours must be positive, not {hours}")
    if not len(SETS) <= voices <= len(VARIANTS):
        raise InputError(
            f"voices must be from {len(SETS)}, one for each set, to {len(VARIANTS)}, "
            f"the voices there are, not {voices}"
        )


def _speakers(voices: int, seed: int) -> list[_Speaker]:
    generator = np.random.default_rng([seed, 0])
    variants = generator.permutation(VARIANTS)[:voices]
    held_out = max(1, voices // HELD_OUT)
    parts = {"test": held_out, "development": held_out, "train": voices - 2 * held_out}
    names = [(part, number) for part in SETS for number in range(parts[part])]
    voices_drawn = zip(variants.tolist(), names, strict=True)
    return [_speaker(variant, part, number, generator) for variant, (part, number) in voices_drawn]


def _speaker(variant: str, part: str, number: int, generator: np.random.Generator) -> _Speaker:
    # By turns, so that every set hears every accent it has voices for.
    accent, file = list(ACCENTS.items())[number % len(ACCENTS)]
    manners = {
        name: int(generator.integers(low, high + 1)) for name, (low, high) in _MANNERS.items()
    }
    return _Speaker(f"{accent}-{variant}", file, Manner(f"gmw/{file}+{variant}", **manners), part)


def _recordings(seconds: float, speakers: list[_Speaker], seed: int) -> Iterator[Made]:
    texts = sentences(np.random.default_rng([seed, 1]))
    with speaking() as say, Bar("voices", len(speakers)) as bar:
        for number, speaker in enumerate(speakers):
            generator = np.random.default_rng([seed, 2, number])
            yield from _by_one(speaker, seconds, texts, say, generator)
            bar.advance()


def _by_one(
    speaker: _Speaker,
    seconds: float,
    texts: Iterator[str],
    say: Say,
    generator: np.random.Generator,
) -> Iterator[Made]:
    done = 0.0
    for number, text in enumerate(texts):
        hurry = 1 + generator.uniform(-_HURRY, _HURRY)
        words = round(speaker.manner.words_per_minute * hurry)
        manner = Manner(**{**asdict(speaker.manner), "words_per_minute": words})
        samples, parts = _at_our_rate(say(text, manner), speaker.accent)
        noisy, shift, notes = _noisy(samples, generator)
        key = f"{speaker.name}/{number:03}"
        around = _shifted(parts, shift, len(noisy))
        yield Made(speaker.part, key, speaker.name, noisy, around, text, notes)
        done += len(noisy) / RATE
        if done >= seconds:
            return


def _at_our_rate(sound: Sound, accent: str) -> tuple[Array, tuple[Segment, ...]]:
    phones = segments(sound.phonemes, sound.samples, sound.rate, accent)
    common = gcd(RATE, sound.rate)
    up, down = RATE // common, sound.rate // common
    # Of what follows the last phone nothing is kept: noise alone comes after it.
    last = phones[-1].first if phones[-1].phone == SILENCE else phones[-1].end
    samples = resample_poly(sound.samples[:last].astype(float), up, down)
    ours = [(round(one.first * up / down), one.phone) for one in phones if one.first < last]
    ends = [first for first, _ in ours[1:]] + [len(samples)]
    parts = [Segment(first, end, name) for (first, name), end in zip(ours, ends, strict=True)]
    return samples, tuple(parts)


def _noisy(
    samples: Array, generator: np.random.Generator
) -> tuple[Array, int, Mapping[str, object]]:
    before, after = (int(generator.uniform(*_MARGIN_SECONDS) * RATE) for _ in range(2))
    decibels, colour = generator.uniform(*_SNR_DECIBELS), generator.uniform(*_COLOURS)
    noise = _noise(before + len(samples) + after, colour, generator)
    noise *= np.sqrt(np.mean(samples**2) / 10 ** (decibels / 10))
    noise[before : before + len(samples)] += samples
    peak = np.exp(generator.uniform(*np.log(_PEAKS)))
    scaled = np.round(noise * (peak * FULL_SCALE / np.abs(noise).max())).astype(np.int16)
    notes = {"snr_decibels": round(decibels, 3), "noise_colour": round(colour, 3)}
    return scaled, before, notes


def _noise(count: int, colour: float, generator: np.random.Generator) -> Array:
    """Gaussian noise of mean power 1."""
    spectrum = np.fft.rfft(generator.standard_normal(count))
    spectrum *= np.maximum(np.arange(len(spectrum)), 1) ** (-colour / 2)
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)))


def _shifted(parts: tuple[Segment, ...], shift: int, total: int) -> tuple[Segment, ...]:
    moved = [Segment(one.first + shift, one.end + shift, one.phone) for one in parts]
    inner = moved[1:] if moved[0].phone == SILENCE else moved
    head = Segment(0, inner[0].first, SILENCE)
    tail = Segment(inner[-1].end, total, SILENCE)
    return (head, *inner, tail)
