"""Numbers that float32 does not tell apart are told of, at every door, and no others are."""

import warnings
from pathlib import Path

import numpy as np
import pytest

import limbeck
from limbeck import Examples
from limbeck.errors import TableWarning

DRAWN = np.random.default_rng(0)
LOST = {
    "ids": 2**30 + np.arange(200),
    "ids as floats": 2.0**30 + np.arange(200),
    "spread ids": DRAWN.choice(2**33, 20_000, replace=False),
    "moments": 1.7e9 + np.arange(200.0),
    "moments in fractions": 1.7e9 + DRAWN.random(200),
    "a small part of a large number": 1e6 + 1e-3 * DRAWN.random(200),
}
KEPT = {
    "fractions": DRAWN.normal(size=200_000),
    "large and small": 10.0 ** DRAWN.uniform(-20, 20, 2000),
    "small ids": np.arange(2**16),
    "a constant": np.full(50, 1.7e9),
    "float32 already": (1.7e9 + np.arange(200)).astype(np.float32),
    "years": 1900.0 + DRAWN.integers(0, 130, 500),
}
PATTERN = (
    r"holds [\d,]+ different numbers, of which float32, .* keeps [\d,]+ apart: subtract an off"
)


@pytest.mark.parametrize("name", LOST)
def test_what_is_lost_is_told_of_at_every_door(name: str, tmp_path: Path) -> None:
    column = LOST[name]
    with pytest.warns(TableWarning, match=f"column 0 of the inputs {PATTERN}"):
        Examples.of(column[:, None])
    (tmp_path / "a.csv").write_text("x\n" + "\n".join(map(repr, column.tolist())))
    with pytest.warns(TableWarning, match=f"column 'x' of .*csv {PATTERN}"):
        limbeck.read(tmp_path / "a.csv")
    values = column.astype(np.float64)
    with pytest.warns(TableWarning, match=f"a column of labels {PATTERN}"):
        Examples.of(np.zeros((len(column), 1)), values)
    (tmp_path / "b.csv").write_text("x,label\n" + "\n".join(f"0,{v!r}" for v in values.tolist()))
    with pytest.warns(TableWarning, match=f"column 'label' of .*csv {PATTERN}"):
        limbeck.read(tmp_path / "b.csv", kind="values")


@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept_needs_no_word(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Examples.of(KEPT[name][:, None])
        Examples.of(np.zeros((len(KEPT[name]), 1)), KEPT[name].astype(np.float32))
