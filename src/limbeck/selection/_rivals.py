"""rivals(): teacher, cheaper teacher, baseline, control and student -> what to ship."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from limbeck import artifacts, metrics, teachers
from limbeck.errors import InputError, LabelsError, MismatchError, NeedsPackageError, NotMetError
from limbeck.evaluation import (
    EVERY_SEED,
    Difference,
    Measurements,
    Pair,
    Predictions,
    able,
    answer_times,
    answers_by_seed,
    check_kinds,
    check_unseen,
    cost,
    measures_of,
    threads_limited,
)
from limbeck.examples import Examples, Plain, check_disjoint
from limbeck.metrics import OF_PROBABILITIES, Metric
from limbeck.runtime import device, did_you_mean
from limbeck.selection._baselines import Cheaper, baselines, cheaper_teachers, in_int8
from limbeck.selection._decision import Contender, Part, decide, sentence
from limbeck.selection._rivals_report import FORM, Rivals
from limbeck.students import Run
from limbeck.teachers import Answer, Teacher, as_teacher

KNOWN = measures_of("logits").metrics
OF_LABELS = tuple(name for name, one in KNOWN.items() if "reference" not in one.needs)


def rivals(
    run: Run,
    test: Examples,
    *,
    teacher: Teacher | Run | nn.Module | Answer,
    labelled: Examples,
    to: str | Path,
    threads: int = 1,
    metric: str = "",
    budget_ms: float = 1.0,
    margin: float = 0.005,
    tell: Callable[[str], None] = lambda _: None,
) -> Rivals:
    """A student among what could be shipped in its place, and one sentence that says which to ship.

    The rows are the teacher; the teacher made cheaper (an ensemble's first member, a tenth of
    boosted trees, a run of ours in int8); plain models fitted to the labels of `labelled` (of
    tables 100 iterations of boosted trees and a logistic regression, of texts one on TF-IDF of
    words and pairs of words, else one on standardised inputs); the control; the student, measured
    over all its seeds; and the shipped student in int8. Each has its metric on `test` with an
    interval (AUC for two classes, else accuracy, or the one that is named), the bytes it takes on
    disk, and the milliseconds for one example on so many threads.

    The rule: do not distil where the teacher, a cheaper teacher, a plain model or the control
    answers within `budget_ms` (by p50) and the student was not seen to be better: the paired
    interval of their difference does not lie wholly above zero. Else ship the student, in int8
    where that is smaller and surely at most `margin` (in the metric's own unit) worse, if it is
    within the budget itself.

    The threads are those of torch, BLAS, OpenMP and of ONNX files that `teachers.onnx` opened;
    they are put back. Whole results in `to` are read, not made again.

    Raises:
        LabelsError: `labelled` or `test` has no labels of one class each, or `labelled` has them
            of one class alone.
        MismatchError: other classes, or the run or teacher is not of one softmax.
        ExamplesError: test examples that are also in `labelled`, or that a run was trained on.
        InputError: fewer than 1 thread, no such metric, or a budget or margin out of range.
        OccupiedError: `to` holds something else.
    """
    model = as_teacher(teacher, test.classes)
    job = _Job(
        run=run,
        test=test,
        given=model,
        teacher_bytes=cost(teacher, test).bytes if isinstance(teacher, nn.Module) else model.bytes,
        labelled=labelled,
        to=Path(to),
        threads=threads,
        named=metric,
        budget_ms=budget_ms,
        margin=margin,
        tell=tell,
    )
    job.check()
    with artifacts.writing(job.to, FORM.artifact, job.request) as artifact:
        if not artifact.is_whole:
            job.write(artifact)
    return Rivals.read(job.to)


@dataclass(frozen=True, eq=False)
class _Entrant:
    """A row before it is measured: `asked[timed]` is the one that would be shipped."""

    name: str
    part: Part
    what: str
    asked: list[Teacher]
    bytes: int
    timed: int = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class _Job:
    run: Run
    test: Examples
    given: Teacher
    teacher_bytes: int
    labelled: Examples
    to: Path
    threads: int
    named: str
    budget_ms: float
    margin: float
    tell: Callable[[str], None]
    notes: list[str] = field(default_factory=list)

    @cached_property
    def metric(self) -> Metric:
        has_two = len(self.test.classes) == 2 and self.given.kind != "votes"
        return KNOWN[self.named or ("auc" if has_two else "accuracy")]

    @property
    def request(self) -> dict[str, Any]:
        return {
            "run": [f"{seed.fingerprint}" for seed in able("student", self.run, self.test)],
            "control": self.run.control.fingerprint if self.run.control else "",
            "teacher": self.given.fingerprint,
            "test": [self.test.fingerprint, self.test.labels_fingerprint],
            "labelled": [self.labelled.fingerprint, self.labelled.labels_fingerprint],
            "metric": self.metric.name,
            **{name: getattr(self, name) for name in ("threads", "budget_ms", "margin")},
        }

    def check(self) -> None:
        """Everything that can be refused before any work."""
        self._check_numbers()
        for examples, whose in ((self.labelled, "fits the plain model"), (self.test, "is judged")):
            _check_labels(examples, whose)
        if len(np.unique(self.labelled.labels[self.labelled.is_labelled])) < 2:
            raise LabelsError(f"the labels of {self.labelled.name} are of one class alone")
        self.labelled.check_classes(self.test.classes, self.test.name)
        check_disjoint({"the test examples": self.test, "the labelled examples": self.labelled})
        self._check_models()

    def _check_numbers(self) -> None:
        if self.threads < 1:
            raise InputError(f"threads are 1 or more, not {self.threads}")
        if self.named and self.named not in OF_LABELS:
            hint = did_you_mean(self.named, OF_LABELS)
            raise InputError(f"rivals are not held to a metric {self.named!r}; {hint}")
        if not self.budget_ms > 0:
            raise InputError(f"a budget is more than 0 ms, not {self.budget_ms}")
        if not self.margin >= 0:
            raise InputError(f"a margin is zero or more, not {self.margin}")
        if self.given.kind == "votes" and self.named in OF_PROBABILITIES:
            raise InputError(
                f"{self.named} reads probabilities, and the teacher {self.given.name} gives votes: "
                "take accuracy"
            )

    def _check_models(self) -> None:
        if self.run.kind != "logits":
            raise MismatchError(
                f"{self.run.name} answers with {self.run.kind}; rivals are compared where answers "
                "are of one softmax"
            )
        if self.run.student.inputs != self.test.shape:
            raise MismatchError(
                f"{self.run.name} takes inputs of shape {self.run.student.inputs}, "
                f"{self.test.name} has {self.test.shape}"
            )
        check_kinds({"student": "logits", "teacher": self.given.kind})
        able("teacher", self.given, self.test)
        able("student", self.run, self.test)
        self.given.check_asked(self.test, Plain())
        check_unseen({"student": [self.run], "teacher": self.given.runs}, self.test)

    def write(self, artifact: artifacts.Writing) -> None:
        """All of the work, and the directory that holds what came of it."""
        document = self._document()
        artifact.begin()
        Rivals(document, self.to).write()
        files = artifacts.file_entries(self.to, FORM.files)
        artifact.finish({"files": files, "provenance": document["provenance"]})

    def _document(self) -> dict[str, Any]:
        entrants = list(self._entrants())
        predictions = self._predictions(entrants)
        timings = self._timings(entrants)
        student = next(one for one in entrants if one.part == "student")
        pairs = [self._pair(one, student) for one in entrants if one is not student]
        measurements = Measurements.of(predictions, [self.metric], pairs)
        rows = [
            self._row(one, measurements, student) | timings.get(one.name, {}) for one in entrants
        ]
        decision = decide([self._contender(row) for row in rows], self.budget_ms, self.margin)
        advice = sentence(rows, decision, self.metric.name, self.budget_ms)
        return {
            "format": FORM.version,
            "name": self.run.name,
            "examples": metrics.described(self.test),
            "labelled": {"name": self.labelled.name, "n": int(self.labelled.is_labelled.sum())},
            "metric": self.metric.name,
            "better": self.metric.better,
            "threads": self.threads,
            "device": device().type,
            "budget_ms": self.budget_ms,
            "margin": self.margin,
            "rows": rows,
            "decision": {**asdict(decision), "sentence": advice},
            "notes": self.notes,
            "provenance": artifacts.provenance(),
        }

    def _entrants(self) -> Iterator[_Entrant]:
        tests = np.asarray(self.test.inputs)
        first = self.given.with_threads(self.threads)
        yield self._single("teacher", "teacher", Cheaper("", first.name, first, self.teacher_bytes))
        for name, make in cheaper_teachers(self.given, tests, self.threads):
            yield from self._tried(name, "cheaper teacher", make)
        self.tell("fitting plain models to the labels")
        for plain in baselines(self.labelled, self.test.classes):
            yield self._single(plain.name, "baseline", plain)
        if self.run.control is None:
            self.notes.append("there is no control: the run was trained without one")
        else:
            yield self._of_run("control", self.run.control)
        yield self._of_run("student", self.run)
        yield from self._tried(
            "student int8",
            "student int8",
            lambda: in_int8("student int8", self.run, tests, self.threads),
        )

    def _single(self, name: str, part: Part, cheaper: Cheaper) -> _Entrant:
        return _Entrant(
            name, part, cheaper.what, able(name, cheaper.teacher, self.test), cheaper.bytes
        )

    def _tried(self, name: str, part: Part, make: Callable[[], Cheaper]) -> Iterator[_Entrant]:
        """The entrant, or a note that says why there is none."""
        self.tell(f"making {name}")
        try:
            cheaper = make()
        except (InputError, NeedsPackageError, NotMetError) as error:
            self.notes.append(f"there is no {name}: {error}")
        else:
            yield self._single(name, part, cheaper)

    def _of_run(self, part: Part, run: Run) -> _Entrant:
        shipped = run.seeds.index(run.shipped)
        size = teachers.run(run).bytes
        what = "; ".join([f"{run.student.text}, seeds {run.seeds}", *run.notes])
        return _Entrant(part, part, what, able(part, run, self.test), size, shipped)

    def _predictions(self, entrants: list[_Entrant]) -> Predictions:
        answers = {}
        for one in entrants:
            self.tell(f"asking {one.name} about {len(self.test):,} examples")
            answers[one.name] = answers_by_seed(one.asked, self.test, one.name)
        votes = frozenset(one.name for one in entrants if one.asked[0].kind == "votes")
        return Predictions(answers, self.test.labels, metrics.groups_in(self.test), votes=votes)

    def _timings(self, entrants: list[_Entrant]) -> dict[str, dict[str, Any]]:
        # To look a score up in a table is not to answer.
        predictors = {
            one.name: one.asked[one.timed].predict
            for one in entrants
            if not one.asked[one.timed].answers_keys
        }
        self.tell(f"timing {', '.join(predictors)} in turns, on {self.threads} thread(s)")
        with threads_limited(self.threads):
            return answer_times(predictors, self.test, tail=True)

    def _pair(self, entrant: _Entrant, student: _Entrant) -> Pair:
        """The student against an entrant; int8 is held against the one seed that it is made of."""
        seed = student.timed if entrant.part == "student int8" else EVERY_SEED
        return Pair(self.metric.name, student.name, entrant.name, seed)

    def _row(
        self, entrant: _Entrant, measurements: Measurements, student: _Entrant
    ) -> dict[str, Any]:
        estimate = measurements.estimates[entrant.name].get(self.metric.name)
        ahead = measurements.differences.get(self._pair(entrant, student))
        return {
            "name": entrant.name,
            "part": entrant.part,
            "what": entrant.what,
            "metric": estimate.to_json() if estimate else None,
            "student_ahead": _ahead(ahead) if ahead else None,
            "bytes": entrant.bytes,
            "seeds": len(entrant.asked),
        }

    def _contender(self, row: Mapping[str, Any]) -> Contender:
        sign = 1 if self.metric.better == "higher" else -1
        numbers: dict[str, Any] = {"bytes": row["bytes"]}
        if row["metric"]:
            numbers["score"] = sign * row["metric"]["mean"]
        if "latency_ms" in row:
            numbers["p50"] = row["latency_ms"]["p50"]
        if ahead := row["student_ahead"]:
            low, high = ahead["low"], ahead["high"]
            numbers["ahead"] = (
                -np.inf if low is None else low,
                np.inf if high is None else high,
            )
        return Contender(row["name"], row["part"], **numbers)


def _ahead(less: Difference) -> dict[str, Any]:
    ends = less.gain.to_json()
    return {"difference": ends["mean"], **{key: ends[key] for key in ("low", "high", "n")}}


def _check_labels(examples: Examples, what: str) -> None:
    if examples.labels_kind != "logits":
        raise LabelsError(f"{examples.name} {what} by labels of one class each, and has others")
    if not examples.is_labelled.any():
        raise LabelsError(f"{examples.name} {what} by its labels, and has none")
