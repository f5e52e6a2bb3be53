"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from ._answers import fitted_bytes as fitted_bytes
from ._answers import fitted_fingerprint as fitted_fingerprint
from ._answers import fitted_log_probabilities as fitted_log_probabilities
from ._answers import fitted_values as fitted_values
from ._lightgbm import lightgbm as lightgbm
from ._model_file import class_names as class_names
from ._sklearn import sklearn as sklearn
from ._xgboost import xgboost as xgboost
