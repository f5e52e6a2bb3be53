"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from . import specialists as specialists
from ._control import control_plan as control_plan
from ._live import live as live
from ._plan import EPOCHS as EPOCHS
from ._plan import LEAST_STEPS as LEAST_STEPS
from ._plan import Plan as Plan
from ._sources import Given as Given
from ._sweep import CONTROL as CONTROL
from ._sweep import check_names as check_names
from ._sweep import sweep as sweep
from ._train import train as train
from ._transfer import FRESH as FRESH
from ._transfer import TransferSet as TransferSet
from ._transfer import check_increasing as check_increasing
from ._transfer import check_labelled as check_labelled
