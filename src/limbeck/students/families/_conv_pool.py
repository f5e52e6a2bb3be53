"""Convolutional nets of few layers with one hidden layer, as the papers compare depths."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from limbeck.errors import ExamplesError, InputError
from limbeck.runtime import text_of
from limbeck.students._student import Student, start

SMALLEST = 4  # the side of a map that is still pooled


@dataclass(frozen=True)
class ConvPool(Student):
    """3x3 convolutions with ReLU, each with a 3x3 max-pool of stride 2, then one hidden layer.

    In the manner of Ba & Caruana's teacher (128c-p-128c-p-128c-p-1000fc) and of the students of
    Urban et al. 2017, arXiv:1603.05691. A convolution keeps height and width. Maps of less than
    4 pixels a side are not pooled further: 32, 15, 7, 3, 3. There is no batch normalisation, as
    in neither paper's students, so that depth is all that differs; `convnet` has it.

    Attributes:
        channels: the filters of each convolution.
        hidden: the units of the fully connected layer.
    """

    channels: tuple[int, ...] = ()
    hidden: int = 0

    def __post_init__(self) -> None:
        if not self.channels or min(*self.channels, self.hidden) < 1:
            raise InputError(
                "conv_pool has one convolution or more, each with 1 channel or more, and 1 hidden "
                f"unit or more; got {list(self.channels)} and {self.hidden}"
            )

    @property
    def text(self) -> str:
        """The call that describes this student again."""
        return text_of("conv_pool", self)

    def _body(self) -> nn.Module:
        if len(self.inputs) != 3:
            raise ExamplesError(
                f"conv_pool takes images (channels, height, width); inputs have shape {self.inputs}"
            )
        hidden = start(nn.Linear(self._features, self.hidden))
        last = start(nn.Linear(self.hidden, self.outputs), gain=1.0)
        return nn.Sequential(*self._maps(), nn.Flatten(), hidden, nn.ReLU(), last)

    def _maps(self) -> Iterator[nn.Module]:
        sides, before = self.inputs[1:], self.inputs[0]
        for channels in self.channels:
            yield start(nn.Conv2d(before, channels, 3, padding=1))
            if min(sides) >= SMALLEST:
                yield nn.MaxPool2d(3, 2)  # before ReLU, which is the same and cheaper
            yield nn.ReLU()
            sides, before = _pooled_sides(sides), channels

    @property
    def _features(self) -> int:
        sides = self.inputs[1:]
        for _ in self.channels:
            sides = _pooled_sides(sides)
        return self.channels[-1] * sides[0] * sides[1]


def _pooled_sides(sides: tuple[int, ...]) -> tuple[int, ...]:
    if min(sides) < SMALLEST:
        return sides
    return tuple((side - 3) // 2 + 1 for side in sides)


def conv_pool(
    channels: list[int] | tuple[int, ...],
    *,
    hidden: int,
    inputs: list[int] | tuple[int, ...] = (),
    outputs: int = 0,
) -> ConvPool:
    """Convolutions of so many channels, each with a max-pool, and one hidden layer."""
    return ConvPool(tuple(channels), hidden, inputs=tuple(inputs), outputs=outputs)
