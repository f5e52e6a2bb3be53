"""The verbs of a recipe, a file each: a table's keys, its needs, its checks, how it is done.

A new verb is a file with its class, its place in `STEPS`, and its keys in docs/recipes.md.

Files:
    _combine: The table [combine]: one score set of several.
    _compare: The table [compare]: methods side by side, with the same seeds and tuning.
    _evaluate: The table [evaluate]: models side by side, in a report.
    _export: The table [export]: a run into a verified file.
    _net: What the tables that train share: a plan's keys beside their own, and what a net learns
        from.
    _score: The table [score]: what a teacher says of examples, in a score set.
    _split: The table [split]: one set of examples into two.
    _sweep: The table [sweep]: a student for several objectives and sizes at once.
    _train: The table [[train]]: a student with its control, or a net on labels.
"""

from collections.abc import Mapping

from limbeck.recipes._step import Step
from limbeck.recipes.steps._combine import CombineTable
from limbeck.recipes.steps._compare import CompareTable
from limbeck.recipes.steps._evaluate import EvaluateTable
from limbeck.recipes.steps._export import ExportTable
from limbeck.recipes.steps._score import ScoreTable
from limbeck.recipes.steps._split import SplitTable
from limbeck.recipes.steps._sweep import SweepTable
from limbeck.recipes.steps._train import TrainTable, usual_objective

# In the order in which steps that do not need each other are done.
STEPS: tuple[type[Step], ...] = (
    SplitTable,
    ScoreTable,
    CombineTable,
    TrainTable,
    SweepTable,
    CompareTable,
    EvaluateTable,
    ExportTable,
)
TABLES: Mapping[str, type[Step]] = {step.verb: step for step in STEPS}

__all__ = [
    "STEPS",
    "TABLES",
    "CombineTable",
    "CompareTable",
    "EvaluateTable",
    "ExportTable",
    "ScoreTable",
    "SplitTable",
    "SweepTable",
    "TrainTable",
    "usual_objective",
]
