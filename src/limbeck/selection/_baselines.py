"""What may make a student needless: the teacher made cheaper, and plain models of the labels."""

import contextlib
import logging
import pickle
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from limbeck import artifacts, teachers
from limbeck.deployment import export
from limbeck.examples import Array, Examples, numbers
from limbeck.runtime import needs
from limbeck.selection._flat_trees import FlatTrees
from limbeck.students import Run
from limbeck.teachers import Teacher

TREES = 100  # iterations of the boosted trees that are fitted to labels
SHARE_OF_TREES = 0.1  # what a cheaper teacher keeps of its own
FEW_ROWS = 64  # for which flat trees are quicker than scikit-learn
CHECKED = 64  # examples on which an exported net is held against itself


@dataclass(frozen=True, eq=False)
class Cheaper:
    """Somebody who answers, what that is in words, and the bytes it takes; 0 if unknown."""

    name: str
    what: str
    teacher: Teacher
    bytes: int


def cheaper_teachers(
    teacher: Teacher, inputs: Array, threads: int
) -> Iterator[tuple[str, Callable[[], Cheaper]]]:
    """Each way to make a teacher cheaper: its name, and what makes it when it is called."""
    if teacher.members:
        first = teacher.members[0].with_threads(threads)
        what = f"{first.name}, the first of {len(teacher.members)} members"
        yield "first member", lambda: Cheaper("first member", what, first, first.bytes)
    if teacher.has_trees:
        yield "fewer trees", lambda: _with_fewer_trees(teacher.with_trees(SHARE_OF_TREES))
    if teacher.net and teacher.net[1] == teacher.net[0].shipped:
        run = teacher.net[0]
        yield "teacher int8", lambda: in_int8("teacher int8", run, inputs, threads)


def _with_fewer_trees(teacher: Teacher) -> Cheaper:
    what = f"the first {SHARE_OF_TREES:.0%} of its trees"
    return Cheaper("fewer trees", what, teacher, 0)  # its file holds all of them


@dataclass(frozen=True, eq=False, kw_only=True)
class Int8Teacher(Teacher):
    """A net of ours in int8, whose file is kept nowhere; `in_int8` makes one.

    Attributes:
        onnx: who answers, inputs of float32 alone.
        size: of the file, in bytes.
    """

    onnx: Teacher
    size: int

    def predict(self, inputs: Array) -> Any:
        """What the ONNX file says of inputs of any number type."""
        return self.onnx.predict(numbers(inputs))

    @property
    def bytes(self) -> int:
        """The size of the file while there was one."""
        return self.size


def in_int8(name: str, run: Run, inputs: Array, threads: int) -> Cheaper:
    """The shipped net of a run with weights and products in 8 bits, answered by onnxruntime.

    Its ONNX file is first held against the net on some of the inputs.

    Raises:
        NeedsPackageError: the packages for ONNX are not installed.
        InputError: the net cannot be held by an ONNX file.
        NotMetError: the ONNX file failed its verification before it was made int8.
    """
    quantization = needs("onnxruntime.quantization")
    with artifacts.scratch() as folder:
        whole, small = folder / "whole.onnx", folder / "int8.onnx"
        export(run, to=whole, check=Examples.of(inputs[:CHECKED], classes=run.classes))
        with _quiet_root():
            # Unsigned weights: the signed ones have no convolution on a CPU of every kind.
            kind = quantization.QuantType.QUInt8
            quantization.quantize_dynamic(whole, small, weight_type=kind)
        quantized = teachers.onnx(small, run.classes, kind=run.kind, threads=threads, name=name)
        small_teacher = Int8Teacher(
            name=name,
            classes=quantized.classes,
            kind=quantized.kind,
            fingerprint=quantized.fingerprint,
            onnx=replace(quantized, source="", place=None),  # its file is gone in a moment
            size=small.stat().st_size,
        )
    what = f"{run.name}, seed {run.shipped}, by onnxruntime in dynamic int8"
    return Cheaper(name, what, small_teacher, small_teacher.bytes)


