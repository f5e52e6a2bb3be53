"""evaluate(): models + examples -> report."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from limbeck import artifacts, metrics
from limbeck.evaluation._comparison import Comparison, Evaluation, check
from limbeck.evaluation._cost import answer_times, cost
from limbeck.evaluation._measurements import TEST, Difference, Measurements, Pair, Slice, slices
from limbeck.evaluation._predictions import Given, Predictions, answers_by_seed
from limbeck.evaluation._report import Report
from limbeck.evaluation._requirements import Measured, Requirement
from limbeck.evaluation._undertrained import undertrained
from limbeck.examples import IN_WORDS, UNLABELLED, Examples
from limbeck.metrics import groups_in, within
from limbeck.runtime import Bar
from limbeck.scoring import against
from limbeck.students import Run

ARTIFACT = "report"


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
    if not place:
        return Report(_document(evaluation, bars))
    with artifacts.writing(place, ARTIFACT, request) as artifact:
        if artifact.is_whole:
            return Report.read(place)
        report = Report(_document(evaluation, bars))
        artifact.begin()
        report.write(place)
        files = artifacts.file_entries(place, ["report.json", "report.md", "report.html"])
        artifact.finish({"files": files, "provenance": artifacts.provenance()})
    return report


def _document(evaluation: Evaluation, bars: Sequence[Requirement]) -> dict[str, Any]:
    """The report's content: the models answer, and the rest follows from their predictions."""
    began = time.monotonic()
    models, examples = evaluation.models, evaluation.examples
    with Bar(f"evaluating on {examples.name}", 2 * len(models) + 1) as bar:
        predictions = _predictions(evaluation, bar)
        sizes = {name: cost(model, examples) for name, model in models.items()}
        timings = _timings(evaluation)
        measurements = Measurements.of(
            predictions,
            evaluation.metrics,
            _pairs(evaluation, bars, predictions),
            tell=lambda name: bar.advance(note=name),
        )
    rows = [
        {
            "name": name,
            **sizes[name].to_json(),
            "metrics": measurements.to_json(name),
            **timings.get(name, {}),
            "seeds": len(predictions.answers[name]),
            "notes": list(model.notes) if isinstance(model, Run) else [],
        }
        for name, model in models.items()
    ]
    columns = evaluation.comparison.slices
    parts = slices(predictions, examples, columns, evaluation.measures)
    helped = _verdict(evaluation, measurements)
    student = models.get(evaluation.comparison.student)
    seeds = max(len(seeds) for seeds in predictions.answers.values())
    return {
        "format": artifacts.FORMAT,
        "name": evaluation.name,
        "examples": metrics.described(examples),
        "seeds": student.seeds if isinstance(student, Run) else list(range(seeds)),
        "reference": evaluation.reference,
        "rows": rows,
        "slices": [_slice(part) for part in parts],
        "verdict": helped,
        **_within_margin(evaluation, measurements),
        "requirements": [
            bar.judged(_for_bar(bar, evaluation, measurements, rows, helped)) for bar in bars
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
    timed = {name: one.uncached() for name, one in first.items() if not one.answers_keys}
    times = answer_times({name: one.predict for name, one in timed.items()}, evaluation.examples)
    runtimes = {
        name: {"runtime": one.runtime} if one.runtime else {} for name, one in timed.items()
    }
    return {name: {**times[name], **runtimes[name]} for name in times}


def _seconds_before(evaluation: Evaluation) -> float:
    """What training and scoring took, for the runs among the rows, each once."""
    runs = [run for name in evaluation.models for run in evaluation.runs(name)]
    manifests = {run.directory: run.manifest for run in runs}
    return float(sum(m["seconds"] + m["score_seconds"] for m in manifests.values()))


def _pairs(
    evaluation: Evaluation, bars: Sequence[Requirement], predictions: Predictions
) -> list[Pair]:
    """What is held against what: for the verdict, for the margin, and for the bars.

    Rows that are not there, or have seeds that cannot be taken in pairs, are left out: a report
    says so, where it would be a pity to lose all its other numbers.
    """
    student, names = evaluation.comparison.student, {one.name for one in evaluation.metrics}
    pairs = [Pair(bar.metric, student, bar.row) for bar in bars if bar.row and bar.metric in names]
    if evaluation.measures.decides:
        decides = evaluation.measures.decides
        pairs.append(Pair(decides, student, evaluation.comparison.control))
        if evaluation.has_margin:
            pairs.append(Pair(decides, student, evaluation.reference))
    return [pair for pair in pairs if predictions.are_paired(pair.first, pair.second)]


def _slice(part: Slice) -> dict[str, Any]:
    names = part.measurements.estimates
    rows = [{"name": name, "metrics": part.measurements.to_json(name)} for name in names]
    return {"column": part.column, "value": part.value, "n": part.n, "rows": rows}


def _verdict(evaluation: Evaluation, measurements: Measurements) -> dict[str, Any]:
    """Whether the student is better than its control; no answer where either is undertrained."""
    decides = evaluation.measures.decides
    if not decides:
        return {"answer": "undecided", "why": f"{evaluation.kind} have no labels to be held to"}
    student, control = evaluation.comparison.student, evaluation.comparison.control
    less = measurements.difference(decides, student, control)
    if less is not None:
        ends = {**_compared(decides, less), "n": less.estimate.n}
        models = {name: evaluation.models[name] for name in (student, control)}
        if why := undertrained(models):
            return {"answer": "undertrained", "why": why, **ends, "test": TEST}
        return {"answer": less.answer, **ends, "test": TEST}
    missing = [name for name in (student, control) if name not in measurements.estimates]
    why = (
        f"there is no row {missing[0]!r}"
        if missing
        else "the test examples have no labels, or the rows other seeds"
    )
    return {"answer": "undecided", "why": why}


def _within_margin(evaluation: Evaluation, measurements: Measurements) -> dict[str, Any]:
    """Whether the student is about as good as the reference; nothing where that has no sense."""
    if not evaluation.has_margin:
        return {}
    decides, margin = evaluation.measures.decides, evaluation.comparison.margin
    less = measurements.difference(decides, evaluation.comparison.student, evaluation.reference)
    if less is None:
        return {}
    answer = within(less.estimate, margin)
    return {"within_margin": {"answer": answer, "margin": margin, **_compared(decides, less)}}


def _compared(metric: str, less: Difference) -> dict[str, Any]:
    one = less.estimate
    ends = {"difference": one.mean, "low": one.low, "high": one.high}
    return ends if metric == "accuracy" else {**ends, "metric": metric}


def _for_bar(
    bar: Requirement,
    evaluation: Evaluation,
    measurements: Measurements,
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
    less = measurements.difference(bar.metric, student, bar.row)
    return Measured(less.estimate.low, less.estimate.high) if less else None


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
                sentence = against(about, np.minimum(highest, 1.0))
                yield from (str(one) for one in sentence if one.is_far_apart)
                return
