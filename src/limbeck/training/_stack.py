"""Several nets of one description that learn from the same batches, each as if it were alone.

`Together` computes small nets of linear layers as one: parameters stacked, the shared inputs met
by one product. `Apart` asks any nets one after the other. Both give every net its own loss, and
no net's gradient sees another's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.nn import functional

from limbeck.errors import InputError
from limbeck.examples import Batch
from limbeck.objectives import Objective
from limbeck.runtime import autocast, mixed, seed_torch
from limbeck.students import Model
from limbeck.training import _optim

Parts = dict[str, Tensor]
# What `Together` knows to stack. Dropout is not among them: one draw for the stack would not be the
# draws that each net's seed makes alone.
TOGETHER = (nn.Flatten, nn.Linear, nn.ReLU, nn.Identity)


class Apart(nn.Module):
    """Any nets, one after the other over the same batch."""

    leading = 0  # how many dimensions a parameter has before its own

    def __init__(
        self, models: Sequence[Model], objectives: Sequence[Objective], seeds: Sequence[int]
    ) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)
        self.asked = tuple(one.begun(seed) for one, seed in zip(objectives, seeds, strict=True))
        # Registered where they have parameters, so that these are trained and checkpointed.
        self.objectives = nn.ModuleDict(
            {str(i): one.trainable for i, one in enumerate(self.asked) if one.trainable is not None}
        )
        self.seeds = tuple(seeds)

    def losses(self, batch: Batch, precision: str) -> list[Parts]:
        """The named parts of each net's loss on the batch."""
        return [self._losses_of(i, batch, precision) for i in range(len(self.seeds))]

    def _losses_of(self, i: int, batch: Batch, precision: str) -> Parts:
        objective, model = self.asked[i], self.models[i]
        assert isinstance(model, Model)
        # Dropout is drawn by the net's seed and the step: alike beside other nets, and after a
        # restart, without a generator's state in the checkpoint.
        seed_torch(mixed(self.seeds[i], batch.step))
        # Only the net may compute in bfloat16: it answers in float32, and the loss stays there.
        with autocast(precision):
            output, features = _answered(model, objective.features, batch.inputs)
        return objective(output, replace(batch, features=features) if features else batch)

    def clip(self, longest: float) -> None:
        """Shortens each net's gradient to that length where it is longer."""
        for i, model in enumerate(self.models):
            own = [*model.parameters(), *self._parameters_of_objective(i)]
            torch.nn.utils.clip_grad_norm_(own, longest)

    def _parameters_of_objective(self, i: int) -> list[nn.Parameter]:
        trainable = self.asked[i].trainable
        return [] if trainable is None else list(trainable.parameters())

    def hold_norms(self, longest: float) -> None:
        """Shortens the incoming weights of hidden units to that length where they are longer."""
        for model in self.models:
            _optim.hold_norms(_optim.hidden_weights(model), longest)

    def of_net(self, state: Mapping[str, Tensor], i: int) -> dict[str, Tensor]:
        """What of this stack's state is the i-th net's, under the net's own names."""
        head = f"models.{i}."
        return {k.removeprefix(head): v for k, v in state.items() if k.startswith(head)}


