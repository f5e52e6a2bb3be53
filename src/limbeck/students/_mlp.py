"""Fully connected students of any depth, and the papers' shallow one with its bottleneck."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import cast

from torch import nn

from limbeck._calls import text_of
from limbeck.errors import InputError
from limbeck.students._spec import Student, flat, start


@dataclass(frozen=True)
class Mlp(Student):
    """Linear layers with ReLU between them."""

    hidden: tuple[int, ...] = ()
    dropout: float = 0.0
    input_dropout: float = 0.0

    def __post_init__(self) -> None:
        if any(units < 1 for units in self.hidden):
            raise InputError(f"mlp: a hidden layer has 1 unit or more, not {list(self.hidden)}")
        _check_dropout(self.dropout)
        _check_dropout(self.input_dropout)

    @property
    def text(self) -> str:
        """The call that describes this student again."""
        return text_of("mlp", self)

    def _body(self) -> nn.Module:
        layers: list[nn.Module] = [nn.Flatten()]
        if self.input_dropout:
            layers.append(nn.Dropout(self.input_dropout))
        widths = (flat(self.inputs), *self.hidden)
        for inputs, units in pairwise(widths):
            layers += [start(nn.Linear(inputs, units)), nn.ReLU()]
            if self.dropout:
                layers.append(nn.Dropout(self.dropout))
        layers.append(start(nn.Linear(widths[-1], self.outputs), gain=1.0))
        return nn.Sequential(*layers)


@dataclass(frozen=True)
class Shallow(Student):
    """One hidden layer of ReLU; with a bottleneck its weights W are the product U V.

    Ba & Caruana 2014, section 2.2: V is a layer of `bottleneck` linear units without biases. It
    saves time, not depth: `absorbed` multiplies the two out. V is drawn with variance 1/inputs
    and U with 2/bottleneck, so that the pre-activations start with the variance 2/inputs gives
    in a direct layer.
    """

    hidden: int = 0
    bottleneck: int = 0

    def __post_init__(self) -> None:
        if self.hidden < 1 or self.bottleneck < 0:
            raise InputError(
                "shallow has 1 hidden unit or more and a bottleneck of 0 (none) or more; "
                f"got {self.hidden} and {self.bottleneck}"
            )

    @property
    def text(self) -> str:
        """The call that describes this student again."""
        return text_of("shallow", self)

    def _body(self) -> nn.Module:
        inputs = flat(self.inputs)
        last = start(nn.Linear(self.hidden, self.outputs), gain=1.0)
        if not self.bottleneck:
            return nn.Sequential(
                nn.Flatten(), start(nn.Linear(inputs, self.hidden)), nn.ReLU(), last
            )
        narrow = start(nn.Linear(inputs, self.bottleneck, bias=False), gain=1.0)
        wide = start(nn.Linear(self.bottleneck, self.hidden))
        return nn.Sequential(nn.Flatten(), narrow, wide, nn.ReLU(), last)

    @property
    def shrinks_when_absorbed(self) -> bool:
        """Whether the product U V has fewer numbers than U and V."""
        inputs = flat(self.inputs)
        both = self.bottleneck * (inputs + self.hidden)
        return 0 < inputs * self.hidden < both

    def absorbed(self, body: nn.Module) -> tuple["Shallow", nn.Module]:
        """The same function without its bottleneck: W = U V, multiplied in float64."""
        if not self.bottleneck:
            return self, body
        direct = replace(self, bottleneck=0)
        layers = cast(nn.Sequential, body)
        narrow, wide = cast(nn.Linear, layers[1]), cast(nn.Linear, layers[2])
        product = (wide.weight.double() @ narrow.weight.double()).to(wide.weight.dtype)
        state = {"1.weight": product, "1.bias": wide.bias}
        state |= {f"3.{k}": v for k, v in layers[4].state_dict().items()}
        made = direct.build(seed=0).to(wide.weight.dtype)
        made.load_state_dict(state)
        return direct, made.train(body.training)


def mlp(
    hidden: list[int] | tuple[int, ...] = (),
    *,
    dropout: float = 0.0,
    input_dropout: float = 0.0,
    inputs: list[int] | tuple[int, ...] = (),
    outputs: int = 0,
) -> Mlp:
    """Linear layers of those widths with ReLU between; dropout after each, and on the inputs."""
    return Mlp(tuple(hidden), dropout, input_dropout, inputs=tuple(inputs), outputs=outputs)


def shallow(
    hidden: int,
    *,
    bottleneck: int = 0,
    inputs: list[int] | tuple[int, ...] = (),
    outputs: int = 0,
) -> Shallow:
    """One hidden layer, with a linear bottleneck of so many units before it (0 for none)."""
    return Shallow(hidden, bottleneck, inputs=tuple(inputs), outputs=outputs)


def _check_dropout(share: float) -> None:
    if not 0 <= share < 1:
        raise InputError(f"dropout lies between 0 and 1, not {share}")
