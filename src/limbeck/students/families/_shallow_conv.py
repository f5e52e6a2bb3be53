"""The papers' shallow net for images: one convolution, a linear bottleneck, one wide layer."""

from dataclasses import dataclass

from torch import nn

from limbeck.errors import ExamplesError, InputError
from limbeck.runtime import text_of
from limbeck.students._student import start
from limbeck.students.families._bottleneck import Narrowed

WINDOW, STRIDE = 3, 2  # of the max-pool


@dataclass(frozen=True)
class ShallowConv(Narrowed):
    """One 5x5 convolution, ReLU, a 3x3 max-pool of stride 2, and then a `shallow` net.

    Ba & Caruana 2014, section 4, write it 128c-p-1200L-30k; the convolution keeps height and
    width, and the pool leaves 15x15 of 32x32 (which gives their counts of parameters). The net
    pools before ReLU, which is the same and cheaper.

    Attributes:
        channels: the filters of the convolution.
    """

    channels: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.channels < 1:
            raise InputError(f"shallow_conv has 1 channel or more, not {self.channels}")

    @property
    def text(self) -> str:
        """The call that describes this student again."""
        return text_of("shallow_conv", self)

    @property
    def features(self) -> int:
        """How many numbers the pooled maps hold."""
        height, width = ((side - WINDOW) // STRIDE + 1 for side in self.inputs[1:])
        return self.channels * height * width

    def _body(self) -> nn.Module:
        if len(self.inputs) != 3 or min(self.inputs[1:]) < WINDOW:
            raise ExamplesError(
                f"shallow_conv takes images (channels, height, width) of at least {WINDOW} pixels "
                f"a side; inputs have shape {self.inputs}"
            )
        convolution = start(nn.Conv2d(self.inputs[0], self.channels, 5, padding=2))
        maps = [convolution, nn.MaxPool2d(WINDOW, STRIDE), nn.ReLU(), nn.Flatten()]
        return nn.Sequential(*maps, *self._dense())


def shallow_conv(
    channels: int,
    *,
    bottleneck: int = 0,
    hidden: int,
    inputs: list[int] | tuple[int, ...] = (),
    outputs: int = 0,
) -> ShallowConv:
    """One convolution and max-pool, a linear bottleneck (0 for none), one hidden layer.

    On 32x32 images a bottleneck unit costs 225 parameters for each channel, beside one for each
    hidden unit: the bottleneck on 15x15 maps is what costs most.
    """
    return ShallowConv(hidden, bottleneck, channels, inputs=tuple(inputs), outputs=outputs)
