"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from ._digits import digits as digits
from ._folder import folder as folder
from ._folder import utterances as utterances
from ._spoken import spoken as spoken
from ._timit import timit as timit
