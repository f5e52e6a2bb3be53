"""A toy world that trains in a second: three blobs of points, a teacher who knows the rule."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from limbeck import Examples
from limbeck.training import _loop

CLASSES = ("round", "square", "star")
CENTERS = np.array([[2.0, 0.0], [-1.0, 2.0], [-1.0, -2.0]])


def blobs(n: int = 120, seed: int = 0, *, labelled: bool = True, name: str = "blobs") -> Examples:
    """Points around three centres, far enough apart to learn and close enough to confuse."""
    drawn = np.random.default_rng(seed)
    labels = drawn.integers(0, 3, n)
    inputs = (CENTERS[labels] + drawn.normal(0, 1.0, (n, 2))).astype(np.float32)
    keys = [f"{name}-{row}" for row in range(n)]
    given = labels if labelled else None
    return Examples.of(inputs, given, keys=keys, classes=CLASSES, name=name)


def pictures(n: int = 40, seed: int = 0, *, side: int = 8, labelled: bool = True) -> Examples:
    """Grey pictures of which the bright half is the label."""
    drawn = np.random.default_rng(seed)
    labels = drawn.integers(0, 2, n)
    inputs = drawn.integers(0, 100, (n, 1, side, side)).astype(np.uint8)
    for row, label in enumerate(labels):
        inputs[row, 0, :, label * side // 2 : (label + 1) * side // 2] += 120
    keys = [f"picture-{row}" for row in range(n)]
    return Examples.of(
        inputs, labels if labelled else None, keys=keys, classes=("left", "right"), name="pictures"
    )


def rule(inputs: np.ndarray) -> np.ndarray:
    """The true rule of the blobs, as logits: what a perfect teacher would say."""
    distance = ((inputs[:, None, :] - CENTERS[None]) ** 2).sum(axis=2)
    return -distance.astype(np.float32) / 2


class Tilted(nn.Module):
    """A module whose answers show its mode: dropout and batch normalisation change them."""

    def __init__(self, inputs: int = 2, outputs: int = 3) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(inputs)
        self.drop = nn.Dropout(0.5)
        self.last = nn.Linear(inputs, outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits `(batch, outputs)`."""
        return self.last(self.drop(self.norm(inputs.float().flatten(1))))


def tilted(inputs: tuple[int, ...], outputs: int) -> nn.Module:
    """A factory as a user would write it."""
    return Tilted(int(np.prod(inputs)), outputs)


def double(*shape: int, seed: int = 0, scale: float = 5.0) -> Tensor:
    """Random float64 logits."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double() * scale


@contextmanager
def killed_at(step: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A block in which training saves after every step, and dies before that one."""
    real, taken = _loop._step, []

    def dying(task, nets):
        taken.append(1)
        if len(taken) == step:
            raise KeyboardInterrupt
        return real(task, nets)

    with monkeypatch.context() as patched:
        patched.setattr(_loop, "CHECKPOINT_SECONDS", 0.0)
        patched.setattr(_loop, "CHECKPOINT_SHARE", math.inf)
        patched.setattr(_loop, "_step", dying)
        with pytest.raises(KeyboardInterrupt):
            yield
