"""The table [[train]]: a student with its control, or a net on labels."""

from typing import ClassVar

from limbeck import objectives, students
from limbeck.recipes._kitchen import Kitchen
from limbeck.recipes.steps._net import Net, with_plan
from limbeck.training import train


@with_plan()
class TrainTable(Net):
    """The keywords of `train`, and beside them the plan's."""

    verb: ClassVar[str] = "train"
    heads_many: ClassVar[bool] = True  # teacher, student and plain net are a table each

    objective: str = ""  # SoftTargets(temperature=4) where there is a teacher, else Labels()

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
        is_taught = self.on in kitchen.scores or self.teacher
        usual = "SoftTargets(temperature=4)" if is_taught else "Labels()"
        kitchen.runs[self.to] = train(
            students.read(self.student, trust=kitchen.trust),
            self.transfer_set(kitchen),
            objectives.read(self.objective or usual, trust=kitchen.trust),
            **self.keywords(kitchen),
        )
