"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from ._features import fitted_to as fitted_to
from ._ordered import Wrapped as Wrapped
from ._ordered import ordered as ordered
