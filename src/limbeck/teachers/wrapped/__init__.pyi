"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from ._features import fitted_to as fitted_to
from ._ordered import Wrapped as Wrapped
from ._ordered import ordered as ordered
from ._pixels import OPTIONS as OPTIONS
from ._pixels import Pixels as Pixels
from ._pixels import preprocessed as preprocessed
from ._pixels import with_pixels as with_pixels
