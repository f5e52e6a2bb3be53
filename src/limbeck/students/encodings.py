"""What a model needs done to raw inputs, with a fingerprint."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from limbeck.artifacts import fingerprint
from limbeck.errors import InputError
from limbeck.examples import Array, Examples, Inputs, Lazy, sums


@dataclass(frozen=True)
class Affine:
    """`(x - mean) / deviation` in float32, one pair of numbers for all or for each channel.

    A channel is the first axis of one input: a colour plane of an image, a column of a table.
    """

    mean: tuple[float, ...] = (0.0,)
    deviation: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.deviation) or 0.0 in self.deviation:
            raise InputError(
                f"an encoding has as many means as deviations, none of them 0; "
                f"got {self.mean} and {self.deviation}"
            )

    @property
    def fingerprint(self) -> str:
        """Names the encoding by its numbers."""
        return fingerprint(self.to_json())

    def to_json(self) -> dict[str, list[float]]:
        """The numbers, as a manifest holds them."""
        return {"mean": list(self.mean), "deviation": list(self.deviation)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Affine":
        """The encoding that a manifest describes."""
        return cls(tuple(value["mean"]), tuple(value["deviation"]))

    def build(self) -> "AffineModule":
        """The encoding as a module, so that it travels with the model that needs it."""
        return AffineModule(self)


class AffineModule(nn.Module):
    """Takes raw inputs `(batch, ...)` of any number type to float32 (or wider, as its buffers)."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, encoding: Affine) -> None:
        super().__init__()
        # Not in the state dict: the numbers are in the manifest, once.
        self.register_buffer(
            "mean", torch.tensor(encoding.mean, dtype=torch.float32), persistent=False
        )
        self.register_buffer(
            "deviation", torch.tensor(encoding.deviation, dtype=torch.float32), persistent=False
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """The encoded inputs, of the same shape."""
        shape = (-1,) + (1,) * (inputs.dim() - 2) if inputs.dim() > 1 else (-1,)
        return (inputs.to(self.mean.dtype) - self.mean.view(shape)) / self.deviation.view(shape)


IDENTITY = Affine()


@dataclass(frozen=True)
class Bytes:
    """Texts as their UTF-8 bytes, uint8 `(batch, longest)` with 0 after the end; the net reads."""

    @property
    def fingerprint(self) -> str:
        """Names the encoding."""
        return fingerprint(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """The name, as a manifest holds it."""
        return {"text": "utf-8"}

    def build(self) -> nn.Module:
        """The encoding as a module: bytes are what raw texts are as a tensor."""
        return nn.Identity()


Encoding = Affine | Bytes


def from_json(value: Mapping[str, Any]) -> Encoding:
    """The encoding that a manifest describes."""
    return Bytes() if "text" in value else Affine.from_json(value)


def standard(examples: Examples) -> Encoding:
    """Mean 0 and deviation 1 for each channel over these examples; a constant one is kept.

    Texts are their bytes.
    """
    if examples.is_text:
        return Bytes()
    mean, deviation = _moments(examples.inputs)
    deviation = np.where(deviation > 0, deviation, 1.0)
    return Affine(tuple(mean.tolist()), tuple(deviation.tolist()))


def _moments(inputs: Inputs) -> tuple[Array, Array]:
    total, squares = inputs.sums() if isinstance(inputs, Lazy) else sums(inputs)
    count = inputs.size / len(total)
    mean = total / count
    return mean, np.sqrt(np.maximum(squares / count - mean**2, 0.0))
