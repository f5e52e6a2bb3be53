"""Random numbers: seeds set for a block, mixed into others, and orders drawn from them."""

import contextlib
import functools
import random
import threading
from collections.abc import Iterator

import numpy as np
import torch

_ONE_AT_A_TIME = threading.RLock()  # by one thread as often as it likes: blocks lie in blocks


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """A block whose random numbers follow from the seed, whoever draws them.

    The callers' own generators (torch on the CPU, numpy, Python) and torch's default number type,
    which is float32 within, are put back after the block. One such block runs at a time: these are
    the process's, and two threads would draw from each other's.
    """
    with _ONE_AT_A_TIME:
        kept = torch.get_rng_state(), np.random.get_state(), random.getstate()
        number_type = torch.get_default_dtype()
        torch.set_default_dtype(torch.float32)
        seed_torch(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
        try:
            yield
        finally:
            torch.set_default_dtype(number_type)
            torch.set_rng_state(kept[0])
            np.random.set_state(kept[1])
            random.setstate(kept[2])


def seed_torch(seed: int) -> None:
    """Seeds torch's own generators, as `torch.manual_seed` does.

    Where there is no accelerator that would note the call for each of those there might be, with
    the stack it came from: at every training step that costs a small net half of its time.
    """
    if torch.accelerator.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


def mixed(seed: int, number: int) -> int:
    """A seed for one step or epoch of a seeded job; neighbours share no random numbers."""
    return (seed * 1_000_003 + number * 7_919 + 17) % 2**63


@functools.lru_cache(maxsize=2)
def shuffled(count: int, seed: int) -> torch.Tensor:
    """The numbers below count in the order of that seed; kept, since a whole epoch asks for it."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))
