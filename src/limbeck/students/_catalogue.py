"""The students by name, and the one that a text such as `mlp([800, 800])` describes."""

from limbeck.runtime import Makers, make
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


def read(text: str, *, trust: bool = False) -> Student:
    """The student that a call written as text describes, such as `mlp([800, 800])`.

    Raises:
        RecipeError: there is none of that name, or its arguments are refused.
    """
    made: Student = make(text, MAKERS, "student")
    return made.trusted() if trust else made
