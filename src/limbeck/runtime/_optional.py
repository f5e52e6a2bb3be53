"""Imports optional packages, or says in one sentence how to install them."""

import importlib
import os
from types import ModuleType

from limbeck.errors import NeedsPackageError

EXTRAS = {
    "onnx": "export",
    "onnxscript": "export",
    "onnxruntime": "export",
    "pyarrow": "parquet",
    "PIL": "images",
    "matplotlib": "figures",
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


# What keeps a package from telling its maker about its use; each reads it as it is imported. An
# environment that says otherwise is left as it is.
TELEMETRY = {
    "onnxruntime": {"ORT_DISABLE_TELEMETRY": "1"},  # else a device id and look-ups of its hosts
    "transformers": {"HF_HUB_DISABLE_TELEMETRY": "1"},
    "sentence_transformers": {"HF_HUB_DISABLE_TELEMETRY": "1"},
}


def needs(module: str) -> ModuleType:
    """The module of that name; its top-level package decides which extra is suggested.

    Its telemetry is off, unless the environment says otherwise.

    Raises:
        NeedsPackageError: the package is not installed.
    """
    for variable, value in TELEMETRY.get(module.split(".")[0], {}).items():
        os.environ.setdefault(variable, value)
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.split(".")[0]
        extra = EXTRAS[package]
        raise NeedsPackageError(f"this needs {package}: pip install 'limbeck[{extra}]'") from error
