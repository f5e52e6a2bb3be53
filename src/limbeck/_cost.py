"""What answering costs: parameters, bytes, operations, and time on this machine."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from limbeck._engine import evaluating, tensor
from limbeck.examples import Array, Examples
from limbeck.runs import Run
from limbeck.students import parameters

LARGE = 512  # the batch that throughput is measured on
FEWEST, SECONDS = 30, 0.2  # at least so many calls, and at least so long


@dataclass(frozen=True)
class Cost:
    """The size of a model; 0 where it cannot be known, as for a function.

    Attributes:
        parameters: numbers that were learned.
        bytes: all numbers that are kept, in their own widths.
        operations: multiply-adds for one example.
    """

    parameters: int = 0
    bytes: int = 0
    operations: int = 0

    def to_json(self) -> dict[str, int]:
        """What is known, as a report holds it."""
        return {name: value for name, value in asdict(self).items() if value}


def cost(model: object, examples: Examples) -> Cost:
    """The size of a run's net or of a module; nothing of anything else."""
    net = model.model() if isinstance(model, Run) else model
    if not isinstance(net, nn.Module):
        return Cost()
    kept = [*net.parameters(), *net.buffers()]
    size = sum(value.numel() * value.element_size() for value in kept)
    operations = _operations(net, examples) if isinstance(model, Run) else 0
    return Cost(parameters(net), size, operations)


def _operations(net: nn.Module, examples: Examples) -> int:
    place = next(net.parameters()).device
    # The counter reports two operations for a multiply-add.
    with evaluating(net), FlopCounterMode(display=False) as counter:
        net(tensor(examples.inputs[:1]).to(place))
    return int(counter.get_total_flops()) // 2


def answer_time(answer: Callable[[Array], Any], examples: Examples) -> dict[str, Any]:
    """p50 and p95 of one answer in milliseconds, and examples a second in large batches."""
    single = _timed(answer, examples.inputs[:1])
    large = examples.inputs[np.arange(LARGE) % len(examples)]
    median = float(np.median(_timed(answer, large, fewest=5)))
    return {
        "latency_ms": {
            "batch": 1,
            "p50": float(np.percentile(single, 50)) * 1e3,
            "p95": float(np.percentile(single, 95)) * 1e3,
        },
        "throughput_per_second": LARGE / median,
    }


def _timed(answer: Callable[[Array], Any], inputs: Array, fewest: int = FEWEST) -> list[float]:
    answer(inputs)  # the first call pays for what later ones find ready
    seconds: list[float] = []
    while len(seconds) < fewest or sum(seconds) < SECONDS:
        began = time.perf_counter()
        answer(inputs)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return seconds
