"""Texts as examples: read from files, kept whole, and refused where they are none."""

import json
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet
from pyarrow.csv import write_csv

import limbeck
from limbeck import students, views
from limbeck.datasets import text
from limbeck.errors import CorruptError, ExamplesError, InputError, MissingError
from limbeck.examples import numbers

ROWS = [
    {"text": "Fine, really fine", "label": "good", "key": "a", "day": 1},
    {"text": "über \u2603 all", "label": "bad", "key": "b", "day": 2},
    {"text": 'a, "quoted" one', "label": "", "key": "c", "day": 3},
]


def lines(place: Path, rows: list[dict] = ROWS) -> Path:
    place.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return place


def csv(place: Path) -> Path:
    write_csv(pyarrow.Table.from_pylist(ROWS), place)
    return place


def packed(place: Path) -> Path:
    parquet.write_table(pyarrow.Table.from_pylist(ROWS), place)
    return place


@pytest.mark.parametrize(
    ("write", "name"), [(lines, "a.jsonl"), (csv, "a.csv"), (packed, "a.parquet")]
)
def test_texts_come_from_a_file_with_their_labels_and_keys(tmp_path, write, name) -> None:
    found = text.read_texts(write(tmp_path / name), columns=["day"])
    assert found.inputs.tolist() == [row["text"] for row in ROWS]
    assert (found.classes, found.labels.tolist()) == (("bad", "good"), [1, 0, -1])
    assert (found.keys.tolist(), found.columns["day"].tolist()) == (["a", "b", "c"], [1, 2, 3])
    assert (found.is_text, found.shape) == (True, (-1,))


def test_one_name_opens_texts_again(tmp_path) -> None:
    place = tmp_path / "a.csv"
    csv(place)
    found = limbeck.read(place, text="text", columns=["day"])
    again = limbeck.read(found.source)
    assert again.fingerprint == found.fingerprint
    assert again.source == found.source
    assert limbeck.read(lines(tmp_path / "a.jsonl")).fingerprint == found.fingerprint


def test_a_text_is_its_content_whatever_array_it_came_in() -> None:
    texts = ["one", "another, longer text"]
    kinds = [texts, np.array(texts), np.array(texts, dtype=object)]
    prints = {limbeck.Examples.of(given).fingerprint for given in kinds}
    assert len(prints) == 1
    assert limbeck.Examples.of(["one", "Another, longer text"]).fingerprint not in prints


def test_bytes_are_filled_up_with_zeros() -> None:
    texts = limbeck.Examples.of(["ab", "\u2603"]).inputs
    assert numbers(texts).tolist() == [[97, 98, 0], [0xE2, 0x98, 0x83]]


def test_texts_are_split_by_content() -> None:
    twice = [f"text {row % 50}" for row in range(100)]
    one, other = limbeck.Examples.of(twice).split(0.3)
    assert not set(one.inputs.tolist()) & set(other.inputs.tolist())


def test_a_student_of_numbers_does_not_read_texts() -> None:
    with pytest.raises(
        InputError, match=r"mlp.* reads numbers, and these examples are texts: ngra"
    ):
        students.mlp([3]).sized((-1,), 2)
    with pytest.raises(InputError, match=r"ngrams.* reads texts, and these examples are numbers"):
        students.ngrams().sized((4,), 2)


def test_a_text_has_no_view_but_the_plain_one() -> None:
    examples = limbeck.Examples.of(["one", "two"])
    with pytest.raises(ExamplesError, match="this view moves images"):
        views.jitter(1)(examples, np.array(["0"]), 0, 0)


BAD_LINES = [
    (b'{"text": "a"}\n{"text": ', "line 2 of .* is not JSON"),
    (b'{"text": "a"}\n\n[1]\n', "line 3 of .* holds .*, not an object like"),
    (b'{"text": "a"}\n{"text": "\xff"}\n', "line 2 of .* is not valid UTF-8"),
]


@pytest.mark.parametrize(("content", "sentence"), BAD_LINES)
def test_a_broken_line_is_named(tmp_path, content, sentence) -> None:
    place = tmp_path / "a.jsonl"
    place.write_bytes(content)
    with pytest.raises(CorruptError, match=sentence):
        text.read_texts(place)


BAD_FILES = [
    ("a.jsonl", b"", ExamplesError, r"a\.jsonl has no lines"),
    ("a.jsonl", b'{"text": "a"}\n{"text": 1}', ExamplesError, "'text' of .* is of several kinds"),
    ("a.jsonl", b'{"text": "a"}\n{"label": 1}', ExamplesError, "'text' of .* is empty in row 1"),
    ("a.jsonl", b'{"text": "a"}\n{"text": "  "}', ExamplesError, "1 texts are empty, .* row 1"),
    ("a.jsonl", b'{"words": "a"}', ExamplesError, "has no column 'text'; it has words"),
    ("a.csv", b"text,label\n1,0\n2,1\n", ExamplesError, "'text' of .* holds int64, not text"),
    ("a.csv", b"text,label\na,0\nb,1,2\n", CorruptError, "Expected 2 columns, got 3: b,1,2"),
    ("a.csv", b"text,label\na,0\n\xff,1\n", ExamplesError, "is not valid UTF-8, first in row 1"),
    ("a.csv", b"text,b\na,0\n,1\n", ExamplesError, "1 texts are empty, the first in row 1"),
    ("a.csv", b"text,caf\xe9\na,0\n", CorruptError, "the column names of .* are not valid UTF-8"),
    (
        "a.jsonl",
        b'{"text": "\\ud800"}',
        ExamplesError,
        "'text' of .* holds what is no text: .*surr",
    ),
    (
        "a.jsonl",
        b'{"text": ["a"]}',
        ExamplesError,
        r"'text' of .* holds list<item: string>, not te",
    ),
    ("a.txt", b"a", InputError, "ends in '.txt'; texts are read from .jsonl, .csv, .parquet"),
]


@pytest.mark.parametrize(("name", "content", "error", "sentence"), BAD_FILES)
def test_what_is_no_text_is_refused_in_one_sentence(tmp_path, name, content, error, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=sentence):
        text.read_texts(tmp_path / name)


def test_half_a_character_is_no_text() -> None:
    for given in (["a", "\ud800"], np.array(["\ud800", "a"], dtype=object)):
        with pytest.raises(ExamplesError, match=r"the inputs hold what is no text: .*surrogates"):
            limbeck.Examples.of(given)


def test_bytes_in_a_parquet_file_are_not_text(tmp_path) -> None:
    parquet.write_table(pyarrow.table({"text": [b"a", b"b"]}), tmp_path / "a.parquet")
    with pytest.raises(ExamplesError, match=r"column 'text' of .* holds binary, not text"):
        text.read_texts(tmp_path / "a.parquet")


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(MissingError, match=r"there is no file .*none\.jsonl"):
        text.read_texts(tmp_path / "none.jsonl")


@pytest.mark.network
def test_the_imdb_halves_are_the_official_ones() -> None:
    train, test = text.imdb("train"), text.imdb("test")
    assert [len(part) for part in (train, test)] == [25_000, 25_000]
    assert [part.labels.sum() for part in (train, test)] == [12_500, 12_500]
    assert len(set(train.inputs.tolist()) & set(test.inputs.tolist())) == 123
    with pytest.raises(InputError, match="imdb has the parts train and test, not 'dev'"):
        text.imdb("dev")
