"""The one training loop: nets, a transfer set, an objective each, a plan; meant to be read.

Order, learning rate and dropout are functions of seeds and the step, so a checkpoint is the
step, the weights and what the optimizer remembers: training goes on to the identical end. Nets of
one task see the same batches, and each ends as it would alone.
"""

import time

import torch

from limbeck import students
from limbeck.errors import InputError
from limbeck.examples import Array
from limbeck.runtime import Bar, evaluating, mixed, seeded, shuffled
from limbeck.training import _optim
from limbeck.training._nets import Nets, Task
from limbeck.training._stack import Parts

CHECKPOINT_SECONDS = 20.0
CHECKPOINT_SHARE = 0.05  # of the time, at most: those of large nets on slow disks take seconds


def fit(task: Task) -> None:
    """Trains the nets, or goes on from their checkpoint; leaves each model and its history.

    Gradients are on whatever the caller's mode; two trainings of one process go one after another.

    Raises:
        InputError: a loss became infinite or NaN; or `torch.inference_mode()` is on.
    """
    if torch.is_inference_mode_enabled():  # which, unlike no_grad, nothing within can leave
        raise InputError("training needs gradients: call it outside of torch.inference_mode()")
    # A net's weights are the last file it leaves. Where one is missing, all go on together from
    # the checkpoint, which is removed only when all are there.
    if all((member.to / students.MODEL).exists() for member in task.members):
        return
    with seeded(task.order), torch.enable_grad(), Bar(task.what, task.steps) as bar:
        nets = task.nets()
        progress = nets.progress
        bar.advance(progress.step)
        due = progress.seconds + CHECKPOINT_SECONDS
        while not progress.is_done:
            began = time.monotonic()
            _log(task, nets, _step(task, nets), began)
            bar.advance(note=progress.note)
            # Of the steps and records alone, without the saving, and over all calls.
            progress.seconds += time.monotonic() - began
            if progress.seconds > due:
                due = progress.seconds + _pause(nets)
        nets.ship()


def _pause(nets: Nets) -> float:
    """Saves the nets; the seconds of training until they shall be saved again."""
    began = time.monotonic()
    nets.save()
    return max(CHECKPOINT_SECONDS, (time.monotonic() - began) / CHECKPOINT_SHARE)


def _step(task: Task, nets: Nets) -> list[Parts]:
    plan, step = task.plan, nets.progress.step
    batch = task.marked(task.transfer.batch(*_rows(task, step)), step)
    nets.stack.train()
    losses = nets.stack.losses(batch, plan.precision)
    nets.optimizer.zero_grad()
    # No two nets share a parameter, so the gradient of the sum is each net's own.
    torch.stack([part for parts in losses for part in parts.values()]).sum().backward()  # type: ignore[no-untyped-call]  # torch's own
    if plan.clip_norm:
        nets.stack.clip(plan.clip_norm)
    rate = _optim.rate(plan.schedule, plan.learning_rate, step, task.steps, plan.warmup)
    _optim.set_rate(nets.optimizer, rate)
    nets.optimizer.step()
    # Max-norm is a constraint on the weights, so it holds after the step (Hinton et al. 2012), and
    # the average is one of weights that keep it.
    if plan.max_norm:
        nets.stack.hold_norms(plan.max_norm)
    if plan.average:
        nets.average.update(nets.stack, step)
    return losses


def _rows(task: Task, step: int) -> tuple[Array, Array]:
    # Epochs are counted over the rows themselves, not by `steps_per_record`: a control with few
    # labels has the student's steps, and so goes through its rows more often.
    epoch, at = divmod(step, task.plan.steps_per_epoch(len(task.rows)))
    order = shuffled(len(task.rows), mixed(task.order, epoch))
    chosen = task.rows[order[at * task.plan.batch : (at + 1) * task.plan.batch].numpy()]
    return chosen, task.transfer.numbers(chosen, epoch)


def _log(task: Task, nets: Nets, losses: list[Parts], began: float) -> None:
    progress = nets.progress
    progress.step += 1
    for member, log, parts in zip(task.members, progress.logs, losses, strict=True):
        # A net that stopped early is still computed with the others until all are done; what
        # becomes of it then is nobody's concern, for its best weights are kept apart.
        if not log.is_done and not log.add(parts):
            raise InputError(
                f"{member.what}: the loss is no longer a number at step {progress.step} of "
                f"{task.steps}; lower the learning rate or set clip_norm"
            )
    if progress.step % task.steps_per_record == 0 or progress.step >= task.steps:
        _record(task, nets, began)


def _record(task: Task, nets: Nets, began: float) -> None:
    step = nets.progress.step
    held_out = _held_out_losses(task, nets)
    seconds = nets.progress.seconds + time.monotonic() - began
    best = []
    for i, log in enumerate(nets.progress.logs):
        if not log.is_done:
            log.record(step, task.steps_per_record, held_out[i : i + 1], task.patience)
            log.seconds.append(seconds)
            log.is_done |= step >= task.steps
            # Without patience the last weights are shipped, and copies of others would cost memory.
            best += [i] if task.patience and log.waited == 0 else []
    nets.keep_as_best(best)


def _held_out_losses(task: Task, nets: Nets) -> list[float]:
    """Each net's mean loss over the held-out examples; an empty list where there are none."""
    totals = [0.0] * (len(task.members) if len(task.held_out) else 0)
    with evaluating(nets.candidates()) as stack:
        # The first view alone, so that every record and every seed is held to the same inputs; in
        # float32 also where training is not, for here seeds are chosen by small differences.
        for batch in task.transfer.first_views(task.held_out, 1024):
            marked = task.marked(batch, nets.progress.step)
            for i, parts in enumerate(stack.losses(marked, "float32")):
                # A loss is a mean over its batch, and the last batch is smaller.
                totals[i] += sum(part.item() for part in parts.values()) * len(batch)
    return [total / len(task.held_out) for total in totals]
