"""What an array of labels means: names or positions of classes, or real values; never silently."""

from pathlib import Path

import numpy as np
import pytest

import limbeck
from limbeck.errors import LabelsError, TableWarning
from limbeck.examples import Examples


def names_of(labels: object, **options: object) -> list[str | None]:
    """The class name of each label as Limbeck understands it."""
    examples = Examples.of(np.zeros((len(labels), 1)), labels, **options)  # type: ignore[arg-type]
    return [examples.classes[at] if at >= 0 else None for at in examples.labels.tolist()]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([1, -1, 1], ()),
        ([1, -1, 1], ("-1", "1")),
        ([1, 2, 3, 5], ()),
        ([1, 2, 3, 5], ("1", "2", "3", "4", "5")),
        ([10, 20, 35], ("10", "20", "35")),
        ([10, 20, 35], ()),
        ([0, 1, 2], ()),
        ([True, False], ()),
        ([True, False], ("False", "True")),
        (["001", "002"], ()),
        (["b", "a"], ("a", "b")),
    ],
)
def test_labels_are_named_as_they_were_given(
    labels: list[object], classes: tuple[str, ...]
) -> None:
    assert names_of(np.array(labels), classes=classes) == [str(label) for label in labels]


def test_positions_are_positions_where_the_classes_have_other_names() -> None:
    assert names_of(np.array([0, 2, -1]), classes=("a", "b", "c")) == ["a", "c", None]
    assert names_of(np.array([0, 2, -1])) == ["0", "2", None]
    assert names_of(np.array([True, False]), classes=("no", "yes")) == ["yes", "no"]
    assert names_of(np.array([0, 1, 2]), classes=("10", "20", "35")) == ["10", "20", "35"]


def test_a_kind_says_what_numbers_are() -> None:
    assert names_of(np.array([1, 2]), kind="logits") == ["1", "2"]
    whole = Examples.of(np.zeros((2, 1)), np.array([1, 2]), kind="logits")
    assert whole.classes == ("0", "1", "2")  # positions, of which the first has no example
    assert names_of(np.array([0.0, 1.0]), kind="logits") == ["0", "1"]
    values = Examples.of(np.zeros((2, 1)), np.array([0, 1]), kind="values")
    assert values.labels_kind == "values"
    tags = Examples.of(
        np.zeros((2, 1)), np.array([[0.0, 1.0], [1.0, 1.0]]), kind="independent-logits"
    )
    assert tags.labels_kind == "independent-logits"
    with pytest.raises(LabelsError, match="labels of the kind logits are whole numbers"):
        names_of(np.array([0.5, 1.0]), kind="logits")
    with pytest.raises(LabelsError, match=r"not <U1 \(2,\) \(of the kind values\)"):
        names_of(np.array(["a", "b"]), kind="values")


@pytest.mark.parametrize("labels", [[0.0, 1.0], [-1.0, 1.0], [[0.0, 1.0], [1.0, 1.0]]])
def test_floats_that_look_like_classes_are_told_of(labels: list[object]) -> None:
    with pytest.warns(TableWarning, match=r"all -?\d or 1, and are taken as real values: kind='"):
        assert Examples.of(np.zeros((2, 1)), np.array(labels)).labels_kind == "values"


def test_minus_one_beside_other_names_is_asked_about() -> None:
    with pytest.raises(LabelsError, match=r"the array of labels holds -1 beside 2, 3: is it a cla"):
        names_of(np.array([-1, 2, 3]))


def test_a_number_far_too_large_costs_nothing() -> None:
    with pytest.raises(LabelsError, match="would be one of 2,000,000,001 classes"):
        names_of(np.array([0, 2_000_000_000]))


def test_truths_in_a_file_are_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,label\n1,True\n2,\n3,False\n")
    examples = limbeck.read(tmp_path / "a.csv")
    assert (examples.labels.tolist(), examples.classes) == ([1, -1, 0], ("False", "True"))
    named = limbeck.read(tmp_path / "a.csv", classes=["no", "yes"])
    assert (named.labels.tolist(), named.classes) == ([1, -1, 0], ("no", "yes"))


def test_folders_with_numbers_for_names_keep_them(tmp_path: Path) -> None:
    from PIL import Image

    for name in map(str, range(12)):  # sorted as text: 0, 1, 10, 11, 2, ...
        (tmp_path / name).mkdir()
        Image.new("L", (2, 2), int(name)).save(tmp_path / name / "a.png")
    examples = limbeck.read(tmp_path)
    shown = [examples.classes[at] for at in examples.labels]
    assert shown == [str(pixel) for pixel in np.asarray(examples.inputs[:])[:, 0, 0, 0]]
