"""Whether a teacher answers the same input twice alike, seen on a few before the work starts."""

import numpy as np

from limbeck.errors import TeacherError
from limbeck.examples import Array
from limbeck.scores import LOWEST
from limbeck.teachers import Teacher

SAMPLE = 8  # examples that are asked about again

# How far two answers may lie apart, as a share of the largest deviation of a score from their mean.
# The second time fewer are asked, and sums over another batch round otherwise. Measured: up to
# 0.0004 % in float32, 1.2 % in twelve layers of bfloat16; dropout of one unit in a hundred moves
# scores by 17 %. An int8 model that takes its scales from the batch: 2 % in three layers, 23 % in
# twelve, where it is refused.
TOLERANCE = 0.02
ROUNDING = 1e-5  # and as a share of the largest score: what float32 leaves where all are alike


def check_steady(teacher: Teacher, inputs: Array, keys: Array, scores: Array) -> None:
    """Asks a teacher again about the first few of the inputs that it answered with these scores.

    They are asked without the others, so that a batch normalisation in training mode shows too.

    Raises:
        TeacherError: an answer differs by more than rounding does.
    """
    few, whose = slice(min(SAMPLE, (len(keys) + 1) // 2)), f"the teacher {teacher.name}"
    again = teacher.ask(inputs[few], keys[few], whose)
    apart = np.abs(scores[few] - again)
    if apart.max() > _allowed(scores):
        row, column = np.unravel_index(apart.argmax(), apart.shape)
        one, other = scores[row, column], again[row, column]
        raise TeacherError(
            f"{whose} answers the same input twice with different scores (example "
            f"{str(keys[row])!r}, class {teacher.classes[column]!r}: {one:.4g} and "
            f"{other:.4g}): is it in training mode (dropout, batch normalisation), does it draw at "
            "random, or does it round by the batch it is in (dynamic int8)?"
        )


def _allowed(scores: Array) -> float:
    # A probability of 0 has the lowest score, far from all others.
    finite = scores[scores > LOWEST] if (scores > LOWEST).any() else scores
    finite = finite.astype(np.float64)
    deviation, largest = np.abs(finite - finite.mean()).max(), np.abs(finite).max()
    return float(TOLERANCE * deviation + ROUNDING * largest)
