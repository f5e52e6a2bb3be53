"""The nets: `mlp`, `shallow`, `convnet`, `fastnet` or a factory of your own; a family a file."""

from limbeck._calls import Makers, make
from limbeck.students._convnet import Convnet, convnet
from limbeck.students._factory import Factory, factory, find
from limbeck.students._fastnet import Fastnet, fastnet
from limbeck.students._mlp import Mlp, Shallow, mlp, shallow
from limbeck.students._spec import Model, Student, parameters

__all__ = [
    "MAKERS",
    "Convnet",
    "Factory",
    "Fastnet",
    "Mlp",
    "Model",
    "Shallow",
    "Student",
    "convnet",
    "factory",
    "fastnet",
    "find",
    "mlp",
    "parameters",
    "read",
    "shallow",
]

MAKERS: Makers = {
    "mlp": mlp,
    "shallow": shallow,
    "convnet": convnet,
    "fastnet": fastnet,
    "factory": factory,
}


def read(text: str, *, trust: bool = False) -> Student:
    """The student that a call written as text describes, such as `mlp([800, 800])`.

    Raises:
        RecipeError: there is none of that name, or its arguments are refused.
    """
    made: Student = make(text, MAKERS, "student")
    return made.trusted() if trust and isinstance(made, Factory) else made
