"""Evaluation: models + examples -> report.

Files:
    _comparison: Comparison: what an evaluation compares with what, and how closely.
    _cost: What answering costs: parameters, bytes, operations, and time on this machine.
    _dark_knowledge: dark_knowledge(): what a teacher's soft targets say, in words, as JSON and in
        a figure.
    _evaluate: evaluate(): models + examples -> report.
    _figures: Draws dark knowledge: inputs, soft targets by temperature, confused classes,
        differences.
    _leakage: Whether a model was trained on the examples it is to be tested on.
    _measurements: Measurements: the numbers of models on the same examples, and the differences
        between them.
    _predictions: What models answer to the same examples, seed by seed, and what their answers are
        held to.
    _report: Rows of metric -> value, interval, n; JSON is the truth, Markdown and HTML are views
        of it.
    _requirements: Bars a student has to clear: `agreement>=0.97`, `accuracy>=teacher-0.005`,
        `verdict=yes`.
    _soft_targets: Soft targets of a score set: one example's, the classes confused, and two
        models' differences.
    _undertrained: Whether a net's training ended while its loss still fell steeply, so that no
        verdict holds.
    _verdicts: The questions that a report answers in sentences.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
