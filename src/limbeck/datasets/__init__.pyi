"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from . import images as images
from . import synthetic as synthetic
from . import tables as tables
from . import text as text
from ._arrow import KEY as KEY
from ._arrow import PANDAS_INDEX as PANDAS_INDEX
from ._arrow import column_name as column_name
from ._arrow import names_in as names_in
from ._arrow import open_table as open_table
from ._decoded import load_array as load_array
from ._download import obtain as obtain
from ._read import read as read
from .synthetic import Columns as Columns
