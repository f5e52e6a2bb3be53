"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from . import losses as losses
from ._catalogue import MAKERS as MAKERS
from ._catalogue import check as check
from ._catalogue import check_kind as check_kind
from ._catalogue import kinds_of as kinds_of
from ._catalogue import of_control as of_control
from ._catalogue import read as read
from ._dist import DIST as DIST
from ._dkd import DKD as DKD
from ._embeddings import MatchEmbeddings as MatchEmbeddings
from ._labels import Labels as Labels
from ._logit_standardization import LogitStandardisation as LogitStandardisation
from ._logits import MatchLogits as MatchLogits
from ._logits import MatchProbabilities as MatchProbabilities
from ._objective import Objective as Objective
from ._objective import as_objective as as_objective
from ._soft_targets import SoftTargets as SoftTargets
from ._votes import Votes as Votes
