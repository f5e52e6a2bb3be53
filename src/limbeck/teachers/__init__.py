"""Teachers: anything that scores examples; one kind a file.

Files:
    endpoints/: Teachers behind an HTTP endpoint.
    _ensemble: Several teachers as one: the mean of what they say.
    _exported: Teachers that are exported programs of torch, in a file.
    _files: What teachers that are files share: what the file says of itself, takes, and is opened
        by.
    fitted/: Teachers that are fitted models: scikit-learn's, LightGBM's, XGBoost's.
    _function: Teachers that are plain functions, and the teacher in whatever object was handed in.
    _fusion: Fuses a generalist's and its specialists' answers into one distribution over all
        classes.
    _onnx: Teachers that are ONNX files, answered by ONNX Runtime.
    _open: Opens the teacher that a text names: `onnx:model.onnx`, a call, a path, or code of yours.
    _specialists: Teachers that are a generalist with its specialists.
    _table: Teachers that are tables of scores made elsewhere, which answer by an example's key.
    _teacher: What every teacher is to the rest of Limbeck.
    _torch: Teachers that are torch modules, and runs of ours.
    transformers/: Teachers that are models of transformers, and heads on their embeddings.
    wrapped/: Teachers around another one, which answers.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
