"""Teachers that want images otherwise than stored: scaled, standardized, laid out, resized."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any, Literal, get_args

import numpy as np

from limbeck.artifacts import fingerprint as name_by_content
from limbeck.errors import InputError, TeacherError
from limbeck.examples import Array, check_size
from limbeck.runtime import needs
from limbeck.teachers._teacher import Teacher
from limbeck.teachers.wrapped._ordered import Wrapped

Layout = Literal["NCHW", "NHWC"]


@dataclass(frozen=True)
class Pixels:
    """What an image goes through before a teacher sees it: (resized pixels x scale - mean) / std.

    As torchvision's `ToTensor` (scale = 1/255) and `Normalize`, and the `rescale_factor`,
    `image_mean`, `image_std` and `size` of a transformers image processor, have it.

    Attributes:
        scale: what a stored pixel is multiplied by; 1/255 takes bytes to [0, 1].
        mean: what is then subtracted, one number, or one for each channel; none is 0.
        deviation: what is then divided by, likewise; none is 1.
        layout: "NCHW", channels first as images are stored here, or "NHWC", channels last.
        size: `(height, width)` to which images are resized first, bilinearly; empty for as stored.
    """

    scale: float = 1.0
    mean: Sequence[float] = ()
    deviation: Sequence[float] = ()
    layout: Layout | str = "NCHW"
    size: Sequence[int] = ()

    def __post_init__(self) -> None:
        """Looks at the numbers.

        Raises:
            InputError: one is not finite, a deviation or the scale is 0, or there is no such
                layout or size.
        """
        if self.layout not in get_args(Layout):
            raise InputError(f"layout is {' or '.join(get_args(Layout))}, not {self.layout!r}")
        numbers = (self.scale, *self.mean, *self.deviation)
        if not all(map(isfinite, numbers)):
            raise InputError(f"scale, mean and deviation are finite numbers, not {numbers}")
        if 0 in (self.scale, *self.deviation):
            raise InputError("scale and deviation are not 0: what was divided by 0 is no pixel")
        check_size(self.size)

    @property
    def is_raw(self) -> bool:
        """Whether images stay as they are."""
        return self.options == {}

    @property
    def options(self) -> dict[str, Any]:
        """The keywords that make it, without those at their defaults."""
        own = {one.name: (one.default, getattr(self, one.name)) for one in fields(self)}
        return {name: _plain(now) for name, (usual, now) in own.items() if now != usual}

    def applied(self, images: Array, whose: str) -> Array:
        """Images `(batch, channels, height, width)` as the teacher wants them, float32.

        Raises:
            TeacherError: these are no images, or have another number of channels.
        """
        if images.ndim != 4:
            raise TeacherError(
                f"{whose} is asked with {', '.join(self.options)}, which are of images (channels, "
                f"height, width); these inputs have the shape {images.shape[1:]}"
            )
        pixels = _resized(images, self.size) if self.size else images.astype(np.float32)
        mean, deviation = (
            self._of_channels(name, images.shape[1], whose) for name in ("mean", "deviation")
        )
        pixels = (pixels * np.float32(self.scale) - mean) / deviation
        return np.ascontiguousarray(pixels.transpose(0, 2, 3, 1)) if self._is_last else pixels

    @property
    def _is_last(self) -> bool:
        return self.layout == "NHWC"

    def _of_channels(self, name: str, channels: int, whose: str) -> Array:
        given = tuple(getattr(self, name)) or (0.0 if name == "mean" else 1.0,)
        if len(given) not in (1, channels):
            raise TeacherError(
                f"{whose} has {len(given)} numbers as {name}, and images have {channels} channels: "
                "one number, or one for each channel"
            )
        return np.asarray(given, np.float32).reshape(1, -1, 1, 1)


OPTIONS = tuple(field.name for field in fields(Pixels))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value


def _resized(images: Array, size: Sequence[int]) -> Array:
    torch = needs("torch")
    pixels = torch.from_numpy(np.ascontiguousarray(images.astype(np.float32)))
    resized: Array = torch.nn.functional.interpolate(
        pixels, size=tuple(size), mode="bilinear", antialias=True
    ).numpy()
    return resized


def preprocessed(
    teacher: Teacher,
    *,
    scale: float = 1.0,
    mean: float | Sequence[float] = (),
    deviation: float | Sequence[float] = (),
    layout: Layout | str = "NCHW",
    size: Sequence[int] = (),
) -> Teacher:
    """The same teacher of images, which sees them scaled, standardized, laid out and resized.

    It is handed `(resized image x scale - mean) / deviation`: a net trained on x / 255 with
    ImageNet's moments wants `scale=1/255, mean=[0.485, 0.456, 0.406], deviation=[0.229, 0.224,
    0.225]`, one of channels last `layout="NHWC"`. Students get the images as they are stored. In a
    text these are keywords of the call: `onnx('net.onnx', scale=1/255, mean=[0.5])`.

    Raises:
        InputError: a number or size that is none, see `Pixels`.
    """
    means, deviations = (_numbers(given) for given in (mean, deviation))
    return with_pixels(teacher, Pixels(scale, means, deviations, layout, size))


def _numbers(given: float | Sequence[float]) -> tuple[float, ...]:
    each = (given,) if isinstance(given, int | float) else given
    try:
        return tuple(map(float, each))
    except (TypeError, ValueError) as error:
        raise InputError(f"mean and deviation are numbers, not {given!r}") from error


def with_pixels(teacher: Teacher, pixels: Pixels) -> Teacher:
    """The teacher itself where images stay as they are."""
    if pixels.is_raw:
        return teacher
    kept = {one.name: getattr(teacher, one.name) for one in fields(Teacher)}
    kept |= {"fingerprint": name_by_content([teacher.fingerprint, pixels.options])}
    return PixelsTeacher(**{**kept, "source": ""}, inner=teacher, pixels=pixels)


@dataclass(frozen=True, eq=False, kw_only=True)
class PixelsTeacher(Wrapped):
    """A teacher of images that are prepared for it; `preprocessed` makes one.

    Attributes:
        pixels: what they go through.
    """

    pixels: Pixels

    def around(self, inner: Teacher) -> Teacher:
        """Another that sees images so."""
        return with_pixels(inner, self.pixels)

    def predict(self, inputs: Array) -> Any:
        """What the inner one says of the prepared images."""
        return self.inner.predict(self.pixels.applied(inputs, self.name))
