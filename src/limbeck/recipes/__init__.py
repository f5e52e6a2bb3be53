"""Recipes: TOML tables that do the verbs in order, and artifacts opened again.

Files:
    _distill: distill(): score, train, evaluate and export in one call, and the recipe that does it
        again.
    _kitchen: Kitchen: the objects of a recipe while it is done, by the names its tables give them.
    _load: load() opens an artifact again; show() says what it is, what made it, whether it is
        whole.
    _parse: TOML <-> the calls above; the one place where a name becomes an object.
    _run: Does the steps of a recipe in order; those that are whole and unchanged are skipped.
    _step: Step: one table of a recipe, what it needs and makes, how it is checked, done and
        written.
    _teachers: The teachers that a table names: one, or an ensemble and how its mean is taken.
    steps/: The verbs of a recipe, a file each: a table's keys, its needs, its checks, how it is
        done.
    _write: The recipe that does a `distill()` again.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
