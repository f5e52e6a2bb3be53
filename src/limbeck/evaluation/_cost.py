"""What answering costs: parameters, bytes, operations, and time on this machine."""

import contextlib
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from limbeck.examples import Array, Examples, tensor
from limbeck.runtime import evaluating
from limbeck.students import Run, parameters
from limbeck.teachers import Teacher

LARGE = 512  # the batch that throughput is measured on
FEWEST, SECONDS = 30, 0.2  # at least so many rounds, and about so long for each model
TAIL = 200  # the fewest rounds that a p99 is read from
LONGEST = 10.0  # the seconds after which a slow model is timed no further, for a p99


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


def answer_times(
    answers: Mapping[str, Answer], examples: Examples, *, tail: bool = False
) -> dict[str, dict[str, Any]]:
    """Each model's p50 and p95 for one example in milliseconds, and examples a second at 512.

    The models take turns, call by call and in changing order, so that a busy moment of the
    machine falls on all alike: trust the ratios more than the numbers.

    With `tail` there is a p99 too, of 200 calls or more, each about the next example. A model
    that takes more than 10 seconds for that has fewer; `calls` says how many.
    """
    percentiles = (50, 95, 99) if tail else (50, 95)
    longest = LONGEST if tail else math.inf
    ones = [
        examples.inputs[row : row + 1] for row in range(min(TAIL if tail else 1, len(examples)))
    ]
    single = _in_turns(answers, ones, TAIL if tail else FEWEST, longest)
    large = _in_turns(answers, [examples.inputs[np.arange(LARGE) % len(examples)]], 5, longest)
    return {
        name: {
            "latency_ms": {
                "batch": 1,
                **{f"p{p}": float(np.percentile(single[name], p)) * 1e3 for p in percentiles},
                **({"calls": len(single[name])} if tail else {}),
            },
            "throughput_per_second": LARGE / float(np.median(large[name])),
        }
        for name in answers
    }


def _in_turns(
    answers: Mapping[str, Answer], batches: Sequence[Array], fewest: int, longest: float
) -> dict[str, list[float]]:
    """The seconds of each model's calls, of so many rounds at least, or of about so long."""
    # The first call pays for what later ones find ready: it counts where there is time for no more.
    first = {name: _timed(answer, batches[0]) for name, answer in answers.items()}
    spent = dict(first)
    seconds: dict[str, list[float]] = {name: [] for name in answers}
    began = time.perf_counter()
    rounds = 0
    generator = random.Random(0)
    while rounds < fewest or time.perf_counter() - began < SECONDS * len(answers):
        waiting = [name for name in answers if spent[name] < longest]
        if not waiting:
            break
        # In another order each time: whoever follows a large model finds the caches emptied.
        for name in generator.sample(waiting, len(waiting)):
            seconds[name].append(_timed(answers[name], batches[rounds % len(batches)]))
            spent[name] += seconds[name][-1]
        rounds += 1
    return {name: times or [first[name]] for name, times in seconds.items()}


@contextlib.contextmanager
def threads_limited(threads: int) -> Iterator[None]:
    """A block in which torch, BLAS and OpenMP use so many threads; put back after it."""
    before = torch.get_num_threads()
    with threadpool_limits(threads):
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def _timed(answer: Answer, inputs: Array) -> float:
    began = time.perf_counter()
    answer(inputs)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began
