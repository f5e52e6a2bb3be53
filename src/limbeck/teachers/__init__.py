"""Anything that scores examples: a module, a run, a function, an ensemble; one kind a file."""

from collections.abc import Sequence

from torch import nn

from limbeck.errors import TeacherError
from limbeck.runs import Run
from limbeck.teachers._endpoint import Endpoint
from limbeck.teachers._ensemble import ensemble, in_precision
from limbeck.teachers._exported import exported
from limbeck.teachers._function import function
from limbeck.teachers._http import http
from limbeck.teachers._onnx import onnx
from limbeck.teachers._specialists import SPECIALISTS, Specialist, Specialists, combined
from limbeck.teachers._teacher import Answer, Teacher
from limbeck.teachers._torch import module, run

__all__ = [
    "SPECIALISTS",
    "Answer",
    "Endpoint",
    "Specialist",
    "Specialists",
    "Teacher",
    "as_teacher",
    "combined",
    "ensemble",
    "exported",
    "function",
    "http",
    "in_precision",
    "module",
    "onnx",
    "run",
]


def as_teacher(given: object, classes: Sequence[str]) -> Teacher:
    """The teacher in whatever was handed in.

    A bare module or function is taken to answer with logits of these classes; anything else is
    said with `teachers.module` or `teachers.function`.

    Raises:
        TeacherError: it is nothing that answers, or nobody names the classes.
    """
    if isinstance(given, Teacher):
        return given
    if isinstance(given, Run):
        return run(given)
    if not callable(given):
        raise TeacherError(
            f"a teacher is a module, a run or a function, not a {type(given).__name__}"
        )
    if isinstance(given, nn.Module):
        return module(given, classes)
    return function(given, classes)
