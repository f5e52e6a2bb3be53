"""A convolutional net for small colour images that learns in few passes over them."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from limbeck._calls import text_of
from limbeck.errors import ExamplesError, InputError
from limbeck.students._spec import Student, start

STEM = 24  # channels after the first layer: two for each of the 12 numbers a 2x2 patch holds


@dataclass(frozen=True)
class Fastnet(Student):
    """A 2x2 convolution, then blocks that pool after the first of their two 3x3 convolutions.

    The shape of Jordan 2024, arXiv:2404.00498 (section 3), which reaches 94 % on CIFAR-10 in ten
    epochs; the whitening of its first layer is left out. Pooling first halves the work of a
    block. Batch normalisation and GELU follow each convolution; the largest value of each channel
    goes to one linear layer.
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
        stem = [start(nn.Conv2d(self.inputs[0], STEM, 2)), nn.GELU()]
        head = start(nn.Linear(self.widths[-1], self.outputs), gain=1.0)
        return nn.Sequential(*stem, *self._blocks(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), head)

    def _blocks(self) -> Iterator[nn.Module]:
        channels = STEM
        for width in self.widths:
            yield start(nn.Conv2d(channels, width, 3, padding=1, bias=False))
            yield nn.MaxPool2d(2)
            yield from (nn.BatchNorm2d(width), nn.GELU())
            yield start(nn.Conv2d(width, width, 3, padding=1, bias=False))
            yield from (nn.BatchNorm2d(width), nn.GELU())
            channels = width


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
