"""evaluate(): models + examples -> report."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from limbeck import artifacts, metrics
from limbeck.errors import InputError, MismatchError
from limbeck.evaluation._comparison import Comparison
from limbeck.evaluation._cost import answer_times, cost
from limbeck.evaluation._leakage import check_unseen
from limbeck.evaluation._predictions import Given, Row, able, answers, check_kinds, with_control
from limbeck.evaluation._report import Report
from limbeck.evaluation._requirements import Measured, Requirement
from limbeck.examples import IN_WORDS, UNLABELLED, Array, Examples, Plain
from limbeck.metrics import (
    MEASURES,
    OF_PROBABILITIES,
    SHARE,
    Estimate,
    Measures,
    Metric,
    groups_in,
    measure,
    verdict,
    within,
)
from limbeck.runtime import Bar
from limbeck.scores import answered_with
from limbeck.scoring import against
from limbeck.students import Run

ARTEFACT = "report"
TEST = "paired: crossed random effects of examples and seeds, t interval at 95 %"
MOST_SLICES = 50


def evaluate(
    models: Mapping[str, Given],
    examples: Examples,
    *,
    reference: str = "",
    to: str | Path = "",
    require: Sequence[str] = (),
    name: str = "",
    comparison: Comparison = Comparison(),
) -> Report:
    """What the models do on these examples, side by side, each number with its interval.

    A run is measured over all its seeds, and its control is added as "control" where it has one
    and no row of that name is given. Agreement and KL are with the `reference` row, by its
    shipped seed. Without labels, what needs them is left out. The report is written to the
    directory `to`, if one is named.

    `require` holds bars such as `agreement>=0.97`, `accuracy>=teacher-0.005` or `verdict=yes`; a
    bar is met only by the worse end of the interval, and an absent number misses it. Look at
    `report.requirements`, nothing is raised.

    Raises:
        ExamplesError: a model was trained on some of these examples.
        MismatchError: models of other classes, or no row of the name `reference`.
        InputError: a requirement that cannot be read.
        TeacherError: a model answers with NaN, infinity or the wrong number of classes.
        OccupiedError: `to` holds something else.
    """
    job = _Job(dict(models), examples, reference, name or examples.name, comparison)
    bars = [Requirement.parse(text, job.known_metrics) for text in require]
    job.check()
    place = Path(to) if to else None
    request = {**job.request, "require": list(require)}
    if place and artifacts.check_free(place, ARTEFACT, request):
        return Report.read(place)
    report = Report(job.document(bars))
    if place:
        artifacts.begin(place, ARTEFACT, request)
        report.write(place)
        files = artifacts.file_entries(place, ["report.json", "report.md", "report.html"])
        artifacts.finish(place, ARTEFACT, {"files": files, "provenance": artifacts.provenance()})
    return report


class _Job:
    def __init__(
        self,
        models: dict[str, Given],
        examples: Examples,
        reference: str,
        name: str,
        comparison: Comparison,
    ) -> None:
        self.models = with_control(models, comparison.student, comparison.control)
        self.examples, self.reference, self.name = examples, reference, name
        self.comparison = comparison
        self.teachers = {name: able(name, model, examples) for name, model in self.models.items()}
        kinds = [answered_with(seeds[0].kind) for seeds in self.teachers.values()]
        self.kind = kinds[0] if kinds else "logits"
        own = [replace(metric, kind=self.kind) for metric in comparison.metrics]
        self.metrics = [*self.measures.metrics.values(), *own]
        self.rows: dict[str, Row] = {}

    @property
    def measures(self) -> Measures:
        """What is measured of answers of the models' kind; where there is nothing, as of logits."""
        return MEASURES.get(self.kind, MEASURES["logits"])

    @cached_property
    def labels(self) -> Array:
        """The labels, where they are of the form that such answers are held to; else none."""
        is_fitting = self.examples.labels_kind == self.kind
        n = len(self.examples)
        return self.examples.labels if is_fitting else np.full(n, UNLABELLED)

    @cached_property
    def groups(self) -> Array | None:
        """The group of each example, where some belong together."""
        return groups_in(self.examples)

    @property
    def known_metrics(self) -> list[str]:
        return [metric.name for metric in self.metrics]

    @property
    def request(self) -> dict[str, Any]:
        prints = {name: [t.fingerprint for t in ts] for name, ts in self.teachers.items()}
        chosen = self.comparison
        return {
            "name": self.name,
            "models": prints,
            "examples": self.examples.fingerprint,
            "labels": self.examples.labels_fingerprint,
            "reference": self.reference,
            "comparison": [
                chosen.student,
                chosen.control,
                chosen.margin,
                list(chosen.slices),
                chosen.allow_seen,
            ],
            "metrics": self.known_metrics,
        }

    def check(self) -> None:
        """Everything that can be refused before any model answers."""
        if not self.models:
            raise InputError("evaluate takes one model or more")
        if self.reference and self.reference not in self.models:
            raise MismatchError(
                f"there is no model {self.reference!r} to be the reference; "
                f"the models are {', '.join(self.models)}"
            )
        for name, seeds in self.teachers.items():
            self._check_shape(name)
            seeds[0].check_asked(self.examples, Plain())
        check_kinds({name: seeds[0].kind for name, seeds in self.teachers.items()})
        for column in self.comparison.slices:
            self.examples.column(column)
        if not self.comparison.allow_seen:
            check_unseen({name: self._runs(name) for name in self.models}, self.examples)

    def _check_shape(self, name: str) -> None:
        given = self.examples
        for model in self._runs(name):
            if model.student.inputs != given.shape:
                raise MismatchError(
                    f"{model.name} takes inputs of shape {model.student.inputs}, "
                    f"{given.name} has {given.shape}"
                )

    def _runs(self, name: str) -> list[Run]:
        """The runs of ours that answer in a row, each once."""
        found = [run for teacher in self.teachers[name] for run in teacher.runs]
        return list({run.directory: run for run in found}.values())

    def document(self, bars: Sequence[Requirement]) -> dict[str, Any]:
        """The report's content."""
        began = time.monotonic()
        with Bar(f"evaluating on {self.examples.name}", 2 * len(self.models) + 1) as bar:
            for name in self.models:
                self.rows[name] = self._answered(name)
                bar.advance(note=name)
            first = {name: seeds[0] for name, seeds in self.teachers.items()}
            # To look a score up in a table is not to answer.
            asked = {name: one.answer for name, one in first.items() if not one.answers_keys}
            timings = answer_times(asked, self.examples)
            rows = []
            for row in self.rows.values():
                rows.append(self._measured(row, timings.get(row.name, {})))
                bar.advance(note=row.name)
        seeds = max((row.logits.shape[0] for row in self.rows.values()), default=1)
        student = self.models.get(self.comparison.student)
        document: dict[str, Any] = {
            "format": artifacts.FORMAT,
            "name": self.name,
            "examples": metrics.described(self.examples),
            "seeds": student.seeds if isinstance(student, Run) else list(range(seeds)),
            "reference": self.reference,
            "rows": rows,
            "slices": self._slices(),
            "verdict": self._verdict(),
        }
        document |= self._within_margin()
        document["requirements"] = [bar.judged(self._for_bar(bar, document)) for bar in bars]
        document["notes"] = self._notes()
        document["provenance"] = {
            **artifacts.provenance(),
            "seconds": round(time.monotonic() - began + self._seconds_before(), 1),
            "score_set": student.manifest["scores"] if isinstance(student, Run) else "",
        }
        return document

    def _seconds_before(self) -> float:
        """What training and scoring took, for the runs among the rows, each once."""
        manifests = {m.directory: m.manifest for name in self.models for m in self._runs(name)}
        return float(sum(m["seconds"] + m["score_seconds"] for m in manifests.values()))

    def _answered(self, name: str) -> Row:
        seeds = self.teachers[name]
        logits = np.stack([answers(teacher, self.examples, name) for teacher in seeds])
        model = self.models[name]
        return Row(
            name,
            logits,
            cost(model, self.examples),
            tuple(model.notes) if isinstance(model, Run) else (),
        )

    @property
    def _reference_logits(self) -> Array:
        """The reference's answers by its shipped seed, or none."""
        if not self.reference:
            return np.zeros((0, 0))
        model = self.models[self.reference]
        at = model.seeds.index(model.shipped) if isinstance(model, Run) else 0
        logits: Array = self.rows[self.reference].logits[at]
        return logits

    def _measured(self, row: Row, timing: dict[str, Any]) -> dict[str, Any]:
        found = {}
        for metric in self.metrics:
            if not self._is_measurable(metric, row.name):
                continue
            estimate = self._estimate(metric, row, np.arange(len(self.examples)))
            if estimate is not None:
                found[metric.name] = estimate.to_json()
        described = {"name": row.name, **row.cost.to_json(), "metrics": found, **timing}
        return {**described, "seeds": row.logits.shape[0], "notes": list(row.notes)}

    def _estimate(self, metric: Metric, row: Row, at: Array) -> Estimate | None:
        """A row's number on those examples."""
        whole = self._reference_logits
        reference = whole[at] if whole.size else whole
        groups = None if self.groups is None else self.groups[at]
        return measure(metric, row.logits[:, at], self.labels[at], reference, groups=groups)

    def _is_measurable(self, metric: Metric, name: str) -> bool:
        """Whether there are probabilities where the metric reads them: votes have none."""
        heard = {name, self.reference} if "reference" in metric.needs else {name}
        kinds = {self.teachers[one][0].kind for one in heard if one}
        return "votes" not in kinds or metric.name not in OF_PROBABILITIES

    def _slices(self) -> list[dict[str, Any]]:
        slices = []
        for column in self.comparison.slices:
            values = self.examples.column(column)
            slices += [
                self._slice(column, value, np.flatnonzero(values == value))
                for value in np.unique(values)[:MOST_SLICES]
            ]
        return slices

    def _slice(self, column: str, value: Any, at: Array) -> dict[str, Any]:
        rows = []
        for row in self.rows.values():
            found = {}
            for name in self.measures.slices:
                estimate = self._estimate(self.measures.metrics[name], row, at)
                if estimate is not None:
                    found[name] = estimate.to_json()
            rows.append({"name": row.name, "metrics": found})
        return {"column": column, "value": str(value), "n": len(at), "rows": rows}

    def difference(self, metric: Metric, first: str, second: str) -> Estimate | None:
        """The metric of one row minus that of another, paired by example and seed."""
        if first not in self.rows or second not in self.rows:
            return None
        if not all(self._is_measurable(metric, name) for name in (first, second)):
            return None
        reference = self._reference_logits
        one, other = self.rows[first].logits, self.rows[second].logits
        if 1 not in (len(one), len(other)) and len(one) != len(other):
            return None
        return metrics.difference(metric, one, other, self.labels, reference, groups=self.groups)

    def _verdict(self) -> dict[str, Any]:
        if not self.measures.decides:
            return {"answer": "undecided", "why": f"{self.kind} have no labels to be held to"}
        student, control = self.comparison.student, self.comparison.control
        metric = self._decides
        found = self.difference(metric, student, control)
        if found is not None:
            answer = verdict(found if metric.better == "higher" else found.rescaled(-1))
            return {"answer": answer, **self._compared(found), "n": found.n, "test": TEST}
        missing = [name for name in (student, control) if name not in self.rows]
        why = (
            f"there is no row {missing[0]!r}"
            if missing
            else "the test examples have no labels, or the rows other seeds"
        )
        return {"answer": "undecided", "why": why}

    def _within_margin(self) -> dict[str, Any]:
        if not self.reference or self.reference == self.comparison.student:
            return {}
        if not self.measures.decides or self._decides.bounds != SHARE:  # a margin is in points
            return {}
        found = self.difference(self._decides, self.comparison.student, self.reference)
        if found is None:
            return {}
        margin = self.comparison.margin
        answer = within(found, margin)
        return {"within_margin": {"answer": answer, "margin": margin, **self._compared(found)}}

    @property
    def _decides(self) -> Metric:
        """The metric that says which of two models is better."""
        return self.measures.metrics[self.measures.decides]

    def _compared(self, found: Estimate) -> dict[str, Any]:
        ends = {"difference": found.mean, "low": found.low, "high": found.high}
        named = {} if self._decides.name == "accuracy" else {"metric": self._decides.name}
        return {**ends, **named}

    def _for_bar(self, bar: Requirement, document: Mapping[str, Any]) -> Measured | None:
        """What a requirement is about, as measured; None where it was not."""
        if bar.metric == "verdict":
            return Measured(answer=document["verdict"]["answer"])
        rows = {row["name"]: row for row in document["rows"]}
        student = self.comparison.student
        if student not in rows:
            return None
        if bar.row:
            known = {metric.name: metric for metric in self.metrics}
            if bar.metric not in known:
                return None
            found = self.difference(known[bar.metric], student, bar.row)
            return Measured(found.low, found.high) if found else None
        return Measured.of(rows[student], bar.metric)

    def _notes(self) -> list[str]:
        notes = []
        if not self.examples.is_labelled.any() and self.measures.decides:
            notes.append("the test examples have no labels: accuracy cannot be measured")
        elif self.examples.is_labelled.any() and self.labels is not self.examples.labels:
            notes.append(
                f"the labels of the test examples are {IN_WORDS[self.examples.labels_kind]}"
                f" and the models answer with {self.kind}: they were not held to them"
            )
        if self.comparison.allow_seen:
            notes.append("examples seen in training were allowed among these")
        return [*notes, *self._confident_teacher()]

    def _confident_teacher(self) -> Iterator[str]:
        """A sentence if the student's teacher is a row here and knew its training points by heart.

        Its confidence there is what its score set recorded; here it is held against these
        examples, none of which it was trained on.
        """
        student = self.models.get(self.comparison.student)
        if self.comparison.allow_seen or not isinstance(student, Run) or self.kind != "logits":
            return
        about = student.manifest.get("teacher", {})
        for name, seeds in self.teachers.items():
            for at, teacher in enumerate(seeds):
                if teacher.fingerprint == about.get("fingerprint"):
                    highest = np.exp(self.rows[name].logits[at]).max(axis=1)
                    found = against(about, np.minimum(highest, 1.0))
                    yield from (str(one) for one in found if one.is_far_apart)
                    return
