"""Imports optional packages, or says in one sentence how to install them."""

import importlib
from types import ModuleType

from limbeck.errors import NeedsPackageError

EXTRAS = {
    "onnx": "export",
    "onnxscript": "export",
    "onnxruntime": "export",
    "pyarrow": "parquet",
    "PIL": "images",
    "matplotlib": "figures",
    "httpcore": "http",
    "httpx": "http",
    "transformers": "text",
    "sentence_transformers": "text",
    "tokenizers": "text",
    "lightgbm": "trees",
    "xgboost": "trees",
    "skops": "skops",
    "pandas": "pandas",
    "kaldi_native_fbank": "speech",
    "soundfile": "speech",
    "rapidfuzz": "speech",
    "espeakng_loader": "speech",
    "pocketsphinx": "speech",
}


def needs(module: str) -> ModuleType:
    """The module of that name; its top-level package decides which extra is suggested.

    Raises:
        NeedsPackageError: the package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.split(".")[0]
        extra = EXTRAS[package]
        raise NeedsPackageError(f"this needs {package}: pip install 'limbeck[{extra}]'") from error
