"""A loss summed over the rows it concerns and divided by the size of the whole batch."""

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from limbeck.errors import InputError
from limbeck.examples import Batch
from limbeck.objectives import losses


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


def hard_part(weight: float, output: Tensor, batch: Batch) -> dict[str, Tensor]:
    return {"hard": weight * cross_entropy(output, batch)} if weight > 0 else {}


def check_temperature(objective: object, temperature: float) -> None:
    if not temperature > 0:
        name = type(objective).__name__
        raise InputError(f"{name}: a temperature is above 0, not {temperature}")


def check_weights(objective: object, *weights: float) -> None:
    for weight in weights:
        if not weight >= 0:
            raise InputError(f"{type(objective).__name__}: a weight is 0 or more, not {weight}")


def listed(names: Sequence[str]) -> str:
    """`a, b or c`."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
