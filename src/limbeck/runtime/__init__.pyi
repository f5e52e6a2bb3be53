"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from ._calls import Makers as Makers
from ._calls import did_you_mean as did_you_mean
from ._calls import make as make
from ._calls import text_of as text_of
from ._device import Precision as Precision
from ._device import autocast as autocast
from ._device import device as device
from ._device import evaluating as evaluating
from ._doors import at_the_door as at_the_door
from ._doors import check_file as check_file
from ._doors import door as door
from ._doors import printable as printable
from ._optional import needs as needs
from ._progress import Bar as Bar
from ._random import mixed as mixed
from ._random import seed_torch as seed_torch
from ._random import seeded as seeded
from ._random import shuffled as shuffled
from ._user_code import Named as Named
from ._user_code import fingerprint_of as fingerprint_of
from ._user_code import own_content as own_content
