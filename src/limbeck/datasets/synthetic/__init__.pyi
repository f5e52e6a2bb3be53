"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from ._columns import Columns as Columns
from ._munge import method as method
from ._munge import munge as munge
from ._munge import nbe as nbe
from ._munge import random as random
