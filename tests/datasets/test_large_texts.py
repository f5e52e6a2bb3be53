"""Texts larger than memory are the same examples, and teach the same student, from disk."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import limbeck
from limbeck import objectives, students
from limbeck.datasets import _decoded, _table_file, text
from limbeck.errors import CorruptError, ExamplesError
from limbeck.examples import Lazy, Ragged, _lazy

pa = pytest.importorskip("pyarrow", reason="needs limbeck[parquet]")
parquet = pytest.importorskip("pyarrow.parquet", reason="needs limbeck[parquet]")
csv = pytest.importorskip("pyarrow.csv", reason="needs limbeck[parquet]")

WORDS = ["über", "alles", "the", "a", "☃", "movie", "plot,", "was", "great", "dull", "007"]
DRAWN = np.random.default_rng(0)
ROWS = [
    {
        "text": " ".join(DRAWN.choice(WORDS, DRAWN.integers(1, 9))) + f" {row}",
        "label": ["good", "bad"][row % 2],
        "key": f"{row:03d}",
        "day": row,
    }
    for row in range(60)
]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIMBECK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "decoded"


@pytest.fixture
def large_files_are_small(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lazy, "LARGE", 1)
    monkeypatch.setattr(_table_file, "ROWS", 7)
    monkeypatch.setattr(_table_file, "BLOCK", 400)


def written(path: Path, rows: list[dict]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path
    write = csv.write_csv if path.suffix == ".csv" else parquet.write_table
    write(pa.Table.from_pylist(rows), path)
    return path


ENDINGS = ["jsonl", "csv", "parquet"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_large_texts_are_the_same_examples(
    ending: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = written(tmp_path / f"a.{ending}", ROWS)
    here = text.read_texts(path, columns=["day"])
    request.getfixturevalue("large_files_are_small")
    there = text.read_texts(path, columns=["day"])
    assert isinstance(there.inputs, Lazy)
    assert there.texts == here.texts == [row["text"] for row in ROWS]
    assert (there.is_text, there.shape, there.classes) == (True, (-1,), here.classes)
    assert there.fingerprint == here.fingerprint
    assert there.labels_fingerprint == here.labels_fingerprint
    assert there.columns["day"].tolist() == here.columns["day"].tolist()
    some = there.split(0.3)[1]
    assert isinstance(some.inputs, Lazy)
    assert some.texts == here.split(0.3)[1].texts
    assert there.without_labels().joined(here).texts == here.texts


@pytest.mark.usefixtures("large_files_are_small")
@pytest.mark.parametrize("ending", ENDINGS)
def test_they_are_kept_once(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / f"a.{ending}", ROWS)
    first, written_before = text.read_texts(path), []
    monkeypatch.setattr(_decoded, "write_file", lambda place, _: written_before.append(place))
    assert text.read_texts(path).fingerprint == first.fingerprint
    assert not written_before


@pytest.mark.usefixtures("large_files_are_small")
def test_a_kept_file_cut_short_is_named_with_what_to_do(tmp_path: Path, cache: Path) -> None:
    path = written(tmp_path / "a.jsonl", ROWS)
    text.read_texts(path)
    kept = next(cache.glob("*.txt"))
    kept.write_bytes(kept.read_bytes()[:-1])
    with pytest.raises(CorruptError, match=r"\.txt is not whole, .*\.npy then; remove that file"):
        text.read_texts(path)
    next(cache.glob("*.npy")).unlink()
    assert text.read_texts(path).texts == [row["text"] for row in ROWS]


@pytest.mark.usefixtures("large_files_are_small")
@pytest.mark.parametrize(
    ("ending", "cell", "sentence"),
    [
        ("jsonl", None, r"column 'text' of .* is empty in row 57 \(the first is 0\)"),
        ("parquet", None, r"column 'text' of .* is empty in row 57 \(the first is 0\)"),
        *(
            (one, "  ", r"1 texts are empty, the first in row 57: leave them out")
            for one in ENDINGS
        ),
    ],
)
def test_an_empty_text_far_below_is_named(
    ending: str, cell: str | None, sentence: str, tmp_path: Path
) -> None:
    rows = [*ROWS[:57], {**ROWS[57], "text": cell}, *ROWS[58:]]
    with pytest.raises(ExamplesError, match=sentence):
        text.read_texts(written(tmp_path / f"a.{ending}", rows))


@pytest.mark.usefixtures("large_files_are_small")
@pytest.mark.parametrize(
    ("line", "error", "sentence"),
    [
        ("[1]\n", CorruptError, r"line 61 of .*a\.jsonl holds \[1\], not an object"),
        ('{"text": 7}\n', ExamplesError, r"'text' of .*a\.jsonl is of several kinds"),
        ("{\n", CorruptError, r"line 61 of .*a\.jsonl is not JSON"),
    ],
)
def test_a_bad_line_far_below_is_named(
    line: str, error: type[Exception], sentence: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.jsonl", [{"text": "one"}] * 60)
    with path.open("a") as file:
        file.write(line * 8)
    with pytest.raises(error, match=sentence):
        text.read_texts(path)


def test_a_student_of_texts_on_disk_is_that_of_texts_in_memory(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = written(tmp_path / "a.jsonl", ROWS)

    def fit(name: str) -> limbeck.Run:
        return limbeck.train(
            students.ngrams(buckets=64, dimensions=4),
            text.read_texts(path),
            objectives.Labels(),
            to=tmp_path / name,
            plan=limbeck.Plan(epochs=3, batch=16, held_out=0.2),
        )

    here = fit("here")
    request.getfixturevalue("large_files_are_small")
    there = fit("there")
    for name, weight in here.model().state_dict().items():
        assert there.model().state_dict()[name].equal(weight)


def lists(count: int) -> Callable[[], list[Ragged]]:
    def made() -> list[Ragged]:
        drawn = np.random.default_rng(1)
        lengths = [drawn.integers(0, 4, 5) for _ in range(count)]
        return [Ragged.of(drawn.integers(0, 99, sum(each)), each) for each in lengths]

    return made


def test_many_lists_lie_on_disk_and_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = lists(6)
    here = Ragged.joined(parts())
    monkeypatch.setattr(_lazy, "LARGE", 40)
    there = Ragged.joined(iter(parts()))
    assert isinstance(there.values, np.memmap)
    assert not isinstance(here.values, np.memmap)
    rows = np.array([29, 0, 7, 7])
    np.testing.assert_array_equal(there.block(rows), here.block(rows))
    np.testing.assert_array_equal(
        there.take(rows).block(np.array([1, 3])), here.block(rows[[1, 3]])
    )
    assert len(there) == len(here) == 30
