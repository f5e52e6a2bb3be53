"""A convolutional net for small colour images that learns in few passes over them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from limbeck._calls import text_of
from limbeck.errors import ExamplesError, InputError
from limbeck.students._spec import Student, start


@dataclass(frozen=True)
class Fastnet(Student):
    """A 2x2 convolution, then blocks that pool after the first of their two 3x3 convolutions.

    The shape of Jordan 2024, arXiv:2404.00498 (section 3), which reaches 94 % on CIFAR-10 in ten
    epochs. Pooling first halves the work of a block. Batch normalisation and GELU follow each
    convolution; the largest value of each channel goes to one linear layer.

    There the first layer whitens 2x2 patches by their covariance in the data. Here it starts as
    the cosine transform of a patch, over places and channels, and its negative: that makes the
    parts of a patch of a natural image nearly independent, and batch normalisation gives them one
    scale. As there, the other convolutions start by handing on their inputs beside new features.
    """

    widths: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.widths or any(width < 1 for width in self.widths):
            raise InputError(f"fastnet needs the width of each block, not {list(self.widths)}")

    @property
    def text(self) -> str:
        """The call that describes this student again."""
        return text_of("fastnet", self)

    def _body(self) -> nn.Module:
        least = 2 ** len(self.widths) + 1
        if len(self.inputs) != 3 or min(self.inputs[1:]) < least:
            raise ExamplesError(
                f"a fastnet of {len(self.widths)} blocks takes images (channels, height, width) of "
                f"at least {least} pixels a side; inputs have shape {self.inputs}"
            )
        head = start(nn.Linear(self.widths[-1], self.outputs), gain=1.0)
        layers = [*_stem(self.inputs[0]), *self._blocks(8 * self.inputs[0])]
        return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), head)

    def _blocks(self, channels: int) -> Iterator[nn.Module]:
        for width in self.widths:
            yield _handing_on(nn.Conv2d(channels, width, 3, padding=1, bias=False))
            yield nn.MaxPool2d(2)
            yield from (nn.BatchNorm2d(width), nn.GELU())
            yield _handing_on(nn.Conv2d(width, width, 3, padding=1, bias=False))
            yield from (nn.BatchNorm2d(width), nn.GELU())
            channels = width


def _stem(channels: int) -> Iterator[nn.Module]:
    """The first layer: eight channels for each of the image's."""
    filters = torch.einsum("ac,by,dx->abdcyx", cosines(channels), cosines(2), cosines(2))
    filters = filters.reshape(4 * channels, channels, 2, 2)
    first = nn.Conv2d(channels, 8 * channels, 2, bias=False)
    first.weight = nn.Parameter(torch.cat([filters, -filters]))
    yield from (first, nn.BatchNorm2d(8 * channels), nn.GELU())


def cosines(n: int) -> Tensor:
    """The orthonormal cosine transform (DCT-II) of n numbers, `(n, n)`, a row a frequency."""
    angles = torch.arange(n)[:, None] * (torch.arange(n) + 0.5) * (math.pi / n)
    return nn.functional.normalize(torch.cos(angles), dim=1)


def _handing_on(layer: nn.Conv2d) -> nn.Conv2d:
    start(layer)
    nn.init.dirac_(layer.weight.data[: layer.in_channels])
    return layer


def fastnet(
    widths: list[int] | tuple[int, ...] = (64, 256, 256),
    *,
    inputs: list[int] | tuple[int, ...] = (),
    outputs: int = 0,
) -> Fastnet:
    """A convolutional net by the width of each block; the usual one has 2.0 million parameters.

    Raises:
        InputError: no block, or one without channels.
    """
    return Fastnet(tuple(widths), inputs=tuple(inputs), outputs=outputs)
