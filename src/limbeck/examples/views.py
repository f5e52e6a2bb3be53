"""The same example seen another way.

A view is a pure function from (examples, keys, view number, seed) to a batch. Its random numbers
are hashes of the example's key, the view number and the seed, so that neither the order of the
examples nor the make-up of a batch changes what an example looks like, and a stored score can be
replayed with exactly the input that earned it.
"""

import math
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
from scipy import stats

from limbeck.errors import InputError
from limbeck.examples._batch import Batch
from limbeck.examples._examples import Examples
from limbeck.examples._labels import mixed
from limbeck.examples._lazy import Array
from limbeck.examples._pixels import Fill, bumps, check_images, from_center, moved, sampled
from limbeck.examples._view import OwnView, View, shows
from limbeck.runtime import Makers, Named, make, text_of

STEP = np.uint64(0x9E3779B97F4A7C15)  # SplitMix64's: 2^64 over the golden ratio


@dataclass(frozen=True)
class Plain(View):
    """The example as it is, whatever the view number."""

    text = "plain()"

    def show(self, examples: Examples, rows: Array, numbers: Array, seed: int) -> Batch:
        """The raw inputs."""
        return Batch(examples.keys[rows], examples.inputs[rows], examples.labels[rows])


@dataclass(frozen=True)
class Jitter(View):
    """The image moved by up to so many pixels in any direction; what comes in from outside is 0."""

    pixels: int = 2
    of: View = Plain()

    def __post_init__(self) -> None:
        if self.pixels < 0:
            raise InputError(f"jitter moves by 0 pixels or more, not {self.pixels}")

    def show(self, examples: Examples, rows: Array, numbers: Array, seed: int) -> Batch:
        """The moved images."""
        shown = self.of.show(examples, rows, numbers, seed)
        moves = _moves(self.pixels, "jitter", examples, rows, numbers, seed)
        return replace(shown, inputs=moved(shown.inputs, self.pixels, moves, "zero"))

    @property
    def text(self) -> str:
        """The call that makes this view again."""
        return text_of("jitter", self)


@dataclass(frozen=True)
class Crop(View):
    """A random window of the image's own size, after widening it on all sides."""

    padding: int = 4
    fill: Fill = "reflect"
    of: View = Plain()

    def __post_init__(self) -> None:
        if self.padding < 0 or self.fill not in get_args(Fill):
            raise InputError(
                "crop widens by 0 pixels or more and fills with 'zero' or 'reflect'; "
                f"got {self.padding} and {self.fill!r}"
            )

    def show(self, examples: Examples, rows: Array, numbers: Array, seed: int) -> Batch:
        """The windows."""
        shown = self.of.show(examples, rows, numbers, seed)
        moves = _moves(self.padding, "crop", examples, rows, numbers, seed)
        return replace(shown, inputs=moved(shown.inputs, self.padding, moves, self.fill))

    @property
    def text(self) -> str:
        """The call that makes this view again."""
        return text_of("crop", self)


@dataclass(frozen=True)
class Flip(View):
    """The image mirrored left to right, with that chance."""

    chance: float = 0.5
    of: View = Plain()

    def __post_init__(self) -> None:
        if not 0 <= self.chance <= 1:
            raise InputError(f"the chance of a flip lies between 0 and 1, not {self.chance}")

    def show(self, examples: Examples, rows: Array, numbers: Array, seed: int) -> Batch:
        """The images, some of them mirrored."""
        shown = self.of.show(examples, rows, numbers, seed)
        check_images(shown.inputs)
        is_flipped = _uniform("flip", examples, rows, numbers, seed) < self.chance
        # Only those are read backwards: that is slow, and a choice between two reads all of them.
        flipped = shown.inputs.copy()
        flipped[is_flipped] = shown.inputs[is_flipped, :, :, ::-1]
        return replace(shown, inputs=flipped)

    @property
    def text(self) -> str:
        """The call that makes this view again."""
        return text_of("flip", self)


