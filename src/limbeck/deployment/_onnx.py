"""A torch module as an ONNX file."""

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from limbeck.deployment._exported import Answers
from limbeck.examples import Array, is_text, numbers, tensor
from limbeck.runtime import evaluating, needs
from limbeck.students import Model, Run, Student


def to_onnx(student: Student, model: Model, run: Run) -> tuple[bytes, Answers]:
    onnx, onnxruntime = needs("onnx"), needs("onnxruntime")
    needs("onnxscript")
    inputs, sizes = _example_inputs(student)
    model = model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # not in its types
    with _silenced(), evaluating(model):
        program = torch.onnx.export(
            model,
            (inputs,),
            dynamo=True,
            input_names=["inputs"],
            output_names=["scores"],
            dynamic_shapes=(sizes,),
        )
    assert program is not None
    proto = program.model_proto
    _forget_traces(proto)
    notes = {"classes": json.dumps(run.classes), "kind": run.kind, "student": student.text}
    onnx.helper.set_model_props(proto, notes)
    content: bytes = proto.SerializeToString(deterministic=True)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

    def answers(batch: Array) -> Array:
        inputs = numbers(batch) if is_text(batch) else batch.astype(np.float32)
        scores: Array = session.run(["scores"], {"inputs": inputs})[0]
        return scores

    return content, answers


def _forget_traces(proto: Any) -> None:
    """Takes out where in which source file each operator came from: paths of this machine."""
    graphs = [proto.graph, *proto.functions]
    for graph in graphs:
        for node in graph.node:
            del node.metadata_props[:]
            graphs += [attribute.g for attribute in node.attribute if attribute.HasField("g")]


def _example_inputs(student: Student) -> tuple[torch.Tensor, dict[int, Any]]:
    """Inputs to trace a student with, and which of their sizes may be others."""
    sizes = {0: torch.export.Dim("batch")}
    if not student.reads_text:
        return torch.zeros(2, *student.inputs), sizes
    texts = np.array(["two words", "and three more"], dtype=np.dtypes.StringDType())
    return tensor(texts), {**sizes, 1: torch.export.Dim("bytes")}


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    # The exporter tells its own story on every channel; failures come as exceptions all the same.
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
