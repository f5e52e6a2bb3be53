"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from ._estimators import DistilledClassifier as DistilledClassifier
from ._estimators import DistilledRegressor as DistilledRegressor
