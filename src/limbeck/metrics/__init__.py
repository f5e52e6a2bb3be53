"""Metrics: accuracy, agreement, divergence, calibration, with intervals and paired tests.

Files:
    _aggregation: A metric's number with its interval: a mean, a share, or a number of the whole
        set.
    _catalogue: What is measured of each kind of answers, and which number says who is better.
    _classification: The formulas of the metrics, on the answers of one seed.
    _embeddings: The formulas of the metrics of embeddings, against a reference's embeddings.
    _groups: Examples that belong together, and what stands for a group where groups are the sample.
    intervals: How sure a number is: intervals over examples and seeds, and paired tests.
    _metric: What we measure: accuracy, agreement, divergence, calibration.
    _multilabel: The formulas of the metrics where every column is an outcome of its own:
        multi-label, binary.
    _regression: The formulas of the metrics of real values, against labels or against a reference.
    _titles: Titles and units of the metrics, as reports and figures show them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
