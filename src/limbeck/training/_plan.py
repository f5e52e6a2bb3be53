"""Plan: the frozen numbers of one training."""

import dataclasses
import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, get_args

from limbeck.errors import InputError
from limbeck.runtime import Precision
from limbeck.training._optim import OPTIMIZERS, SCHEDULES, OptimizerName, ScheduleName

EPOCHS = 30
# Below it a small net has seldom ended: on 1,078 digits, 270 steps of batch 128 end 5 points below
# what 2,000 reach, whatever the batch.
LEAST_STEPS = 2000


@dataclass(frozen=True)
class Plan:
    """The frozen numbers of one training.

    Attributes:
        epochs: passes over the examples, each example in one of its views a pass; 0 for 30, or as
            many more as make 2,000 steps: few examples are seen more often, not trained less.
        batch: examples a step.
        optimizer: "sgd" (with momentum, as in the papers), "nesterov" (the same with Nesterov's
            momentum) or "adamw".
        learning_rate: its highest value.
        schedule: "constant", "cosine" or "one-cycle", after the warm-up.
        warmup: the share of all steps over which the learning rate rises.
        momentum: SGD's momentum, or AdamW's first beta.
        weight_decay: on matrices and filters only.
        clip_norm: the longest gradient over all parameters; 0 for no limit.
        max_norm: the longest incoming weight vector of a hidden unit; 0 for no limit.
        average: the decay of the weights' moving average, which is then shipped; 0 for none.
        precision: "float32", or "bfloat16" autocast; losses are float32 either way.
        held_out: the share of examples kept out of training for decisions; 0 for none.
        patience: stop after so many epochs without a better held-out loss, and ship the best
            epoch; 0 to train to the end and ship the last.
    """

    epochs: int = 0
    batch: int = 128
    optimizer: OptimizerName | str = "adamw"
    learning_rate: float = 1e-3
    schedule: ScheduleName | str = "cosine"
    warmup: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    max_norm: float = 0.0
    average: float = 0.0
    precision: Precision | str = "float32"
    held_out: float = 0.1
    patience: int = 0

    def __post_init__(self) -> None:
        self._check_choices()
        for field in dataclasses.fields(self):
            self._check_number(field.name, field.default)
        _check("epochs", self.epochs, self.epochs >= 0, "1 or more, or 0 for enough")
        _check("batch", self.batch, self.batch >= 1, "1 or more")
        _check("learning_rate", self.learning_rate, self.learning_rate > 0, "above 0")
        for name in ("weight_decay", "clip_norm", "max_norm", "patience"):
            _check(name, getattr(self, name), getattr(self, name) >= 0, "0 or more")
        for name in ("warmup", "momentum", "average", "held_out"):
            _check(name, getattr(self, name), 0 <= getattr(self, name) < 1, "0 or more and below 1")
        if self.optimizer == "nesterov" and not self.momentum:
            raise InputError("nesterov looks ahead along the momentum: set momentum above 0")
        if self.patience and not self.held_out:
            raise InputError("patience stops on held-out examples: set held_out above 0")

    def _check_number(self, name: str, default: object) -> None:
        value = getattr(self, name)
        if isinstance(default, int):
            is_whole = isinstance(value, Integral) and not isinstance(value, bool)
            _check(name, value, is_whole, "a whole number")
        elif isinstance(default, float):
            is_number = isinstance(value, Real) and math.isfinite(value)
            _check(name, value, is_number, "a finite number")

    def _check_choices(self) -> None:
        choices = {
            "optimizer": OPTIMIZERS,
            "schedule": SCHEDULES,
            "precision": get_args(Precision),
        }
        for name, known in choices.items():
            value = getattr(self, name)
            _check(name, value, value in known, f"one of {', '.join(known)}")

    def suited(self, examples: int) -> "Plan":
        """The plan with its epochs, where none are given, for so many examples to learn from."""
        if self.epochs:
            return self
        per_epoch = self.steps_per_epoch(examples * (1 - self.held_out))
        return dataclasses.replace(self, epochs=max(EPOCHS, math.ceil(LEAST_STEPS / per_epoch)))

    def steps_per_epoch(self, rows: float) -> int:
        """How many batches a pass over so many rows takes; the last may be a smaller one."""
        return math.ceil(rows / self.batch)

    def steps(self, rows: float) -> int:
        """How many steps its epochs over so many rows make.

        Raises:
            InputError: it names no epochs: `suited` gives it those for its examples.
        """
        if not self.epochs:
            raise InputError("a plan without epochs has no steps yet: plan.suited(len(examples))")
        return self.epochs * self.steps_per_epoch(rows)

    def to_json(self) -> dict[str, Any]:
        """The plan, as a manifest holds it."""
        return dataclasses.asdict(self)


def _check(name: str, value: object, is_right: bool, right: str) -> None:
    if not is_right:
        raise InputError(f"a plan's {name} is {right}, not {value!r}")