@contextlib.contextmanager
def _quiet_root() -> Iterator[None]:
    # The quantiser gives its advice through the root logger.
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)


def baselines(labelled: Examples, classes: tuple[str, ...]) -> Iterator[Cheaper]:
    """Baselines fitted to the hard labels: of texts and images one, of tables two."""
    with_labels = labelled.take(np.flatnonzero(labelled.is_labelled))
    for name, (what, model) in _plain(with_labels).items():
        yield _fitted(name, what, model, with_labels, classes)


def _fitted(
    name: str, what: str, model: Any, examples: Examples, classes: tuple[str, ...]
) -> Cheaper:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(_rows(np.asarray(examples.inputs)), examples.labels)
    what += f", fitted to {len(examples):,} labels" + ", not to the end" * bool(caught)
    said_of = _quickest(model)

    def answer(inputs: Array) -> Array:
        probabilities = np.zeros((len(inputs), len(classes)))
        probabilities[:, model.classes_] = said_of(_rows(inputs))
        return probabilities

    baseline = teachers.function(answer, classes, kind="probabilities", name=name)
    return Cheaper(name, what, baseline, pickled_bytes(model))


def _quickest(model: Any) -> Callable[[Any], Array]:
    """What gives a fitted model's probabilities, as quickly as it would be shipped."""
    if isinstance(model, HistGradientBoostingClassifier):
        flat = FlatTrees.of(model)
        return lambda rows: (
            flat.probabilities(rows) if len(rows) <= FEW_ROWS else model.predict_proba(rows)
        )
    if isinstance(model[0], StandardScaler):
        return _linear(model)
    return lambda rows: np.asarray(model.predict_proba(rows))


def _linear(model: Any) -> Callable[[Array], Array]:
    """Scaling and logistic regression as the one product that they are."""
    scaler, regression = model[0], model[-1]
    weights = (regression.coef_ / scaler.scale_).T
    start = regression.intercept_ - scaler.mean_ @ weights

    def probabilities(rows: Array) -> Array:
        raw = rows @ weights + start
        both = np.concatenate([np.zeros_like(raw), raw], axis=1) if raw.shape[1] == 1 else raw
        return np.asarray(softmax(both, axis=1))

    return probabilities


def _plain(examples: Examples) -> dict[str, tuple[str, Any]]:
    """What is usual for such inputs: by a row's name, the model in words and itself."""
    if examples.is_text:
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        linear = make_pipeline(words, LogisticRegression(max_iter=1000))
        return {"baseline": ("logistic regression on TF-IDF of words and pairs of words", linear)}
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    named_model = ("logistic regression on standardised inputs", linear)
    if examples.inputs.ndim != 2:
        return {"baseline": named_model}
    return {"baseline": (f"boosted trees of {TREES} iterations", _trees(len(examples)))} | {
        "linear baseline": named_model
    }


def _trees(labels: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=TREES,
        early_stopping=False,  # which would set labels aside where there are many
        min_samples_leaf=max(2, min(20, labels // 10)),  # 20 would be no tree at all of 30 labels
        random_state=0,
    )


def _rows(inputs: Array) -> Any:
    """Inputs as scikit-learn takes them: a list of texts, or rows of numbers."""
    return inputs.tolist() if inputs.dtype.kind == "T" else inputs.reshape(len(inputs), -1)


class _Counter:
    """A file that keeps nothing but how much was written."""

    def __init__(self) -> None:
        self.bytes = 0

    def write(self, content: bytes | bytearray | memoryview | pickle.PickleBuffer) -> int:
        size = memoryview(content).nbytes
        self.bytes += size
        return size


def pickled_bytes(model: object) -> int:
    """The size of a model when pickled; nothing is kept, and nothing ever loaded."""
    counter = _Counter()
    pickle.Pickler(counter, protocol=5).dump(model)
    return counter.bytes
