"""Examples keep their keys, and refuse what cannot be used."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st
from worlds import CLASSES, blobs

from limbeck import Examples
from limbeck.errors import ExamplesError, LabelsError, MismatchError
from limbeck.examples import check_disjoint


def test_keys_labels_and_columns_follow_their_input():
    points = blobs(30)
    points = Examples.of(
        points.inputs, points.labels, keys=points.keys, columns={"row": np.arange(30)}
    )
    taken = points.take(np.array([7, 3, 29]))
    assert list(taken.keys) == ["blobs-7", "blobs-3", "blobs-29"]
    assert list(taken.columns["row"]) == [7, 3, 29]
    assert np.array_equal(taken.content_hashes, points.content_hashes[[7, 3, 29]])


@given(order=st.permutations(range(12)))
def test_the_fingerprint_does_not_depend_on_the_order(order):
    points = blobs(12)
    assert points.take(np.array(order)).fingerprint == points.fingerprint


def test_the_fingerprint_sees_content_and_keys_but_not_labels():
    points = blobs(12)
    changed = points.inputs.copy()
    changed[3, 1] += 1e-6
    assert Examples.of(changed, keys=points.keys).fingerprint != points.fingerprint
    assert Examples.of(points.inputs).fingerprint != points.fingerprint
    assert points.without_labels().fingerprint == points.fingerprint


@given(st.lists(st.integers(0, 5), min_size=20, max_size=40), st.integers(0, 99))
def test_a_split_never_parts_a_group(groups, seed):
    points = blobs(len(groups))
    grouped = Examples.of(points.inputs, points.labels, groups=[f"g{g}" for g in groups])
    assume(round(0.3 * len(groups)) > 0 and len(set(groups)) > 1)
    try:
        rest, part = grouped.split(0.3, seed=seed)
    except ExamplesError:  # one group that is larger than all the rest
        reject()
    assert not set(rest.groups) & set(part.groups)
    assert len(rest) + len(part) == len(grouped)


def test_a_split_does_not_depend_on_the_order():
    points = blobs(60)
    turned = points.take(np.arange(60)[::-1])
    assert set(points.split(0.25)[1].keys) == set(turned.split(0.25)[1].keys)


def test_examples_of_the_same_content_stay_together():
    inputs = np.repeat(np.arange(10, dtype=np.float32), 3)[:, None]
    rest, part = Examples.of(inputs).split(0.4)
    assert not set(rest.inputs[:, 0]) & set(part.inputs[:, 0])


def test_a_split_by_time_puts_the_later_ones_second_and_keeps_ties_together():
    inputs = np.random.default_rng(0).normal(size=(10, 2))
    when = np.array([5, 1, 9, 3, 7, 7, 7, 2, 8, 4])
    rest, part = Examples.of(inputs, columns={"when": when}).split_by_time("when", 0.4)
    assert rest.columns["when"].max() < part.columns["when"].min() == 7
    assert len(part) == 5


def test_a_split_by_groups_that_share_an_example_is_refused():
    inputs = np.arange(10, dtype=np.float32)[:, None]
    inputs[9] = inputs[0]
    column = {"who": np.array(["anna"] * 5 + ["bert"] * 5)}
    with pytest.raises(ExamplesError, match="1 of the examples in the second part are also in"):
        Examples.of(inputs, columns=column).split(0.5, by="who", seed=1)


def test_an_example_found_in_two_sets_is_named():
    points = blobs(20)
    with pytest.raises(
        ExamplesError, match="3 of the examples in test are also in train, the first is 'blobs-17'"
    ):
        check_disjoint({"train": points, "test": points.take(np.array([17, 18, 19]))})


def test_joining_lends_labels_to_known_keys_and_adds_the_others():
    points, more = blobs(10, labelled=False), blobs(4, seed=5, name="more")
    known = blobs(10).take(np.array([2, 5]))
    joined = points.joined(known).joined(more)
    assert len(joined) == 14
    assert list(np.flatnonzero(joined.is_labelled)) == [2, 5, 10, 11, 12, 13]


def test_joining_refuses_other_content_under_a_known_key():
    other = Examples.of(np.zeros((1, 2), np.float32), [0], keys=["blobs-3"], classes=CLASSES)
    with pytest.raises(MismatchError, match="example 'blobs-3' is one thing in blobs and another"):
        blobs(10).joined(other)


def test_sets_without_keys_are_joined_by_content():
    inputs = blobs(10).inputs
    plain = Examples.of(inputs, classes=CLASSES, name="more")
    chosen = inputs[[7, 2, 7, 4]].copy()
    chosen[3] += 1
    labelled = Examples.of(chosen, [0, 1, 0, 2], classes=CLASSES, name="labelled")
    joined = plain.joined(labelled)
    assert joined.keys[10:].tolist() == ["labelled/2", "labelled/3"]  # the second 7, and a new one
    assert joined.labels[[7, 2, 10, 11]].tolist() == [0, 1, 0, 2]
    assert joined.is_labelled.sum() == 4
    assert len(plain.joined(Examples.of(inputs, [0] * 10, classes=CLASSES))) == 10


def test_class_names_are_compared_in_order():
    with pytest.raises(MismatchError, match=r"names the classes \(round, square, star\), x names"):
        blobs(5).check_classes(("star", "square", "round"), "x")


def test_labels_may_be_names_or_missing():
    made = Examples.of(np.array([[1], [2], [3]]), np.array(["b", "", "a"]))
    assert made.classes == ("a", "b")
    assert list(made.labels) == [1, -1, 0]


POINTS = np.ones((3, 2)) * [[1], [2], [3]]


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (
            {"inputs": np.zeros((0, 2))},
            ExamplesError,
            r"no examples: the inputs have shape \(0, 2\)",
        ),
        (
            {"inputs": np.array([[1.0], [np.nan], [np.inf]])},
            ExamplesError,
            "2 inputs hold NaN or infinity, the first in row 1: fill or drop them",
        ),
        (
            {"inputs": np.array([b"a"])},
            ExamplesError,
            r"inputs are numbers or texts, not \|S1: encode them",
        ),
        (
            {"inputs": np.array([["a"]])},
            ExamplesError,
            r"an input is one text; these have shape \(1, 1\)",
        ),
        (
            {"inputs": ["a", "", " \n"]},
            ExamplesError,
            "2 texts are empty, the first in row 1: leave them out",
        ),
        (
            {"inputs": POINTS, "keys": ["a", "b", "a"]},
            ExamplesError,
            r"1 keys are not unique, the first is 'a' \(2 times\)",
        ),
        ({"inputs": POINTS, "keys": ["a"]}, ExamplesError, "there are 3 inputs but 1 keys"),
        ({"inputs": POINTS, "labels": np.array([0, 1])}, ExamplesError, "3 inputs but 2 labels"),
        (
            {"inputs": POINTS, "labels": np.array([0, 5, 1]), "classes": ["x", "y"]},
            LabelsError,
            "label 5 of row 1 is outside the 2 classes",
        ),
        (
            {"inputs": POINTS, "labels": np.array(["x", "z", "y"]), "classes": ["x", "y"]},
            LabelsError,
            r"label 'z' is outside the 2 classes \(x, y\)",
        ),
        (
            {"inputs": POINTS, "labels": np.array([0.5, 1.0, 2.0]), "classes": ("x", "y")},
            LabelsError,
            r"1 columns of values \(whole numbers are class positions\), but 2 classes",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        Examples.of(**arguments)


def test_an_unknown_column_is_named_with_the_known_ones():
    made = Examples.of(POINTS, columns={"age": np.arange(3)})
    with pytest.raises(ExamplesError, match="examples has no column 'agee'; it has age"):
        made.split(0.5, by="agee")


def test_what_was_hashed_goes_with_a_part_and_with_other_labels(monkeypatch):
    examples = blobs(30)
    whole = examples.content_hashes, examples.key_hashes, examples.fingerprint
    for place in ("_examples", "_hashes"):
        monkeypatch.setattr(f"limbeck.examples.{place}.hash64", None)  # nothing is hashed again
    part = examples.take(np.array([4, 2]))
    np.testing.assert_array_equal(part.content_hashes, whole[0][[4, 2]])
    np.testing.assert_array_equal(part.key_hashes, whole[1][[4, 2]])
    other = examples.with_labels(np.zeros(30, np.int64), ("a", "b"))
    assert other.fingerprint == whole[2]
    assert other.content_hashes is whole[0]


def test_replaced_inputs_and_keys_are_hashed_for_themselves():
    examples = blobs(30)
    before = examples.content_hashes, examples.key_hashes, examples.fingerprint
    moved = replace(examples, inputs=examples.inputs + 1)
    assert (moved.content_hashes != before[0]).all()
    assert moved.fingerprint != before[2]
    called = replace(examples, keys=np.array([f"key-{key}" for key in examples.keys]))
    assert (called.key_hashes != before[1]).all()
    assert called.fingerprint != before[2]


def test_examples_without_any_label_have_no_classes():
    unlabelled = Examples.of(np.zeros((3, 2)), np.full(3, -1))
    assert unlabelled.classes == ()
    assert not unlabelled.is_labelled.any()
    named = Examples.of(np.zeros((3, 2)), np.full(3, -1), classes=["a", "b"])
    assert named.classes == ("a", "b")
