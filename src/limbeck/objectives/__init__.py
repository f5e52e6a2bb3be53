"""Objectives: what a student is asked to match; losses are pure functions of tensors.

Files:
    _catalogue: The objectives by name, the kinds of scores each learns, and the one a text
        describes.
    _dist: DIST: correlations between classes and between examples.
    _dkd: DKD: the label against the rest, and the rest among themselves.
    _embeddings: MatchEmbeddings: the direction of a teacher's embedding.
    _labels: Labels: the labels alone, which is what a control learns.
    _logit_standardization: LogitStandardisation: soft targets of z-scored logits.
    _logits: MatchLogits and MatchProbabilities: squared differences, as in Ba & Caruana 2014.
    losses: What a student is asked to match: pure functions of tensors.
    _objective: Objective: a loss bound to a batch, and what it says of itself.
    _reductions: A loss summed over the rows it concerns and divided by the size of the whole batch.
    _soft_targets: SoftTargets: softened probabilities at a temperature, as in Hinton et al. 2015.
    _votes: Votes: the class that a teacher names.
"""

from limbeck.objectives import losses
from limbeck.objectives._catalogue import MAKERS, check, check_kind, kinds_of, of_control, read
from limbeck.objectives._dist import DIST
from limbeck.objectives._dkd import DKD
from limbeck.objectives._embeddings import MatchEmbeddings
from limbeck.objectives._labels import Labels
from limbeck.objectives._logit_standardization import LogitStandardisation
from limbeck.objectives._logits import MatchLogits, MatchProbabilities
from limbeck.objectives._objective import Objective, as_objective
from limbeck.objectives._soft_targets import SoftTargets
from limbeck.objectives._votes import Votes

__all__ = [
    "DIST",
    "DKD",
    "MAKERS",
    "Labels",
    "LogitStandardisation",
    "MatchEmbeddings",
    "MatchLogits",
    "MatchProbabilities",
    "Objective",
    "SoftTargets",
    "Votes",
    "as_objective",
    "check",
    "check_kind",
    "kinds_of",
    "losses",
    "of_control",
    "read",
]
