"""Deployment: run -> verified file, corrected and calibrated.

Files:
    _bias: The number to add to a class's logit: with the fewest errors, or to meet a prior.
    _card: The card of an exported file: what it is, what it takes, and how it was checked.
    _correct: correct(): bias correction for classes that were absent from the transfer set, or
        rare in it.
    _export: export(): module -> verified file.
    _exported: Exported: an exported file with its card, opened again.
    _onnx: A torch module as an ONNX file.
    _temperature: One temperature for a run's answers: found against a teacher's probabilities,
        kept in the run.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
