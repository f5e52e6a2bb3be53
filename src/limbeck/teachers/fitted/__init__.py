"""Teachers that are fitted models: scikit-learn's, LightGBM's, XGBoost's.

Files:
    _answers: What a fitted model of scikit-learn's says of rows, how large it is, and what names
        it.
    _lightgbm: Teachers that are boosted trees of LightGBM's.
    _model_file: What models of other libraries share as teachers: their files, class names, rows
        and columns.
    _sklearn: Teachers that are fitted models of scikit-learn's, and of whoever writes such.
    _tree_files: Looks whether a file of boosted trees is whole before its library, which may
        crash, reads it.
    _ubj: Reads UBJSON, the binary JSON of XGBoost's models, and refuses what is not whole.
    _xgboost: Teachers that are boosted trees of XGBoost's.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