@dataclass(frozen=True)
class Affine(View):
    """The image turned, enlarged or shrunk, and slanted about its centre, each at random.

    It is turned by up to so many degrees to either side, enlarged or shrunk by a factor of up to
    1 + zoom, and slanted by up to `shear` pixels across for each pixel down. Pixels are bilinear;
    what comes in from outside is 0; images of whole numbers are rounded to them.
    """

    degrees: float = 10.0
    zoom: float = 0.0
    shear: float = 0.0
    of: View = Plain()

    def __post_init__(self) -> None:
        if not (0 <= self.degrees <= 180 and self.zoom >= 0 and self.shear >= 0):
            raise InputError(
                "affine turns by 0 to 180 degrees, with zoom and shear of 0 or more; "
                f"got {self.degrees}, {self.zoom} and {self.shear}"
            )

    def show(self, examples: Examples, rows: Array, numbers: Array, seed: int) -> Batch:
        """The turned images."""
        shown = self.of.show(examples, rows, numbers, seed)
        check_images(shown.inputs)
        turn, size, slant = (
            2 * _uniform(f"affine {what}", examples, rows, numbers, seed)[:, None, None] - 1
            for what in ("turn", "size", "slant")
        )
        angle, factor = np.deg2rad(self.degrees) * turn, (1 + self.zoom) ** -size
        down, across = from_center(shown.inputs.shape)
        across = across + self.shear * slant * down
        cosine, sine = factor * np.cos(angle), factor * np.sin(angle)
        places = cosine * down - sine * across, sine * down + cosine * across
        return replace(shown, inputs=sampled(shown.inputs, *places))

    @property
    def text(self) -> str:
        """The call that makes this view again."""
        return text_of("affine", self)


@dataclass(frozen=True)
class Elastic(View):
    """The image as if printed on rubber: each pixel comes from a place near its own.

    How far, down and across, is random with a standard deviation of `strength` pixels; pixels
    less than `smoothness` apart move almost alike. It is white noise on a lattice, smoothed by a
    Gaussian of that width, as in Simard, Steinkraus & Platt 2003 (ICDAR, section 2), who used
    8 and 4 pixels or so. Pixels are bilinear, outside is 0, whole numbers are rounded to.
    """

    strength: float = 1.0
    smoothness: float = 4.0
    of: View = Plain()

    def __post_init__(self) -> None:
        if not (self.strength >= 0 and self.smoothness >= 1):
            raise InputError(
                "elastic moves by 0 pixels or more, smoothly over 1 pixel or more; "
                f"got {self.strength} and {self.smoothness}"
            )

    def show(self, examples: Examples, rows: Array, numbers: Array, seed: int) -> Batch:
        """The deformed images."""
        shown = self.of.show(examples, rows, numbers, seed)
        check_images(shown.inputs)
        # Rows of unit length, so that the smoothed noise has variance 1 at every pixel.
        upright, flat = (bumps(side, self.smoothness) for side in shown.inputs.shape[2:])
        lattice = (2, upright.shape[1], flat.shape[1])
        noise = _uniforms("elastic", lattice, examples, rows, numbers, seed)
        # Stacked products, one an example: its bits do not depend on its company.
        field = self.strength * (upright @ (np.sqrt(12) * (noise - 0.5)) @ flat.T)
        down, across = from_center(shown.inputs.shape)
        moved = sampled(shown.inputs, down + field[:, 0], across + field[:, 1])
        return replace(shown, inputs=moved)

    @property
    def text(self) -> str:
        """The call that makes this view again."""
        return text_of("elastic", self)


@dataclass(frozen=True)
class Mixup(View):
    """A weighted mean of two examples, the share drawn from Beta(alpha, alpha): 1 is uniform.

    Zhang et al. 2018, arXiv:1710.09412; as a transfer set, Beyer et al. 2022, arXiv:2106.05237.
    The partner is chosen by key and seed among all the examples, so scores of this view belong to
    the whole set. Inputs become float32 and labels shares of classes, or weighted means where
    each column has its own; scores are never mixed: the teacher scores the mixed input. A pair of
    which one has no label has none.
    """

    alpha: float = 1.0
    of: View = Plain()
    needs_all_examples = True

    def __post_init__(self) -> None:
        if not self.alpha > 0:
            raise InputError(f"mixup's alpha is above 0, not {self.alpha}")

    def show(self, examples: Examples, rows: Array, numbers: Array, seed: int) -> Batch:
        """The mixed examples, under the first one's key."""
        by_key = examples.rows_by_key
        draw = _uniform("mixup partner", examples, rows, numbers, seed) * len(by_key)
        partners = by_key[draw.astype(np.int64)]
        uniform = _uniform("mixup share", examples, rows, numbers, seed)
        share = stats.beta.ppf(uniform, self.alpha, self.alpha).astype(np.float32)
        first = self.of.show(examples, rows, numbers, seed)
        second = self.of.show(examples, partners, numbers, seed)
        wide = share.reshape(-1, *[1] * len(examples.shape))
        inputs = wide * first.inputs + (1 - wide) * second.inputs
        labels = mixed(first.labels, second.labels, share, len(examples.classes))
        return Batch(first.keys, inputs.astype(np.float32), labels)

    @property
    def text(self) -> str:
        """The call that makes this view again."""
        return text_of("mixup", self)


