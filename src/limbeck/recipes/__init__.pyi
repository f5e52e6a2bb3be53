"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from ._distill import Distilled as Distilled
from ._distill import distill as distill
from ._load import load as load
from ._load import load_run as load_run
from ._load import load_scores as load_scores
from ._load import show as show
from ._parse import read_recipe as read_recipe
from ._run import run_recipe as run_recipe
from ._write import Distillation as Distillation
from .steps import TABLES as TABLES
from .steps import usual_objective as usual_objective
