"""Fully connected students of any depth, and the papers' shallow one with its bottleneck."""

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from limbeck.errors import InputError
from limbeck.runtime import text_of
from limbeck.students._student import Student, flat, start
from limbeck.students.families._bottleneck import Narrowed


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
class Shallow(Narrowed):
    """One hidden layer of ReLU, with or without a linear bottleneck before it.

    Attributes:
        dropout: after the hidden layer; for a net on labels; Ba & Caruana 2014 give their mimics
            none.
    """

    dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_dropout(self.dropout)

    @property
    def text(self) -> str:
        """The call that describes this student again."""
        return text_of("shallow", self)

    @property
    def features(self) -> int:
        """How many numbers an input holds."""
        return flat(self.inputs)

    def _body(self) -> nn.Module:
        *before, last = self._dense()
        dropped = [nn.Dropout(self.dropout)] if self.dropout else []
        return nn.Sequential(nn.Flatten(), *before, *dropped, last)


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
    dropout: float = 0.0,
    inputs: list[int] | tuple[int, ...] = (),
    outputs: int = 0,
) -> Shallow:
    """One hidden layer, with a linear bottleneck of so many units before it (0 for none)."""
    return Shallow(hidden, bottleneck, dropout, inputs=tuple(inputs), outputs=outputs)


def _check_dropout(share: float) -> None:
    if not 0 <= share < 1:
        raise InputError(f"dropout lies between 0 and 1, not {share}")
