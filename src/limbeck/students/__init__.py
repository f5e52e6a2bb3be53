"""The nets: `mlp`, `shallow`, `convnet`, `fastnet` or a factory of your own; a family a file."""

from limbeck._calls import Makers, make
from limbeck.students._bottleneck import Narrowed
from limbeck.students._conv_pool import ConvPool, conv_pool
from limbeck.students._convnet import Convnet, convnet
from limbeck.students._factory import Factory, factory, find
from limbeck.students._fastnet import Fastnet, fastnet, whitening
from limbeck.students._frequency_conv import FrequencyConv, frequency_conv
from limbeck.students._mlp import Mlp, Shallow, mlp, shallow
from limbeck.students._ngrams import Ngrams, ngrams
from limbeck.students._of_size import FAMILIES, OfSize, of_size
from limbeck.students._shallow_conv import ShallowConv, shallow_conv
from limbeck.students._spec import Model, Student, parameters
from limbeck.students._static import StaticEmbeddings, static_embeddings

__all__ = [
    "FAMILIES",
    "MAKERS",
    "ConvPool",
    "Convnet",
    "Factory",
    "Fastnet",
    "FrequencyConv",
    "Mlp",
    "Model",
    "Narrowed",
    "Ngrams",
    "OfSize",
    "Shallow",
    "ShallowConv",
    "StaticEmbeddings",
    "Student",
    "conv_pool",
    "convnet",
    "factory",
    "fastnet",
    "find",
    "frequency_conv",
    "mlp",
    "ngrams",
    "of_size",
    "parameters",
    "read",
    "shallow",
    "shallow_conv",
    "static_embeddings",
    "whitening",
]

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
    return made.trusted() if trust and isinstance(made, Factory) else made
