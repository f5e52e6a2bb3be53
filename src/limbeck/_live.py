"""The same batches with the teacher in the loop, for transfer sets without end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from limbeck._steady import check_steady
from limbeck.errors import InputError
from limbeck.examples import Array, Batch, Examples
from limbeck.runs import Run
from limbeck.scores import Dense, Kind, as_learnt, default_width, learnt_kind
from limbeck.teachers import Answer, Teacher, as_teacher, ordered
from limbeck.transfer import FRESH, TransferSet, check_labelled
from limbeck.views import Plain, View


def live(
    teacher: Teacher | Run | nn.Module | Answer,
    examples: Examples,
    *,
    views: View = Plain(),
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
    asked.check_asked(shown, views)
    if count < 1:
        raise InputError(f"a transfer set has 1 view or more, not {count}")
    check_steady(asked, shown, views, seed)
    return TransferSet(shown, views, count, seed, Live(asked))


@dataclass(frozen=True, eq=False)
class Live:
    """Scores of a teacher who is asked about every batch."""

    teacher: Teacher
    place = ""
    seconds = 0.0

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in the order of the scores."""
        return self.teacher.classes

    @property
    def kind(self) -> Kind:
        """What the scores are as they are learnt: of probabilities, their logarithms."""
        return learnt_kind(self.teacher.kind)

    @property
    def fingerprint(self) -> str:
        """Names the scores by who gives them."""
        return f"live:{self.teacher.fingerprint}"

    @property
    def teacher_parameters(self) -> int:
        """How many numbers the teacher's nets learned; 0 where that is not known."""
        return self.teacher.parameters

    @property
    def about(self) -> Mapping[str, Any]:
        """Nothing is recorded of it."""
        return {}

    def check(self) -> None:
        """Nothing is stored that could be damaged."""

    def is_scored(self, rows: Array) -> Array:
        """All of them are."""
        return np.ones(len(rows), dtype=bool)

    def scores(self, show: Callable[[], Batch], rows: Array, numbers: Array) -> Array:
        """What the teacher says of the inputs shown, rounded as a store would round it."""
        shown = show()
        raw = self.teacher.ask(shown.inputs, shown.keys, f"the teacher {self.teacher.name}")
        kept = Dense.of(raw, default_width(self.teacher.kind)).raw()
        return as_learnt(kept, self.teacher.kind)

    def take(self, rows: Array) -> "Live":
        """The same teacher."""
        return self
