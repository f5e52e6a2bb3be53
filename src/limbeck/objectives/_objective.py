"""Objective: a loss bound to a batch, and what it says of itself.

An objective is called with the student's output `(batch, classes)` and the batch, and returns
named scalars; their sum is minimised and each is logged. Every part is a sum over the rows it
concerns divided by the size of the whole batch, so parts keep their balance whichever rows have
scores or labels, and a batch without labels gives 0 rather than 0/0.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from limbeck.errors import InputError
from limbeck.examples import Batch
from limbeck.runtime import seeded, text_of
from limbeck.scores import OF_ONE_SOFTMAX, Kind


class Objective(ABC):
    """What a student is asked for: a frozen dataclass that is called with output and batch.

    One of your own need not descend from this: see `as_objective`. `batch.step` and `batch.steps`
    say where training stands.
    """

    @property
    def text(self) -> str:
        """The call that makes it again: the name of the dataclass with its fields."""
        return text_of(type(self).__name__, self)

    @property
    def needs_scores(self) -> bool:
        """Whether it is about what a teacher said."""
        return True

    @property
    def needs_labels(self) -> bool:
        """Whether it cannot do without labels."""
        return False

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of scores that it learns: those of one softmax, unless it says otherwise."""
        return OF_ONE_SOFTMAX

    @property
    def standardizes(self) -> bool:
        """Whether the student's output is scaled to the mean and deviation of what it learns.

        It then finds that deviation as `batch.scale`.
        """
        return False

    @property
    def features(self) -> tuple[str, ...]:
        """The student's submodules (those of its `build`) whose outputs are in `batch.features`."""
        return ()

    @property
    def vectorizes(self) -> bool:
        """Whether `torch.vmap` may compute it for several students at once.

        It is then made of torch operations alone, with no branch on their values.
        """
        return False

    @property
    def trainable(self) -> nn.Module | None:
        """What has parameters that are trained with the student's; None where nothing has."""
        return None

    def begun(self, seed: int) -> "Objective":
        """The objective as a student of that seed begins with it; another only if it trains."""
        return self

    @abstractmethod
    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The named parts, each a scalar."""


# What one of your own may say beside its text, as what it is taken.
SAYS: Mapping[str, Callable[[Any], Any]] = {
    "needs_scores": bool,
    "needs_labels": bool,
    "kinds": tuple,
    "standardizes": bool,
    "features": tuple,
    "vectorizes": bool,
}


@dataclass(frozen=True)
class OwnObjective(Objective):
    """An objective of your own, asked once what it says of itself.

    Attributes:
        wrapped: the function, `nn.Module` or other object that computes it. Whatever else it has is
            an attribute of this too.
    """

    wrapped: Callable[..., Any]
    # With defaults all: a field without one would take the base's property of that name for it.
    text: str = ""
    needs_scores: bool = True
    needs_labels: bool = False
    kinds: tuple[Kind, ...] = OF_ONE_SOFTMAX
    standardizes: bool = False
    features: tuple[str, ...] = ()
    vectorizes: bool = False

    @classmethod
    def of(cls, given: Callable[..., Any], text: str) -> "OwnObjective":
        """The wrapped object under that text; what it does not say is as an `Objective` has it."""
        own = {n: form(getattr(given, n)) for n, form in SAYS.items() if hasattr(given, n)}
        return cls(given, text, **own)

    def __getattr__(self, name: str) -> Any:
        # Of a copy or a pickle that is being made, `wrapped` is not there yet.
        if name.startswith("__") or name == "wrapped":
            raise AttributeError(name)
        return getattr(self.wrapped, name)

    @property
    def trainable(self) -> nn.Module | None:
        """The object itself, where it is an `nn.Module`."""
        return self.wrapped if isinstance(self.wrapped, nn.Module) else None

    def begun(self, seed: int) -> "OwnObjective":
        """Of an `nn.Module` a copy, whose submodules' `reset_parameters` begin as the seed says."""
        if self.trainable is None:
            return self
        own = copy.deepcopy(self.trainable)
        with seeded(seed):
            for module in own.modules():
                restart = getattr(module, "reset_parameters", None)  # torch's own convention
                if callable(restart):
                    restart()
        return replace(self, wrapped=own)

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """What the object computes."""
        parts: dict[str, Tensor] = self.wrapped(output, batch)
        return parts


def lacking(given: object) -> list[str]:
    """What an objective of your own has to say of itself, beside its text, and this does not."""
    return [name for name in ("needs_scores", "needs_labels") if not hasattr(given, name)]


def as_objective(given: Objective | Callable[..., Any]) -> Objective:
    """The objective; one of your own is wrapped, and is asked no more from then on.

    One of your own is a function, an `nn.Module` or any other object that is called with output and
    batch and has a `text`, `needs_scores` and `needs_labels`. What else an `Objective` says, it may
    say. The parameters of an `nn.Module` are trained with the student's, a copy for each seed.

    Raises:
        InputError: it does not say enough of itself.
    """
    if isinstance(given, Objective) and not isinstance(given, nn.Module):
        return given
    own: Any = given
    if not callable(own) or lacking(own) or not hasattr(own, "text"):
        raise InputError(
            "an objective says its text, needs_scores and needs_labels; "
            f"this {type(own).__name__} does not"
        )
    return OwnObjective.of(own, own.text)
