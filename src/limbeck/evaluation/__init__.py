"""Evaluation: models + examples -> report.

Files:
    _comparison: Comparison: what an evaluation compares with what, and how closely.
    _cost: What answering costs: parameters, bytes, operations, and time on this machine.
    _dark_knowledge: dark_knowledge(): what a teacher's soft targets say, in words, as JSON and in
        a figure.
    _evaluate: evaluate(): models + examples -> report.
    _figures: Draws dark knowledge: inputs, soft targets by temperature, confused classes,
        differences.
    _leakage: Whether a model was trained on the examples it is to be tested on.
    _measurements: Measurements: the numbers of models on the same examples, and the differences
        between them.
    _predictions: What models answer to the same examples, seed by seed, and what their answers are
        held to.
    _report: Rows of metric -> value, interval, n; JSON is the truth, Markdown and HTML are views
        of it.
    _requirements: Bars a student has to clear: `agreement>=0.97`, `accuracy>=teacher-0.005`,
        `verdict=yes`.
    _soft_targets: Soft targets of a score set: one example's, the classes confused, and two
        models' differences.
    _verdicts: The questions that a report answers in sentences.
"""

from limbeck.evaluation._comparison import Comparison
from limbeck.evaluation._cost import answer_times, cost, threads_limited
from limbeck.evaluation._dark_knowledge import DarkKnowledge, dark_knowledge
from limbeck.evaluation._evaluate import evaluate
from limbeck.evaluation._figures import check_drawable
from limbeck.evaluation._leakage import check_unseen
from limbeck.evaluation._measurements import EVERY_SEED, Difference, Measurements, Pair, measures_of
from limbeck.evaluation._predictions import Predictions, able, answers_by_seed, check_kinds
from limbeck.evaluation._report import Report, bullets, escape, markdown_table, tested_on
from limbeck.evaluation._requirements import Requirement

__all__ = [
    "EVERY_SEED",
    "Comparison",
    "DarkKnowledge",
    "Difference",
    "Measurements",
    "Pair",
    "Predictions",
    "Report",
    "Requirement",
    "able",
    "answer_times",
    "answers_by_seed",
    "bullets",
    "check_drawable",
    "check_kinds",
    "check_unseen",
    "cost",
    "dark_knowledge",
    "escape",
    "evaluate",
    "markdown_table",
    "measures_of",
    "tested_on",
    "threads_limited",
]
