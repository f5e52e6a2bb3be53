"""Students: descriptions of nets, the models they become, and the runs that training leaves.

Files:
    _catalogue: The students by name, and the one that a text such as `mlp([800, 800])` describes.
    encodings: What a model needs done to raw inputs, with a fingerprint and a cache.
    families/: The families of students, one a file.
    _model: Model: a student's net with its encoding, built, started or loaded from stored weights.
    _pretrained: Folders of Hugging Face models, opened without network, pickle or code of their
        makers.
    _readings: What students find in texts, by one reading for all who ask while the texts are
        there.
    _record: What the manifest of a run says, typed.
    _run: Run: a trained student, or its control, as it lies in a directory.
    _student: Student: the frozen description of a net, from which it is built again.
"""

from limbeck.students import encodings
from limbeck.students._catalogue import MAKERS, read
from limbeck.students._model import Model, build_model, started, weights_bytes, weights_fingerprint
from limbeck.students._pretrained import (
    Folder,
    check_weights,
    checked_config,
    folder_fingerprint,
    opening,
    present_folder,
    texts_in,
)
from limbeck.students._record import NetEntry, RunRecord
from limbeck.students._run import ARTEFACT, HISTORY, MODEL, Run, altered_nets
from limbeck.students._student import Student, parameters
from limbeck.students.encodings import IDENTITY, Affine, Encoding
from limbeck.students.families import (
    FAMILIES,
    Convnet,
    ConvPool,
    Factory,
    Fastnet,
    FrequencyConv,
    Mlp,
    Narrowed,
    Ngrams,
    OfSize,
    Shallow,
    ShallowConv,
    StaticEmbeddings,
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
    whitening,
)

__all__ = [
    "ARTEFACT",
    "FAMILIES",
    "HISTORY",
    "IDENTITY",
    "MAKERS",
    "MODEL",
    "Affine",
    "ConvPool",
    "Convnet",
    "Encoding",
    "Factory",
    "Fastnet",
    "Folder",
    "FrequencyConv",
    "Mlp",
    "Model",
    "Narrowed",
    "NetEntry",
    "Ngrams",
    "OfSize",
    "Run",
    "RunRecord",
    "Shallow",
    "ShallowConv",
    "StaticEmbeddings",
    "Student",
    "altered_nets",
    "build_model",
    "check_weights",
    "checked_config",
    "conv_pool",
    "convnet",
    "encodings",
    "factory",
    "fastnet",
    "folder_fingerprint",
    "frequency_conv",
    "mlp",
    "ngrams",
    "of_size",
    "opening",
    "parameters",
    "present_folder",
    "read",
    "shallow",
    "shallow_conv",
    "started",
    "static_embeddings",
    "texts_in",
    "weights_bytes",
    "weights_fingerprint",
    "whitening",
]
