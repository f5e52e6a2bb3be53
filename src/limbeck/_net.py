"""A net in training: the model, its optimiser, its average, and the checkpoint of all three."""

import copy
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from limbeck import optim, runs
from limbeck._manifest import write_file, write_json
from limbeck.runs import Plan, Progress
from limbeck.students import Model


class Net:
    """What a training changes, and how it is kept; made anew it goes on from its checkpoint."""

    def __init__(self, model: Model, plan: Plan, folder: Path) -> None:
        self.model, self._plan, self._folder = model, plan, folder
        self.optimizer = optim.optimiser(
            plan.optimiser, model, momentum=plan.momentum, weight_decay=plan.weight_decay
        )
        self.average = optim.Average(model, plan.average)
        self.best: dict[str, Tensor] = {}
        self.progress, tensors = Progress.load(folder / runs.CHECKPOINT)
        if tensors:
            self._restore(tensors)

    def candidate(self) -> Model:
        """What would be shipped now: the model, or a copy that holds the average."""
        if not self._plan.average:
            return self.model
        averaged = copy.deepcopy(self.model)
        self.average.copy_to(averaged)
        return averaged

    def keep_as_best(self) -> None:
        """Remembers the candidate as the one to ship, unless a better one comes."""
        self.best = {k: v.clone() for k, v in self.candidate().state_dict().items()}

    def save(self) -> None:
        """Writes the checkpoint atomically."""
        states = {"model": self.model.state_dict(), "best": self.best}
        states |= {"average": self.average.state} if self._plan.average else {}
        tensors = {f"{part}.{k}": v for part, state in states.items() for k, v in state.items()}
        tensors |= runs.optimizer_tensors(self.optimizer)
        self.progress.save(self._folder / runs.CHECKPOINT, tensors)

    def _restore(self, tensors: Mapping[str, Tensor]) -> None:
        self.model.load_state_dict(_part("model", tensors))
        self.best = _part("best", tensors)
        if self._plan.average:
            self.average.state = _part("average", tensors)
        runs.restore_optimizer(self.optimizer, tensors)

    def ship(self) -> None:
        """Writes history and model, the model last; the checkpoint is then of no more use."""
        final = self.candidate()
        if self.best:
            final.load_state_dict(self.best)
        progress = self.progress
        history = {
            "epochs": progress.epochs,
            "best": progress.best_epoch,
            "seconds": round(progress.seconds, 1),
        }
        write_json(self._folder / runs.HISTORY, history)
        write_file(self._folder / runs.MODEL, runs.weights(final))
        (self._folder / runs.CHECKPOINT).unlink(missing_ok=True)


def _part(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
