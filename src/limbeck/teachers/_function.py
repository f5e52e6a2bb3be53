"""Teachers that are plain functions: whatever can be called with a batch of raw inputs."""

from collections.abc import Sequence

from limbeck._manifest import fingerprint as name_by_content
from limbeck.teachers._teacher import Answer, Teacher, described


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
    return described(own_name, answer, classes, kind, name_by_content([own_name, version]))
