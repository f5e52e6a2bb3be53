"""Teachers that are torch modules, and runs of ours."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, get_args

import torch
from torch import Tensor, nn

from limbeck import runtime
from limbeck.errors import InputError
from limbeck.examples import Array, tensor
from limbeck.runtime import Precision
from limbeck.scores import check_kind
from limbeck.students import IDENTITY, Affine, Run
from limbeck.teachers._teacher import Teacher, names_of


def module(
    net: nn.Module,
    classes: Sequence[str] | int,
    *,
    kind: str = "logits",
    encoding: Affine = IDENTITY,
    name: str = "",
    precision: Precision | str = "float32",
) -> Teacher:
    """A torch module that takes encoded inputs `(batch, ...)` to scores `(batch, classes)`.

    Of embeddings and values, `classes` may be the number of columns.

    It answers in eval mode and without gradients, whatever mode it is handed in, on the device
    its parameters are on, and is left as it was found. A precision of "bfloat16" (autocast) can
    be several times faster, and moves scores by some thousandths of themselves: it is another
    teacher, with another fingerprint.

    Raises:
        TeacherError: no classes, or two of one name.
        InputError: no such kind or precision.
    """
    own_name = name or type(net).__name__
    return ModuleTeacher(
        name=own_name,
        classes=names_of(own_name, classes, kind),
        kind=check_kind(kind),
        fingerprint=_fingerprint(net, encoding) + suffix(precision),
        module=net,
        encode=encoding.build(),
        precision=precision,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class ModuleTeacher(Teacher):
    """A torch module of yours; `module` makes one.

    Attributes:
        module: the net.
        encode: what inputs go through before it.
        precision: what it computes in.
    """

    module: nn.Module = field(repr=False)
    encode: nn.Module = field(repr=False)
    precision: str

    @property
    def runtime(self) -> str:
        """Torch."""
        return "torch"

    def predict(self, inputs: Array) -> Tensor:
        """What the net says, in eval mode and without gradients."""
        return _scores(self.module, self.encode, self.precision, inputs)


def run(
    trained: Run, seed: int | None = None, *, precision: Precision | str = "float32"
) -> Teacher:
    """A run of ours, by its shipped seed unless another is named.

    Raises:
        InputError: no such precision; see `module`.
    """
    chosen = trained.shipped if seed is None else seed
    teacher = RunTeacher(
        name=trained.name,
        classes=trained.classes,
        kind=check_kind(trained.kind),
        fingerprint=f"{trained.fingerprint}:{chosen}" + suffix(precision),
        run=trained,
        seed=chosen,
        precision=precision,
    )
    teacher.model  # a damaged file is found now, not when it is first asked  # noqa: B018
    return teacher


@dataclass(frozen=True, eq=False, kw_only=True)
class RunTeacher(Teacher):
    """One net of a run of ours; `run` makes one.

    Attributes:
        run: where the net lies.
        seed: which of its nets it is.
        precision: what it computes in.
    """

    run: Run
    seed: int
    precision: str

    @cached_property
    def model(self) -> nn.Module:
        """The net."""
        return self.run.model(self.seed)

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the table that the net was trained on."""
        return tuple(self.run.record.features)

    @property
    def runtime(self) -> str:
        """Torch."""
        return "torch"

    def predict(self, inputs: Array) -> Tensor:
        """What the net says, in eval mode and without gradients."""
        # Our models begin with their own encoding, which takes any number type.
        return _scores(self.model, nn.Identity(), self.precision, inputs)

    @property
    def net(self) -> tuple[Run, int]:
        """The run and the seed."""
        return self.run, self.seed

    @property
    def bytes(self) -> int:
        """The size of the net's file."""
        return self.run.record.nets[self.run.role][str(self.seed)]["bytes"]

    def reopen(self) -> Teacher:
        """The same with its net read anew from the run's directory."""
        again = replace(self)
        again.model  # noqa: B018  a damaged file is found now, as when it is first opened
        return again

    @property
    def _is_text(self) -> bool:
        return False  # a directory names neither seed, role nor precision

    def _state(self) -> dict[str, Any]:
        """Where the net lies, and not the net: another process reads and checks the file itself."""
        state = {name: value for name, value in self.__dict__.items() if name != "model"}
        return state | {"run": replace(self.run, directory=self.run.directory.absolute())}


def _scores(net: nn.Module, encode: nn.Module, precision: str, inputs: Array) -> Tensor:
    place = next(net.parameters(), torch.empty(0, device=runtime.device())).device
    with runtime.evaluating(net), runtime.autocast(precision):
        scores: Tensor = net(_laid_out(encode(tensor(inputs)).to(place)))
    return scores.float() if precision == "bfloat16" else scores


def _laid_out(inputs: Tensor) -> Tensor:
    """Images with their channels innermost in memory: convolutions are faster so."""
    return inputs.contiguous(memory_format=torch.channels_last) if inputs.dim() == 4 else inputs


def suffix(precision: Precision | str) -> str:
    """What a precision adds to a fingerprint.

    Raises:
        InputError: no such precision.
    """
    if precision not in get_args(Precision):
        raise InputError(
            f"a teacher answers in {' or '.join(get_args(Precision))}, not {precision!r}"
        )
    return "" if precision == "float32" else f":{precision}"


def _fingerprint(net: nn.Module, encoding: Affine) -> str:
    digest = hashlib.blake2b(
        f"{type(net).__qualname__}{encoding.fingerprint}".encode(), digest_size=8
    )
    for name, value in net.state_dict().items():
        digest.update(name.encode())
        digest.update(
            value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
        )
    return digest.hexdigest()
