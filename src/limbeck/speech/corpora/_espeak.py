"""Speech from text by espeak-ng, a synthesiser of formants, with the time of each phoneme."""

import contextlib
import ctypes
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from limbeck.errors import InputError
from limbeck.examples import Array
from limbeck.runtime import needs

# Of espeak-ng's speak_lib.h.
_SYNCHRONOUS, _PHONEME_EVENTS, _RETURN_ON_ERROR, _UTF8 = 2, 0x0001, 0x8000, 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_NO_MORE_EVENTS, _PHONEME_EVENT = 0, 7

_LOUDNESS = 60  # percent; at 100 some voices are clipped


class _Name(ctypes.Union):
    _fields_ = (
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    )


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Name),
    )


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True)
class Manner:
    """How a text is spoken.

    Attributes:
        voice: espeak-ng's name of an accent and a variant, as "gmw/en-US+f2".
        words_per_minute: from 80 to 450.
        pitch: from 0 to 99.
        pitch_range: from 0, a monotone, to 99.
    """

    voice: str
    words_per_minute: int = 175
    pitch: int = 50
    pitch_range: int = 50


@dataclass(frozen=True, eq=False)
class Sound:
    """What was spoken.

    Attributes:
        samples: `(samples,)` int16.
        rate: samples a second.
        phonemes: the sample with which each begins, and espeak-ng's mnemonic for it.
    """

    samples: Array
    rate: int
    phonemes: tuple[tuple[int, str], ...]


Say = Callable[[str, Manner], Sound]


def version() -> str:
    """The version of the espeak-ng that speaks.

    Raises:
        NeedsPackageError: it is not installed.
    """
    with _library() as (_, library):
        library.espeak_Info.restype = ctypes.c_char_p
        return bytes(library.espeak_Info(None)).decode()


@contextlib.contextmanager
def speaking(phonemes: str = "") -> Iterator[Say]:
    """A function that speaks a text in a manner; of the same calls it gives the same samples.

    Args:
        phonemes: the folder of espeak-ng's own files, where it is not the package's.

    Raises:
        NeedsPackageError: espeak-ng is not installed.
        InputError: it does not start. What it gives raises this for a voice that it has not.
    """
    with _library() as (own, library):
        place = phonemes or own
        options = _PHONEME_EVENTS | _RETURN_ON_ERROR
        rate = library.espeak_Initialize(_SYNCHRONOUS, 0, place.encode(), options)
        if rate <= 0:
            raise InputError(
                f"espeak-ng does not start with the data in {place}: it wants a folder with its "
                f"phontab, and a path below 160 characters (this one has {len(place)})"
            )
        library.espeak_SetParameter(_VOLUME, _LOUDNESS, 0)
        yield partial(_say, library, rate)
        library.espeak_Terminate()


@contextlib.contextmanager
def _library() -> Iterator[tuple[str, Any]]:
    # Its noise and flutter go on from call to call, and starting it anew does not set them back.
    # A copy is loaded as a library of its own, so what was spoken before leaves no trace.
    loader = needs("espeakng_loader")
    original = Path(loader.get_library_path())
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        copy = shutil.copy(original, folder)
        yield str(loader.get_data_path()), ctypes.CDLL(str(copy))


def _sow(library: Any) -> None:
    library.espeak_ng_SetRandSeed(ctypes.c_long(0))  # else it is the time of day
    if hasattr(library, "srand"):
        library.srand(0)  # Klatt's voices hiss by the C library's rand, which all copies share


def _say(library: Any, rate: int, text: str, manner: Manner) -> Sound:
    if library.espeak_SetVoiceByName(manner.voice.encode()):
        raise InputError(f"espeak-ng has no voice {manner.voice!r}")
    library.espeak_SetParameter(_RATE, manner.words_per_minute, 0)
    library.espeak_SetParameter(_PITCH, manner.pitch, 0)
    library.espeak_SetParameter(_RANGE, manner.pitch_range, 0)
    _sow(library)  # before each text: others in this process draw from the C library's rand too
    parts: list[Array] = []
    phonemes: list[tuple[int, str]] = []
    callback = _CALLBACK(partial(_hear, parts, phonemes))
    library.espeak_SetSynthCallback(callback)
    content = text.encode()
    library.espeak_Synth(content, len(content) + 1, 0, 1, 0, _UTF8, None, None)
    if not parts:
        raise InputError(f"espeak-ng said nothing to {text!r}")
    return Sound(np.concatenate(parts), rate, tuple(phonemes))


def _hear(
    parts: list[Array], phonemes: list[tuple[int, str]], wave: Any, count: int, events: Any
) -> int:
    if wave and count:
        parts.append(np.ctypeslib.as_array(wave, (count,)).copy())
    at = 0
    while events[at].type != _NO_MORE_EVENTS:
        event = events[at]
        if event.type == _PHONEME_EVENT:
            phonemes.append((event.sample, bytes(event.id.string).decode(errors="replace")))
        at += 1
    return 0  # go on
