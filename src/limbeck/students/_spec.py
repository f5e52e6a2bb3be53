"""What every student is described by, and the module it becomes."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from limbeck._engine import evaluating, seeded, tensor
from limbeck._inputs import TEXT, as_inputs, check_inputs
from limbeck._ragged import Ragged
from limbeck.encodings import Encoding
from limbeck.errors import InputError
from limbeck.examples import Examples

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
    def tokenises(self) -> bool:
        """Whether its net splits texts by a tokenizer, which no ONNX graph can hold."""
        return False

    def found_in(self, examples: Examples) -> Ragged | None:
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


class Model(nn.Module):
    """A net with what stands around it: raw inputs `(batch, ...)` to scores `(batch, classes)`.

    `scores = body(encoding(inputs)) * scale + shift`. Scale and shift are 1 and 0, or the
    deviation and mean of the teacher's scores where the objective standardises them; they are
    kept with the student and not trained.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, body: nn.Module, encoding: Encoding, outputs: int) -> None:
        super().__init__()
        self.encoding = encoding.build()
        self.body = body
        self.register_buffer("scale", torch.ones(outputs))
        self.register_buffer("shift", torch.zeros(outputs))

    def rescale(self, mean: Tensor, deviation: Tensor) -> None:
        """Makes the body's outputs standard scores of that mean and deviation, `(classes,)`."""
        self.shift.copy_(mean)
        self.scale.copy_(deviation)

    def of_texts(self, texts: Sequence[str]) -> Tensor:
        """The scores of raw texts `(texts, classes)`, without gradients; for who reads texts.

        Raises:
            ExamplesError: a text is empty.
        """
        given = np.asarray(as_inputs(texts))
        check_inputs(given)
        with evaluating(self):
            scores: Tensor = self(tensor(given).to(self.scale.device))
        return scores

    def forward(self, inputs: Tensor) -> Tensor:
        """The scores, float32 or wider whatever the body computed in."""
        scores: Tensor = self.body(self.encoding(inputs))
        return scores.to(self.scale.dtype) * self.scale + self.shift


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
