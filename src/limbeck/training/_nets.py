"""Nets in training: what they are given, their stack, optimizer, average, log, checkpoint."""

import copy
import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from limbeck import artifacts, students
from limbeck.artifacts import write_file, write_json
from limbeck.errors import CorruptError
from limbeck.examples import Array, Batch
from limbeck.objectives import Objective
from limbeck.students import Encoding, Model, Student
from limbeck.training import _optim
from limbeck.training._plan import Plan
from limbeck.training._stack import Stack, stack
from limbeck.training._transfer import TransferSet

CHECKPOINT = "checkpoint.safetensors"


@dataclass
class Log:
    """What a training notes of one net.

    Its seconds are those of the training at each record, kept apart from what is alike each time.
    """

    sums: dict[str, float] = field(default_factory=dict)
    epochs: list[dict[str, float]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    best_epoch: int = -1
    is_done: bool = False

    def add(self, parts: Mapping[str, Tensor]) -> bool:
        """Adds the parts of a step's loss; whether what is summed is still a number."""
        for name, part in parts.items():
            self.sums[name] = self.sums.get(name, 0.0) + part.item()
        return math.isfinite(sum(self.sums.values()))

    def record(self, step: int, per_record: int, held_out: list[float], patience: int) -> None:
        """Makes a record of the steps since the last; with patience it may be the last one.

        `held_out` is the net's loss on the held-out examples, or empty where there are none.
        """
        since = (step - 1) % per_record + 1
        record = {name: value / since for name, value in self.sums.items()}
        record |= dict.fromkeys(["held_out"][: len(held_out)], sum(held_out))
        self.epochs.append({"step": step, **record})
        self.sums = {}
        if patience:
            losses = [epoch["held_out"] for epoch in self.epochs]
            self.best_epoch = losses.index(min(losses))
            self.is_done = self.waited >= patience

    @property
    def waited(self) -> int:
        """How many records came after the best one."""
        return len(self.epochs) - 1 - self.best_epoch


@dataclass
class Progress:
    """Where a training stands: all that is needed to go on to the identical end."""

    step: int = 0
    seconds: float = 0.0
    logs: list[Log] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether every net is."""
        return all(log.is_done for log in self.logs)

    @property
    def note(self) -> str:
        """The first net's last record in words, for a progress bar."""
        epochs = self.logs[0].epochs
        last = epochs[-1] if epochs else {}
        return " ".join(f"{name} {value:.4g}" for name, value in last.items() if name != "step")

    def save(self, file: Path, tensors: Mapping[str, Tensor]) -> None:
        """Writes the checkpoint atomically."""
        head = json.dumps(dataclasses.asdict(self))
        kept = {k: v.detach().contiguous().cpu() for k, v in tensors.items()}
        artifacts.write_file(file, save(kept, metadata={"limbeck": head}))

    @classmethod
    def load(cls, file: Path, nets: int) -> tuple["Progress", dict[str, Tensor]]:
        """The checkpoint of so many nets in a file, or a fresh start where there is none.

        Raises:
            CorruptError: the file is damaged.
        """
        if not file.exists():
            return cls(logs=[Log() for _ in range(nets)]), {}
        content = file.read_bytes()
        try:
            header = artifacts.embedded(content)
            header["logs"] = [Log(**log) for log in header["logs"]]
            return cls(**header), load(content)
        except (SafetensorError, CorruptError, TypeError, KeyError) as error:
            raise CorruptError(f"{file} is damaged; remove it to start that net anew") from error


@dataclass(frozen=True, eq=False)
class Member:
    """One net of a task: how it starts, what it is asked for, and where to put it."""

    what: str
    seed: int
    objective: Objective
    to: Path


@dataclass(frozen=True, eq=False)
class Task:
    """Nets of one description to train over the same batches.

    `rows` are trained on, in epochs whose order the seed `order` draws; `held_out` only decided
    on: at every `steps_per_record` steps their loss is looked at, and after `patience` of these
    without a better one (0: never) a net stops.
    """

    what: str
    members: tuple[Member, ...]
    student: Student
    encoding: Encoding
    start: Mapping[str, Tensor]
    transfer: TransferSet
    plan: Plan
    order: int
    rows: Array
    held_out: Array
    steps: int
    steps_per_record: int
    patience: int
    checkpoint: Path

    def nets(self) -> "Nets":
        """The nets as they start, or as their checkpoint left them."""
        models = [self._start(member) for member in self.members]
        objectives, seeds = [m.objective for m in self.members], [m.seed for m in self.members]
        places = [member.to for member in self.members]
        return Nets(stack(models, objectives, seeds), self.plan, places, self.checkpoint)

    def _start(self, member: Member) -> Model:
        fresh = students.build_model(self.student, self.encoding, member.seed)
        model = students.started(fresh, self.start)
        if member.objective.standardizes:
            model.rescale(*self.transfer.moments)
        return model

    def marked(self, batch: Batch, step: int) -> Batch:
        """The batch, with where training stands and what standardising objectives divide by."""
        if any(member.objective.standardizes for member in self.members):
            batch = replace(batch, scale=self.transfer.moments[1].to(batch.inputs.device))
        return replace(batch, step=step, steps=self.steps)


class Nets:
    """What a training changes, and how it is kept; made anew it goes on from its checkpoint.

    `places` is where each net goes when it is done, `checkpoint` the file that all share: they
    are saved at one step or not at all.
    """

    def __init__(self, stack: Stack, plan: Plan, places: Sequence[Path], checkpoint: Path) -> None:
        self.stack, self._plan = stack, plan
        self._places, self._checkpoint = places, checkpoint
        self.optimizer = _optim.optimizer(
            plan.optimizer,
            stack,
            momentum=plan.momentum,
            weight_decay=plan.weight_decay,
            leading=stack.leading,
        )
        self.average = _optim.Average(stack, plan.average)
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
        tensors |= _optim.optimizer_tensors(self.optimizer)
        self.progress.save(self._checkpoint, tensors)

    def _restore(self, tensors: Mapping[str, Tensor]) -> None:
        self.stack.load_state_dict(_part("model", tensors))
        self.best = _part("best", tensors)
        if self._plan.average:
            self.average.restore(_part("average", tensors))
        _optim.restore_optimizer(self.optimizer, tensors)

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
            write_json(place / students.HISTORY, history)
            write_file(place / students.MODEL, students.weights_bytes(state))
        self._checkpoint.unlink(missing_ok=True)


def _part(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
