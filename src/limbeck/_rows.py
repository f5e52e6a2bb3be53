"""A loss summed over the rows it concerns and divided by the size of the whole batch."""

from collections.abc import Callable

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
