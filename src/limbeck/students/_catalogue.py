"""The students by name, and the one that a text such as `mlp([800, 800])` describes."""

from typing import Any

from limbeck.runtime import Makers, Named, make
from limbeck.students._student import Student
from limbeck.students.families import (
    conv_pool,
    convnet,
    factory,
    fastnet,
    frequency_conv,
    mlp,
    ngrams,
    of_size,
    shallow,
    shallow_conv,
    static_embeddings,
)

MAKERS: Makers = {
    "mlp": mlp,
    "shallow": shallow,
    "shallow_conv": shallow_conv,
    "conv_pool": conv_pool,
    "convnet": convnet,
    "fastnet": fastnet,
    "frequency_conv": frequency_conv,
    "ngrams": ngrams,
    "static_embeddings": static_embeddings,
    "of_size": of_size,
    "factory": factory,
}


def from_text(text: str, *, trust: bool = False) -> Student:
    """The student that a call written as text describes, such as `mlp([800, 800])`.

    `mine.py:net(units=4)` is a `factory` of a function in a file of yours, and so is
    `module:net(units=4)`; its code is run when the net is built.

    Raises:
        RecipeError: there is none of that name, or its arguments are refused.
        MissingError: it names a file that is not there.
    """
    named = Named.parse(text)
    student: Student = make(text, MAKERS, "student") if named is None else _of_yours(named)
    return student.trusted() if trust else student


def _of_yours(named: Named) -> Student:
    def settings(**keywords: Any) -> dict[str, Any]:
        return keywords

    path = f"{named.place}:{named.name}" + (f"  # {named.content}" if named.content else "")
    return factory(path, **make(named.call, {named.name: settings}, "student"))
