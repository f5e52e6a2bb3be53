"""Frames with their neighbours are those of a copied array, and are not copied."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import limbeck
from limbeck import Examples, objectives, students
from limbeck.errors import InputError
from limbeck.sklearn._distilling import answers
from limbeck.speech import Windows
from limbeck.students import encodings

COUNTS = [9, 1, 30]
FRAMES = np.random.default_rng(0).normal(3, 2, size=(40, 5)).astype(np.float32)


def copied(frames: np.ndarray, counts: list[int], context: int) -> np.ndarray:
    """The same, one row and one neighbour after the other."""
    rows, first = [], 0
    for count in counts:
        mine = frames[first : first + count]
        for t in range(count):
            near = [mine[min(max(t + k, 0), count - 1)] for k in range(-context, context + 1)]
            rows.append(np.stack(near, axis=1))
        first += count
    return np.stack(rows)


@pytest.mark.parametrize("context", [0, 1, 7])
def test_a_row_is_a_frame_with_its_neighbours_of_the_same_utterance(context: int) -> None:
    windows = Windows.of(FRAMES, COUNTS, context)
    assert windows.shape == (40, 5, 2 * context + 1)
    np.testing.assert_array_equal(windows[:], copied(FRAMES, COUNTS, context))


def test_rows_in_any_order_are_those_of_the_copy() -> None:
    rows, again = np.array([39, 0, 9, 9, 21]), np.array([4, 2, 0])
    windows = Windows.of(FRAMES, COUNTS)
    expected = copied(FRAMES, COUNTS, 7)[rows]
    np.testing.assert_array_equal(windows[rows], expected)
    np.testing.assert_array_equal(windows.subset(rows).subset(again)[:], expected[again])


def test_the_normalisation_has_a_mean_for_each_number_of_a_frame() -> None:
    found = encodings.standard(Examples.of(Windows.of(FRAMES, COUNTS)))
    assert isinstance(found, encodings.Affine)
    whole = copied(FRAMES, COUNTS, 7)
    np.testing.assert_allclose(found.mean, whole.mean(axis=(0, 2)), rtol=1e-5)
    np.testing.assert_allclose(found.deviation, whole.std(axis=(0, 2)), rtol=1e-5)


def test_sums_are_those_of_all_rows_though_no_row_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.array([39, 0, 9, 9, 21])
    part = copied(FRAMES, COUNTS, 7)[rows].astype(np.float64)
    monkeypatch.setattr(Windows, "read", None)
    total, squares = Windows.of(FRAMES, COUNTS).subset(rows).sums()
    np.testing.assert_allclose(total, part.sum(axis=(0, 2)))
    np.testing.assert_allclose(squares, (part**2).sum(axis=(0, 2)))


def test_only_the_frames_are_in_memory() -> None:
    frames = np.zeros((20_000, 123), np.float32)
    tracemalloc.start()
    inputs = Windows.of(frames, [200] * 100).subset(np.arange(0, 20_000, 2))
    inputs[np.arange(256)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < frames.nbytes  # the copied array would have 15 times as many


@pytest.mark.parametrize("student", [students.mlp([8]), students.shallow(8, bottleneck=4)])
def test_a_student_of_windows_is_bit_for_bit_that_of_the_copy(
    tmp_path: Path, student: students.Student
) -> None:
    said = []
    for name, inputs in (
        ("windows", Windows.of(FRAMES, COUNTS)),
        ("copy", copied(FRAMES, COUNTS, 7)),
    ):
        run = limbeck.train(
            student,
            Examples.of(inputs, np.arange(40) % 3, name=name),
            objectives.Labels(),
            to=tmp_path / name,
            control=False,
            plan=limbeck.Plan(epochs=2, batch=8, held_out=0),
        )
        said.append(answers(run, copied(FRAMES, COUNTS, 7)))
    np.testing.assert_array_equal(*said)


@pytest.mark.parametrize("counts", [[], [40, 1], [39], [40, 0], [50, -10]])
def test_counts_that_are_not_those_of_the_frames_are_refused(counts: list[int]) -> None:
    with pytest.raises(InputError, match=r"there are 40 frames, but \d+ in the \d utterances"):
        Windows.of(FRAMES, counts)


def test_a_negative_context_is_refused() -> None:
    with pytest.raises(InputError, match="a context is 0 frames or more on either side, not -1"):
        Windows.of(FRAMES, COUNTS, -1)
