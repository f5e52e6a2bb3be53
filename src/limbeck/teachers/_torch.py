"""Teachers that are torch modules, and runs of ours."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import torch
from torch import Tensor, nn

from limbeck import runtime
from limbeck.errors import InputError
from limbeck.examples import Array, tensor
from limbeck.runtime import Precision
from limbeck.students import IDENTITY, Affine, Run
from limbeck.teachers._teacher import Answer, Teacher, described


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
    answer = _answer(net, encoding.build(), precision)
    fingerprint = _fingerprint(net, encoding) + suffix(precision)
    return described(own_name, answer, classes, kind, fingerprint)


def run(
    trained: Run, seed: int | None = None, *, precision: Precision | str = "float32"
) -> Teacher:
    """A run of ours, by its shipped seed unless another is named.

    Raises:
        InputError: no such precision; see `module`.
    """
    chosen = trained.shipped if seed is None else seed
    # Our models begin with their own encoding, which takes any number type.
    answer = _answer(trained.model(chosen), nn.Identity(), precision)
    fingerprint = f"{trained.fingerprint}:{chosen}" + suffix(precision)
    made = described(trained.name, answer, trained.classes, trained.kind, fingerprint)
    return replace(made, net=(trained, chosen))


def _answer(net: nn.Module, encode: nn.Module, precision: Precision | str) -> Answer:
    def answer(inputs: Array) -> Tensor:
        place = next(net.parameters(), torch.empty(0, device=runtime.device())).device
        with runtime.evaluating(net), runtime.autocast(precision):
            scores: Tensor = net(_laid_out(encode(tensor(inputs)).to(place)))
        return scores.float() if precision == "bfloat16" else scores

    return answer


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
