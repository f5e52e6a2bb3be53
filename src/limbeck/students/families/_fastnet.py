"""A convolutional net for small colour images that learns in few passes over them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from limbeck.errors import ExamplesError, InputError
from limbeck.examples import Examples, tensor
from limbeck.runtime import text_of
from limbeck.students._student import Student, start
from limbeck.students.encodings import Affine, standard

PATCH = 2  # the side of the patches that the first layer looks at
LOUD = (
    8  # a shift moves so many times as far for the same gradient, which is so many times as large
)
QUIET = 1 / 9  # the last layer's outputs are as small at the start as the body's rates are large
WHITENED_ON = 5000  # images
LEAST_VARIANCE = 5e-4  # of a patch's component, below which it is not stretched further


class Patches(nn.Module):
    """What a patch holds along fixed directions, and its negative: filters that nobody trains.

    They start as an orthonormal basis; `whitening` gives those of a set of images.
    """

    filters: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        numbers = channels * PATCH**2
        basis = torch.linalg.qr(torch.randn(numbers, numbers)).Q.view(-1, channels, PATCH, PATCH)
        self.register_buffer("filters", torch.cat([basis, -basis]))

    def forward(self, images: Tensor) -> Tensor:
        """`(batch, 2 x numbers of a patch, height - 1, width - 1)`."""
        return functional.conv2d(images, self.filters)


class Shift(nn.Module):
    """Adds a learnt number to each channel, which moves `LOUD ** 2` times as fast under SGD."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.amount = nn.Parameter(torch.zeros(channels))

    def forward(self, maps: Tensor) -> Tensor:
        """The shifted maps, of the same shape."""
        return maps + LOUD * self.amount[:, None, None]


class Scale(nn.Module):
    """Multiplies by a fixed number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, scores: Tensor) -> Tensor:
        """The scaled scores."""
        return scores * self.factor


class Mirrored(nn.Sequential):
    """Layers that, once trained, answer with the mean for an image and its mirror image."""

    def forward(self, images: Tensor) -> Tensor:
        """Scores `(batch, classes)`; in training those of the image as it is."""
        scores = self._once(images)
        return scores if self.training else (scores + self._once(images.flip(-1))) / 2

    def _once(self, images: Tensor) -> Tensor:
        scores: Tensor = super().forward(images)  # type: ignore[no-untyped-call]  # torch's own
        return scores


@dataclass(frozen=True)
class Fastnet(Student):
    """Fixed 2x2 filters, then blocks that pool after the first of their two 3x3 convolutions.

    The shape of Jordan 2024, arXiv:2404.00498 (section 3), which reaches 94 % on CIFAR-10 in ten
    epochs: fixed filters first (give `start=whitening(examples)`), convolutions that start by
    handing their inputs on, batch normalisation without a scale and with shifts that learn fast,
    GELU, the largest value of each channel, small scores. Meant for `Plan(optimizer="nesterov")`
    with a high learning rate. Pooling first halves the work of a block.
    """

    widths: tuple[int, ...] = ()
    mirrored: bool = False

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
        last = start(nn.Linear(self.widths[-1], self.outputs, bias=False), gain=1.0)
        end = [nn.AdaptiveMaxPool2d(1), nn.Flatten(), last, Scale(QUIET)]
        container = Mirrored if self.mirrored else nn.Sequential
        return container(Patches(self.inputs[0]), *self._blocks(), *end)

    def _blocks(self) -> Iterator[nn.Module]:
        channels = 2 * self.inputs[0] * PATCH**2
        yield from (Shift(channels), nn.GELU())
        for width in self.widths:
            yield _convolution(channels, width)
            yield nn.MaxPool2d(2)
            yield from _normalized(width)
            yield _convolution(width, width)
            yield from _normalized(width)
            channels = width


def whitening(examples: Examples) -> dict[str, Tensor]:
    """The first filters of a `fastnet` for these images: give it to `limbeck.train` as `start`.

    The principal directions of their 2x2 patches, each divided by its deviation, so that the
    first layer's outputs are uncorrelated and of variance 1 (Jordan 2024, arXiv:2404.00498,
    section 3.2).

    Raises:
        ExamplesError: the examples are no images.
    """
    if len(examples.shape) != 3:
        raise ExamplesError(f"patches are of images, not of inputs of shape {examples.shape}")
    encoding = standard(examples)
    assert isinstance(encoding, Affine)
    few = np.unique(np.linspace(0, len(examples) - 1, WHITENED_ON).astype(int))
    images = encoding.build()(tensor(examples.inputs[few]))
    numbers = examples.shape[0] * PATCH**2
    patches = functional.unfold(images, PATCH).transpose(1, 2).reshape(-1, numbers).double()
    variances, directions = torch.linalg.eigh(patches.T @ patches / len(patches))
    basis = (directions / (variances + LEAST_VARIANCE).sqrt()).T.float()
    filters = basis.reshape(numbers, examples.shape[0], PATCH, PATCH)
    return {"body.0.filters": torch.cat([filters, -filters])}


def _convolution(channels: int, width: int) -> nn.Conv2d:
    """3x3 filters of which the first hand their channel on; further ones are normal."""
    layer = nn.Conv2d(channels, width, 3, padding=1, bias=False)
    start(layer)
    nn.init.dirac_(layer.weight.data[:channels])
    return layer


def _normalized(width: int) -> tuple[nn.Module, ...]:
    return nn.BatchNorm2d(width, momentum=0.4, affine=False), Shift(width), nn.GELU()


def fastnet(
    widths: list[int] | tuple[int, ...] = (64, 256, 256),
    *,
    mirrored: bool = False,
    inputs: list[int] | tuple[int, ...] = (),
    outputs: int = 0,
) -> Fastnet:
    """A convolutional net by the width of each block; the usual one has 2.0 million parameters.

    `mirrored` is for images that may be seen either way: trained, the net answers with the mean of
    its scores for the image and for its mirror image, in twice the time.

    Raises:
        InputError: no block, or one without channels.
    """
    return Fastnet(tuple(widths), inputs=tuple(inputs), outputs=outputs, mirrored=mirrored)
