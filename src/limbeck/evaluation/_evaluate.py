"""evaluate(): models + examples -> report."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from limbeck import artifacts, metrics
from limbeck.evaluation._comparison import Comparison, Evaluation, check
from limbeck.evaluation._cost import Cost, answer_times, cost
from limbeck.evaluation._predictions import Given, Predictions, answers_by_seed
from limbeck.evaluation._report import Report
from limbeck.evaluation._requirements import Measured, Requirement
from limbeck.examples import IN_WORDS, UNLABELLED, Examples
from limbeck.metrics import SHARE, Estimate, Metric, groups_in, measure, verdict, within
from limbeck.runtime import Bar
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
    evaluation = Evaluation.of(models, examples, reference, name or examples.name, comparison)
    bars = [Requirement.parse(text, [one.name for one in evaluation.metrics]) for text in require]
    check(evaluation)
    place = Path(to) if to else None
    request = {**evaluation.request, "require": list(require)}
    if place and artifacts.check_free(place, ARTEFACT, request):
        return Report.read(place)
    report = Report(_document(evaluation, bars))
    if place:
        artifacts.begin(place, ARTEFACT, request)
        report.write(place)
        files = artifacts.file_entries(place, ["report.json", "report.md", "report.html"])
        artifacts.finish(place, ARTEFACT, {"files": files, "provenance": artifacts.provenance()})
    return report


def _document(evaluation: Evaluation, bars: Sequence[Requirement]) -> dict[str, Any]:
    """The report's content: the models answer, and the rest follows from their predictions."""
    began = time.monotonic()
    models, examples = evaluation.models, evaluation.examples
    with Bar(f"evaluating on {examples.name}", 2 * len(models) + 1) as bar:
        predictions = _predictions(evaluation, bar)
        sizes = {name: cost(model, examples) for name, model in models.items()}
        timings = _timings(evaluation)
        rows = []
        for name in models:
            rows.append(_row(evaluation, predictions, name, sizes[name], timings.get(name, {})))
            bar.advance(note=name)
    helped = _verdict(evaluation, predictions)
    student = models.get(evaluation.comparison.student)
    seeds = max(len(seeds) for seeds in predictions.answers.values())
    return {
        "format": artifacts.FORMAT,
        "name": evaluation.name,
        "examples": metrics.described(examples),
        "seeds": student.seeds if isinstance(student, Run) else list(range(seeds)),
        "reference": evaluation.reference,
        "rows": rows,
        "slices": list(_slices(evaluation, predictions)),
        "verdict": helped,
        **_within_margin(evaluation, predictions),
        "requirements": [
            bar.judged(_for_bar(bar, evaluation, predictions, rows, helped)) for bar in bars
        ],
        "notes": list(_notes(evaluation, predictions)),
        "provenance": {
            **artifacts.provenance(),
            "seconds": round(time.monotonic() - began + _seconds_before(evaluation), 1),
            "score_set": student.manifest["scores"] if isinstance(student, Run) else "",
        },
    }


def _predictions(evaluation: Evaluation, bar: Bar) -> Predictions:
    examples, reference = evaluation.examples, evaluation.models.get(evaluation.reference)
    answers = {}
    for name, seeds in evaluation.teachers.items():
        answers[name] = answers_by_seed(seeds, examples, name)
        bar.advance(note=name)
    return Predictions(
        answers,
        examples.labels if evaluation.are_labels_fitting else np.full(len(examples), UNLABELLED),
        groups_in(examples),
        evaluation.reference,
        reference.seeds.index(reference.shipped) if isinstance(reference, Run) else 0,
        frozenset(n for n, seeds in evaluation.teachers.items() if seeds[0].kind == "votes"),
    )


def _timings(evaluation: Evaluation) -> dict[str, dict[str, Any]]:
    first = {name: seeds[0] for name, seeds in evaluation.teachers.items()}
    # To look a score up in a table is not to answer.
    timed = {name: one.answer for name, one in first.items() if not one.answers_keys}
    return answer_times(timed, evaluation.examples)


def _seconds_before(evaluation: Evaluation) -> float:
    """What training and scoring took, for the runs among the rows, each once."""
    runs = [run for name in evaluation.models for run in evaluation.runs(name)]
    manifests = {run.directory: run.manifest for run in runs}
    return float(sum(m["seconds"] + m["score_seconds"] for m in manifests.values()))


def _row(
    evaluation: Evaluation,
    predictions: Predictions,
    name: str,
    size: Cost,
    timing: Mapping[str, Any],
) -> dict[str, Any]:
    model = evaluation.models[name]
    return {
        "name": name,
        **size.to_json(),
        "metrics": _measured(predictions, name, evaluation.metrics),
        **timing,
        "seeds": len(predictions.answers[name]),
        "notes": list(model.notes) if isinstance(model, Run) else [],
    }


def _measured(predictions: Predictions, name: str, wanted: Iterable[Metric]) -> dict[str, Any]:
    """By metric a row's number, of those that can be measured."""
    estimates = {
        metric.name: measure(
            metric,
            predictions.answers[name],
            predictions.labels,
            predictions.reference_answers,
            groups=predictions.groups,
        )
        for metric in wanted
        if predictions.is_measurable(metric, name)
    }
    return {metric: one.to_json() for metric, one in estimates.items() if one is not None}


