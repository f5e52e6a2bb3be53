"""What students find in texts is found once, by content, and goes with the texts."""

import gc
from dataclasses import replace

import numpy as np

import limbeck
from limbeck import students
from limbeck.examples import Examples, Inputs, Ragged
from limbeck.students._readings import Readings

TEXTS = ["one two", "three", "four five six", "seven", "eight nine"]


class Counting:
    """Reads the lengths of texts, and counts how many it was given."""

    def __init__(self) -> None:
        self.texts = 0

    def __call__(self, texts: Inputs) -> Ragged:
        self.texts += len(texts)
        return Ragged.of(
            np.array([len(text) for text in texts[:]]), np.ones(len(texts), dtype=np.int64)
        )


def numbers(found: Ragged) -> list[int]:
    return found.block(np.arange(len(found)))[:, 0].tolist()


def test_the_same_texts_are_read_once_under_any_labels_and_in_any_part() -> None:
    readings, read = Readings(), Counting()
    whole = Examples.of(TEXTS)
    first = readings.find(whole, "lengths", read)
    assert readings.find(whole, "lengths", read) is first
    other = replace(whole, labels=np.zeros(5, np.int64), classes=("a", "b"))
    assert readings.find(other, "lengths", read) is first
    part = whole.take(np.array([4, 0, 4]))
    assert numbers(readings.find(part, "lengths", read)) == [10, 7, 10]
    assert numbers(readings.find(Examples.of(TEXTS[::-1]), "lengths", read)) == [10, 5, 13, 5, 7]
    assert read.texts == 5


def test_a_text_that_nobody_read_is_read_and_each_reader_reads_for_itself() -> None:
    readings, read = Readings(), Counting()
    whole = Examples.of(TEXTS)
    readings.find(whole, "lengths", read)
    assert numbers(readings.find(Examples.of([*TEXTS, "ten"]), "lengths", read))[-1] == 3
    assert read.texts == 5 + 6
    readings.find(whole, "other", read)
    assert read.texts == 5 + 6 + 5


def test_a_reading_goes_with_its_texts() -> None:
    readings, read = Readings(), Counting()
    whole = Examples.of(TEXTS)
    part = whole.take(np.array([1, 2]))
    readings.find(whole, "lengths", read)
    readings.find(part, "lengths", read)
    del whole
    gc.collect()
    assert numbers(readings.find(part, "lengths", read)) == [5, 13]
    del part
    gc.collect()
    readings.find(Examples.of(TEXTS), "lengths", read)
    assert read.texts == 5 + 5


def test_an_array_that_was_changed_is_read_again() -> None:
    readings, read = Readings(), Counting()
    texts = np.array(TEXTS, dtype=np.dtypes.StringDType())
    readings.find(Examples.of(texts), "lengths", read)
    texts[0] = "a longer text"
    assert numbers(readings.find(Examples.of(texts), "lengths", read))[0] == 13


def test_examples_hold_nothing_that_a_student_found() -> None:
    examples = limbeck.Examples.of(TEXTS)
    before = examples.fingerprint, set(vars(examples))
    students.ngrams(2).readings_in(examples)
    assert (examples.fingerprint, set(vars(examples))) == before
