"""Encoded pictures as one array: decoded, upright, of one size and with the same channels."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.datasets._decoded import decoded
from limbeck.errors import CorruptError, ExamplesError, LimbeckError
from limbeck.examples import Array, Inputs
from limbeck.runtime import Bar, needs

Encoded = Path | bytes  # a file that holds an encoded image, or what such a file holds

# Pillow's modes of 8 bits a channel, and what two poorer ones become.
_MODES = {"L": "L", "LA": "LA", "RGB": "RGB", "RGBA": "RGBA", "1": "L", "P": "RGB"}
_REASONS = {
    "CMYK": "inks and not light, whose colours depend on a profile",
    "YCbCr": "brightness and two differences of colour",
    "LAB": "lightness and two differences of colour",
    "HSV": "hue, saturation and value",
}
ALIKE = "channels of the richest"  # a part of what names decoded images: how they are made alike


class _OtherModeError(Exception):
    """A picture has other channels than those before it."""


def pictures(
    what: list[object],
    where: Sequence[str],
    encoded: Callable[[], Iterator[Encoded]],
    size: Sequence[int],
) -> Inputs:
    """The decoded pictures, kept in the cache under what names them if they are many.

    Most sets are of one mode, which the first picture shows. Only where another one comes are all
    looked at first, for the mode that holds the channels of all.

    Raises:
        ExamplesError: pictures of different sizes, or of more than 8 bits a channel.
        CorruptError: one cannot be read.
    """
    named = [*what, list(size), needs("PIL").__version__, ALIKE]
    try:
        return decoded(named, lambda: len(where), _decode_all(where, encoded(), size, ""))
    except _OtherModeError:
        mode = _common_mode(where, encoded())
        return decoded(named, lambda: len(where), _decode_all(where, encoded(), size, mode))


def _decode_all(
    where: Sequence[str], encoded: Iterator[Encoded], size: Sequence[int], mode: str
) -> Iterator[Array]:
    shape: tuple[int, ...] = ()
    own = mode
    with Bar("reading images", len(where)) as bar:
        for place, one in zip(where, encoded, strict=True):
            image, of_file = _decode(one, place, size, mode)
            own = own or of_file
            if not mode and of_file != own:
                raise _OtherModeError
            shape = shape or image.shape
            if image.shape != shape:
                raise ExamplesError(
                    f"{place} is {_size_of(image.shape)}, {where[0]} is {_size_of(shape)}: "
                    "images of one set are alike; size=(height, width) resizes them, as a text "
                    "read('FOLDER', size=(height, width))"
                )
            yield image[None]
            bar.advance()


def _common_mode(where: Sequence[str], encoded: Iterator[Encoded]) -> str:
    """The mode that holds the channels of all images, from their first bytes alone."""
    modes = set()
    for place, one in zip(where, encoded, strict=True):
        with _opened(one, place) as file:
            modes.add(_mode_of(file, place))
    if len(modes) == 1:
        return next(iter(modes))
    return "RGB" if modes == {"L", "RGB"} else "LA" if modes == {"L", "LA"} else "RGBA"


def _mode_of(picture: Any, place: str) -> str:
    mode = _MODES.get(picture.mode)
    if mode is None:
        reason = _REASONS.get(picture.mode, "images have 8 bits a channel")
        raise ExamplesError(f"{place} has mode {picture.mode}: {reason}; convert it to RGB or grey")
    return mode


@contextmanager
def _opened(encoded: Encoded, where: str) -> Iterator[Any]:
    pillow = needs("PIL.Image")
    try:
        with pillow.open(io.BytesIO(encoded) if isinstance(encoded, bytes) else encoded) as file:
            yield file
    except LimbeckError:  # of the block, and some of ours are ValueErrors too
        raise
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError) as error:
        raise CorruptError(f"{where} is not a readable image: {error}") from error


def _decode(encoded: Encoded, where: str, size: Sequence[int], mode: str) -> tuple[Array, str]:
    """The pixels in that mode, or in the picture's own if none is named; and which that is."""
    with _opened(encoded, where) as file:
        # Cameras store sideways pictures and a note on how to hold them.
        picture = needs("PIL.ImageOps").exif_transpose(file)
        own = _mode_of(picture, where)
        picture = picture.convert(own)
        picture = picture.convert(mode) if mode else picture
        picture = picture.resize((size[1], size[0])) if size else picture
    pixels = np.asarray(picture)
    return (pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)), own


def _size_of(shape: tuple[int, ...]) -> str:
    channels, height, width = shape
    return f"{height} x {width} with {channels} channel{'s' if channels > 1 else ''}"
