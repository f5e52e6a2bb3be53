"""Training: transfer set + student + objective -> run.

Files:
    _control: The control's policy: its rows, its steps, when it stops early, and why there may be
        none.
    _job: What a training is asked for: one net, its seeds and its control, checked and planned.
    _live: live(): the same batches with the teacher in the loop, for transfer sets without end.
    _loop: The one training loop: nets, a transfer set, an objective each, a plan; meant to be read.
    _nets: Nets in training: what they are given, their stack, optimizer, average, log, checkpoint.
    _optim: Optimizers, schedules, max-norm, weight averaging.
    _plan: Plan: the frozen numbers of one training.
    _record: What a run records: its nets, the seed of each to ship, what they have seen, and notes.
    _sources: Where a transfer set's scores come from: a store, a teacher in the loop, or given
        values.
    specialists/: Specialists for the classes that a generalist confuses, trained, and combined
        with it.
    _stack: Several nets of one description that learn from the same batches, each as if it were
        alone.
    _sweep: sweep(): many students trained over the same batches, with one control for all.
    _train: train(): a student, its control and their seeds, each through the one loop in `_loop`.
    _transfer: TransferSet: examples, views, seed and scores; all that training sees.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
