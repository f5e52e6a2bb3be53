"""One text opens one set of examples, and opens it again."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from limbeck.datasets import read
from limbeck.datasets._read import KNOWN
from limbeck.errors import InputError, MissingError, RecipeError
from limbeck.examples import Examples


def same(one: Examples, other: Examples) -> bool:
    pairs = [(one.inputs, other.inputs), (one.labels, other.labels), (one.groups, other.groups)]
    return (
        one.fingerprint == other.fingerprint
        and all(np.array_equal(a, b) for a, b in pairs)
        and (one.classes, one.name, one.source) == (other.classes, other.name, other.source)
        and one.columns.keys() == other.columns.keys()
    )


def write_idx(path: Path, shape: tuple[int, ...]) -> None:
    content = struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)
    content += bytes(range(int(np.prod(shape))))
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_table(path: Path, columns: dict[str, list[object]]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "it's rows.csv"
    path.write_text("id,a,y,day\nx,1,no,mon\nz,2,yes,tue\n")
    return path


def test_a_known_name_opens_and_reopens() -> None:
    examples = read("digits:test")
    assert (examples.name, examples.source) == ("digits:test", "digits:test")
    assert same(examples, read(examples.source))
    assert not same(examples, read("digits:train"))


def test_every_known_name_has_a_part() -> None:
    assert {name.partition(":")[2] for name in KNOWN} == {"train", "test"}


@pytest.mark.parametrize("ending", [".npy", ".npz", ".csv", ".parquet"])
def test_a_table_opens_again_from_another_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    path = tmp_path / f"a{ending}"
    match ending:
        case ".npy":
            np.save(path, np.eye(3))
        case ".npz":
            np.savez(path, inputs=np.eye(3), labels=np.arange(3))
        case ".csv":
            path.write_text("a,b\n1,2\n3,4\n")
        case _:
            write_table(path, {"a": [1, 2], "b": [3, 4]})
    monkeypatch.chdir(tmp_path)
    examples = read(path.name)
    assert (examples.name, examples.source) == (path.name, str(path))
    monkeypatch.chdir("/")
    assert same(examples, read(examples.source))


def test_options_are_kept_in_the_source_as_a_call(rows: Path) -> None:
    options = {"label": "y", "key": "id", "columns": ("day",), "classes": ("yes", "no")}
    examples = read(rows, **options)  # type: ignore[arg-type]  # of several types
    assert examples.source == (
        f"read(\"{rows}\", label='y', key='id', columns=['day'], classes=['yes', 'no'])"
    )
    assert examples.labels.tolist() == [1, 0]
    assert same(examples, read(examples.source))


def test_several_labels_and_their_kind_are_kept_in_the_source(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,high,wide\n1,170,50\n2,180,60\n")
    examples = read(path, label=("high", "wide"), kind="values")
    assert examples.source == f"read('{path}', label=['high', 'wide'], kind='values')"
    assert (examples.labels_kind, examples.classes) == ("values", ("high", "wide"))
    assert same(examples, read(examples.source))
    assert np.array_equal(examples.labels, read(examples.source).labels)
    texts = tmp_path / "a.jsonl"
    texts.write_text('{"text": "a", "stars": 4}\n{"text": "b", "stars": 4.5}\n')
    assert read(texts, label="stars").labels.tolist() == [[4.0], [4.5]]
    assert read(f"read('{texts}', label=['stars'])").labels_kind == "values"
    with pytest.raises(InputError, match="takes nothing else, not kind"):
        read("digits:test", kind="values")


def test_only_literals_are_read_from_a_source(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with pytest.raises(RecipeError, match="neither a number, a text, a list nor a call"):
        read(f"read(open('{trace}', 'w').name)")
    with pytest.raises(RecipeError, match="there is no source 'open'"):
        read(f"read(open('{trace}', 'w'))")
    assert not trace.exists()
    with pytest.raises(RecipeError, match=r"read\(\) has no keyword 'lable'; did you mean 'label'"):
        read("read('a.csv', lable='y')")
    with pytest.raises(InputError, match=r"read\(\) takes texts, lists of texts"):
        read("read(3)")
    for wrong in ("columns='day'", "label=3", "label=[3]", "kind=['values']"):
        with pytest.raises(InputError, match=r"read\(\) takes texts, lists of texts"):
            read(f"read('a.csv', {wrong})")


@pytest.mark.parametrize("packed", ["", ".gz"])
def test_idx_finds_the_labels_beside_it(tmp_path: Path, packed: str) -> None:
    write_idx(tmp_path / f"train-images-idx3-ubyte{packed}", (3, 2, 2))
    alone = read(tmp_path / f"train-images-idx3-ubyte{packed}")
    assert not alone.is_labelled.any()
    write_idx(tmp_path / f"train-labels-idx1-ubyte{packed}", (3,))
    examples = read(alone.source)
    assert examples.labels.tolist() == [0, 1, 2]
    assert examples.shape == (1, 2, 2)
    assert same(examples, read(examples.source))


def test_idx_takes_class_names(tmp_path: Path) -> None:
    write_idx(tmp_path / "images.idx", (2, 2, 2))
    write_idx(tmp_path / "labels.idx", (2,))
    examples = read(tmp_path / "images.idx", classes=("no", "yes"))
    assert examples.classes == ("no", "yes")
    assert same(examples, read(examples.source))


def test_a_folder_of_images_opens(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        picture = Image.fromarray(np.full((2, 3), len(name) + ord(name[0]), np.uint8))
        picture.save(tmp_path / name / "1.png")
    examples = read(tmp_path)
    assert examples.classes == ("cat", "dog")
    assert examples.shape == (1, 2, 3)
    assert same(examples, read(examples.source))
    with pytest.raises(InputError, match="takes only classes and size, not label"):
        read(tmp_path, label="kind")


def test_parquet_of_images_and_of_numbers_are_told_apart(tmp_path: Path) -> None:
    Image.fromarray(np.eye(4, dtype=np.uint8)).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    columns: dict[str, list[object]] = {"picture": [{"bytes": content}], "kind": ["b"], "x": [1.5]}
    path = write_table(tmp_path / "a.parquet", columns)
    examples = read(path, label="kind", classes=["a", "b"])
    np.testing.assert_array_equal(examples.inputs, np.eye(4)[None, None])
    assert examples.labels.tolist() == [1]
    assert same(examples, read(examples.source))
    with pytest.raises(InputError, match="takes only label, classes and size, not key"):
        read(path, key="kind")
    raw = write_table(tmp_path / "b.parquet", {"blob": [b"1", b"2"], "x": [1.5, 2.5]})
    assert read(raw, columns=["blob"]).inputs.tolist() == [[1.5], [2.5]]


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError) as raised:
        read("minst:train")
    assert str(raised.value) == (
        "'minst:train' is no file, no folder and no known set; did you mean 'mnist:train'?"
    )


def test_a_path_that_leads_nowhere_is_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "a.csv", tmp_path / "folder"):
        with pytest.raises(MissingError, match=f"there is no file or folder {path}"):
            read(path)


def test_options_and_endings_that_mean_nothing_are_refused(tmp_path: Path, rows: Path) -> None:
    with pytest.raises(InputError, match="digits:test takes nothing else, not label, columns"):
        read("digits:test", label="y", columns=["day"])
    with pytest.raises(InputError, match="takes nothing else, not label"):
        read(f'read("{rows}")', label="y")
    (tmp_path / "a.txt").write_text("words")
    with pytest.raises(InputError, match=r"a\.txt is of no kind that is read: \.npy, \.npz"):
        read(tmp_path / "a.txt")
