"""Estimators in scikit-learn's manner: a fitted model distilled into a small net.

Files:
    _base: What classifier and regressor share: checks, the rows to learn from, keeping and
        exporting.
    _distilling: What the estimators do: a table and a fitted model -> transfer set -> scores ->
        student.
    _estimators: Estimators in scikit-learn's manner: a fitted model distilled into a small net.
    _one_hot: What a student is given of a table's row: one-hot categories, and flags for missing
        values.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
