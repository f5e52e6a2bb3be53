"""Moving the pixels of images: the arithmetic under the views."""

from typing import Literal

import numpy as np
import torch

from limbeck.errors import ExamplesError, InputError
from limbeck.examples._lazy import Array

Fill = Literal["zero", "reflect"]


def moved(images: Array, pixels: int, moves: tuple[Array, Array], fill: Fill) -> Array:
    """Windows of the images, each `moves` into the image widened by so many pixels on all sides."""
    check_images(images)
    sides = ((0, 0), (0, 0), (pixels, pixels), (pixels, pixels))
    widened = np.pad(images, sides, mode="constant" if fill == "zero" else "reflect")
    windows = np.lib.stride_tricks.sliding_window_view(widened, images.shape[2:], axis=(2, 3))
    return np.ascontiguousarray(windows[np.arange(len(images)), :, moves[0], moves[1]])


def from_center(shape: tuple[int, ...]) -> tuple[Array, Array]:
    """How far each pixel lies below and to the right of the centre, `(height, 1)`, `(1, width)`."""
    down, across = (np.arange(side) - (side - 1) / 2 for side in shape[2:])
    return down[:, None], across[None, :]


def bumps(side: int, width: float) -> Array:
    """Gaussian bumps around a lattice of that spacing, `(side, bumps)`, rows of unit length."""
    centers = np.arange(-2 * width, side - 1 + 2.5 * width, width)
    bumps = np.exp(-(((np.arange(side)[:, None] - centers) / width) ** 2) / 2)
    return np.asarray(bumps / np.linalg.norm(bumps, axis=1, keepdims=True))


def sampled(images: Array, down: Array, across: Array) -> Array:
    """The images read off at places `(batch, height, width)` from the centre, bilinearly."""
    half = [max(side - 1, 1) / 2 for side in images.shape[2:]]
    # grid_sample wants across first, and 1 for the middle of the last pixel.
    grid = np.stack(np.broadcast_arrays(across / half[1], down / half[0]), -1).astype(np.float32)
    pixels = torch.nn.functional.grid_sample(
        torch.from_numpy(images.astype(np.float32)), torch.from_numpy(grid), align_corners=True
    ).numpy()
    is_whole = np.issubdtype(images.dtype, np.integer)
    return np.asarray((np.rint(pixels) if is_whole else pixels).astype(images.dtype))


def check_images(inputs: Array) -> None:
    """Refuses what is no image.

    Raises:
        ExamplesError: the inputs are not `(batch, channels, height, width)`.
    """
    if inputs.ndim != 4:
        raise ExamplesError(
            f"this view moves images (channels, height, width), not shape {inputs.shape[1:]}"
        )


def check_size(size: object) -> None:
    """Refuses what is no size of an image; an empty one is that of the image as it is stored.

    Raises:
        InputError: it is not two whole numbers above 0.
    """
    sides = list(size) if isinstance(size, list | tuple) else [0]
    if sides and (len(sides) != 2 or not all(isinstance(one, int) and one > 0 for one in sides)):
        shown = tuple(sides) if isinstance(size, list | tuple) else repr(size)
        raise InputError(f"size is (height, width) in pixels, not {shown}")
