"""live(): the same batches with the teacher in the loop, for transfer sets without end."""

from torch import nn

from limbeck.errors import InputError
from limbeck.examples import Examples, Plain, Show, Shows, View, as_view
from limbeck.scoring import Sample, check_sense
from limbeck.students import Run
from limbeck.teachers import BATCH, Answer, Teacher, as_teacher, fitted_to
from limbeck.training._sources import Live
from limbeck.training._transfer import FRESH, TransferSet, check_labelled


def live(
    teacher: Teacher | Run | nn.Module | Answer,
    examples: Examples,
    *,
    views: View | Shows | Show = Plain(),
    count: int = FRESH,
    seed: int = 0,
    labelled: Examples | None = None,
    accept_teacher: bool = False,
) -> TransferSet:
    """A transfer set whose scores the teacher gives as each batch is shown: nothing is stored.

    For views without end, and where the teacher costs less than the disk. For the same `count`,
    views and seed a student learns the same from it as from a score set, since what the teacher
    says is rounded alike. Several students of one `sweep` share every answer. `labelled` are
    further examples, as in `train`: the teacher is asked about those too.

    Raises:
        MismatchError: teacher and examples name other classes, or scores of a kind that no
            student is trained on.
        TeacherError: the teacher answers the same input twice with different scores, or makes no
            sense beside the labels, as in `score`; `accept_teacher` goes on all the same.
        InputError: less than one view.
    """
    check_labelled(labelled)
    shown = examples if labelled is None else examples.joined(labelled)
    able = as_teacher(teacher, shown.classes)
    able = fitted_to(able, shown)
    view = as_view(views)
    able.check_asked(shown, view)
    if count < 1:
        raise InputError(f"a transfer set has 1 view or more, not {count}")
    sample = Sample.of(able, shown, view, seed, batch=BATCH)
    check_sense(able, shown, view, sample, accept=accept_teacher)
    return TransferSet(shown, view, count, seed, Live(able))
