"""Teachers that are plain functions, and the teacher in whatever object was handed in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from limbeck.artifacts import fingerprint as name_by_content
from limbeck.errors import TeacherError
from limbeck.examples import Array
from limbeck.runtime import needs
from limbeck.scores import check_kind
from limbeck.students import Run
from limbeck.teachers._teacher import Answer, Teacher, names_of
from limbeck.teachers._torch import module, run
from limbeck.teachers.fitted import fitted_bytes


def function(
    answer: Answer,
    classes: Sequence[str] | int,
    *,
    kind: str = "logits",
    name: str = "",
    version: str = "",
) -> Teacher:
    """A function from raw inputs `(batch, ...)` to scores `(batch, classes)`.

    Of embeddings and values, `classes` may be the number of columns. With `kind="votes"` it
    answers with one class for each input: positions or names `(batch,)`, or rows with a single 1.

    What a function computes cannot be read off it, so its fingerprint is its name and the
    `version` you give: change the version when the answers change.

    Raises:
        TeacherError: no classes, two of one name, or a mere number of them where they have names.
        InputError: no such kind.
    """
    own_name = name or getattr(answer, "__qualname__", type(answer).__name__)
    return FunctionTeacher(
        name=own_name,
        classes=names_of(own_name, classes, kind),
        kind=check_kind(kind),
        fingerprint=name_by_content([own_name, version]),
        function=answer,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class FunctionTeacher(Teacher):
    """A function of yours; `function` makes one."""

    function: Answer = field(repr=False)

    def predict(self, inputs: Array) -> Any:
        """What the function says."""
        return self.function(inputs)

    @property
    def bytes(self) -> int:
        """Of a method of a scikit-learn model, the model's size when pickled."""
        owner = getattr(self.function, "__self__", None)
        # Who has such a model has loaded scikit-learn, which takes seconds; others need not.
        is_model = hasattr(owner, "get_params") and isinstance(
            owner, needs("sklearn.base").BaseEstimator
        )
        return fitted_bytes(owner) if is_model else 0


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
