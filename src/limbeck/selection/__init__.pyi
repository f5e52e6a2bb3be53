"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from ._by_size import BySize as BySize
from ._by_size import by_size as by_size
from ._compare import compare as compare
from ._comparison import Compared as Compared
from ._rivals import rivals as rivals
from ._rivals_report import Rivals as Rivals
from ._tune import Budget as Budget
