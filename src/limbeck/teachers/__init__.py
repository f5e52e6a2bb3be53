"""Teachers: anything that scores examples; one kind a file.

Files:
    endpoints/: Teachers behind an HTTP endpoint.
    _ensemble: Several teachers as one: the mean of what they say.
    _exported: Teachers that are exported programs of torch, in a file.
    _files: What teachers that are files share: what the file says of itself, takes, and is opened
        by.
    fitted/: Teachers that are fitted models: scikit-learn's, LightGBM's, XGBoost's.
    _function: Teachers that are plain functions, and the teacher in whatever object was handed in.
    _fusion: Fuses a generalist's and its specialists' answers into one distribution over all
        classes.
    _onnx: Teachers that are ONNX files, answered by ONNX Runtime.
    _open: Opens the teacher that a text names: `onnx:model.onnx`, a call, a path, or code of yours.
    _ordered: Teachers whose columns stand in another order than they answer in.
    _specialists: Teachers that are a generalist with its specialists.
    _table: Teachers that are tables of scores made elsewhere, which answer by an example's key.
    _teacher: What every teacher is to the rest of Limbeck.
    _torch: Teachers that are torch modules, and runs of ours.
    transformers/: Teachers that are models of transformers, and heads on their embeddings.
"""

from limbeck.teachers._ensemble import ensemble, in_precision
from limbeck.teachers._exported import exported
from limbeck.teachers._function import as_teacher, function
from limbeck.teachers._fusion import Opinion, divergence, fuse, fuse_by_descent
from limbeck.teachers._onnx import onnx
from limbeck.teachers._open import DOORS, Door, check, open_teachers, read, saved
from limbeck.teachers._ordered import ordered
from limbeck.teachers._specialists import SPECIALISTS, Specialist, Specialists, combined
from limbeck.teachers._table import scores
from limbeck.teachers._teacher import Answer, Teacher
from limbeck.teachers._torch import module, run
from limbeck.teachers.endpoints import Endpoint, http, http_from_text
from limbeck.teachers.fitted import (
    fitted_bytes,
    fitted_fingerprint,
    fitted_log_probabilities,
    fitted_values,
    lightgbm,
    sklearn,
    xgboost,
)
from limbeck.teachers.transformers import Encoder, encoder, head, huggingface

__all__ = [
    "DOORS",
    "SPECIALISTS",
    "Answer",
    "Door",
    "Encoder",
    "Endpoint",
    "Opinion",
    "Specialist",
    "Specialists",
    "Teacher",
    "as_teacher",
    "check",
    "combined",
    "divergence",
    "encoder",
    "ensemble",
    "exported",
    "fitted_bytes",
    "fitted_fingerprint",
    "fitted_log_probabilities",
    "fitted_values",
    "function",
    "fuse",
    "fuse_by_descent",
    "head",
    "http",
    "http_from_text",
    "huggingface",
    "in_precision",
    "lightgbm",
    "module",
    "onnx",
    "open_teachers",
    "ordered",
    "read",
    "run",
    "saved",
    "scores",
    "sklearn",
    "xgboost",
]
