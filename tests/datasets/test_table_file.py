"""Tables too large for memory are the same examples as small ones, some rows at a time."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limbeck.datasets import _arrow, _decoded, _table_file, tables
from limbeck.errors import CorruptError, ExamplesError
from limbeck.examples import Lazy, _lazy

pa = pytest.importorskip("pyarrow", reason="needs limbeck[parquet]")
parquet = pytest.importorskip("pyarrow.parquet", reason="needs limbeck[parquet]")
csv = pytest.importorskip("pyarrow.csv", reason="needs limbeck[parquet]")

N = 50
RANDOM = np.random.default_rng(0)
COLUMNS = {
    "height": np.round(RANDOM.normal(size=N), 3),
    "count": np.arange(N),
    "is_wet": np.arange(N) % 3 == 0,
    "key": [f"{row:03d}" for row in range(N)],
    "group": [f"g{row // 4}" for row in range(N)],
    "day": np.arange(N) * 1000,
    "place": [("here", "there")[row % 2] for row in range(N)],
    "label": [("cat", "dog", "eel")[row % 3] for row in range(N)],
    "position": np.arange(N) % 4,
    "value": np.round(RANDOM.normal(size=N), 2),
}
INPUTS = ("height", "count", "is_wet")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIMBECK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "decoded"


@pytest.fixture
def large_files_are_small(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lazy, "LARGE", 1)
    monkeypatch.setattr(_decoded, "MANY", 1)
    monkeypatch.setattr(_table_file, "ROWS", 7)
    monkeypatch.setattr(_table_file, "BLOCK", 300)


def written(path: Path, table: Any) -> Path:
    (csv.write_csv if path.suffix == ".csv" else parquet.write_table)(table, path)
    return path


def table_of(*names: str) -> Any:
    return pa.table({name: COLUMNS[name] for name in names})


ROLES: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    ((), {}),
    (("label",), {}),
    (("label", "key", "group"), {}),
    (("label", "key", "day", "place"), {"columns": ["day", "place"]}),
    (("position",), {"label": "position"}),
    (("value", "key"), {"label": "value"}),
    (("position", "value"), {"label": ["position", "value"]}),
]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(("further", "options"), ROLES, ids=[" ".join(r[0]) for r in ROLES])
def test_a_large_table_is_the_same_examples(
    ending: str,
    further: tuple[str, ...],
    options: dict[str, Any],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    path = written(tmp_path / f"rows.{ending}", table_of(*INPUTS, *further))
    here = tables.read_table(path, **options)
    request.getfixturevalue("large_files_are_small")
    there = tables.read_table(path, **options)
    assert isinstance(there.inputs, Lazy)
    np.testing.assert_array_equal(there.inputs[:], here.inputs)
    np.testing.assert_array_equal(there.labels, here.labels)
    np.testing.assert_array_equal(there.keys, here.keys)
    assert (there.fingerprint, there.labels_fingerprint, there.classes, there.shape) == (
        here.fingerprint,
        here.labels_fingerprint,
        here.classes,
        here.shape,
    )
    assert there.columns.keys() == here.columns.keys()
    for name, values in here.columns.items():
        assert there.columns[name].dtype == values.dtype
        np.testing.assert_array_equal(there.columns[name], values)


@pytest.mark.usefixtures("large_files_are_small")
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_its_numbers_are_read_once_and_a_few_rows_at_a_time(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / f"rows.{ending}", table_of(*INPUTS, "label"))
    lengths, matrix = [], _arrow.matrix

    def noted(table: Any, *given: Any) -> np.ndarray:
        lengths.append(len(table))
        return matrix(table, *given)

    monkeypatch.setattr(_arrow, "matrix", noted)
    first = tables.read_table(path)
    assert len(lengths) >= 4
    assert max(lengths) < N / 2
    assert sum(lengths) == N
    counted: list[Any] = []
    with monkeypatch.context() as patched:
        patched.setattr(_table_file.Streamed, "_count", property(counted.append))
        again = tables.read_table(path)
    assert sum(lengths) == N
    assert not counted
    assert again.fingerprint == first.fingerprint
    written(path, table_of("height", "count", "label"))
    assert tables.read_table(path).shape == (2,)
    assert sum(lengths) == 2 * N


@pytest.mark.usefixtures("large_files_are_small")
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_an_empty_cell_far_below_is_named_and_nothing_is_kept(
    ending: str, tmp_path: Path, cache: Path
) -> None:
    heights = [*COLUMNS["height"][:-2], None, 0.5]
    path = written(tmp_path / f"rows.{ending}", pa.table({"height": heights, "count": range(N)}))
    with pytest.raises(ExamplesError, match=r"'height' of .* is empty in row 48 \(the first is 0"):
        tables.read_table(path)
    assert not list(cache.iterdir())


@pytest.mark.usefixtures("large_files_are_small")
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_only_the_columns_that_are_asked_for_come_into_memory(ending: str, tmp_path: Path) -> None:
    file = _table_file.opened(written(tmp_path / f"rows.{ending}", table_of(*INPUTS, "label")))
    assert isinstance(file, _table_file.Streamed)
    assert file.only([]).column_names == []
    assert file.only(["label"]).column_names == ["label"]


@pytest.mark.usefixtures("large_files_are_small")
def test_text_below_numbers_is_named(tmp_path: Path) -> None:
    lines = ["height,label", *["1.5,0"] * 200, "tall,0"]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(CorruptError, match=r"rows\.csv cannot be read: .*invalid value 'tall'"):
        tables.read_table(tmp_path / "rows.csv")


@pytest.mark.usefixtures("large_files_are_small")
def test_whole_numbers_may_be_followed_by_fractions(tmp_path: Path) -> None:
    lines = ["height,label", *["1,2"] * 200, "1.25,0"]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    examples = tables.read_table(tmp_path / "rows.csv")
    assert examples.inputs[200] == [1.25]
    assert examples.labels_kind == "logits"


@pytest.mark.usefixtures("large_files_are_small")
@pytest.mark.parametrize(
    ("content", "error", "sentence"),
    [
        ("a,b\n1,2\n3\n", CorruptError, r"rows\.csv cannot be read: .*Expected 2 columns, got 1"),
        ("a,a\n1,2\n", ExamplesError, r"rows\.csv has several columns 'a'"),
        ("1,7\n3,4\n", ExamplesError, r"rows\.csv has no column names"),
        ("a,b\n1,x\n", ExamplesError, r"column 'b' of .*rows\.csv holds string, not numbers"),
    ],
)
def test_what_is_wrong_with_a_large_table_is_said_as_of_a_small_one(
    content: str, error: type[Exception], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text(content)
    with pytest.raises(error, match=sentence):
        tables.read_table(tmp_path / "rows.csv")