def _slices(evaluation: Evaluation, predictions: Predictions) -> Iterator[dict[str, Any]]:
    wanted = [evaluation.measures.metrics[name] for name in evaluation.measures.slices]
    for column in evaluation.comparison.slices:
        values = evaluation.examples.column(column)
        for value in np.unique(values)[:MOST_SLICES]:
            part = predictions.take(np.flatnonzero(values == value))
            rows = [
                {"name": name, "metrics": _measured(part, name, wanted)} for name in part.answers
            ]
            yield {"column": column, "value": str(value), "n": len(part.labels), "rows": rows}


def _difference(
    predictions: Predictions, metric: Metric, first: str, second: str
) -> Estimate | None:
    """The metric of one row minus that of another, paired by example and seed."""
    if not predictions.are_paired(first, second):
        return None
    if not predictions.is_measurable(metric, first, second):
        return None
    return metrics.difference(
        metric,
        predictions.answers[first],
        predictions.answers[second],
        predictions.labels,
        predictions.reference_answers,
        groups=predictions.groups,
    )


def _verdict(evaluation: Evaluation, predictions: Predictions) -> dict[str, Any]:
    """Whether the student is better than its control."""
    measures, student = evaluation.measures, evaluation.comparison.student
    if not measures.decides:
        return {"answer": "undecided", "why": f"{evaluation.kind} have no labels to be held to"}
    metric, control = measures.metrics[measures.decides], evaluation.comparison.control
    less = _difference(predictions, metric, student, control)
    if less is not None:
        answer = verdict(less if metric.better == "higher" else less.rescaled(-1))
        return {"answer": answer, **_compared(metric, less), "n": less.n, "test": TEST}
    missing = [name for name in (student, control) if name not in predictions.answers]
    why = (
        f"there is no row {missing[0]!r}"
        if missing
        else "the test examples have no labels, or the rows other seeds"
    )
    return {"answer": "undecided", "why": why}


def _within_margin(evaluation: Evaluation, predictions: Predictions) -> dict[str, Any]:
    """Whether the student is about as good as the reference; nothing where that has no sense."""
    measures, student = evaluation.measures, evaluation.comparison.student
    if evaluation.reference in ("", student) or not measures.decides:
        return {}
    metric, margin = measures.metrics[measures.decides], evaluation.comparison.margin
    if metric.bounds != SHARE:  # a margin is in points
        return {}
    less = _difference(predictions, metric, student, evaluation.reference)
    if less is None:
        return {}
    answer = within(less, margin)
    return {"within_margin": {"answer": answer, "margin": margin, **_compared(metric, less)}}


def _compared(metric: Metric, less: Estimate) -> dict[str, Any]:
    ends = {"difference": less.mean, "low": less.low, "high": less.high}
    return ends if metric.name == "accuracy" else {**ends, "metric": metric.name}


def _for_bar(
    bar: Requirement,
    evaluation: Evaluation,
    predictions: Predictions,
    rows: Sequence[Mapping[str, Any]],
    helped: Mapping[str, Any],
) -> Measured | None:
    """What a requirement is about, as measured; None where it was not."""
    if bar.metric == "verdict":
        return Measured(answer=helped["answer"])
    student, named = evaluation.comparison.student, {row["name"]: row for row in rows}
    if student not in named:
        return None
    if not bar.row:
        return Measured.of(named[student], bar.metric)
    known = {metric.name: metric for metric in evaluation.metrics}
    if bar.metric not in known:
        return None
    less = _difference(predictions, known[bar.metric], student, bar.row)
    return Measured(less.low, less.high) if less else None


def _notes(evaluation: Evaluation, predictions: Predictions) -> Iterator[str]:
    examples = evaluation.examples
    if not examples.is_labelled.any() and evaluation.measures.decides:
        yield "the test examples have no labels: accuracy cannot be measured"
    elif examples.is_labelled.any() and not evaluation.are_labels_fitting:
        yield (
            f"the labels of the test examples are {IN_WORDS[examples.labels_kind]}"
            f" and the models answer with {evaluation.kind}: they were not held to them"
        )
    if evaluation.comparison.allow_seen:
        yield "examples seen in training were allowed among these"
    yield from _confident_teacher(evaluation, predictions)


def _confident_teacher(evaluation: Evaluation, predictions: Predictions) -> Iterator[str]:
    """A sentence if the student's teacher is a row here and knew its training points by heart.

    Its confidence there is what its score set recorded; here it is held against these
    examples, none of which it was trained on.
    """
    chosen, kind = evaluation.comparison, evaluation.kind
    student = evaluation.models.get(chosen.student)
    if chosen.allow_seen or not isinstance(student, Run) or kind != "logits":
        return
    about = student.manifest.get("teacher", {})
    for name, seeds in evaluation.teachers.items():
        for at, teacher in enumerate(seeds):
            if teacher.fingerprint == about.get("fingerprint"):
                highest = np.exp(predictions.answers[name][at]).max(axis=1)
                found = against(about, np.minimum(highest, 1.0))
                yield from (str(one) for one in found if one.is_far_apart)
                return
