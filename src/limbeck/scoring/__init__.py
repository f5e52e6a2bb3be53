"""Scoring: teacher + examples -> score set.

Files:
    _agreement: How a teacher's answers agree with labels, and whether a change of them would
        agree better.
    _combine: combine(): the score sets of several teachers -> the score set of their ensemble.
    _confidence: How sure a teacher is of its own training points and of points it never saw, and a
        warning.
    _determinism: Whether a teacher answers the same input twice alike, seen on a few before the
        work starts.
    _held_out: Which of the examples a teacher was trained on, and which were held out from it.
    _linear: A linear model of a few labels: what a teacher that is fed rightly does not fall far
        behind.
    _sample: The few examples that a teacher is asked about before all: who they are, and its
        answers.
    _sanity: The sanity step: a teacher is asked about a few examples before it is asked about all.
    _score: score(): teacher + examples -> score set.
    _writer: Keeps scores in shards that a crash leaves whole or absent, wherever the scores come
        from.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
