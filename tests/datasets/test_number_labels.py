"""Labels that are numbers are what the file says: names, or positions where they can be such."""

import numpy as np
import pytest

from limbeck.datasets import tables, text
from limbeck.errors import LabelsError, TableWarning

pyarrow = pytest.importorskip("pyarrow", reason="needs limbeck[parquet]")

# The column, the classes that are given, the class names and what each row is.
COLUMNS = [
    ([-1, 1, 1], (), ("-1", "1"), ["-1", "1", "1"]),
    ([-1, 1, 1], ("-1", "1"), ("-1", "1"), ["-1", "1", "1"]),
    ([1, -1, 1], ("1", "-1"), ("1", "-1"), ["1", "-1", "1"]),
    ([3, 1, 2], (), ("1", "2", "3"), ["3", "1", "2"]),
    ([3, 1, 1], ("1", "2", "3"), ("1", "2", "3"), ["3", "1", "1"]),
    ([35, 10, 20], (), ("10", "20", "35"), ["35", "10", "20"]),
    ([2, 10, 2], (), ("2", "10"), ["2", "10", "2"]),
    ([0, 2, 1], (), ("0", "1", "2"), ["0", "2", "1"]),
    ([0, 1, 1], ("no", "yes"), ("no", "yes"), ["no", "yes", "yes"]),
    ([-1, 0, 1], ("-1", "0", "1"), ("-1", "0", "1"), ["-1", "0", "1"]),
    ([1, None, 2], (), ("1", "2"), ["1", None, "2"]),
]


def read_back(examples) -> list[str | None]:
    return [examples.classes[at] if at >= 0 else None for at in examples.labels]


def written(tmp_path, ending, column):
    file, rows = tmp_path / f"a.{ending}", range(len(column))
    cells = ["" if cell is None else str(cell) for cell in column]
    if ending == "csv":
        lines = [f"{row}.5,{cell}" for row, cell in zip(rows, cells, strict=True)]
        file.write_text("\n".join(["a,label", *lines]) + "\n")
    else:
        table = pyarrow.table({"a": [row + 0.5 for row in rows], "label": column})
        pyarrow.parquet.write_table(table, file)
    return file


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(("column", "classes", "names", "expected"), COLUMNS)
def test_a_row_has_the_label_that_the_file_says(ending, column, classes, names, expected, tmp_path):
    examples = tables.read_table(written(tmp_path, ending, column), classes=classes)
    assert examples.classes == names
    assert read_back(examples) == expected


def test_texts_have_them_too(tmp_path):
    (tmp_path / "a.jsonl").write_text(
        "\n".join(f'{{"text": "t{n}", "label": {n}}}' for n in (-1, 1)) + "\n"
    )
    examples = text.read_texts(tmp_path / "a.jsonl")
    assert (examples.classes, read_back(examples)) == (("-1", "1"), ["-1", "1"])


def test_a_csvs_zeros_before_a_number_stay(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("a,label\n1,002\n2,001\n3,\n")
    for classes in ((), ("001", "002")):
        examples = tables.read_table(file, classes=classes)
        assert examples.classes == ("001", "002")
        assert read_back(examples) == ["002", "001", None]


def test_minus_one_beside_positions_is_no_label_and_that_is_said(tmp_path):
    file = written(tmp_path, "csv", [-1, 0, 1, -1])
    with pytest.warns(TableWarning, match=r"holds -1 in 2 rows, .* classes=\['-1', \.\.\.\]"):
        examples = tables.read_table(file)
    assert read_back(examples) == [None, "0", "1", None]
    named = tables.read_table(file, classes=["-1", "0", "1"])
    assert read_back(named) == ["-1", "0", "1", "-1"]


def test_minus_one_that_may_be_one_or_none_is_refused_with_a_remedy_that_works(tmp_path):
    file = written(tmp_path, "parquet", [-1, 1, 2])
    with pytest.raises(LabelsError, match=r"holds -1 beside 1, 2: is it a class, or no label\?"):
        tables.read_table(file)
    assert read_back(tables.read_table(file, classes=["-1", "1", "2"])) == ["-1", "1", "2"]
    assert np.isnan(tables.read_table(file, kind="values").labels).sum() == 0
