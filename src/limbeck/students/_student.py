"""Student: the frozen description of a net, from which it is built again."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch
from torch import nn

from limbeck.errors import InputError
from limbeck.examples import TEXT, Examples, Ragged
from limbeck.runtime import seeded

S = TypeVar("S", bound="Student")


@dataclass(frozen=True)
class Student(ABC):
    """A net described, not built: seeds, control, search, load and resume all rebuild it.

    Attributes:
        inputs: the shape of one input; set by `sized`, from the examples.
        outputs: the number of classes; likewise.
    """

    inputs: tuple[int, ...] = field(default=(), kw_only=True)
    outputs: int = field(default=0, kw_only=True)

    @property
    def reads_text(self) -> bool:
        """Whether its inputs are texts, as their bytes."""
        return False

    @property
    def tokenizes(self) -> bool:
        """Whether its net splits texts by a tokenizer, which no ONNX graph can hold."""
        return False

    @property
    def is_trusted(self) -> bool:
        """Whether code of yours that it names may be run to build it."""
        return False

    def trusted(self: S) -> S:
        """The same student, allowed to run the code it names, if it names any."""
        return self

    def readings_in(self, examples: Examples) -> Ragged | None:
        """What it finds in texts, by one reading for all epochs; None for what reads numbers."""
        return None

    def sized(self: S, inputs: tuple[int, ...], outputs: int) -> S:
        """The same student for inputs of this shape and so many classes.

        Raises:
            InputError: it was already described for others, or it reads texts and these are
                numbers, or the reverse.
        """
        if (tuple(inputs) == TEXT) != self.reads_text:
            raise InputError(
                f"{self.text} reads {'texts' if self.reads_text else 'numbers'}, and these "
                f"examples are {'numbers' if self.reads_text else 'texts: ngrams() reads them'}"
            )
        if self.inputs and (self.inputs, self.outputs) != (tuple(inputs), outputs):
            raise InputError(
                f"{self.text} takes inputs of shape {self.inputs} to {self.outputs} classes; "
                f"these examples have shape {tuple(inputs)} and {outputs} classes"
            )
        return replace(self, inputs=tuple(inputs), outputs=outputs)

    def build(self, seed: int) -> nn.Module:
        """The net with its starting weights: the same seed gives the same bits.

        Raises:
            InputError: the student has no size yet.
        """
        if not self.inputs or not self.outputs:
            raise InputError(
                f"{self.text} has no size yet: .sized(inputs, outputs) takes it from examples"
            )
        with seeded(seed):
            return self._body()

    def unfilled(self, seed: int) -> nn.Module:
        """The net for weights that are there already: what `build` reads elsewhere is left out."""
        return self.build(seed)

    def outline(self) -> nn.Module:
        """The net without its weights, on the meta device: it can be counted and takes no memory.

        Raises:
            InputError: the student has no size yet.
        """
        with torch.device("meta"):
            return self.build(seed=0)

    def __str__(self) -> str:
        """The call that describes it, and once it has a size how many parameters it has."""
        if not self.inputs or not self.outputs:
            return self.text
        return f"{self.text}: {parameters(self):,} parameters"

    @property
    @abstractmethod
    def text(self) -> str:
        """The call that describes this student again."""

    @abstractmethod
    def _body(self) -> nn.Module:
        """The net; whatever it draws is already seeded."""


def parameters(net: nn.Module | Student) -> int:
    """How many numbers a net learns, built or only described; a description takes no memory.

    Raises:
        InputError: the student has no size yet.
    """
    module = net.outline() if isinstance(net, Student) else net
    return sum(p.numel() for p in module.parameters())


def flat(shape: tuple[int, ...]) -> int:
    """How many numbers one input holds."""
    return math.prod(shape)


def start(layer: nn.Module, gain: float = 2.0) -> nn.Module:
    """The layer with normal weights of variance `gain / inputs` and biases of 0.

    He et al. 2015, arXiv:1502.01852: a gain of 2 keeps the variance through ReLU, 1 through a
    linear layer.
    """
    assert isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d)
    inputs = layer.weight[0].numel()
    nn.init.normal_(layer.weight, std=math.sqrt(gain / inputs))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