def plain() -> View:
    """The example as it is."""
    return Plain()


def jitter(pixels: int = 2, *, of: View = Plain()) -> View:
    """The image moved by up to so many pixels: how Hinton et al. 2015 trained their teacher."""
    return Jitter(pixels, of)


def crop(padding: int = 4, *, fill: Fill = "reflect", of: View = Plain()) -> View:
    """A random window of the widened image."""
    return Crop(padding, fill, of)


def flip(chance: float = 0.5, *, of: View = Plain()) -> View:
    """The image mirrored left to right, with that chance."""
    return Flip(chance, of)


def affine(
    degrees: float = 10.0, *, zoom: float = 0.0, shear: float = 0.0, of: View = Plain()
) -> View:
    """The image turned, enlarged or shrunk, and slanted, each by a random amount."""
    return Affine(degrees, zoom, shear, of)


def elastic(strength: float = 1.0, *, smoothness: float = 4.0, of: View = Plain()) -> View:
    """The image as if printed on rubber, each pixel moved by about so many pixels."""
    return Elastic(strength, smoothness, of)


def mixup(alpha: float = 1.0, *, of: View = Plain()) -> View:
    """A weighted mean of two examples."""
    return Mixup(alpha, of)


MAKERS: Makers = {
    "plain": plain,
    "jitter": jitter,
    "crop": crop,
    "flip": flip,
    "affine": affine,
    "elastic": elastic,
    "mixup": mixup,
}


def from_text(text: str, *, trust: bool = False) -> View:
    """The view that a call written as text makes, such as `flip(of=crop(4))`.

    `mine.py:Blur(2)` or `module:Blur(2)` calls a class or function of yours, which runs its code;
    its arguments are literals or views. The text then carries the file's fingerprint.

    Raises:
        RecipeError: there is none of that name, or its arguments are refused.
        TrustError: it names code, and `trust` is not given.
        MissingError, MismatchError: there is no such file, or it is not the one that is meant.
        InputError: the code cannot be run, has no such name, or makes no view.
    """
    named = Named.parse(text)
    if named is None:
        view: View = make(text, MAKERS, "view")
        return view
    own = named.make("view", trust=trust, makers=MAKERS)
    if not shows(own):
        raise InputError(
            f"{named.place}:{named.name} makes no view: a {type(own).__name__} shows nothing"
        )
    return OwnView.of(own, named.text)


def check_text(text: str) -> None:
    """Refuses a text that `from_text` could not read, as far as that shows without running code.

    Raises:
        RecipeError, MissingError, MismatchError: as in `from_text`.
    """
    named = Named.parse(text)
    if named is None:
        from_text(text)
    else:
        named.check()


def _uniform(what: str, examples: Examples, rows: Array, numbers: Array, seed: int) -> Array:
    """Numbers in [0, 1) that follow from key, view number, seed and purpose, `(batch,)` float64."""
    return _as_uniform(_bits(what, examples, rows, numbers, seed))


def _uniforms(
    what: str, shape: tuple[int, ...], examples: Examples, rows: Array, numbers: Array, seed: int
) -> Array:
    """The same, so many of them for each example: `(batch, *shape)`."""
    counter = np.arange(1, math.prod(shape) + 1, dtype=np.uint64) * STEP
    first = _bits(what, examples, rows, numbers, seed)
    return _as_uniform(_scrambled(first[:, None] + counter)).reshape(-1, *shape)


def _bits(what: str, examples: Examples, rows: Array, numbers: Array, seed: int) -> Array:
    purpose = np.uint64(int.from_bytes(what.encode().ljust(8, b"\0")[-8:], "little"))
    mixed = examples.key_hashes[rows] ^ purpose
    # Arrays, because overflow wraps silently in them, as it is meant to here.
    for part in (np.asarray(numbers, dtype=np.uint64), np.array([seed], dtype=np.uint64)):
        mixed = _scrambled(mixed + part * STEP)
    return mixed


def _as_uniform(bits: Array) -> Array:
    return np.asarray((bits >> np.uint64(11)) * 2.0**-53)


def _scrambled(bits: Array) -> Array:
    # The finaliser of SplitMix64 (Steele, Lea & Flood 2014): an input bit moves all output bits.
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))


def _moves(
    pixels: int, what: str, examples: Examples, rows: Array, numbers: Array, seed: int
) -> tuple[Array, Array]:
    """Where the window begins in the widened image, down and across, each `(batch,)`."""
    places = 2 * pixels + 1
    down = _uniform(f"{what} down", examples, rows, numbers, seed) * places
    across = _uniform(f"{what} across", examples, rows, numbers, seed) * places
    return down.astype(np.int64), across.astype(np.int64)
