"""What is measured of each kind of answers, and which number says who is better."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from limbeck.metrics import _embeddings, _metric, _multilabel, _regression
from limbeck.metrics._aggregation import MeanOf, ShareOf, WholeSet
from limbeck.metrics._metric import LABELS, POSITIVE, REFERENCE, SHARE, Metric, Need
from limbeck.metrics._regression import Truth
from limbeck.scores import Kind


@dataclass(frozen=True)
class Measures:
    """What is measured of answers of one kind.

    Attributes:
        metrics: by name, in the order of a report.
        decides: the metric that student and control are compared by; empty where labels say
            nothing of such answers.
        slices: the metrics that are given for each slice.
    """

    metrics: Mapping[str, Metric]
    decides: str
    slices: tuple[str, ...]


def _by_name(kind: Kind, *made: Metric) -> Mapping[str, Metric]:
    assert all(metric.kind == kind for metric in made)
    return MappingProxyType({metric.name: metric for metric in made})


_COLUMNS: Kind = "independent-logits"
_AGREEMENT = WholeSet(_multilabel.agreement, _multilabel.agreement_of_rows)
_MICRO_F1 = WholeSet(_multilabel.micro_f1, _multilabel.micro_f1_of_rows)
_AUC = WholeSet(_multilabel.auc, _multilabel.auc_of_rows, is_macro=True, is_ranking=True)
_AVERAGE_PRECISION = WholeSet(
    _multilabel.average_precision,
    _multilabel.average_precision_of_rows,
    is_macro=True,
    is_ranking=True,
)

OF_COLUMNS = _by_name(
    _COLUMNS,
    Metric(
        "subset_accuracy", "higher", SHARE, LABELS, ShareOf(_multilabel.is_all_right), kind=_COLUMNS
    ),
    Metric("micro_f1", "higher", SHARE, LABELS, _MICRO_F1, kind=_COLUMNS),
    Metric("auc", "higher", SHARE, LABELS, _AUC, kind=_COLUMNS),
    Metric("average_precision", "higher", SHARE, LABELS, _AVERAGE_PRECISION, kind=_COLUMNS),
    Metric("log_loss_nats", "lower", POSITIVE, LABELS, MeanOf(_multilabel.log_loss), kind=_COLUMNS),
    Metric("agreement", "higher", SHARE, REFERENCE, _AGREEMENT, kind=_COLUMNS),
    Metric("kl_nats", "lower", POSITIVE, REFERENCE, MeanOf(_multilabel.divergence), kind=_COLUMNS),
)
"""Of independent logits, each column a yes or no at a probability of 1/2.

- subset_accuracy: share of labelled examples with every column right; of one column the accuracy.
- micro_f1: F1 of all columns' answers together (scikit-learn).
- auc, average_precision: of each column by its probability, averaged over columns (scikit-learn).
- log_loss_nats: mean over examples and columns of minus the log-probability of the label.
- agreement: share of all columns that say yes or no as the reference's do.
- kl_nats: mean over examples and columns of KL(reference || model), in nats.
"""

_VALUES: Kind = "values"


def _against(truth: Truth, need: frozenset[Need], ending: str) -> Iterator[Metric]:
    rmse = WholeSet(partial(_regression.rmse, truth), partial(_regression.rmse_of_rows, truth))
    r2 = WholeSet(partial(_regression.r2, truth), partial(_regression.r2_of_rows, truth))
    mae = MeanOf(partial(_regression.absolute_error, truth))
    yield Metric(f"rmse{ending}", "lower", POSITIVE, need, rmse, kind=_VALUES)
    yield Metric(f"mae{ending}", "lower", POSITIVE, need, mae, kind=_VALUES)
    yield Metric(f"r2{ending}", "higher", (-math.inf, 1.0), need, r2, kind=_VALUES)


OF_VALUES = _by_name(
    _VALUES,
    *_against(_regression.labels, LABELS, ""),
    *_against(_regression.reference, REFERENCE, "_from_reference"),
)
"""Of real values, against the labels, and (`_from_reference`) against the reference's answers.

- rmse: root of the mean squared error over examples and outputs (scikit-learn).
- mae: mean absolute error over examples and outputs (scikit-learn).
- r2: share of the variance that is explained, averaged over outputs (scikit-learn); none where an
  output does not vary.
"""

_VECTORS: Kind = "embeddings"
_NEIGHBORS = WholeSet(_embeddings.neighbors, _embeddings.neighbors_of_rows)

OF_EMBEDDINGS = _by_name(
    _VECTORS,
    Metric(
        "cosine_similarity",
        "higher",
        (-1.0, 1.0),
        REFERENCE,
        MeanOf(_embeddings.cosine),
        kind=_VECTORS,
    ),
    Metric(
        "l2_distance", "lower", POSITIVE, REFERENCE, MeanOf(_embeddings.distance), kind=_VECTORS
    ),
    Metric("neighbor_agreement", "higher", SHARE, REFERENCE, _NEIGHBORS, kind=_VECTORS),
)
"""Of embeddings, against the reference's.

- cosine_similarity: mean cosine of the angle between the two.
- l2_distance: mean Euclidean distance between the two, as they are.
- neighbor_agreement: of each example's 10 nearest others by cosine, the share that the reference
  has as well; for more than 10 and at most 5000 examples.
"""

OF_PROBABILITIES = frozenset({"auc", "average_precision", "nll_nats", "ece", "kl_nats"})
"""The metrics of one softmax that a vote has no part in."""

MEASURES: Mapping[str, Measures] = MappingProxyType(
    {
        "logits": Measures(_metric.STANDARD, "accuracy", ("accuracy", "agreement")),
        "independent-logits": Measures(
            OF_COLUMNS, "subset_accuracy", ("subset_accuracy", "agreement")
        ),
        "embeddings": Measures(OF_EMBEDDINGS, "", ("cosine_similarity",)),
        "values": Measures(OF_VALUES, "rmse", ("rmse", "rmse_from_reference")),
    }
)
