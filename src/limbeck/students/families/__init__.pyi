"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from ._bottleneck import Narrowed as Narrowed
from ._conv_pool import ConvPool as ConvPool
from ._conv_pool import conv_pool as conv_pool
from ._convnet import Convnet as Convnet
from ._convnet import convnet as convnet
from ._factory import Factory as Factory
from ._factory import factory as factory
from ._fastnet import Fastnet as Fastnet
from ._fastnet import fastnet as fastnet
from ._fastnet import whitening as whitening
from ._frequency_conv import FrequencyConv as FrequencyConv
from ._frequency_conv import frequency_conv as frequency_conv
from ._mlp import Mlp as Mlp
from ._mlp import Shallow as Shallow
from ._mlp import mlp as mlp
from ._mlp import shallow as shallow
from ._ngrams import Ngrams as Ngrams
from ._ngrams import ngrams as ngrams
from ._of_size import FAMILIES as FAMILIES
from ._of_size import OfSize as OfSize
from ._of_size import of_size as of_size
from ._shallow_conv import ShallowConv as ShallowConv
from ._shallow_conv import shallow_conv as shallow_conv
from ._static import StaticEmbeddings as StaticEmbeddings
from ._static import static_embeddings as static_embeddings
