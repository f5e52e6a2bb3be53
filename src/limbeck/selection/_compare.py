"""compare(): methods side by side, with the same seeds and the same tuning budget for each."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from limbeck import artifacts, metrics, teachers
from limbeck.errors import InputError, LabelsError, MismatchError
from limbeck.evaluation import (
    Difference,
    Measurements,
    Pair,
    Predictions,
    answers_by_seed,
    measures_of,
)
from limbeck.examples import Examples, check_disjoint
from limbeck.metrics import CONFIDENCE, simultaneous
from limbeck.objectives import Labels, Objective, as_objective, check_kind
from limbeck.runtime import did_you_mean
from limbeck.scores import ScoreSet
from limbeck.selection._comparison import FORM, Compared
from limbeck.selection._tune import Budget, Chosen, Tuning
from limbeck.students import Run, Student
from limbeck.training import CONTROL, Plan, TransferSet, sweep

ALONE, BESIDE = "control-", "beside-"  # directories; no method's name makes these
DECIDES, METRICS = "accuracy", ("accuracy", "nll_nats", "ece")

Methods = Mapping[str, Sequence[Objective | Callable[..., Any]]]


def compare(
    student: Student,
    transfer: TransferSet | ScoreSet,
    methods: Methods,
    *,
    test: Examples,
    to: str | Path,
    plan: Plan = Plan(),
    budget: Budget = Budget(),
    seeds: int | Sequence[int] = 5,
    baseline: str = CONTROL,
    tell: Callable[[str], None] = lambda _: None,
) -> Compared:
    """Each method tuned with the same budget and then trained with the same seeds, side by side.

    A method is a name with its candidate settings. Its trials take the candidates in turn, each
    with the next learning rate, all with one seed that is not among the final ones. They learn
    from the transfer set less a held-out part and are judged there: by accuracy where it has
    labels, else by agreement with the teacher; of equals the first is chosen. The chosen setting
    is then trained on the whole transfer set with every seed and measured on `test`, which
    nothing looks at before that. "control", on hard labels, is a method like the others and is
    added where there are labels.

    Each method's accuracy is held against the baseline's and the control's. The intervals of all
    these differences hold together at 95 % (Bonferroni), so of many methods that differ by
    chance none passes for better, 19 times in 20.

    A trial whose loss becomes infinite is a trial spent. An interrupted call goes on where it was
    when it is made again, and one that is whole returns at once.

    Raises:
        InputError: no methods, one without candidates or with more than there are trials, an
            unknown baseline, or a method of which every trial diverged.
        LabelsError: the test examples have no labels, or a method needs labels and there are none.
        ExamplesError: a test example is also in the transfer set.
        OccupiedError: `to` holds something else.
    """
    shown = TransferSet.of(transfer) if isinstance(transfer, ScoreSet) else transfer
    job = _Job(
        student=student,
        transfer=shown,
        given=methods,
        test=test,
        to=Path(to),
        plan=plan.suited(len(shown.examples)),
        budget=budget,
        seeds=tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds),
        baseline=baseline,
        tell=tell,
    )
    job.check()
    with artifacts.writing(job.to, FORM.artifact, job.request) as artifact:
        if not artifact.is_whole:
            artifact.begin()
            artifact.finish(job.run())
    return Compared.read(job.to)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Job:
    student: Student
    transfer: TransferSet
    given: Mapping[str, Sequence[Any]]
    test: Examples
    to: Path
    plan: Plan
    budget: Budget
    seeds: tuple[int, ...]
    baseline: str
    tell: Callable[[str], None]

    @cached_property
    def methods(self) -> dict[str, tuple[Objective, ...]]:
        """The candidates of each method, the control's among them where there can be one.

        Raises:
            InputError: a candidate is no objective.
        """
        methods = {
            name: tuple(_candidate(name, one) for one in candidates)
            for name, candidates in self.given.items()
        }
        has_labels = bool(self.transfer.examples.is_labelled.any())
        if CONTROL not in methods and has_labels:
            methods[CONTROL] = (Labels(),)
        return methods

    def check(self) -> None:
        """Everything that can be refused before any work."""
        if not self.given:
            raise InputError("compare takes one method or more, each a name with its candidates")
        for name, candidates in self.methods.items():
            self._check_method(name, candidates)
        if self.baseline not in self.methods:
            hint = did_you_mean(self.baseline, self.methods)
            raise InputError(f"the baseline {self.baseline!r} is none of the methods; {hint}")
        if len(self.methods) < 2:
            raise InputError("one method alone has nothing to be held against: give another")
        if len({_folder(name) for name in self.methods}) < len(self.methods):
            raise InputError("two methods have names that differ by punctuation alone")
        if not self.seeds:
            raise InputError("seeds are a count of 1 or more, or different numbers from 0")
        if self.transfer.answers != "logits":
            raise MismatchError(
                f"methods are compared by accuracy, and what is learnt here is "
                f"{self.transfer.kind}: train each, and hold them side by side with evaluate"
            )
        self._check_test()

    def _check_method(self, name: str, candidates: Sequence[Objective]) -> None:
        if not candidates:
            raise InputError(
                f"the method {name!r} has no candidates: give it one objective or more"
            )
        if len(candidates) > self.budget.trials:
            raise InputError(
                f"the method {name!r} has {len(candidates)} candidates and the budget only "
                f"{self.budget.trials} trials: every candidate needs one"
            )
        for objective in candidates:
            self._check_objective(name, objective)
            self._check_kind(objective)

    def _check_objective(self, name: str, objective: Objective) -> None:
        if name == CONTROL and objective != Labels():
            raise InputError(
                f"the method 'control' learns hard labels, not {objective.text}: "
                "give it another name"
            )
        if objective.needs_labels and not self.transfer.examples.is_labelled.any():
            raise LabelsError(
                f"{objective.text} of the method {name!r} needs labels, and "
                f"{self.transfer.examples.name} has none"
            )
        if objective.needs_scores and not self.transfer.has_scores:
            raise InputError(
                f"{objective.text} of the method {name!r} needs a teacher's scores; "
                f"{self.transfer.examples.name} has none: score it"
            )

    def _check_kind(self, objective: Objective) -> None:
        if objective.needs_scores:
            check_kind(objective, self.transfer.kind)

    def _check_test(self) -> None:
        if not self.test.is_labelled.any():
            raise LabelsError(
                f"methods are compared by accuracy, and {self.test.name} has no labels"
            )
        check_disjoint({"the transfer set": self.transfer.examples, "the test set": self.test})
        self.test.check_classes(self.transfer.classes, "the transfer set")

    @cached_property
    def request(self) -> dict[str, Any]:
        transfer = self.transfer
        return {
            "student": self.student.text,
            "methods": {name: [one.text for one in of] for name, of in self.methods.items()},
            "plan": self.plan.to_json(),
            "budget": {**asdict(self.budget), "learning_rates": list(self.budget.learning_rates)},
            "seeds": list(self.seeds),
            "baseline": self.baseline,
            "examples": transfer.examples.fingerprint,
            "labels": transfer.examples.labels_fingerprint,
            "view": transfer.view.text,
            "count": transfer.count,
            "view_seed": transfer.seed,
            "scores": transfer.source.fingerprint if transfer.has_scores else "",
            "test": self.test.fingerprint,
            "test_labels": self.test.labels_fingerprint,
        }

    def run(self) -> dict[str, Any]:
        """Tunes, trains and writes the document; what the manifest says."""
        began = time.monotonic()
        chosen = self.tuning.chosen()
        runs = self._trained_finally(chosen)
        compared = Compared(self._document(chosen, runs), self.to)
        compared.write()
        return {
            **self.request,
            "files": artifacts.file_entries(self.to, FORM.files),
            "seconds": round(time.monotonic() - began, 1),  # of the call that finished it
            "provenance": artifacts.provenance(),
        }

    @cached_property
    def tuning(self) -> Tuning:
        """The trials, with a seed that is none of the final ones."""
        place, seed = self.to / "tuning", max(self.seeds) + 1
        return Tuning(
            self.methods, self.transfer, self.budget, seed, place, self._trained, self.tell
        )

    def _trained(
        self,
        transfer: TransferSet,
        objectives: Mapping[str, Objective],
        rate: float,
        seeds: Sequence[int],
        place: Path,
    ) -> dict[str, Run]:
        others = {name: one for name, one in objectives.items() if name != CONTROL}
        has_control = CONTROL in objectives
        methods = {_folder(name): one for name, one in others.items()}
        if has_control and not any(one.needs_scores for one in others.values()):
            methods |= self._beside_control
        runs = sweep(
            self.student,
            transfer,
            methods,
            to=place,
            plan=replace(self.plan, learning_rate=rate),
            seeds=seeds,
            control=has_control,
        )
        by_name = {name: runs[_folder(name)] for name in others}
        return by_name | ({CONTROL: runs.get(CONTROL) or runs[ALONE]} if has_control else {})

    @property
    def _beside_control(self) -> dict[str, Objective]:
        """What to ask for so that a control of its own rate is trained as those beside others are.

        Where all have labels the control learns those. Where few have, it trains for as
        many steps as a student would and stops early, and so needs a student beside it.
        """
        taught = [one for of in self.methods.values() for one in of if one.needs_scores]
        if not taught or self.transfer.examples.is_labelled.all():
            return {ALONE: Labels()}
        return {BESIDE: taught[0]}

    def _trained_finally(self, chosen: Mapping[str, Chosen]) -> dict[str, Run]:
        """Every method with its chosen setting, those of one learning rate together."""
        runs: dict[str, Run] = {}
        for trial in sorted({one.best for one in chosen.values()}):
            methods = {name: one.objective for name, one in chosen.items() if one.best == trial}
            rate = self.budget.rates[trial]
            self.tell(f"training {', '.join(methods)} with learning rate {rate:.2g}")
            place = self.to / "final" / f"rate-{trial}"
            runs |= self._trained(self.transfer, methods, rate, self.seeds, place)
        return {name: runs[name] for name in self.methods}

    def _document(self, chosen: Mapping[str, Chosen], runs: Mapping[str, Run]) -> dict[str, Any]:
        self.tell(f"measuring on {self.test.name}")
        predictions = self._predictions(runs)
        pairs = [Pair(DECIDES, one, other) for one in runs for other in self._held_against(one)]
        # "a better than b" and "b better than a" are one comparison.
        comparisons = len({frozenset([pair.first, pair.second]) for pair in pairs})
        by_name = measures_of("logits").metrics
        measurements = Measurements.of(
            predictions,
            [by_name[name] for name in METRICS],
            pairs,
            confidence=simultaneous(comparisons),
        )
        by_seed = [
            Measurements.of(predictions.of_seed(seed), [by_name[DECIDES]])
            for seed in range(len(self.seeds))
        ]
        rows = [
            {
                "name": name,
                "objective": chosen[name].objective.text,
                "learning_rate": chosen[name].learning_rate,
                "chosen": chosen[name].best,
                "trials": list(chosen[name].trials),
                "run": str(runs[name].directory.relative_to(self.to)),
                "metrics": measurements.to_json(name),
                "values": [one.estimates[name][DECIDES].mean for one in by_seed],
                "against": {
                    other: _compared(measurements.differences[Pair(DECIDES, name, other)])
                    for other in self._held_against(name)
                },
            }
            for name in runs
        ]
        return {
            "format": FORM.version,
            "name": self.to.name,
            "student": self.student.text,
            "examples": metrics.described(self.test),
            "seeds": list(self.seeds),
            "tuning_seed": self.tuning.seed,
            "budget": self.request["budget"],
            "chosen_by": self.tuning.criterion,
            "baseline": self.baseline,
            "confidence": CONFIDENCE,
            "comparisons": comparisons,
            "rows": rows,
            "notes": list(self._notes(chosen)),
            "provenance": artifacts.provenance(),
        }

    def _held_against(self, name: str) -> list[str]:
        others = dict.fromkeys([self.baseline, CONTROL])
        return [other for other in others if other in self.methods and other != name]

    def _predictions(self, runs: Mapping[str, Run]) -> Predictions:
        answers = {}
        for name, run in runs.items():
            seeds = [teachers.run(run, seed) for seed in run.seeds]
            answers[name] = answers_by_seed(seeds, self.test, run.name)
        return Predictions(answers, self.test.labels, metrics.groups_in(self.test))

    def _notes(self, chosen: Mapping[str, Chosen]) -> Iterator[str]:
        if CONTROL not in self.methods:
            yield "there is no control: the examples have no labels"
        ends = {min(self.budget.rates), max(self.budget.rates)}
        if self.budget.trials > 1:
            at_end = [name for name, one in chosen.items() if one.learning_rate in ends]
            if at_end:
                yield (
                    f"the best learning rate tried is the lowest or highest for {', '.join(at_end)}"
                    ": a wider range may do better"
                )
        for name, one in chosen.items():
            failed = sum("failed" in trial for trial in one.trials)
            if failed:
                yield f"{failed} of the trials of {name} diverged"


def _candidate(method: str, candidate: Any) -> Objective:
    try:
        return as_objective(candidate)
    except InputError as error:
        raise InputError(
            f"the method {method!r} has a {type(candidate).__name__} for a candidate, not an "
            "objective"
        ) from error


def _folder(name: str) -> str:
    """A method's name as that of a directory."""
    return re.sub(r"[^\w.]+", "-", name).strip("-.") or "method"


def _compared(less: Difference) -> dict[str, Any]:
    one = less.estimate
    return {
        "difference": one.mean,
        "low": one.low,
        "high": one.high,
        "n": one.n,
        "answer": less.answer,
    }
