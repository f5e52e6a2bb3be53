"""Examples: inputs, labels and groups that keep their keys, and views of them.

Files:
    _batch: Batch: some of the examples as tensors, with their scores, for one step.
    _examples: Examples: inputs, labels and groups (utterance, patient) that keep their keys.
    _hashes: Hashes of examples: what an example is known by beside its key, and what names a whole
        set.
    _inputs: Raw inputs, numbers or texts: brought into one form, refused where unreadable, as
        tensors.
    _labels: What labels are: a class each, a 0 or 1 for each column, or real values; read and
        checked.
    _lazy: Inputs that are not held in memory as one array: rows are read, or made, when asked for.
    _pixels: Moving the pixels of images: the arithmetic under the views.
    _ragged: Lists of whole numbers of unequal lengths, one for each example, in one block of
        numbers.
    _view: View: another way of seeing examples, and a view of your own taken for one.
    views: The same example seen another way.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
