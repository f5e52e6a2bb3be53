"""The families of students, one a file.

Files:
    _bottleneck: A linear bottleneck, `W = U V`: how it starts, and how it is multiplied out.
    _conv_pool: Convolutional nets of few layers with one hidden layer, as the papers compare
        depths.
    _convnet: Convolutional students and teachers for small images.
    _factory: Any other net: a function that returns an `nn.Module`, named so that it can be found
        again.
    _fastnet: A convolutional net for small colour images that learns in few passes over them.
    _frequency_conv: A net for frames of speech: one convolution over the mel bands, a max-pool,
        dense layers.
    _mlp: Fully connected students of any depth, and the papers' shallow one with its bottleneck.
    _ngrams: Students that read texts: hashed n-grams of words and bytes, their embeddings averaged.
    _of_size: Students of a family that have a given number of parameters.
    _shallow_conv: The papers' shallow net for images: one convolution, a linear bottleneck, one
        wide layer.
    _static: Students that average embeddings of a text's tokens, which start as a language model's
        own.
"""

from limbeck.students.families._bottleneck import Narrowed
from limbeck.students.families._conv_pool import ConvPool, conv_pool
from limbeck.students.families._convnet import Convnet, convnet
from limbeck.students.families._factory import Factory, factory
from limbeck.students.families._fastnet import Fastnet, fastnet, whitening
from limbeck.students.families._frequency_conv import FrequencyConv, frequency_conv
from limbeck.students.families._mlp import Mlp, Shallow, mlp, shallow
from limbeck.students.families._ngrams import Ngrams, ngrams
from limbeck.students.families._of_size import FAMILIES, OfSize, of_size
from limbeck.students.families._shallow_conv import ShallowConv, shallow_conv
from limbeck.students.families._static import StaticEmbeddings, static_embeddings

__all__ = [
    "FAMILIES",
    "ConvPool",
    "Convnet",
    "Factory",
    "Fastnet",
    "FrequencyConv",
    "Mlp",
    "Narrowed",
    "Ngrams",
    "OfSize",
    "Shallow",
    "ShallowConv",
    "StaticEmbeddings",
    "conv_pool",
    "convnet",
    "factory",
    "fastnet",
    "frequency_conv",
    "mlp",
    "ngrams",
    "of_size",
    "shallow",
    "shallow_conv",
    "static_embeddings",
    "whitening",
]
