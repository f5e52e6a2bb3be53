"""live(): the same batches with the teacher in the loop, for transfer sets without end."""

from torch import nn

from limbeck.errors import InputError
from limbeck.examples import Examples, Plain, Show, Shows, View, as_view
from limbeck.scoring import check_steady
from limbeck.students import Run
from limbeck.teachers import Answer, Teacher, as_teacher, ordered
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
) -> TransferSet:
    """A transfer set whose scores the teacher gives as each batch is shown: nothing is stored.

    For views without end, and where the teacher costs less than the disk. For the same `count`,
    views and seed a student learns the same from it as from a score set, since what the teacher
    says is rounded alike. Several students of one `sweep` share every answer. `labelled` are
    further examples, as in `train`: the teacher is asked about those too.

    Raises:
        MismatchError: teacher and examples name other classes, or scores of a kind that no
            student is trained on.
        TeacherError: the teacher answers the same input twice with different scores.
        InputError: less than one view.
    """
    check_labelled(labelled)
    shown = examples if labelled is None else examples.joined(labelled)
    asked = as_teacher(teacher, shown.classes)
    asked = ordered(asked, shown.classes, of=shown.name)
    view = as_view(views)
    asked.check_asked(shown, view)
    if count < 1:
        raise InputError(f"a transfer set has 1 view or more, not {count}")
    check_steady(asked, shown, view, seed)
    return TransferSet(shown, view, count, seed, Live(asked))
