"""Scores: what a teacher said, of a declared kind, kept in shards and found by key.

Files:
    _checks: Checks of what a teacher answers, and votes as rows with a single 1.
    _dense: Dense scores: a number for each example and class, in float16 or float32.
    _ensembles: The two means of what several teachers say, and what makes teachers members of one
        ensemble.
    _kinds: Kinds of scores (logits, probabilities, values, ...): what each means and is learnt as.
    _record: What the manifest of a score set says, typed.
    _score_set: Score sets on disk: rows of scores that are found by the key of their example.
    _shards: Shards: files of some rows of a score set, each with the keys and a checksum of its
        rows.
"""

from limbeck.scores._checks import SUM_TOLERANCE, check_answer, warn_if_mistaken
from limbeck.scores._dense import (
    LOWEST,
    WIDTHS,
    Dense,
    Width,
    as_tensor,
    binary_divergence,
    check_width,
    default_width,
    rounding_nats,
)
from limbeck.scores._ensembles import Ensemble, Mean, Member, check_mean
from limbeck.scores._kinds import (
    FLOOR,
    KINDS,
    OF_ONE_SOFTMAX,
    SOFTMAX_KINDS,
    Kind,
    answered_with,
    as_learnt,
    check_classes,
    check_kind,
    learnt_kind,
)
from limbeck.scores._record import ScoreSetRecord
from limbeck.scores._score_set import ARTEFACT, ScoreSet
from limbeck.scores._shards import (
    SHARD_ROWS,
    Shard,
    is_whole_shard,
    planned_shards,
    recorded_rounding_nats,
    write_shard,
)

__all__ = [
    "ARTEFACT",
    "FLOOR",
    "KINDS",
    "LOWEST",
    "OF_ONE_SOFTMAX",
    "SHARD_ROWS",
    "SOFTMAX_KINDS",
    "SUM_TOLERANCE",
    "WIDTHS",
    "Dense",
    "Ensemble",
    "Kind",
    "Mean",
    "Member",
    "ScoreSet",
    "ScoreSetRecord",
    "Shard",
    "Width",
    "answered_with",
    "as_learnt",
    "as_tensor",
    "binary_divergence",
    "check_answer",
    "check_classes",
    "check_kind",
    "check_mean",
    "check_width",
    "default_width",
    "is_whole_shard",
    "learnt_kind",
    "planned_shards",
    "recorded_rounding_nats",
    "rounding_nats",
    "warn_if_mistaken",
    "write_shard",
]
