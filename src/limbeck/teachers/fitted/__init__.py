"""Teachers that are fitted models: scikit-learn's, LightGBM's, XGBoost's.

Files:
    _answers: What a fitted model of scikit-learn's says of rows, how large it is, and what names
        it.
    _lightgbm: Teachers that are boosted trees of LightGBM's.
    _model_file: What models of other libraries share as teachers: their files, class names, rows
        and columns.
    _sklearn: Teachers that are fitted models of scikit-learn's, and of whoever writes such.
    _tree_files: Looks whether a file of boosted trees is whole before its library, which may
        crash, reads it.
    _ubj: Reads UBJSON, the binary JSON of XGBoost's models, and refuses what is not whole.
    _xgboost: Teachers that are boosted trees of XGBoost's.
"""

from limbeck.teachers.fitted._answers import (
    fitted_bytes,
    fitted_fingerprint,
    fitted_log_probabilities,
    fitted_values,
)
from limbeck.teachers.fitted._lightgbm import lightgbm
from limbeck.teachers.fitted._model_file import class_names
from limbeck.teachers.fitted._sklearn import sklearn
from limbeck.teachers.fitted._xgboost import xgboost

__all__ = [
    "class_names",
    "fitted_bytes",
    "fitted_fingerprint",
    "fitted_log_probabilities",
    "fitted_values",
    "lightgbm",
    "sklearn",
    "xgboost",
]
