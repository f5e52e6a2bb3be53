"""What one training is given: nets of one description, their objectives, the batches they share."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from limbeck import students
from limbeck.examples import Array, Batch
from limbeck.objectives import Objective
from limbeck.students import Encoding, Model, Student
from limbeck.training._nets import Nets
from limbeck.training._plan import Plan
from limbeck.training._stack import stack
from limbeck.training._transfer import TransferSet


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

    def nets(self) -> Nets:
        """The nets as they start, or as their checkpoint left them."""
        models = [self._start(member) for member in self.members]
        objectives, seeds = [m.objective for m in self.members], [m.seed for m in self.members]
        places = [member.to for member in self.members]
        return Nets(stack(models, objectives, seeds), self.plan, places, self.checkpoint)

    def _start(self, member: Member) -> Model:
        fresh = students.build_model(self.student, self.encoding, member.seed)
        model = students.started(fresh, self.start)
        if getattr(member.objective, "standardises", False):
            model.rescale(*self.transfer.moments)
        return model

    def marked(self, batch: Batch, step: int) -> Batch:
        """The batch, with where training stands and what standardising objectives divide by."""
        if any(getattr(member.objective, "standardises", False) for member in self.members):
            batch = replace(batch, scale=self.transfer.moments[1].to(batch.inputs.device))
        return replace(batch, step=step, steps=self.steps)
