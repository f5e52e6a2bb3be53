"""Selection: which method, which size, and what to ship.

Files:
    _baselines: What may make a student needless: the teacher made cheaper, and plain models of the
        labels.
    _by_size: by_size(): what the runs of a sweep over sizes reach on a test set, as a table and as
        JSON.
    _compare: compare(): methods side by side, with the same seeds and the same tuning budget for
        each.
    _comparison: A comparison of methods: what each was tuned to, what it reached, and which gains
        hold.
    _decision: The rule that says what to ship: the student, one of its rivals, or nothing yet.
    _flat_trees: Boosted trees as flat arrays that are walked all at once, as fast as they would be
        shipped.
    _rivals: rivals(): teacher, cheaper teacher, baseline, control and student -> what to ship.
    _rivals_report: A student among its rivals: each one's quality, bytes and time, and what to
        ship.
    _tune: How methods are tuned: the same trials for each, judged on held-out examples.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
