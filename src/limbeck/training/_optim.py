"""Optimizers, schedules, max-norm, weight averaging."""

import math
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import torch
from torch import Tensor, nn

OptimizerName = Literal["sgd", "nesterov", "adamw"]
ScheduleName = Literal["constant", "cosine", "one-cycle"]
OPTIMIZERS: tuple[OptimizerName, ...] = get_args(OptimizerName)
SCHEDULES: tuple[ScheduleName, ...] = get_args(ScheduleName)


def optimizer(
    name: OptimizerName | str,
    module: nn.Module,
    *,
    momentum: float,
    weight_decay: float,
    leading: int = 0,
) -> torch.optim.Optimizer:
    """SGD with momentum (the papers'), Nesterov's or AdamW, fused; each step sets its rate.

    Weight decay is for matrices and filters alone, not for biases, scales and shifts. `leading`
    is how many dimensions a parameter has before its own, where nets are stacked.
    """
    parameters = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() - leading > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() - leading <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if name in ("sgd", "nesterov"):
        is_nesterov = name == "nesterov"
        return torch.optim.SGD(groups, lr=0.0, momentum=momentum, nesterov=is_nesterov, fused=True)
    return torch.optim.AdamW(groups, lr=0.0, betas=(momentum, 0.999), fused=True)


def rate(
    schedule: ScheduleName | str, highest: float, step: int, steps: int, warmup: float
) -> float:
    """The learning rate of a step, 0 to `steps` - 1, of which a share `warmup` rises from near 0.

    "constant" stays at the highest; "cosine" falls to 0 along half a wave; "one-cycle" falls in a
    straight line.
    """
    rising = warmup * steps
    if step < rising:
        return highest * (step + 1) / (rising + 1)
    done = (step - rising) / max(steps - rising, 1.0)
    if schedule == "constant":
        return highest
    if schedule == "cosine":
        return highest * (1 + math.cos(math.pi * done)) / 2
    return highest * (1 - done)


def set_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Makes this the learning rate of the next step."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


def hidden_weights(module: nn.Module) -> list[nn.Parameter]:
    """The weights that max-norm holds: of every linear and convolutional layer but the last."""
    layers = [m for m in module.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    return [layer.weight for layer in layers[:-1]]  # type: ignore[misc]  # typed as Tensor


@torch.no_grad()
def hold_norms(weights: Iterable[Tensor], longest: float) -> None:
    """Shortens each unit's incoming weights to that length where they are longer, in place.

    Hinton et al. 2012, arXiv:1207.0580: the constraint that goes with dropout.
    """
    for weight in weights:
        torch.renorm(weight, p=2, dim=0, maxnorm=longest, out=weight)


class Average:
    """An exponential moving average of a module's floating-point state.

    The decay of the first steps is lower, (1 + step) / (10 + step), so that the random start is
    forgotten soon.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self._decay = decay
        self.state = {name: value.clone() for name, value in _floating(module).items()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Takes in the module's state after that step."""
        decay = min(self._decay, (1 + step) / (10 + step))
        current = _floating(module)
        kept = [self.state[name] for name in current]
        torch._foreach_lerp_(kept, list(current.values()), 1 - decay)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Goes on from a stored average, on the device where the module is."""
        self.state = {name: state[name].to(value.device) for name, value in self.state.items()}

    def copy_to(self, module: nn.Module) -> None:
        """Puts the average into the module."""
        module.load_state_dict({**module.state_dict(), **self.state})


def _floating(module: nn.Module) -> dict[str, Tensor]:
    return {name: v for name, v in module.state_dict().items() if v.is_floating_point()}


def _laid_out_like(parameter: Tensor, value: Tensor) -> Tensor:
    # A fused step walks parameter and moments in memory order. Filters have their channels last,
    # a stored tensor has not: unchanged, each moment would meet another weight.
    if value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What an optimizer remembers, as named tensors: no pickle in a checkpoint."""
    remembered = optimizer.state_dict()["state"]
    return {
        f"optimizer.{index}.{name}": torch.as_tensor(value)
        for index, state in remembered.items()
        for name, value in state.items()
        if value is not None
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Puts back what `optimizer_tensors` took."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, field_name = name.split(".")
            placed = _laid_out_like(parameters[int(index)], value)
            state.setdefault(int(index), {})[field_name] = placed
    whole = optimizer.state_dict()
    optimizer.load_state_dict({**whole, "state": state})
