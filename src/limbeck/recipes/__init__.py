"""Recipes: TOML tables that do the verbs in order, and artifacts opened again.

Files:
    _distill: distill(): score, train, evaluate and export in one call, and the recipe that does it
        again.
    _load: load() opens an artefact again; show() says what it is, what made it, whether it is
        whole.
    _parse: TOML <-> the calls above; the one place where a name becomes an object.
    _run: Does the steps of a recipe in order; those that are whole and unchanged are skipped.
    _steps: What a step of a recipe is, and what it needs to be whole.
    _tables: The tables of a recipe: which keys a step has, what it makes, and what it needs.
    _write: The recipe that does a `distill()` again.
"""

from limbeck.recipes._distill import Distilled, distill
from limbeck.recipes._load import load, load_run, load_scores, show
from limbeck.recipes._parse import read_recipe
from limbeck.recipes._run import run_recipe
from limbeck.recipes._steps import TABLES
from limbeck.recipes._write import Distillation

__all__ = [
    "TABLES",
    "Distillation",
    "Distilled",
    "distill",
    "load",
    "load_run",
    "load_scores",
    "read_recipe",
    "run_recipe",
    "show",
]
