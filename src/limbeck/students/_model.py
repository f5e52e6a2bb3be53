"""Model: a student's net with its encoding, built, started or loaded from stored weights."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from limbeck import artifacts
from limbeck.errors import CorruptError, InputError
from limbeck.examples import as_inputs, check_inputs, tensor
from limbeck.runtime import device, evaluating
from limbeck.students import _student
from limbeck.students.encodings import Encoding


class Model(nn.Module):
    """A net with what stands around it: raw inputs `(batch, ...)` to scores `(batch, classes)`.

    `scores = body(encoding(inputs)) * scale + shift`. Scale and shift are 1 and 0, or the
    deviation and mean of the teacher's scores where the objective standardizes them; they are
    kept with the student and not trained.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, body: nn.Module, encoding: Encoding, outputs: int) -> None:
        super().__init__()
        self.encoding = encoding.build()
        self.body = body
        self.register_buffer("scale", torch.ones(outputs, dtype=torch.float32))
        self.register_buffer("shift", torch.zeros(outputs, dtype=torch.float32))

    def rescale(self, mean: Tensor, deviation: Tensor) -> None:
        """Makes the body's outputs standard scores of that mean and deviation, `(classes,)`."""
        self.shift.copy_(mean)
        self.scale.copy_(deviation)

    def of_texts(self, texts: Sequence[str]) -> Tensor:
        """The scores of raw texts `(texts, classes)`, without gradients; for who reads texts.

        Raises:
            ExamplesError: a text is empty.
        """
        array = np.asarray(as_inputs(texts))
        check_inputs(array)
        with evaluating(self):
            scores: Tensor = self(tensor(array).to(self.scale.device))
        return scores

    def forward(self, inputs: Tensor) -> Tensor:
        """The scores, float32 or wider whatever the body computed in."""
        scores: Tensor = self.body(self.encoding(inputs))
        return scores.to(self.scale.dtype) * self.scale + self.shift


def build_model(
    student: _student.Student, encoding: Encoding, seed: int, content: bytes = b""
) -> Model:
    """The model of a student on the device, as its seed starts it or with stored weights."""
    body = student.unfilled(seed) if content else student.build(seed)
    model = Model(body, encoding, student.outputs)
    if content:
        load_weights(model, content, student.text)
        model.eval()
    return _placed(model, student.inputs)


def _placed(model: Model, inputs: tuple[int, ...]) -> Model:
    if len(inputs) == 3:  # images: convolutions are faster with the channels last
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in its types
    return model.to(device())


def load_weights(module: nn.Module, content: bytes, what: str) -> None:
    """Puts stored weights into a module.

    Raises:
        CorruptError: they are not this net's.
    """
    try:
        module.load_state_dict(load(content))
    except (SafetensorError, RuntimeError) as error:
        raise CorruptError(f"the stored weights do not fit {what}: {error}") from error


def started(model: Model, start: Mapping[str, Tensor]) -> Model:
    """The model with those of its weights replaced.

    Raises:
        InputError: a weight is not one of the model's, or of another shape.
    """
    own = model.state_dict()
    for name, value in start.items():
        if name not in own or own[name].shape != value.shape:
            shape = tuple(own[name].shape) if name in own else "not there"
            raise InputError(
                f"start gives {name!r} of shape {tuple(value.shape)}; in this student it is {shape}"
            )
    model.load_state_dict({**own, **start})
    return model


def weights_bytes(state: Mapping[str, Tensor]) -> bytes:
    """A module's weights as safetensors; equal weights give equal bytes."""
    return save({k: v.detach().contiguous().cpu() for k, v in state.items()})


def weights_fingerprint(tensors: Mapping[str, Tensor]) -> str:
    """Names weights by their names and values."""
    return artifacts.fingerprint(artifacts.checksum(weights_bytes(tensors)))
