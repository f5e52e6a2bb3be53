"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from ._correct import correct as correct
from ._export import export as export
from ._exported import Exported as Exported
from ._exported import check_format as check_format
from ._exported import open_exported as open_exported
from ._exported import open_model as open_model
from ._temperature import temperature_of as temperature_of
from ._temperature import tempered as tempered
