"""Nets in training: their stack, its optimiser, its average, and the checkpoint of all three."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from limbeck import optim, runs
from limbeck._manifest import write_file, write_json
from limbeck._stack import Stack
from limbeck.runs import Plan, Progress


class Nets:
    """What a training changes, and how it is kept; made anew it goes on from its checkpoint.

    `places` is where each net goes when it is done, `checkpoint` the file that all share: they
    are saved at one step or not at all.
    """

    def __init__(self, stack: Stack, plan: Plan, places: Sequence[Path], checkpoint: Path) -> None:
        self.stack, self._plan = stack, plan
        self._places, self._checkpoint = places, checkpoint
        self.optimizer = optim.optimiser(
            plan.optimiser,
            stack,
            momentum=plan.momentum,
            weight_decay=plan.weight_decay,
            leading=stack.leading,
        )
        self.average = optim.Average(stack, plan.average)
        self.best: dict[str, Tensor] = {}
        self.progress, tensors = Progress.load(checkpoint, len(places))
        if tensors:
            self._restore(tensors)

    def candidates(self) -> Stack:
        """What would be shipped now: the stack, or a copy that holds the average."""
        if not self._plan.average:
            return self.stack
        averaged = copy.deepcopy(self.stack)
        self.average.copy_to(averaged)
        return averaged

    def keep_as_best(self, which: Sequence[int]) -> None:
        """Remembers those nets' candidates as the ones to ship, unless better ones come."""
        candidates = self.candidates().state_dict() if which else {}
        for i in which:
            state = self.stack.of_net(candidates, i)
            self.best |= {f"{i}.{name}": value.clone() for name, value in state.items()}

    def save(self) -> None:
        """Writes the checkpoint atomically."""
        states = {"model": self.stack.state_dict(), "best": self.best}
        states |= {"average": self.average.state} if self._plan.average else {}
        tensors = {f"{part}.{k}": v for part, state in states.items() for k, v in state.items()}
        tensors |= optim.optimizer_tensors(self.optimizer)
        self.progress.save(self._checkpoint, tensors)

    def _restore(self, tensors: Mapping[str, Tensor]) -> None:
        self.stack.load_state_dict(_part("model", tensors))
        self.best = _part("best", tensors)
        if self._plan.average:
            self.average.restore(_part("average", tensors))
        optim.restore_optimizer(self.optimizer, tensors)

    def ship(self) -> None:
        """Writes each net's history and weights; the checkpoint is then of no more use."""
        final = self.candidates().state_dict()
        for i, place in enumerate(self._places):
            state = _part(str(i), self.best) or self.stack.of_net(final, i)
            log = self.progress.logs[i]
            nets = len(self._places)  # which share the time, trained together
            history = {
                "epochs": log.epochs,
                "best": log.best_epoch,
                "seconds": round(self.progress.seconds / nets, 1),
                "epoch_seconds": [round(seconds / nets, 3) for seconds in log.seconds],
            }
            write_json(place / runs.HISTORY, history)
            write_file(place / runs.MODEL, runs.weights(state))
        self._checkpoint.unlink(missing_ok=True)


def _part(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
