"""The public names and nothing else."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limbeck import (
        encodings,
        errors,
        images,
        losses,
        metrics,
        objectives,
        sklearn,
        specialists,
        students,
        synthetic,
        tables,
        teachers,
        text,
        views,
    )
    from limbeck._by_size import BySize, by_size
    from limbeck._combine import combine
    from limbeck._compare import compare
    from limbeck._compared import Compared
    from limbeck._confidence import confidence
    from limbeck._correct import correct
    from limbeck._dark import DarkKnowledge, dark_knowledge
    from limbeck._distill import Distillation, Distilled, distill
    from limbeck._evaluate import Comparison, evaluate
    from limbeck._export import Exported, export
    from limbeck._live import live
    from limbeck._load import load, show
    from limbeck._manifest import provenance
    from limbeck._report import Report
    from limbeck._rivalry import Rivals
    from limbeck._rivals import rivals
    from limbeck._score import score
    from limbeck._shards import Storage
    from limbeck._steps import run_recipe
    from limbeck._store import ScoreSet
    from limbeck._train import train
    from limbeck._tune import Budget
    from limbeck.errors import LimbeckError
    from limbeck.examples import Examples
    from limbeck.recipe import read_recipe
    from limbeck.runs import Plan, Run
    from limbeck.sources import read
    from limbeck.sweeps import sweep
    from limbeck.transfer import FRESH, TransferSet

# Where each public name lives: nothing is imported before it is asked for.
_HOMES = {
    "Budget": "_tune",
    "BySize": "_by_size",
    "Compared": "_compared",
    "Comparison": "_evaluate",
    "DarkKnowledge": "_dark",
    "Distillation": "_distill",
    "Distilled": "_distill",
    "Examples": "examples",
    "Exported": "_export",
    "FRESH": "transfer",
    "LimbeckError": "errors",
    "Plan": "runs",
    "Report": "_report",
    "Rivals": "_rivalry",
    "Run": "runs",
    "ScoreSet": "_store",
    "Storage": "_shards",
    "TransferSet": "transfer",
    "by_size": "_by_size",
    "combine": "_combine",
    "compare": "_compare",
    "confidence": "_confidence",
    "correct": "_correct",
    "dark_knowledge": "_dark",
    "distill": "_distill",
    "evaluate": "_evaluate",
    "export": "_export",
    "live": "_live",
    "load": "_load",
    "provenance": "_manifest",
    "read": "sources",
    "read_recipe": "recipe",
    "rivals": "_rivals",
    "run_recipe": "_steps",
    "score": "_score",
    "show": "_load",
    "sweep": "sweeps",
    "train": "_train",
}
_MODULES = (
    "encodings",
    "errors",
    "images",
    "losses",
    "metrics",
    "objectives",
    "sklearn",
    "specialists",
    "speech",
    "students",
    "synthetic",
    "tables",
    "teachers",
    "text",
    "views",
)

__all__ = [
    "FRESH",
    "Budget",
    "BySize",
    "Compared",
    "Comparison",
    "DarkKnowledge",
    "Distillation",
    "Distilled",
    "Examples",
    "Exported",
    "LimbeckError",
    "Plan",
    "Report",
    "Rivals",
    "Run",
    "ScoreSet",
    "Storage",
    "TransferSet",
    "by_size",
    "combine",
    "compare",
    "confidence",
    "correct",
    "dark_knowledge",
    "distill",
    "encodings",
    "errors",
    "evaluate",
    "export",
    "images",
    "live",
    "load",
    "losses",
    "metrics",
    "objectives",
    "provenance",
    "read",
    "read_recipe",
    "rivals",
    "run_recipe",
    "score",
    "show",
    "sklearn",
    "specialists",
    "speech",
    "students",
    "sweep",
    "synthetic",
    "tables",
    "teachers",
    "text",
    "train",
    "views",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"limbeck.{_HOMES[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"limbeck.{name}")
    raise AttributeError(f"module 'limbeck' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
