"""How methods are tuned: the same trials for each, judged on held-out examples."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.errors import InputError, LabelsError
from limbeck.objectives import Objective
from limbeck.runtime import evaluating
from limbeck.students import Run
from limbeck.training import TransferSet

GOLDEN = (5**0.5 - 1) / 2  # its multiples, modulo 1, fill the unit interval evenly
HELD_OUT_BATCH = 1024

Trained = Callable[
    [TransferSet, Mapping[str, Objective], float, Sequence[int], Path], Mapping[str, Run]
]
"""Trains objectives by name on a transfer set, with a learning rate and seeds, in a directory."""


@dataclass(frozen=True)
class Budget:
    """How much tuning each method gets: the same for all.

    Attributes:
        trials: pairs of a candidate setting and a learning rate that each method may try.
        learning_rates: the lowest and the highest; the trials spread over them evenly on a
            logarithmic scale, the same rates in the same order for every method.
        held_out: the share of the transfer set that trials are judged on and not trained on.
    """

    trials: int = 6
    learning_rates: tuple[float, float] = (3e-4, 1e-2)
    held_out: float = 0.1

    def __post_init__(self) -> None:
        low, high = self.learning_rates
        if self.trials < 1:
            raise InputError(f"a budget has 1 trial or more, not {self.trials}")
        if not 0 < low <= high:
            raise InputError(
                f"learning rates are the lowest and the highest, above 0, not {low} and {high}"
            )
        if not 0 < self.held_out < 1:
            raise InputError(f"held_out lies between 0 and 1, not {self.held_out}")

    @property
    def rates(self) -> tuple[float, ...]:
        """The learning rate of each trial."""
        low, high = self.learning_rates
        places = ((0.5 + GOLDEN * trial) % 1 for trial in range(self.trials))
        return tuple(float(low * (high / low) ** place) for place in places)


@dataclass(frozen=True)
class Chosen:
    """A method after tuning: its trials, and the setting of the best of them."""

    trials: tuple[dict[str, Any], ...]
    best: int
    objective: Objective
    learning_rate: float


@dataclass(frozen=True, eq=False)
class Tuning:
    """The trials of all methods; it is given no test examples, so it cannot look at them.

    Attributes:
        methods: the candidates of each method; its trials take them in turn.
        transfer: what trials learn from, less the held-out part.
        seed: what every trial starts with.
        to: where the trials' runs lie.
        trained: trains them.
    """

    methods: Mapping[str, Sequence[Objective]]
    transfer: TransferSet
    budget: Budget
    seed: int
    to: Path
    trained: Trained
    tell: Callable[[str], None]

    def chosen(self) -> dict[str, Chosen]:
        """The best setting of each method, of equals the first.

        Raises:
            InputError: every trial of a method failed.
            LabelsError: no held-out example has a label or scores.
        """
        trials: dict[str, list[dict[str, Any]]] = {name: [] for name in self.methods}
        for number, rate in enumerate(self.budget.rates):
            self.tell(f"trial {number + 1} of {self.budget.trials}, learning rate {rate:.2g}")
            for name, outcome in self._trial(number, rate).items():
                trials[name].append(outcome)
        return {name: self._choice(name, outcome) for name, outcome in trials.items()}

    @property
    def criterion(self) -> str:
        """What trials are judged by, in words."""
        judged_on = self._parts[1]
        what = "agreement with the teacher" if judged_on.has_scores else "accuracy"
        return f"{what} on {len(judged_on.examples):,} held-out examples"

    @cached_property
    def _parts(self) -> tuple[TransferSet, TransferSet]:
        """The transfer set in two: what trials learn from, and what they are judged on.

        Raises:
            LabelsError: all labels would be in the second part.
        """
        examples = self.transfer.examples
        is_held_out = np.isin(examples.keys, examples.split(self.budget.held_out)[1].keys)
        rest, held_out = (
            self.transfer.take(np.flatnonzero(part)) for part in (~is_held_out, is_held_out)
        )
        if examples.is_labelled.any() and not rest.examples.is_labelled.any():
            raise LabelsError(
                "every labelled example is held out to judge the trials, and none is left to "
                "learn from: label more of them"
            )
        return rest, _judging(held_out)

    def _trial(self, number: int, rate: float) -> dict[str, dict[str, Any]]:
        objectives = {name: of[number % len(of)] for name, of in self.methods.items()}
        place = self.to / f"trial-{number}"
        runs = self._runs(objectives, rate, place)
        return {
            name: {"objective": objective.text, "learning_rate": rate, **self._reached(runs[name])}
            for name, objective in objectives.items()
        }

    def _runs(
        self, asked: Mapping[str, Objective], rate: float, place: Path
    ) -> Mapping[str, Run | str]:
        """The run of each method, or in words why there is none."""
        learnt_from = self._parts[0]
        try:
            return self.trained(learnt_from, asked, rate, [self.seed], place)
        except InputError as error:  # all else was checked before: a loss diverged
            if len(asked) == 1:
                return dict.fromkeys(asked, str(error))
        runs: dict[str, Run | str] = {}
        for name, objective in asked.items():
            runs |= self._runs({name: objective}, rate, place / "alone")
        return runs

    def _reached(self, run: Run | str) -> dict[str, Any]:
        if isinstance(run, str):
            return {"failed": run}
        return {"held_out": _right(run, self.seed, self._parts[1])}

    def _choice(self, name: str, trials: Sequence[dict[str, Any]]) -> Chosen:
        accuracies = [trial.get("held_out", -1.0) for trial in trials]
        best = int(np.argmax(accuracies))
        if accuracies[best] < 0:
            raise InputError(f"every trial of the method {name!r} failed: {trials[0]['failed']}")
        objective = self.methods[name][best % len(self.methods[name])]
        return Chosen(tuple(trials), best, objective, self.budget.rates[best])


def _judging(held_out: TransferSet) -> TransferSet:
    """Of the held-out part, plain examples with labels; where there are none, those with scores.

    Raises:
        LabelsError: there are neither.
    """
    is_labelled = held_out.examples.is_labelled
    if is_labelled.any():
        return TransferSet(held_out.examples.take(np.flatnonzero(is_labelled)))
    scored = np.flatnonzero(held_out.is_scored)
    if not len(scored):
        raise LabelsError("no held-out example has a label or scores: hold more out")
    return held_out.take(scored)


def _right(run: Run, seed: int, judged_on: TransferSet) -> float:
    """The share of those examples on which the net says the label, or the teacher's class."""
    model, rows, right = run.model(seed), np.arange(len(judged_on.examples)), 0
    with evaluating(model):
        for batch in judged_on.first_views(rows, HELD_OUT_BATCH):
            labels = batch.scores.argmax(dim=1) if judged_on.has_scores else batch.labels
            right += int((model(batch.inputs).argmax(dim=1) == labels).sum())
    return right / len(rows)