class Together(nn.Module):
    """Small nets of linear layers and ReLU, computed as one.

    Parameters are those of a single net with a first dimension for the net, so an optimizer that
    works on each number alone treats each net as if it were alone.
    """

    leading = 1
    scale: Tensor
    shift: Tensor

    def __init__(
        self, models: Sequence[Model], objectives: Sequence[Objective], seeds: Sequence[int]
    ) -> None:
        super().__init__()
        self.encoding = models[0].encoding
        bodies = [list(model.body.children()) for model in models]
        self.body = nn.Sequential(*(_stacked(layers) for layers in zip(*bodies, strict=True)))
        self.register_buffer("scale", torch.stack([model.scale for model in models]))
        self.register_buffer("shift", torch.stack([model.shift for model in models]))
        self.asked, self.seeds = tuple(objectives), tuple(seeds)
        # An objective's text makes it again, so equal texts are one function of tensors.
        order = sorted(range(len(seeds)), key=lambda i: objectives[i].text)
        self._groups = [list(g) for _, g in groupby(order, key=lambda i: objectives[i].text)]

    def forward(self, inputs: Tensor) -> Tensor:
        """The scores of every net, `(nets, batch, classes)`."""
        scores: Tensor = self.body(self.encoding(inputs))
        return scores.to(self.scale.dtype) * self.scale[:, None] + self.shift[:, None]

    def losses(self, batch: Batch, precision: str) -> list[Parts]:
        """The named parts of each net's loss on the batch."""
        with autocast(precision):
            outputs = self(batch.inputs)
        parts: list[Parts] = [{} for _ in self.seeds]
        for group in self._groups:
            for i, own in zip(group, self._losses_of(group, outputs, batch), strict=True):
                parts[i] = own
        return parts

    def _losses_of(self, group: list[int], outputs: Tensor, batch: Batch) -> list[Parts]:
        objective = self.asked[group[0]]
        # Only an objective that says so: vmap refuses draws and branches on values.
        if len(group) > 1 and objective.vectorizes:
            own = outputs if len(group) == len(outputs) else outputs[group]
            all_parts = torch.vmap(lambda output: objective(output, batch))(own)
            rows = zip(*(part.unbind() for part in all_parts.values()), strict=True)
            return [dict(zip(all_parts, row, strict=True)) for row in rows]
        parts = []
        for i in group:
            seed_torch(mixed(self.seeds[i], batch.step))  # for an objective that draws
            parts.append(objective(outputs[i], batch))
        return parts

    def clip(self, longest: float) -> None:
        """Shortens each net's gradient to that length where it is longer."""
        # One norm a net, over all its parameters: the first dimension is never summed over.
        gradients = [p.grad for p in self.parameters() if p.grad is not None]
        squares = torch.stack([g.flatten(1).square().sum(dim=1) for g in gradients]).sum(dim=0)
        # torch.nn.utils.clip_grad_norm_'s own factor.
        factors = (longest / (squares.sqrt() + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factors.view(-1, *[1] * (gradient.dim() - 1)))

    def hold_norms(self, longest: float) -> None:
        """Shortens the incoming weights of hidden units to that length where they are longer."""
        # The norm is a unit's, so the units of all nets can stand in one matrix. The last layer's
        # are the outputs, not hidden ones.
        layers = [layer for layer in self.body if isinstance(layer, StackedLinear)]
        _optim.hold_norms([layer.weight.detach().flatten(0, 1) for layer in layers[:-1]], longest)

    def of_net(self, state: Mapping[str, Tensor], i: int) -> dict[str, Tensor]:
        """What of this stack's state is the i-th net's, under the net's own names."""
        return {name: value[i] for name, value in state.items()}


class StackedLinear(nn.Module):
    """One linear layer of several nets: weights `(nets, outputs, inputs)`, biases if they have."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach() for layer in layers]))
        has_bias = "bias" in layers[0].state_dict()
        biases = [layer.bias.detach() for layer in layers] if has_bias else []
        self.bias = nn.Parameter(torch.stack(biases)) if biases else None

    def forward(self, inputs: Tensor) -> Tensor:
        """`(nets, batch, outputs)` from inputs `(batch, inputs)`, or from each net's own."""
        nets, outputs, _ = self.weight.shape
        if inputs.dim() == 2:  # inputs that all share: one wide product instead of many narrow
            bias = None if self.bias is None else self.bias.flatten()
            wide = functional.linear(inputs, self.weight.flatten(0, 1), bias)
            return wide.view(len(inputs), nets, outputs).transpose(0, 1)
        weight = self.weight.transpose(1, 2)
        if self.bias is None:
            return torch.bmm(inputs, weight)
        return torch.baddbmm(self.bias[:, None], inputs, weight)


Stack = Apart | Together


def stack(models: Sequence[Model], objectives: Sequence[Objective], seeds: Sequence[int]) -> Stack:
    """The nets, computed together where that is known to be the same, else one by one.

    Raises:
        InputError: an objective asks for a feature that the student does not have.
    """
    for objective in objectives:
        check_features(models[0], objective)
    is_plain = _is_plain(models[0].body)
    if len(models) > 1 and is_plain and not any(_is_special(one) for one in objectives):
        return Together(models, objectives, seeds)
    return Apart(models, objectives, seeds)


def check_features(model: Model, objective: Objective) -> None:
    """Refuses an objective that asks for a submodule which the student does not have.

    Raises:
        InputError: it names the features that there are.
    """
    names = [name for name, _ in model.body.named_modules() if name]
    for name in objective.features:
        if name not in names:
            raise InputError(
                f"{objective.text} asks for the feature {name!r}, which this student does not "
                f"have; it has {', '.join(names)}"
            )


def _is_plain(body: nn.Module) -> bool:
    """Whether the body is nothing but known layers, one after the other, each used once."""
    # Types are compared and not `isinstance`: a subclass may compute otherwise. A layer used twice
    # would become two with weights of their own, and a frozen one would be trained.
    return (
        type(body) is nn.Sequential
        and all(type(layer) in TOGETHER for layer in body)
        and len(set(body)) == len(body)
        and all(parameter.requires_grad for parameter in body.parameters())
    )


def _is_special(objective: Objective) -> bool:
    # A stack has no submodule that is one net's, to train with its objective or to look into.
    return objective.trainable is not None or bool(objective.features)


def _stacked(layers: Sequence[nn.Module]) -> nn.Module:
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    return StackedLinear(linear) if linear else layers[0]


def _answered(
    model: Model, names: Sequence[str], inputs: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """The model's scores, and what the named submodules of its body gave on the way."""
    features: dict[str, Tensor] = {}
    hooks = [
        model.body.get_submodule(name).register_forward_hook(partial(_keep, features, name))
        for name in names
    ]
    try:
        return model(inputs), features
    finally:
        for hook in hooks:
            hook.remove()


def _keep(features: dict[str, Tensor], name: str, _: nn.Module, __: object, output: Tensor) -> None:
    features[name] = output
