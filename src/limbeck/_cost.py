"""What answering costs: parameters, bytes, operations, and time on this machine."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from limbeck._engine import evaluating, tensor
from limbeck.examples import Array, Examples
from limbeck.runs import Run
from limbeck.students import parameters
from limbeck.teachers import Teacher

LARGE = 512  # the batch that throughput is measured on
FEWEST, SECONDS = 30, 0.2  # at least so many rounds, and about so long for each model


Answer = Callable[[Array], Any]


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
    """The size of a run's net, of a module, or of an ensemble of nets; nothing of anything else."""
    if isinstance(model, Teacher):
        return _cost_of_teacher(model, examples)
    if isinstance(model, Run):
        return _cost_of_net(model.model(), examples)
    return _size(model) if isinstance(model, nn.Module) else Cost()


def _cost_of_teacher(teacher: Teacher, examples: Examples) -> Cost:
    if teacher.net:
        run, seed = teacher.net
        return _cost_of_net(run.model(seed), examples)
    parts = [_cost_of_teacher(member, examples) for member in teacher.members]
    if not all(part.parameters for part in parts):  # the sum of some would claim too little
        return Cost()
    return Cost(*(sum(numbers) for numbers in zip(*map(astuple, parts), strict=True)))


def _cost_of_net(net: nn.Module, examples: Examples) -> Cost:
    return replace(_size(net), operations=_operations(net, examples))


def _size(net: nn.Module) -> Cost:
    kept = [*net.parameters(), *net.buffers()]
    return Cost(parameters(net), sum(value.numel() * value.element_size() for value in kept))


def _operations(net: nn.Module, examples: Examples) -> int:
    place = next(net.parameters()).device
    # The counter reports two operations for a multiply-add.
    with evaluating(net), FlopCounterMode(display=False) as counter:
        net(tensor(examples.inputs[:1]).to(place))
    return int(counter.get_total_flops()) // 2


def answer_times(answers: Mapping[str, Answer], examples: Examples) -> dict[str, dict[str, Any]]:
    """Each model's p50 and p95 for one example in milliseconds, and examples a second at 512.

    The models take turns, call by call and in changing order, so that a busy moment of the
    machine falls on all alike: trust the ratios more than the numbers.
    """
    single = _in_turns(answers, examples.inputs[:1], FEWEST)
    large = _in_turns(answers, examples.inputs[np.arange(LARGE) % len(examples)], 5)
    return {
        name: {
            "latency_ms": {
                "batch": 1,
                "p50": float(np.percentile(single[name], 50)) * 1e3,
                "p95": float(np.percentile(single[name], 95)) * 1e3,
            },
            "throughput_per_second": LARGE / float(np.median(large[name])),
        }
        for name in answers
    }


def _in_turns(answers: Mapping[str, Answer], inputs: Array, fewest: int) -> dict[str, list[float]]:
    """The seconds of each model's calls, of so many rounds at least."""
    for answer in answers.values():
        answer(inputs)  # the first call pays for what later ones find ready
    seconds: dict[str, list[float]] = {name: [] for name in answers}
    began = time.perf_counter()
    rounds = 0
    drawn = random.Random(0)
    while rounds < fewest or time.perf_counter() - began < SECONDS * len(answers):
        # In another order each time: whoever follows a large model finds the caches emptied.
        for name in drawn.sample(list(answers), len(answers)):
            seconds[name].append(_timed(answers[name], inputs))
        rounds += 1
    return seconds


def _timed(answer: Answer, inputs: Array) -> float:
    began = time.perf_counter()
    answer(inputs)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began
