"""Teachers that are exported programs of torch, in a file."""

import contextlib
import logging
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from limbeck.errors import CorruptError, TeacherError, TrustError
from limbeck.examples import Array, tensor
from limbeck.scores import check_kind
from limbeck.teachers import _files
from limbeck.teachers._teacher import Teacher

ANY_BATCH = "torch.export.export(net, inputs, dynamic_shapes=({0: torch.export.Dim('batch')},))"

# How torch's operators name the argument that says whether a net is being trained.
TRAINING = {"train", "training"}


def exported(
    path: str | Path,
    classes: Sequence[str] = (),
    *,
    kind: str = "",
    trust: bool = False,
    name: str = "",
) -> Teacher:
    """What `torch.export.save` wrote: takes raw inputs `(batch, ...)` to scores `(batch, classes)`.

    To open such a file is to run what its maker put there, so it asks for `trust=True`. Seen in
    torch 2.13, `torch.export.load` reads sample inputs, and weights and constants of older files,
    with `weights_only=True` and, where that fails, again with `weights_only=False`; weights and
    constants marked so in the file are unpickled outright; sizes are evaluated as Python by sympy;
    operators are any name within torch; compiled libraries in the archive are loaded.

    It answers without gradients, on the device it was exported on. Class names and kind are those
    saved with it, `extra_files={"classes": '["cat", "dog"]', "kind": "logits"}`, else the ones
    given here, the kind "logits". Raw inputs are cast to the type the program takes where that
    holds them. The fingerprint follows from the file's content and the kind.

    Raises:
        MissingError: no such file.
        TrustError: `trust` was not given.
        CorruptError: it is no archive of `torch.export.save`, or one of another torch.
        TeacherError: it takes batches of one size or several inputs, answers with several outputs
            or with no `(batch, classes)`, was exported in training mode, or nobody names the
            classes.
        MismatchError: it names other classes than were given.
        InputError: no such kind.
    """
    file, own_name = _files.present(path), name or Path(path).name
    if not trust:
        raise TrustError(
            f"opening {path} can run code that is in it: pass --trust (trust=True) if you know "
            "where it comes from"
        )
    program, net, texts = _program_in(file)
    notes = _files.Notes.of(texts)
    names, own_kind = notes.named(classes, own_name), kind or notes.kind or "logits"
    _check_mode(program, own_name)
    expected = _expected(program, own_name)
    slot = _slot(program, expected, own_name)
    _check_output(program, names, own_name)
    return ExportedTeacher(
        name=own_name,
        classes=names,
        kind=check_kind(own_kind),
        fingerprint=_files.fingerprint([file], own_kind),
        source=_files.call("exported", file, classes=list(classes), kind=kind, name=name),
        is_trusted=trust,
        place=file,
        program=net,
        slot=slot,
        device=expected.device,
        type=expected.dtype,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class ExportedTeacher(Teacher):
    """An exported program of torch; `exported` opens one.

    Attributes:
        program: the program as a module.
        slot: its one input.
        device: where it was exported.
        type: what its input is there.
    """

    program: nn.Module = field(repr=False)
    slot: _files.Slot
    device: torch.device
    type: torch.dtype

    @property
    def runtime(self) -> str:
        """Torch."""
        return "torch"

    def predict(self, inputs: Array) -> Tensor:
        """What the program returns."""
        batch = tensor(self.slot.fitted(inputs, self.name)).to(self.device, self.type)
        try:
            with torch.inference_mode():
                return _alone(self.program(batch))
        except AssertionError as error:  # what the program demands of its inputs
            raise RuntimeError(str(error)) from error


def _program_in(file: Path) -> tuple[ExportedProgram, nn.Module, Mapping[str, str]]:
    texts: dict[str, Any] = {"classes": "", "kind": ""}
    try:
        with zipfile.ZipFile(file), _silenced():
            program = torch.export.load(file, extra_files=texts)
            return program, program.module(), texts
    except Exception as error:  # a damaged archive can fail anywhere in torch's reader
        raise CorruptError(
            f"{file} cannot be read: it is no file of torch.export.save, is damaged, or was made "
            f"by another torch than {torch.__version__}"
        ) from error


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    # The reader logs whole tracebacks of failures that come as exceptions all the same.
    loggers = [logging.getLogger(name) for name in ("torch.export", "torch._export")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _check_mode(program: ExportedProgram, whose: str) -> None:
    for node in program.graph.nodes:
        schema = getattr(node.target, "_schema", None)
        names = [argument.name for argument in schema.arguments] if schema else []
        arguments = dict(zip(names, node.args, strict=False)) | dict(node.kwargs)
        if any(arguments.get(name) is True for name in TRAINING):
            raise TeacherError(
                f"{whose} was exported in training mode, see its {node.name!r}, and would answer "
                "differently each time: call net.eval() before torch.export.export"
            )


def _expected(program: ExportedProgram, whose: str) -> Tensor:
    """The example, without numbers, of the one tensor the program takes."""
    names = program.graph_signature.user_inputs
    if len(names) != 1:
        raise TeacherError(
            f"{whose} takes {len(names)} inputs, {', '.join(str(name) for name in names)}; a "
            "teacher takes one: export a module that makes the others itself"
        )
    return _value(program, names[0], f"{whose} takes")


def _slot(program: ExportedProgram, expected: Tensor, whose: str) -> _files.Slot:
    # numpy has no bfloat16; float32 holds all of it.
    kind = torch.float32 if expected.dtype == torch.bfloat16 else expected.dtype
    name = str(program.graph_signature.user_inputs[0])
    slot = _files.Slot(name, _sides(expected), np.dtype(str(kind).removeprefix("torch.")))
    slot.check_batch(whose, ANY_BATCH)
    return slot


def _check_output(program: ExportedProgram, classes: Sequence[str], whose: str) -> None:
    names = program.graph_signature.user_outputs
    if len(names) != 1:
        raise TeacherError(
            f"{whose} answers with {len(names)} outputs, {', '.join(str(name) for name in names)}: "
            "export a module that returns the scores alone"
        )
    output = _value(program, names[0], f"{whose} answers with")
    _files.check_scores(_sides(output), classes, whose)


def _value(program: ExportedProgram, name: object, does: str) -> Tensor:
    value = next((one.meta["val"] for one in program.graph.nodes if one.name == name), name)
    if not isinstance(value, Tensor):
        raise TeacherError(f"{does} {name!r}, which is not a tensor")
    return value


def _sides(value: Tensor) -> tuple[int, ...]:
    return tuple(side if type(side) is int else _files.ANY for side in value.shape)


def _alone(output: Any) -> Tensor:
    """The one tensor in what a module returns, which may be a tuple or a mapping."""
    while not isinstance(output, Tensor):
        parts = output.values() if isinstance(output, Mapping) else output
        output = next(iter(parts))
    return output
