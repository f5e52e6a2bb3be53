"""Rows keep their values, labels, keys and columns, and every fault names its place."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limbeck.datasets import tables
from limbeck.errors import (
    CorruptError,
    ExamplesError,
    InputError,
    LabelsError,
    MismatchError,
    MissingError,
    TableWarning,
)

ROWS = "key,a,label,b,day\n007,1,yes,0.5,mon\n008,2,no,1.5,tue\n009,3,yes,2.5,wed\n"


def csv(folder: Path, text: str, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def parquet(folder: Path, **columns: object) -> Path:
    path = folder / "rows.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_what_is_no_label_key_or_kept_column_is_an_input(tmp_path: Path) -> None:
    examples = tables.read_table(csv(tmp_path, ROWS), columns=["day"])
    assert examples.inputs.dtype == np.float32
    assert examples.inputs.tolist() == [[1, 0.5], [2, 1.5], [3, 2.5]]
    assert examples.keys.tolist() == ["007", "008", "009"]
    assert examples.classes == ("no", "yes")
    assert examples.labels.tolist() == [1, 0, 1]
    assert examples.columns["day"].tolist() == ["mon", "tue", "wed"]


def test_classes_come_in_the_order_given(tmp_path: Path) -> None:
    examples = tables.read_table(csv(tmp_path, ROWS), columns=["day"], classes=["yes", "no"])
    assert examples.labels.tolist() == [0, 1, 0]
    with pytest.raises(LabelsError, match="label 'no' is outside the 2 classes"):
        tables.read_table(csv(tmp_path, ROWS), columns=["day"], classes=["yes", "maybe"])


def test_columns_of_other_names_can_be_label_key_and_group(tmp_path: Path) -> None:
    text = "id,kind,patient,x\na,1,p,0\nb,0,p,0\n"
    examples = tables.read_table(csv(tmp_path, text), label="kind", key="id", group="patient")
    assert examples.labels.tolist() == [1, 0]
    assert examples.keys.tolist() == ["a", "b"]
    assert examples.groups.tolist() == ["p", "p"]
    assert examples.shape == (1,)


@pytest.mark.parametrize("role", ["label", "key", "group"])
def test_a_named_column_that_is_absent_is_an_error_with_the_nearest(
    tmp_path: Path, role: str
) -> None:
    with pytest.raises(ExamplesError, match=r"has no column 'dai'; did you mean 'day'\?"):
        tables.read_table(csv(tmp_path, ROWS), **{role: "dai"})  # type: ignore[arg-type]  # named by a parameter


def test_a_kept_column_that_is_absent_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ExamplesError, match=r"has no column 'days'; did you mean 'day'\?"):
        tables.read_table(csv(tmp_path, ROWS), columns=["days"])


def test_a_column_of_text_says_that_it_can_be_kept(tmp_path: Path) -> None:
    with pytest.raises(
        ExamplesError,
        match=r"column 'day' of .* holds string, not numbers, first 'mon' in row 0 .*; name",
    ):
        tables.read_table(csv(tmp_path, ROWS))


@pytest.mark.parametrize(
    ("text", "column", "row"),
    [
        ("a,b\n1,2\n1,\n3,4\n", "b", 1),
        ("key,a\nx,1\n,1\n", "key", 1),
        ("group,a\n,1\ng,1\n", "group", 0),
        ("a,day\n1,\n2,5\n", "day", 0),
        ("a,b\n1,NA\n2,5\n", "b", 0),
    ],
)
def test_an_empty_cell_is_named_by_column_and_row(
    tmp_path: Path, text: str, column: str, row: int
) -> None:
    kept = ["day"] if "day" in text else []
    with pytest.raises(ExamplesError, match=f"column '{column}' of .* is empty in row {row} "):
        tables.read_table(csv(tmp_path, text), columns=kept)


def test_an_empty_label_is_no_label(tmp_path: Path) -> None:
    assert tables.read_table(csv(tmp_path, "a,label\n1,\n2,1\n")).labels.tolist() == [-1, 1]
    assert tables.read_table(csv(tmp_path, "a,label\n1,\n2,cat\n")).labels.tolist() == [-1, 0]
    nothing = tables.read_table(csv(tmp_path, "a,label\n1,\n2,\n"))
    assert nothing.labels.tolist() == [-1, -1]
    assert nothing.classes == ()


def test_a_label_that_is_no_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=r"column 'label' of .* holds no labels, which are numb"):
        tables.read_table(csv(tmp_path, "a,label\n1,2020-01-01\n2,2020-01-02\n"))
    with pytest.raises(LabelsError, match="label 5 of row 1 is outside the 2 classes"):
        tables.read_table(csv(tmp_path, "a,label\n1,0\n2,5\n"), classes=["no", "yes"])


# Labels that are real values, or several.


def test_whole_numbers_are_classes_whatever_type_an_empty_cell_made_of_them(tmp_path: Path) -> None:
    floats = tables.read_table(csv(tmp_path, "a,label\n1,0.0\n2,\n3,2.0\n"))
    assert floats.labels.tolist() == [0, -1, 2]
    assert (floats.labels_kind, floats.classes) == ("logits", ("0", "1", "2"))
    nans = tables.read_table(parquet(tmp_path, a=[1.0, 2.0], label=np.array([np.nan, 1.0])))
    assert nans.labels.tolist() == [-1, 1]


def test_a_fraction_makes_all_of_a_column_values(tmp_path: Path) -> None:
    text = "a,label\n1,1\n2,\n3,-2.5\n"
    examples = tables.read_table(csv(tmp_path, text))
    assert (examples.labels_kind, examples.classes) == ("values", ("value",))
    assert examples.labels.dtype == np.float32
    assert examples.labels[[0, 2]].tolist() == [[1.0], [-2.5]]
    assert examples.is_labelled.tolist() == [True, False, True]
    assert tables.read_table(csv(tmp_path, text), classes=["height"]).classes == ("height",)
    with pytest.raises(LabelsError, match=r"there are 1 columns of values .* but 2 classes"):
        tables.read_table(csv(tmp_path, text), classes=["no", "yes"])


def test_the_kind_says_what_whole_numbers_are(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,tall\n1,0\n2,\n3,1\n")
    values = tables.read_table(path, label="tall", kind="values")
    assert (values.labels_kind, values.labels[[0, 2]].tolist()) == ("values", [[0.0], [1.0]])
    column = tables.read_table(path, label="tall", kind="independent-logits")
    assert (column.labels_kind, column.classes) == ("independent-logits", ("tall",))
    assert column.labels.tolist() == [[0], [-1], [1]]
    assert tables.read_table(path, label="tall", kind="logits").labels.tolist() == [0, -1, 1]


def test_several_columns_of_labels_name_the_classes(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,red,round\n1,0,1\n2,,\n3,1,1\n")
    tags = tables.read_table(path, label=["red", "round"])
    assert (tags.labels_kind, tags.classes, tags.shape) == (
        "independent-logits",
        ("red", "round"),
        (1,),
    )
    assert tags.labels.tolist() == [[0, 1], [-1, -1], [1, 1]]
    alone = tables.read_table(csv(tmp_path, "a,round\n1,1\n2,\n"), label=["round"])
    assert (alone.labels.tolist(), alone.labels_kind) == ([1, -1], "logits")
    sizes = csv(tmp_path, "a,high,wide\n1,170,50.5\n2,,\n")
    values = tables.read_table(sizes, label=["high", "wide"])
    assert (values.labels_kind, values.classes) == ("values", ("high", "wide"))
    assert values.labels[0].tolist() == [170.0, 50.5]
    assert values.is_labelled.tolist() == [True, False]


@pytest.mark.parametrize(
    ("how", "error", "sentence"),
    [
        ({"kind": "value"}, InputError, r"no kind of labels 'value'; known are logits \(one class"),
        ({"kind": "logits"}, LabelsError, r"holds 0.5 in row 0 .* kind='values' takes real values"),
        ({"kind": "independent-logits"}, LabelsError, "of the kind independent-logits are whole"),
        ({"label": "name", "kind": "values"}, LabelsError, "holds text, where labels are real val"),
        ({"label": ["name", "n"]}, LabelsError, "columns 'name', 'n' of .* hold text, where label"),
        ({"label": ["n", "m"]}, LabelsError, r"labels of row 0 are \[3, 1\]: .*kind='values'\)"),
        ({"label": ["n", "m"], "kind": "logits"}, LabelsError, "are 2 columns, and labels of the"),
        ({"label": ["n", "gone"]}, ExamplesError, "no column 'gone'; known are a, big, label"),
        ({"label": "big"}, LabelsError, "label 250000000 would be one of 250,000,001 cl"),
    ],
    ids=str,
)  # fmt: skip
def test_labels_that_are_not_of_their_kind_are_refused(tmp_path: Path, how, error, sentence):
    path = csv(tmp_path, "a,label,name,n,m,big\n1,0.5,x,3,1,250000000\n2,1.0,y,0,1,1\n")
    with pytest.raises(error, match=sentence):
        tables.read_table(path, **{"columns": ["name"], **how})


def test_whole_numbers_of_many_classes_without_examples_are_warned_of(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,label\n1,170\n2,181\n")
    with pytest.warns(
        TableWarning, match=r"up to 181, 2 of them in 2 rows, .* names of 2 classes; ki"
    ):
        tables.read_table(path)
    assert tables.read_table(path, kind="values").labels.tolist() == [[170.0], [181.0]]
    assert len(tables.read_table(path, kind="logits").classes) == 182
    assert len(tables.read_table(path, classes=[str(n) for n in range(200)])) == 2


def test_infinity_is_no_value(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=r"the labels of row 1 are \[inf\]: values are finite"):
        tables.read_table(parquet(tmp_path, a=[1.0, 2.0], label=[0.5, 1e300]))


def test_the_arrays_of_an_archive_say_their_kind_themselves(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", inputs=np.eye(2), labels=np.array([0.5, 1.0]))
    assert tables.read_table(tmp_path / "a.npz").labels_kind == "values"
    np.savez(tmp_path / "b.npz", inputs=np.eye(2), labels=np.array([0.0, 1.0]))
    with pytest.warns(TableWarning, match="floats that are all 0 or 1, and are taken as real val"):
        assert tables.read_table(tmp_path / "b.npz").labels_kind == "values"
    assert tables.read_table(tmp_path / "b.npz", kind="values").labels_kind == "values"
    assert tables.read_table(tmp_path / "b.npz", kind="logits").classes == ("0", "1")
    with pytest.raises(InputError, match=r"a\.npz does not take 2 labels"):
        tables.read_table(tmp_path / "a.npz", label=["a", "b"])


def test_values_from_elsewhere_follow_their_keys(tmp_path: Path) -> None:
    examples = tables.read_table(csv(tmp_path, "key,a\nx,1\ny,2\nz,3\n"))
    heights = csv(tmp_path, "key,height\nz,1.5\nx,2\n", "heights.csv")
    labelled = tables.labels_from(examples, heights, label="height")
    assert labelled.labels_kind == "values"
    assert labelled.labels[[0, 2]].tolist() == [[2.0], [1.5]]
    assert labelled.is_labelled.tolist() == [True, False, True]
    more = csv(tmp_path, "key,red,round\ny,0,1\n", "tags.csv")
    with pytest.raises(
        MismatchError, match="labels are of one form: those of tall are real values, those"
    ):
        tables.labels_from(labelled.named("tall"), more, label=["red"], kind="logits")
    tags = tables.labels_from(examples, more, label=["red", "round"])
    assert tags.labels.tolist() == [[-1, -1], [0, 1], [-1, -1]]


def test_a_number_far_below_may_be_wider_than_the_first(tmp_path: Path) -> None:
    rows = 150_000  # more than the megabyte that is parsed at a time
    examples = tables.read_table(csv(tmp_path, "key,a\n" + _numbered(rows) + f"{rows},0.5\n"))
    assert examples.inputs[-1, 0] == 0.5


def _numbered(rows: int) -> str:
    return "".join(f"{row},1\n" for row in range(rows))


def test_a_file_without_column_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExamplesError, match=r"has no column names: it begins with 5, 0, 0, \.\.\."):
        tables.read_table(csv(tmp_path, "5,0,0\n4,0,1\n"))
    assert tables.read_table(csv(tmp_path, "0,1,2\n5,0,0\n")).inputs.tolist() == [[5, 0, 0]]


def test_columns_without_a_name_of_their_own_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExamplesError, match=r"column 0 \(the first is 0\) of .* has no name"):
        tables.read_table(csv(tmp_path, ",a\n0,1\n"))
    with pytest.raises(ExamplesError, match="has several columns 'a'"):
        tables.read_table(csv(tmp_path, "a,a\n0,1\n"))


@pytest.mark.parametrize(
    ("content", "how", "error", "sentence"),
    [
        (b"a,b\n1,2\n2,\xff\n", {}, ExamplesError, "column 'b' of .* is not valid UTF-8, first in"),
        (b"a,b\n1,2\n2,\xff\n", {"columns": ["b"]}, ExamplesError, "column 'b' of .* is not valid"),
        (b"a,label\n1,x\n2,\xff\n", {}, ExamplesError, "column 'label' of .* not valid UTF-8, .*1"),
        (b"a,key\n1,x\n2,\xff\n", {}, CorruptError, "invalid UTF8 data: save the file as UTF-8"),
        (b"a,caf\xe9\n1,2\n", {}, CorruptError, r"the column names of .* are not valid UTF-8 \("),
        (b"a,b\n1,2\n2\n", {}, CorruptError, "cannot be read: .* Expected 2 columns, got 1: 2"),
        (b"a,b\n1,2\n2,3,4\n", {}, CorruptError, "cannot be read: .* Expected 2 columns, got 3: 2"),
    ],
)  # fmt: skip
def test_rows_that_are_ragged_or_no_utf8_are_refused(
    tmp_path: Path, content: bytes, how: dict[str, list[str]], error: type[Exception], sentence: str
) -> None:
    (tmp_path / "rows.csv").write_bytes(content)
    with pytest.raises(error, match=sentence):
        tables.read_table(tmp_path / "rows.csv", **how)  # type: ignore[arg-type]  # named by a parameter


def test_faults_that_examples_find_are_named(tmp_path: Path) -> None:
    with pytest.raises(ExamplesError, match=r"1 keys are not unique, the first is .*'x'"):
        tables.read_table(csv(tmp_path, "key,a\nx,1\nx,2\n"))
    with pytest.raises(ExamplesError, match="no examples"):
        tables.read_table(parquet(tmp_path, a=pa.array([], pa.float32())))
    with pytest.raises(ExamplesError, match="1 inputs hold NaN or infinity, the first in row 1"):
        tables.read_table(parquet(tmp_path, a=[1.0, 1e300]))
    with pytest.raises(ExamplesError, match="has no column left for the inputs"):
        tables.read_table(csv(tmp_path, "key,label\nx,1\n"))


def test_parquet_reads_like_csv_and_knows_categories(tmp_path: Path) -> None:
    path = parquet(
        tmp_path,
        key=[7, 8],
        label=pa.array(["b", "a"]).dictionary_encode(),
        a=[1, 2],
        yes=[True, False],
        when=pa.array([0, 1], pa.timestamp("s")),
        __index_level_0__=[5, 6],
    )
    examples = tables.read_table(path, columns=["when"])
    assert examples.inputs.tolist() == [[1, 1], [2, 0]]
    assert examples.keys.tolist() == ["7", "8"]
    assert examples.labels.tolist() == [1, 0]
    assert examples.columns["when"].dtype.kind == "M"


@given(
    st.lists(
        st.tuples(*[st.floats(width=32, allow_nan=False, allow_infinity=False)] * 2), min_size=1
    )
)
def test_csv_and_parquet_give_back_the_numbers(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float]]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    text = "a,b\n" + "".join(f"{a!r},{b!r}\n" for a, b in rows)
    expected = np.array(rows, np.float32)
    written = parquet(folder, a=[a for a, _ in rows], b=[b for _, b in rows])
    for path in (csv(folder, text), written):
        np.testing.assert_array_equal(tables.read_table(path).inputs, expected)


def test_one_array_is_inputs_of_any_shape(tmp_path: Path) -> None:
    inputs = np.arange(24).reshape(2, 3, 4)
    np.save(tmp_path / "a.npy", inputs)
    examples = tables.read_table(tmp_path / "a.npy")
    np.testing.assert_array_equal(examples.inputs, inputs)
    assert not examples.is_labelled.any()
    with pytest.raises(ExamplesError, match="one array of inputs; it has no 'y'"):
        tables.read_table(tmp_path / "a.npy", label="y")


@pytest.mark.parametrize("name", ["labels", "label"])
def test_an_archive_holds_everything_by_name(tmp_path: Path, name: str) -> None:
    np.savez_compressed(
        tmp_path / "a.npz",
        inputs=np.eye(3),
        keys=np.array(["x", "y", "z"]),
        groups=np.array([1, 1, 2]),
        classes=np.array(["no", "yes"]),
        day=np.array([4, 5, 6]),
        seed=np.array(7),
        **{name: np.array([0, 1, -1])},
    )
    examples = tables.read_table(tmp_path / "a.npz")
    assert examples.labels.tolist() == [0, 1, -1]
    assert examples.keys.tolist() == ["x", "y", "z"]
    assert examples.groups.tolist() == ["1", "1", "2"]
    assert examples.classes == ("no", "yes")
    assert examples.columns.keys() == {"day"}


def test_faults_of_an_archive_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.eye(3), labels=np.arange(2))
    with pytest.raises(ExamplesError, match=r"a\.npz has no array 'inputs'"):
        tables.read_table(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", inputs=np.eye(3), labels=np.arange(2))
    with pytest.raises(ExamplesError, match="there are 3 inputs but 2 labels"):
        tables.read_table(tmp_path / "a.npz")
    with pytest.raises(ExamplesError, match=r"no column 'lables'; did you mean 'labels'\?"):
        tables.read_table(tmp_path / "a.npz", label="lables")


def test_python_objects_are_never_unpickled(tmp_path: Path) -> None:
    objects = np.array(["a", None], dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", inputs=np.eye(2), labels=objects)
    with pytest.raises(ExamplesError, match=r"the array of .*a\.npy holds Python objects"):
        tables.read_table(tmp_path / "a.npy")
    with pytest.raises(ExamplesError, match=r"array 'labels' of .*a\.npz holds Python objects"):
        tables.read_table(tmp_path / "a.npz")


@pytest.mark.parametrize("ending", [".npy", ".npz", ".csv", ".parquet"])
@pytest.mark.parametrize("content", [b"", b"\x80\x04nonsense\n1,2\n", None])
def test_a_corrupt_file_is_named(tmp_path: Path, ending: str, content: bytes | None) -> None:
    path = tmp_path / f"rows{ending}"
    if content is None:
        content = _cut_short(path)
    path.write_bytes(content)
    with pytest.raises(CorruptError) as raised:
        tables.read_table(path)
    assert str(path) in str(raised.value)


def _cut_short(path: Path) -> bytes:
    match path.suffix:
        case ".npy":
            np.save(path, np.eye(9))
        case ".npz":
            np.savez(path, inputs=np.eye(9))
        case ".csv":
            path.write_text("a,b\n1,2\n3,4")
        case _:
            pq.write_table(pa.table({"a": [1.0]}), path)
    return path.read_bytes()[: -2 if path.suffix == ".csv" else -30]


def test_altered_bytes_of_an_archive_are_found(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, inputs=np.eye(50))
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptError, match=r"array 'inputs' of .* cannot be read: Bad CRC-32"):
        tables.read_table(path)


def test_files_that_are_absent_or_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=f"there is no file {tmp_path / 'gone.csv'}"):
        tables.read_table(tmp_path / "gone.csv")
    with pytest.raises(InputError, match=r"ends in '\.xlsx'; rows are read from \.npy, \.npz"):
        tables.read_table(csv(tmp_path, ROWS, "rows.xlsx"))


def test_labels_from_elsewhere_follow_their_keys(tmp_path: Path) -> None:
    examples = tables.read_table(csv(tmp_path, "key,a\nx,1\ny,2\nz,3\n"))
    labels = csv(tmp_path, "kind,id,note\ndog,z,good\ncat,x,bad\n", "labels.csv")
    labelled = tables.labels_from(examples, labels, label="kind", key="id")
    assert labelled.labels.tolist() == [0, -1, 1]
    assert labelled.classes == ("cat", "dog")
    assert labelled.source == ""
    np.savez(tmp_path / "labels.npz", labels=np.array([1]), keys=np.array(["y"]))
    more = tables.labels_from(labelled, tmp_path / "labels.npz")
    assert more.labels.tolist() == [0, 1, 1]


def test_labels_that_fit_no_example_are_refused(tmp_path: Path) -> None:
    examples = tables.read_table(csv(tmp_path, "key,a\nx,1\ny,2\n"))
    with pytest.raises(MismatchError) as raised:
        tables.labels_from(examples, csv(tmp_path, "key,label\nx,1\nw,0\n", "labels.csv"))
    assert "labels 1 keys that rows.csv does not have, the first is 'w'" in str(raised.value)
    for text in ("key,a\nx,1\n", "label,a\n1,1\n"):
        with pytest.raises(ExamplesError, match="labels nothing: it needs columns 'label' and"):
            tables.labels_from(examples, csv(tmp_path, text, "labels.csv"))
    with pytest.raises(ExamplesError, match="1 keys are not unique"):
        tables.labels_from(examples, csv(tmp_path, "key,label\nx,1\nx,0\n", "labels.csv"))
