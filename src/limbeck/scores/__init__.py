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

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
