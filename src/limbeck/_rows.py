"""A loss summed over the rows it concerns and divided by the size of the whole batch."""

from collections.abc import Callable, Mapping

from torch import Tensor

from limbeck import losses
from limbeck.examples import Batch


def over_scored(per_example: Tensor, batch: Batch) -> Tensor:
    """The sum over rows that have scores, divided by all rows; a scalar."""
    return (per_example * batch.is_scored).sum() / len(batch)


def cross_entropy(output: Tensor, batch: Batch) -> Tensor:
    """The cross-entropy of rows that have labels, divided by all rows, in nats; a scalar."""
    loss: Callable[..., Tensor] = losses.label_shares if batch.labels.dim() == 2 else losses.labels
    return loss(output, batch.labels).sum() / len(batch)


_OF_COLUMNS: Mapping[str, Callable[..., Tensor]] = {
    "independent-logits": losses.column_labels,
    "values": losses.value_labels,
}


def of_labels(output: Tensor, batch: Batch) -> Tensor:
    """What the labels ask for of rows that have them, divided by all rows; a scalar.

    Of classes the cross-entropy, of columns of 0 and 1 the binary one, both in nats; of values
    half the squared distance.
    """
    if batch.kind not in _OF_COLUMNS:
        return cross_entropy(output, batch)
    return _OF_COLUMNS[batch.kind](output, batch.labels).sum() / len(batch)
