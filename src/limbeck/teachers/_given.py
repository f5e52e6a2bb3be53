"""The teacher in whatever object was handed in."""

from collections.abc import Sequence

from torch import nn

from limbeck.errors import TeacherError
from limbeck.runs import Run
from limbeck.teachers._function import function
from limbeck.teachers._teacher import Teacher
from limbeck.teachers._torch import module, run


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
