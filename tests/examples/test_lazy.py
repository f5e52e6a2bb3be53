"""Rows that are read when asked for are those of the array, and no more of it is in memory."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import limbeck
from limbeck import objectives, students, teachers
from limbeck.datasets import tables
from limbeck.examples import Examples, Lazy, Mapped, _lazy
from limbeck.examples._lazy import blocks, joined, subset
from limbeck.sklearn._distilling import answers

WHOLE = np.random.default_rng(0).normal(size=(40, 3, 2)).astype(np.float32)


@pytest.fixture
def mapped(tmp_path: Path) -> Mapped:
    np.save(tmp_path / "x.npy", WHOLE)
    return Mapped.of(np.load(tmp_path / "x.npy", mmap_mode="r"))


@pytest.fixture
def large_files_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lazy, "LARGE", 1)


@pytest.mark.parametrize("index", [slice(3, 9), slice(None, None, -2), 5, np.array([7, 7, 0, 39])])
def test_an_index_gives_what_the_array_gives(mapped: Mapped, index: Any) -> None:
    found = mapped[index]
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, WHOLE[index])


def test_a_mapped_array_has_the_shape_type_and_size_of_the_array(mapped: Mapped) -> None:
    assert (mapped.shape, mapped.ndim, mapped.size, len(mapped)) == ((40, 3, 2), 3, 240, 40)
    assert mapped.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(mapped), WHOLE)


def test_a_subset_of_a_subset_is_still_on_disk(mapped: Mapped) -> None:
    half = subset(subset(mapped, np.arange(39, -1, -1)), np.array([0, 5]))
    assert isinstance(half, Lazy)
    np.testing.assert_array_equal(half[:], WHOLE[[39, 34]])


def test_joined_inputs_follow_each_other_in_the_first_type(mapped: Mapped) -> None:
    numbers = np.ones((2, 3, 2), np.float64)
    both = joined([mapped.subset(np.array([4])), numbers, mapped])
    assert isinstance(both, Lazy)
    assert both.dtype == np.float32
    np.testing.assert_array_equal(both[:], np.concatenate([WHOLE[4:5], numbers, WHOLE]))
    np.testing.assert_array_equal(both[np.array([42, 0, 2])], [WHOLE[39], WHOLE[4], numbers[1]])


def test_blocks_are_all_rows_in_order_and_bounded(
    mapped: Mapped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_lazy, "BLOCK_BYTES", 7 * WHOLE[0].nbytes)
    parts = list(blocks(mapped))
    assert max(map(len, parts)) == 7
    np.testing.assert_array_equal(np.concatenate(parts), WHOLE)


def test_examples_on_disk_are_the_same_examples(mapped: Mapped) -> None:
    here, there = Examples.of(WHOLE), Examples.of(mapped)
    assert there.fingerprint == here.fingerprint
    first, second = (part.split(0.3)[1] for part in (here, there))
    assert isinstance(second.inputs, Lazy)
    np.testing.assert_array_equal(second.inputs[:], first.inputs)
    assert second.fingerprint == first.fingerprint


def test_a_memory_mapped_array_of_the_users_stays_on_disk(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", WHOLE)
    assert isinstance(Examples.of(np.load(tmp_path / "x.npy", mmap_mode="r")).inputs, Lazy)


@pytest.mark.usefixtures("large_files_are_small")
def test_infinity_in_a_large_file_is_named_by_its_row(tmp_path: Path) -> None:
    broken = WHOLE.copy()
    broken[31, 0, 1] = np.inf
    np.save(tmp_path / "x.npy", broken)
    with pytest.raises(
        limbeck.errors.ExamplesError, match=r"1 inputs hold NaN or infinity.*row 31"
    ):
        tables.read_table(tmp_path / "x.npy")


@pytest.mark.usefixtures("large_files_are_small")
def test_python_objects_in_a_large_file_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{}, {}]), allow_pickle=True)
    with pytest.raises(
        limbeck.errors.ExamplesError, match="holds Python objects, which only pickl"
    ):
        tables.read_table(tmp_path / "x.npy")


@pytest.mark.usefixtures("large_files_are_small")
def test_reading_splitting_and_batches_hold_a_small_part_of_a_large_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_lazy, "BLOCK_BYTES", 2**18)
    inputs = np.random.default_rng(1).normal(size=(4000, 1000)).astype(np.float32)
    np.save(tmp_path / "x.npy", inputs)
    bytes_of_all = inputs.nbytes
    del inputs
    tracemalloc.start()
    train, _ = tables.read_table(tmp_path / "x.npy").split(0.5)
    limbeck.students.encodings.standard(train)
    limbeck.TransferSet(train).batch(np.arange(256), np.zeros(256, np.int64))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < bytes_of_all / 4, f"{peak / 1e6:.1f} MB of {bytes_of_all / 1e6:.1f}"


@pytest.mark.usefixtures("large_files_are_small")
def test_a_student_from_disk_is_bit_for_bit_the_one_from_memory(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", WHOLE.reshape(40, 6))
    teacher = teachers.function(lambda rows: rows[:, :2], kind="logits", classes=["a", "b"])
    said = []
    for name, examples in (
        ("memory", Examples.of(WHOLE.reshape(40, 6))),
        ("disk", tables.read_table(tmp_path / "x.npy")),
    ):
        run = limbeck.train(
            students.mlp([4]),
            limbeck.score(teacher, examples, to=tmp_path / name / "scores"),
            objectives.SoftTargets(2.0),
            to=tmp_path / name / "run",
            plan=limbeck.Plan(epochs=2, batch=8, held_out=0.25),
            control=False,
        )
        said.append(answers(run, WHOLE.reshape(40, 6)))
    np.testing.assert_array_equal(*said)
