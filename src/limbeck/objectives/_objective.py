"""Objective: a loss bound to a batch.

An objective is called with the student's output `(batch, classes)` and the batch, and returns
named scalars; their sum is minimised and each is logged. Every part is a sum over the rows it
concerns divided by the size of the whole batch, so parts keep their balance whichever rows have
scores or labels, and a batch without labels gives 0 rather than 0/0.
"""

from typing import Protocol, runtime_checkable

from torch import Tensor

from limbeck.examples import Batch


@runtime_checkable
class Objective(Protocol):
    """What a student is asked for; any callable with these three attributes will do.

    It may say more of itself, each of these being taken as absent where it is not there:

    - `standardises`: true gets it a student whose output is scaled to the mean and deviation of
      the scores, and that deviation as `batch.scale`.
    - `features`: names of the student's submodules (those of its `build`), whose outputs it then
      finds in `batch.features`.
    - `vectorises`: true promises that it is made of torch operations alone, with no branch on
      their values, so that `torch.vmap` may compute it for several students at once.
    - `kinds`: the kinds of scores that it learns (`scores.Kind`); without it, those of one softmax.

    An objective that is an `nn.Module` has its parameters trained with the student's, a copy for
    each seed, started by its submodules' `reset_parameters`. `batch.step` and `batch.steps` say
    where training stands.
    """

    @property
    def text(self) -> str:
        """The call that makes it again."""

    @property
    def needs_scores(self) -> bool:
        """Whether it is about what a teacher said."""

    @property
    def needs_labels(self) -> bool:
        """Whether it cannot do without labels."""

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The named parts, each a scalar."""
