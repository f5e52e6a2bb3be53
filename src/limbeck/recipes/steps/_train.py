"""The table [[train]]: a student with its control, or a net on labels."""

from typing import ClassVar

from limbeck import objectives, students
from limbeck.objectives import SoftTargets
from limbeck.recipes._kitchen import Kitchen
from limbeck.recipes.steps._net import Net, with_plan
from limbeck.training import train


def usual_objective(*, is_taught: bool) -> str:
    """The objective where none is named: soft targets where there is a teacher, else labels."""
    # The temperature is the class's own, as people write it: runs are known by this text, and
    # begun ones go on only under the same.
    return f"SoftTargets(temperature={SoftTargets.temperature:g})" if is_taught else "Labels()"


@with_plan()
class TrainTable(Net):
    """The keywords of `train`, and beside them the plan's."""

    verb: ClassVar[str] = "train"
    heads_many: ClassVar[bool] = True  # teacher, student and plain net are a table each

    objective: str = ""  # the usual one

    @property
    def makes(self) -> tuple[str, ...]:
        """The run."""
        return (self.to,)

    @property
    def objective_texts(self) -> tuple[str, ...]:
        """Its objective, where one is named."""
        return (self.objective,) if self.objective else ()

    def do(self, kitchen: Kitchen) -> None:
        """Trains it."""
        is_taught = self.on in kitchen.scores or bool(self.teacher)
        objective = self.objective or usual_objective(is_taught=is_taught)
        kitchen.runs[self.to] = train(
            students.from_text(self.student, trust=kitchen.trust),
            self.transfer_set(kitchen),
            objectives.from_text(objective, trust=kitchen.trust),
            **self.keywords(kitchen),
        )
