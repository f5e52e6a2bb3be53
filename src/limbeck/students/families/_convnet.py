"""Convolutional students and teachers for small images."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from torch import nn

from limbeck.errors import ExamplesError, InputError
from limbeck.runtime import did_you_mean, text_of
from limbeck.students._student import Student, start

Size = Literal["tiny", "small", "medium", "large"]

WIDTHS: dict[str, tuple[int, ...]] = {
    "tiny": (16, 32),
    "small": (32, 64, 64),
    "medium": (64, 128, 256),
    "large": (64, 256, 256),
}


@dataclass(frozen=True)
class Convnet(Student):
    """Blocks of two 3x3 convolutions, each with batch normalisation and ReLU, and a 2x2 max-pool.

    After the last block the mean over all places goes to one linear layer, with dropout before
    it. A block halves height and width, rounded down.
    """

    widths: tuple[int, ...] = ()
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if not self.widths or any(width < 1 for width in self.widths):
            raise InputError(f"convnet needs the width of each block, not {list(self.widths)}")
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout lies between 0 and 1, not {self.dropout}")

    @property
    def text(self) -> str:
        """The call that describes this student again."""
        return text_of("convnet", self)

    def _body(self) -> nn.Module:
        if len(self.inputs) != 3 or min(self.inputs[1:]) < 2 ** len(self.widths):
            raise ExamplesError(
                f"a convnet of {len(self.widths)} blocks takes images (channels, height, width) of "
                f"at least {2 ** len(self.widths)} pixels a side; inputs have shape {self.inputs}"
            )
        head = start(nn.Linear(self.widths[-1], self.outputs), gain=1.0)
        mean = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(self.dropout)]
        return nn.Sequential(*self._blocks(), *mean, head)

    def _blocks(self) -> Iterator[nn.Module]:
        channels = self.inputs[0]
        for width in self.widths:
            for inputs in (channels, width):
                yield start(nn.Conv2d(inputs, width, 3, padding=1, bias=False))
                yield nn.BatchNorm2d(width)
                yield nn.ReLU()
            yield nn.MaxPool2d(2)
            channels = width


def convnet(
    size: str | list[int] | tuple[int, ...] = "small",
    *,
    dropout: float = 0.0,
    widths: list[int] | tuple[int, ...] = (),
    inputs: list[int] | tuple[int, ...] = (),
    outputs: int = 0,
) -> Convnet:
    """A convolutional net by size (tiny, small, medium, large) or by the width of each block.

    Raises:
        InputError: there is no such size.
    """
    if not widths and isinstance(size, str):
        if size not in WIDTHS:
            raise InputError(f"there is no convnet {size!r}; {did_you_mean(size, WIDTHS)}")
        widths = WIDTHS[size]
    elif not widths:
        widths = tuple(w for w in size if isinstance(w, int))
    return Convnet(tuple(widths), dropout, inputs=tuple(inputs), outputs=outputs)
