"""Teachers that are torch modules, and runs of ours."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from limbeck import _engine
from limbeck.encodings import IDENTITY, Affine
from limbeck.examples import Array
from limbeck.runs import Run
from limbeck.teachers._teacher import Answer, Teacher, described


def module(
    net: nn.Module,
    classes: Sequence[str],
    *,
    kind: str = "logits",
    encoding: Affine = IDENTITY,
    name: str = "",
) -> Teacher:
    """A torch module that takes encoded inputs `(batch, ...)` to scores `(batch, classes)`.

    It answers in eval mode and without gradients, whatever mode it is handed in, on the device
    its parameters are on, and is left as it was found.

    Raises:
        TeacherError: no classes, or two of one name.
        InputError: no such kind.
    """
    own_name = name or type(net).__name__
    answer = _answer(net, encoding.build())
    return described(own_name, answer, classes, kind, _fingerprint(net, encoding))


def run(trained: Run, seed: int | None = None) -> Teacher:
    """A run of ours, by its shipped seed unless another is named."""
    chosen = trained.shipped if seed is None else seed
    # Our models begin with their own encoding, which takes any number type.
    answer = _answer(trained.model(chosen), nn.Identity())
    fingerprint = f"{trained.fingerprint}:{chosen}"
    made = described(trained.name, answer, trained.classes, "logits", fingerprint)
    return replace(made, net=(trained, chosen))


def _answer(net: nn.Module, encode: nn.Module) -> Answer:
    def answer(inputs: Array) -> Tensor:
        place = next(net.parameters(), torch.empty(0, device=_engine.device())).device
        with _engine.evaluating(net):
            scores: Tensor = net(encode(_engine.tensor(inputs)).to(place))
        return scores

    return answer


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
