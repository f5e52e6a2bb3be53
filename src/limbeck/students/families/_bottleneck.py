"""A linear bottleneck, `W = U V`: how it starts, and how it is multiplied out."""

import copy
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from torch import nn

from limbeck.errors import InputError
from limbeck.students._student import Student, start

N = TypeVar("N", bound="Narrowed")


@dataclass(frozen=True)
class Narrowed(Student):
    """A net with one wide hidden layer, whose weights W may be the product U V.

    Ba & Caruana 2014, section 2.2: V is a layer of `bottleneck` linear units without biases. It
    saves time, not depth: `absorbed` multiplies the two out. V is drawn with variance 1/inputs
    and U with 2/bottleneck, so that the pre-activations start with the variance 2/inputs gives
    in a direct layer.

    Attributes:
        hidden: the units of the hidden layer.
        bottleneck: the linear units before it; 0 for none.
    """

    hidden: int = 0
    bottleneck: int = 0

    def __post_init__(self) -> None:
        if self.hidden < 1 or self.bottleneck < 0:
            raise InputError(
                f"{self.text.partition('(')[0]} has 1 hidden unit or more and a bottleneck of 0 "
                f"(none) or more; got {self.hidden} and {self.bottleneck}"
            )

    @property
    @abstractmethod
    def features(self) -> int:
        """How many numbers the hidden layer, or the bottleneck before it, is given."""

    @property
    def shrinks_when_absorbed(self) -> bool:
        """Whether the product U V has fewer numbers than U and V."""
        both = self.bottleneck * (self.features + self.hidden)
        return 0 < self.features * self.hidden < both

    def absorbed(self: N, body: nn.Module) -> tuple[N, nn.Module]:
        """The same function without its bottleneck: W = U V, multiplied in float64."""
        if not self.bottleneck:
            return self, body
        layers = list(copy.deepcopy(cast(nn.Sequential, body)))
        at = next(i for i, layer in enumerate(layers) if isinstance(layer, nn.Linear))
        direct = _product(cast(nn.Linear, layers[at]), cast(nn.Linear, layers[at + 1]))
        net = nn.Sequential(*layers[:at], direct, *layers[at + 2 :])
        return replace(self, bottleneck=0), net.train(body.training)

    def _dense(self) -> list[nn.Module]:
        """The layers from a flat input to the scores."""
        last = start(nn.Linear(self.hidden, self.outputs), gain=1.0)
        if not self.bottleneck:
            return [start(nn.Linear(self.features, self.hidden)), nn.ReLU(), last]
        narrow = start(nn.Linear(self.features, self.bottleneck, bias=False), gain=1.0)
        return [narrow, start(nn.Linear(self.bottleneck, self.hidden)), nn.ReLU(), last]


def _product(narrow: nn.Linear, wide: nn.Linear) -> nn.Linear:
    """One layer that does what the two do."""
    layer = nn.Linear(narrow.in_features, wide.out_features, dtype=wide.weight.dtype, device="meta")
    weight = (wide.weight.double() @ narrow.weight.double()).to(wide.weight.dtype)
    layer.weight = nn.Parameter(weight.detach())
    layer.bias = nn.Parameter(wide.bias.detach().clone())
    return layer
