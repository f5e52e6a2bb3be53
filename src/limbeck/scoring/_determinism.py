"""Whether a teacher answers the same input twice alike, seen on a few before the work starts."""

import numpy as np

from limbeck.errors import TeacherError
from limbeck.examples import Array, Examples, View
from limbeck.scores import LOWEST
from limbeck.teachers import Teacher

SAMPLE = 16  # examples that are asked about; of the first half of them again

# How far two answers may lie apart, as a share of the largest deviation of a score from their mean.
# The second time fewer are asked, and sums over another batch round otherwise. Measured: up to
# 0.0004 % in float32, 1.2 % in twelve layers of bfloat16; dropout of one unit in a hundred moves
# scores by 17 %. An int8 model that takes its scales from the batch: 2 % in three layers, 23 % in
# twelve, where it is refused.
TOLERANCE = 0.02
ROUNDING = 1e-5  # and as a share of the largest score: what float32 leaves where all are alike


def check_steady(teacher: Teacher, examples: Examples, view: View, seed: int) -> None:
    """Asks a teacher about a few examples in their first view, and about half of them again.

    The second time they are asked without the others, so that a batch normalisation in training
    mode shows too.

    Raises:
        TeacherError: an answer differs by more than rounding does.
    """
    rows = np.arange(min(SAMPLE, len(examples)))
    shown = view.show(examples, rows, np.zeros_like(rows), seed)
    half, whose = slice((len(rows) + 1) // 2), f"the teacher {teacher.name}"
    first = teacher.ask(shown.inputs, shown.keys, whose)
    again = teacher.ask(shown.inputs[half], shown.keys[half], whose)
    apart = np.abs(first[half] - again)
    if apart.max() > _allowed(first):
        row, column = np.unravel_index(apart.argmax(), apart.shape)
        one, other = first[row, column], again[row, column]
        raise TeacherError(
            f"{whose} answers the same input twice with different scores (example "
            f"{str(shown.keys[row])!r}, class {teacher.classes[column]!r}: {one:.4g} and "
            f"{other:.4g}): is it in training mode (dropout, batch normalisation), does it draw at "
            "random, or does it round by the batch it is in (dynamic int8)?"
        )


def _allowed(scores: Array) -> float:
    # A probability of 0 has the lowest score, far from all others.
    said = scores[scores > LOWEST] if (scores > LOWEST).any() else scores
    said = said.astype(np.float64)
    deviation, largest = np.abs(said - said.mean()).max(), np.abs(said).max()
    return float(TOLERANCE * deviation + ROUNDING * largest)
