"""Whether a net's training ended while its loss still fell steeply, so that no verdict holds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from limbeck.students import Run
from limbeck.training import LEAST_STEPS

# The share of all that the training loss fell by which it fell in the second half of the training.
# On digits a net of 64 units has 0.023 to 0.029 after 270 steps, where it is 5 points worse than it
# can be, and 0.002 to 0.005 from 1,800 steps on; a learning rate that ends at 0 flattens any curve.
STEEP = 0.015
# After a long training a hard problem may still gain by the falling learning rate alone.
STEEP_WHEN_LONG = 0.1
FEWEST = 4  # epochs, with fewer of which nothing is said


def undertrained(models: Mapping[str, Any]) -> str:
    """Which of the models, by name, ended too early and what to do; empty where none did.

    Only runs are looked at: of anything else nothing is known. One that stopped early had its
    reason, the loss on held-out examples.
    """
    steep = [
        f"the {name}'s training loss fell by {share:.1%} of its whole fall in the second half of "
        f"{_steps(model):,} steps"
        for name, model in models.items()
        if isinstance(model, Run) and (share := _share(model))
    ]
    advice = "train longer (epochs) before comparing"
    return f"{' and '.join(steep)}, and was still falling: {advice}" if steep else ""


def _steps(run: Run) -> int:
    return int(run.history(run.shipped)[-1]["step"])


def _share(run: Run) -> float:
    """That share, averaged over seeds; 0 where it is not steep or nothing is known."""
    if any(len(run.history(seed)) < FEWEST or run.best_epoch(seed) >= 0 for seed in run.seeds):
        return 0.0
    share = float(np.mean([_fall(run.history(seed)) for seed in run.seeds]))
    return share if share > (STEEP if _steps(run) < LEAST_STEPS else STEEP_WHEN_LONG) else 0.0


def _fall(epochs: Sequence[Mapping[str, float]]) -> float:
    losses = [sum(v for k, v in one.items() if k not in ("step", "held_out")) for one in epochs]
    whole = losses[0] - losses[-1]
    return (losses[len(losses) // 2] - losses[-1]) / whole if whole > 0 else 0.0
