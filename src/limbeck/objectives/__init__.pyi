"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from . import losses as losses
from ._catalogue import MAKERS as MAKERS
from ._catalogue import check_kind as check_kind
from ._catalogue import check_text as check_text
from ._catalogue import from_text as from_text
from ._catalogue import kinds_of as kinds_of
from ._catalogue import of_control as of_control
from ._dist import DIST as DIST
from ._dkd import DKD as DKD
from ._embeddings import MatchEmbeddings as MatchEmbeddings
from ._labels import Labels as Labels
from ._logit_standardization import LogitStandardization as LogitStandardization
from ._logits import MatchLogits as MatchLogits
from ._logits import MatchProbabilities as MatchProbabilities
from ._objective import Objective as Objective
from ._objective import as_objective as as_objective
from ._soft_targets import SoftTargets as SoftTargets
from ._votes import Votes as Votes
