"""The one training loop: a net, a transfer set, an objective, a plan; meant to be read.

Order, learning rate and dropout are functions of the seed and the step, so a checkpoint is the
step, the weights and what the optimiser remembers: training goes on to the identical end.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from limbeck import optim, runs
from limbeck._engine import Bar, autocast, evaluating, mixed, seeded, shuffled
from limbeck._net import Net
from limbeck.encodings import Affine
from limbeck.errors import InputError
from limbeck.examples import Array
from limbeck.objectives import Objective
from limbeck.runs import Plan
from limbeck.students import Model, Student
from limbeck.transfer import TransferSet

CHECKPOINT_SECONDS = 20.0


@dataclass(frozen=True, eq=False)
class Task:
    """One net to train, and where to put it.

    `rows` are trained on, `held_out` only decided on: at every `steps_per_record` steps their
    loss is looked at, and after `patience` of these without a better one (0: never) it stops.
    """

    what: str
    student: Student
    encoding: Affine
    transfer: TransferSet
    objective: Objective
    start: Mapping[str, Tensor]
    plan: Plan
    seed: int
    rows: Array
    held_out: Array
    steps: int
    steps_per_record: int
    patience: int
    to: Path


def fit(task: Task) -> None:
    """Trains the net, or goes on from its checkpoint; leaves the model and its history.

    Raises:
        InputError: the loss became infinite or NaN.
    """
    if (task.to / runs.MODEL).exists():
        return
    with seeded(task.seed), Bar(task.what, task.steps) as bar:
        net = Net(_start(task), task.plan, task.to)
        bar.advance(net.progress.step)
        saved = net.progress.seconds
        while not net.progress.is_done:
            began = time.monotonic()
            _log(task, net, _step(task, net))
            bar.advance(note=net.progress.note)
            net.progress.seconds += time.monotonic() - began
            if net.progress.seconds - saved > CHECKPOINT_SECONDS:
                net.save()
                saved = net.progress.seconds
        net.ship()


def _start(task: Task) -> Model:
    model = runs.started(runs.build_model(task.student, task.encoding, task.seed), task.start)
    if getattr(task.objective, "standardises", False):
        model.rescale(*task.transfer.moments)
    return model


def _step(task: Task, net: Net) -> dict[str, Tensor]:
    plan, step = task.plan, net.progress.step
    batch = task.transfer.batch(*_rows(task, step))
    torch.manual_seed(mixed(task.seed, step))  # for dropout
    net.model.train()
    with autocast(plan.precision):
        output = net.model(batch.inputs)
    parts = task.objective(output, batch)
    net.optimizer.zero_grad()
    torch.stack(list(parts.values())).sum().backward()  # type: ignore[no-untyped-call]
    if plan.clip_norm:
        torch.nn.utils.clip_grad_norm_(net.model.parameters(), plan.clip_norm)
    rate = optim.rate(plan.schedule, plan.learning_rate, step, task.steps, plan.warmup)
    optim.set_rate(net.optimizer, rate)
    net.optimizer.step()
    if plan.max_norm:
        optim.hold_norms(optim.hidden_weights(net.model), plan.max_norm)
    if plan.average:
        net.average.update(net.model, step)
    return parts


def _rows(task: Task, step: int) -> tuple[Array, Array]:
    epoch, at = divmod(step, math.ceil(len(task.rows) / task.plan.batch))
    order = shuffled(len(task.rows), mixed(task.seed, epoch))
    chosen = task.rows[order[at * task.plan.batch : (at + 1) * task.plan.batch].numpy()]
    return chosen, task.transfer.numbers(chosen, epoch)


def _log(task: Task, net: Net, parts: dict[str, Tensor]) -> None:
    progress = net.progress
    progress.step += 1
    for name, part in parts.items():
        progress.sums[name] = progress.sums.get(name, 0.0) + part.item()
    if not math.isfinite(sum(progress.sums.values())):
        raise InputError(
            f"{task.what}: the loss is no longer a number at step {progress.step} of {task.steps}; "
            "lower the learning rate or set clip_norm"
        )
    progress.is_done = progress.step >= task.steps
    if progress.step % task.steps_per_record == 0 or progress.is_done:
        _record(task, net)


def _record(task: Task, net: Net) -> None:
    progress = net.progress
    since = (progress.step - 1) % task.steps_per_record + 1
    record = {name: value / since for name, value in progress.sums.items()}
    progress.sums = {}
    if len(task.held_out):
        record["held_out"] = _held_out_loss(task, net.candidate())
    progress.epochs.append({"step": progress.step, **record})
    if task.patience:
        losses = [record["held_out"] for record in progress.epochs]
        progress.best_epoch = losses.index(min(losses))
        waited = len(losses) - 1 - progress.best_epoch
        progress.is_done = progress.is_done or waited >= task.patience
        if waited == 0:
            net.keep_as_best()


def _held_out_loss(task: Task, model: Model) -> float:
    total = 0.0
    with evaluating(model):
        for batch in task.transfer.first_views(task.held_out, 1024):
            parts = task.objective(model(batch.inputs), batch)
            total += sum(part.item() for part in parts.values()) * len(batch)
    return total / len(task.held_out)
