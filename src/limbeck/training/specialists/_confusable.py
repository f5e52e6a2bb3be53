"""Specialists for the classes that a generalist confuses, trained, and combined with it.

Hinton, Vinyals & Dean 2015, section 5, arXiv:1503.02531. `confusable` finds subsets of classes in
the generalist's own answers, `train` makes a specialist for each, and `Specialists.combined` is
the teacher that all of them are together.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.special import log_softmax
from sklearn.base import ClusterMixin, clone
from sklearn.cluster import (
    AgglomerativeClustering,
    KMeans,
    MiniBatchKMeans,
    SpectralClustering,
)

from limbeck.errors import InputError, MismatchError
from limbeck.examples import Array, Examples
from limbeck.runtime import Makers, make
from limbeck.scores import SOFTMAX_KINDS, ScoreSet
from limbeck.teachers import Teacher, ordered

PART = 4096  # rows that are looked at together
CLUSTERER = KMeans(n_init=10)
CLUSTERERS: Makers = {
    "KMeans": KMeans,
    "MiniBatchKMeans": MiniBatchKMeans,
    "AgglomerativeClustering": AgglomerativeClustering,
    "SpectralClustering": SpectralClustering,
}

Subsets = tuple[tuple[str, ...], ...]


def predictions(teacher: Teacher, examples: Examples) -> Array:
    """A teacher's probabilities at temperature 1 of every example, `(examples, classes)` float64.

    The classes are in the teacher's order.

    Raises:
        TeacherError: it cannot answer, or answers with NaN.
        MismatchError: it answers with neither logits nor log-probabilities, or names other classes.
    """
    ordered(teacher, examples.classes, of=examples.name)  # the same names, that is
    _check_kind(teacher.kind, f"the teacher {teacher.name} answers with")
    return _probabilities(teacher.answers(examples, f"the teacher {teacher.name}"))


def _check_kind(kind: str, whose: str) -> None:
    if kind not in SOFTMAX_KINDS:
        raise MismatchError(f"{whose} {kind}; predictions are made of logits or log-probabilities")


def _probabilities(raw: Array) -> Array:
    return np.asarray(np.exp(log_softmax(raw.astype(np.float64), axis=1)))


def confusable(
    scores: ScoreSet | Array,
    *,
    count: int | Sequence[int],
    classes: Sequence[str] = (),
    clusterer: ClusterMixin = CLUSTERER,
    least: int = 2,
    seed: int = 0,
) -> Subsets:
    """Subsets of classes that are predicted together: clusters of the predictions' covariance.

    Hinton, Vinyals & Dean 2015, section 5.2: the columns of the covariance matrix of the
    generalist's predictions are clustered; no labels are needed. `scores` are a score set (all
    its views count), or probabilities `(examples, classes)` with the names of their `classes`.
    `count` says into how many clusters. With several numbers each gives a clustering, and the
    subsets of all are joined without doubles, so that a class may be in several. Clusters of fewer
    than `least` classes, or of all of them, are left out; there may be none.

    Any clusterer of scikit-learn will do; it is copied, and given the number of clusters and the
    seed where it takes them. The default is k-means over all columns at once: the paper's on-line
    k-means seeks the same clusters where the columns are too many to hold. With few classes the
    variances on the diagonal outweigh what classes have in common, and one large cluster takes
    most of them: clusters by direction alone do better there,
    `AgglomerativeClustering(metric="cosine", linkage="average")`.

    Raises:
        InputError: no number of clusters between 2 and the number of classes; probabilities that
            are none, or without the names of their classes; a clusterer that refuses its settings.
        MismatchError: the scores are neither logits nor log-probabilities.
    """
    names = tuple(scores.classes) if isinstance(scores, ScoreSet) else tuple(classes)
    counts = (count,) if isinstance(count, int) else tuple(count)
    _check_counts(counts, len(names))
    parts = _of_set(scores) if isinstance(scores, ScoreSet) else _of_array(scores, names)
    columns = _covariance(parts).T
    subsets: dict[tuple[int, ...], None] = {}
    for wanted in counts:
        labels = _clustered(_fitting(clusterer, wanted, seed), columns)
        subsets |= dict.fromkeys(_members(labels, least))
    return tuple(tuple(names[at] for at in members) for members in subsets)


def read_clusterer(text: str) -> ClusterMixin:
    """The clusterer that a call written as text makes, such as `AgglomerativeClustering()`.

    Raises:
        RecipeError: there is none of that name, or its arguments are refused.
    """
    return make(text, CLUSTERERS, "clusterer")


def _check_counts(counts: Sequence[int], classes: int) -> None:
    wrong = [count for count in counts if not 2 <= count <= classes]
    if not counts or wrong:
        raise InputError(
            f"{classes} classes are put into 2 to {classes} clusters, not {(wrong or [0])[0]}"
        )


def _of_set(scores: ScoreSet) -> Iterator[Array]:
    _check_kind(scores.kind, f"{scores.directory} holds")
    for view in range(scores.count):
        for start in range(0, len(scores), PART):
            rows = np.arange(start, min(start + PART, len(scores)))
            yield _probabilities(scores.read(rows, np.full(len(rows), view)))


def _of_array(probabilities: Array, names: tuple[str, ...]) -> Iterator[Array]:
    array = np.asarray(probabilities, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != len(names):
        raise InputError(
            f"predictions are (examples, classes) with a name for each class; got shape "
            f"{array.shape} and {len(names)} names"
        )
    if (array < 0).any() or not np.allclose(array.sum(axis=1), 1.0, atol=1e-4):
        raise InputError("predictions are probabilities: 0 or more, and every row sums to one")
    yield array


def _covariance(parts: Iterator[Array]) -> Array:
    """The covariance of the columns over all rows of all parts, float64 `(classes, classes)`."""
    n, total, products = 0, np.zeros(1), np.zeros((1, 1))
    for part in parts:
        n += len(part)
        total = total + part.sum(axis=0)
        products = products + part.T @ part
    mean = total / n
    return np.asarray(products / n - np.outer(mean, mean))


def _fitting(clusterer: ClusterMixin, count: int, seed: int) -> ClusterMixin:
    own = clone(clusterer)
    settings = {"n_clusters": count, "random_state": seed}
    parameters = own.get_params()
    return own.set_params(**{name: value for name, value in settings.items() if name in parameters})


def _clustered(clusterer: ClusterMixin, columns: Array) -> Array:
    try:
        return np.asarray(clusterer.fit_predict(columns))
    except ValueError as error:  # how scikit-learn says that it cannot take an argument
        raise InputError(f"{clusterer} cannot cluster the classes: {error}") from error


def _members(labels: Array, least: int) -> Iterator[tuple[int, ...]]:
    for label in dict.fromkeys(labels.tolist()):
        members = np.flatnonzero(labels == label)
        # -1 is what density clusterers call noise.
        if label >= 0 and least <= len(members) < len(labels):
            yield tuple(members.tolist())
