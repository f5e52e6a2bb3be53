"""Examples: inputs, labels and groups that keep their keys, and views of them.

Files:
    _batch: Batch: some of the examples as tensors, with their scores, for one step.
    _examples: Examples: inputs, labels and groups (utterance, patient) that keep their keys.
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

from limbeck.examples import views
from limbeck.examples._batch import Batch
from limbeck.examples._examples import Examples, check_disjoint
from limbeck.examples._inputs import TEXT, as_inputs, check_inputs, is_text, numbers, tensor
from limbeck.examples._labels import (
    IN_WORDS,
    MOST_CLASSES,
    UNLABELLED,
    alike_labels,
    brief_names,
    check_labels_kind,
    is_labelled,
    labels_from_cells,
    labels_kind_of,
)
from limbeck.examples._lazy import BLOCK_ROWS, Array, Inputs, Lazy, Mapped, Texts, is_large, sums
from limbeck.examples._ragged import Ragged
from limbeck.examples._view import Show, Shows, View, as_view
from limbeck.examples.views import Plain, read

__all__ = [
    "BLOCK_ROWS",
    "IN_WORDS",
    "MOST_CLASSES",
    "TEXT",
    "UNLABELLED",
    "Array",
    "Batch",
    "Examples",
    "Inputs",
    "Lazy",
    "Mapped",
    "Plain",
    "Ragged",
    "Show",
    "Shows",
    "Texts",
    "View",
    "alike_labels",
    "as_inputs",
    "as_view",
    "brief_names",
    "check_disjoint",
    "check_inputs",
    "check_labels_kind",
    "is_labelled",
    "is_large",
    "is_text",
    "labels_from_cells",
    "labels_kind_of",
    "numbers",
    "read",
    "sums",
    "tensor",
    "views",
]
