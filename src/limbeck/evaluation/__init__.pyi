"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from ._comparison import Comparison as Comparison
from ._cost import answer_times as answer_times
from ._cost import cost as cost
from ._cost import threads_limited as threads_limited
from ._dark_knowledge import DarkKnowledge as DarkKnowledge
from ._dark_knowledge import dark_knowledge as dark_knowledge
from ._evaluate import evaluate as evaluate
from ._figures import check_drawable as check_drawable
from ._leakage import check_unseen as check_unseen
from ._measurements import EVERY_SEED as EVERY_SEED
from ._measurements import Difference as Difference
from ._measurements import Measurements as Measurements
from ._measurements import Pair as Pair
from ._measurements import measures_of as measures_of
from ._predictions import Predictions as Predictions
from ._predictions import able as able
from ._predictions import answers_by_seed as answers_by_seed
from ._predictions import check_kinds as check_kinds
from ._report import Report as Report
from ._report import bullets as bullets
from ._report import escape as escape
from ._report import markdown_table as markdown_table
from ._report import tested_on as tested_on
from ._requirements import Requirement as Requirement
