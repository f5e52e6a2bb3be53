"""Kinds of scores (logits, probabilities, values, ...): what each means and is learnt as."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np
from scipy.special import logit

from limbeck.errors import InputError
from limbeck.examples import Array, Examples

Kind = Literal[
    "logits",  # of one softmax: an offset of a row changes nothing
    "independent-logits",  # one sigmoid a column: multi-label, or a one-column binary output
    "log-probabilities",
    "probabilities",
    "independent-probabilities",  # of one sigmoid a column: those of a row need not sum to one
    "values",  # regression
    "embeddings",
    "votes",  # a class and no more: rows with a single 1
]
KINDS: tuple[Kind, ...] = get_args(Kind)
SOFTMAX_KINDS: tuple[Kind, ...] = ("logits", "log-probabilities")
INDEPENDENT_KINDS: tuple[Kind, ...] = ("independent-logits", "independent-probabilities")
OF_ONE_SOFTMAX: tuple[Kind, ...] = (*SOFTMAX_KINDS, "probabilities")


def answered_with(kind: Kind) -> Kind:
    """What a student answers with who learns scores of that kind: of one softmax, logits."""
    return "logits" if kind in (*OF_ONE_SOFTMAX, "votes") else learnt_kind(kind)


# The least probability whose logarithm is learnt: a smaller one, and 0, counts as this. They are
# kept as float32 below a maximum of up to 1, to within 6e-8, so a logarithm of less would be off by
# more than 0.06; and few counts of votes say less. To a row it adds at most this much a class: at
# temperature 1 a thousand classes of probability 0 take 0.1 % from the others. At temperature T one
# of them weighs FLOOR^(1/T) beside a sure class: 0.001 at 2, 0.03 at 4.
FLOOR = 1e-6


def check_kind(kind: str) -> Kind:
    """The kind, if it is one.

    Raises:
        InputError: it is not.
    """
    if kind not in KINDS:
        raise InputError(f"there is no kind of scores {kind!r}; known are {', '.join(KINDS)}")
    return kind


def check_classes(examples: Examples, classes: Sequence[str], kind: str, whose: str) -> None:
    """Refuses class names that are not those of the examples; an embedding's columns have none.

    Raises:
        MismatchError: they differ.
    """
    if kind != "embeddings":
        examples.check_classes(classes, whose)


def learnt_kind(kind: Kind) -> Kind:
    """What scores of that kind are once they are learnt: of probabilities, logarithms or logits."""
    learnt: Mapping[str, Kind] = {
        "probabilities": "log-probabilities",
        "independent-probabilities": "independent-logits",
    }
    return learnt.get(kind, kind)


def as_learnt(raw: Array, kind: Kind) -> Array:
    """Scores as they are learnt, in the kind `learnt_kind`.

    Of probabilities `log(max(p, FLOOR))`; of independent ones the logit, `log(p / (1 - p))`, with p
    no nearer to 0 and 1 than `FLOOR`; others are as they are.
    """
    if kind == "probabilities":
        return np.asarray(np.log(np.maximum(raw, FLOOR)))
    if kind == "independent-probabilities":
        # Widened: 1 - FLOOR has two digits left in float32.
        logits = logit(np.clip(raw.astype(np.float64), FLOOR, 1 - FLOOR))
        return np.asarray(logits.astype(raw.dtype))
    return raw
