"""The device and the precision that nets compute with, and models in eval mode."""

import contextlib
from collections.abc import Iterator
from typing import Literal, TypeVar

import torch

M = TypeVar("M", bound=torch.nn.Module)
Precision = Literal["float32", "bfloat16"]


def device() -> torch.device:
    """Where models compute: the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(precision: Precision | str) -> contextlib.AbstractContextManager[object]:
    """A block in which matrix products run in bfloat16, or one that changes nothing."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device().type, dtype=torch.bfloat16)


@contextlib.contextmanager
def evaluating(module: M) -> Iterator[M]:
    """The module in eval mode without gradients; every submodule's mode is put back after."""
    modes = {m: m.training for m in module.modules()}
    module.eval()
    try:
        with torch.inference_mode():
            yield module
    finally:
        for submodule, mode in modes.items():
            submodule.training = mode
