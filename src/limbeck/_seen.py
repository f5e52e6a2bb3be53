"""What a model was trained on: no test set for it, and where its own points are among examples."""

from collections.abc import Iterable, Mapping

import numpy as np

from limbeck._confidence import HeldOut, HeldOutAnswer, held_out_answer
from limbeck.errors import ExamplesError, MismatchError
from limbeck.examples import Array, Examples
from limbeck.runs import Run
from limbeck.teachers import Teacher


def check_unseen(models: Mapping[str, Iterable[Run]], examples: Examples) -> None:
    """Refuses a test set of which a model saw examples, whatever their keys.

    Raises:
        ExamplesError: a net was trained or decided on some of them.
    """
    contents = examples.content_hashes
    for name, runs in models.items():
        for run in runs:
            seen = np.isin(contents, run.seen())
            if seen.any():
                raise ExamplesError(
                    f"{int(seen.sum())} of {len(contents)} examples of {examples.name} "
                    f"were seen in training by {name}, the first is "
                    f"{str(examples.keys[seen][0])!r}: a score on them would flatter; "
                    "take them out, or allow them (allow_seen)"
                )


def held_out_from(teacher: Teacher, examples: Examples, said: bool | str) -> HeldOut:
    """Whether the examples were held out from the teacher, as it knows or else as was said.

    A run of ours knows what it was trained on, and so does an ensemble of them: what any of its
    members was trained on is its own. What was only decided on, a plan's held-out share, is held
    out. Two examples of the same content count alike.

    Raises:
        MismatchError: what was said is not so.
        InputError: `said` is neither true nor false nor "unknown".
    """
    answer = held_out_answer(said)
    if not _knows_its_past(teacher):
        return HeldOut(answer, "caller" if answer != "unknown" else "")
    own = np.zeros(len(examples), dtype=bool)
    for run in teacher.runs:
        own |= np.isin(examples.content_hashes, run.trained_on())
    _check_said(answer, own, teacher, examples)
    if own.any() and not own.all():
        return HeldOut("partly", "teacher", own)
    return HeldOut("no" if own.all() else "yes", "teacher")


def _knows_its_past(teacher: Teacher) -> bool:
    if teacher.members:
        return all(_knows_its_past(member) for member in teacher.members)
    return bool(teacher.net)


def _check_said(answer: HeldOutAnswer, own: Array, teacher: Teacher, examples: Examples) -> None:
    if answer == "yes" and own.any():
        raise MismatchError(
            f"held_out says that {teacher.name} was trained on none of these examples, but it was "
            f"on {int(own.sum())} of the {len(own)} of {examples.name}, the first is "
            f"{str(examples.keys[own][0])!r}: leave held_out away, or score others"
        )
    if answer == "no" and not own.any():
        raise MismatchError(
            f"held_out = false says that {teacher.name} was trained on these examples, but it was "
            f"on none of the {len(own)} of {examples.name}: leave held_out away"
        )
