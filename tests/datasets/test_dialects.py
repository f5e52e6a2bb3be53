"""CSV files as Excel and others write them are read for what they are, and it is said."""

from pathlib import Path

import numpy as np
import pytest

import limbeck
from limbeck.errors import CorruptError, ExamplesError, TableWarning

ROWS = [("r0", 0.126, -0.25, "no"), ("r1", 1.5, 2.0, "yes"), ("r2", -3.25, 1.0, "no")]


def written(
    path: Path, separator: str = ",", encoding: str = "utf-8", end: str = "\n", decimal: str = "."
) -> Path:
    lines = [["key", "a", "b", "label"]]
    lines += [[k, f"{a}", f"{b}", name] for k, a, b, name in ROWS]
    lines[1:] = [
        [k, a.replace(".", decimal), b.replace(".", decimal), n] for k, a, b, n in lines[1:]
    ]
    text = end.join(separator.join(line) for line in lines) + end
    path.write_bytes(text.encode(encoding))
    return path


OTHERS = {
    "semicolons": ({"separator": ";"}, "with cells separated by ';'$"),
    "Excel in German": (
        {"separator": ";", "decimal": ","},
        "with cells separated by ';', decimal commas$",
    ),
    "tabs": ({"separator": "\t"}, r"with cells separated by '\\t'$"),
    "bars": ({"separator": "|"}, r"with cells separated by '\|'$"),
    "UTF-16": ({"encoding": "utf-16"}, "with UTF-16$"),
    "Excel's Unicode text": (
        {"encoding": "utf-16", "separator": "\t"},
        r"with cells separated by '\\t', UTF-16$",
    ),
}


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("how", OTHERS)
def test_a_dialect_is_read_and_said(
    tmp_path: Path, how: str, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIMBECK_CACHE", str(tmp_path / "cache"))
    if large:
        monkeypatch.setattr("limbeck.datasets._table_file.is_large", lambda _: True)
    options, told = OTHERS[how]
    plain = limbeck.read(written(tmp_path / "plain.csv"))
    with pytest.warns(TableWarning, match=told):
        other = limbeck.read(written(tmp_path / "other.csv", **options))  # type: ignore[arg-type]
    np.testing.assert_array_equal(other.inputs[:], plain.inputs[:])
    assert (other.classes, other.keys.tolist()) == (plain.classes, plain.keys.tolist())
    assert other.features == ("a", "b")
    assert other.labels.tolist() == plain.labels.tolist()


def test_a_mark_before_utf8_and_windows_ends_of_lines_need_no_word(tmp_path: Path) -> None:
    bom = limbeck.read(written(tmp_path / "bom.csv", encoding="utf-8-sig", end="\r\n"))
    assert bom.features == ("a", "b")


def test_another_encoding_is_named_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("a,label\n1,caf\xe9\n2,tea\n".encode("latin-1"))
    with pytest.raises(
        (ExamplesError, CorruptError), match=r"not valid UTF-8.*save the file as UTF-8"
    ):
        limbeck.read(tmp_path / "a.csv")


def test_a_table_of_one_column_has_no_separator(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n2\n")
    assert limbeck.read(tmp_path / "a.csv").features == ("a",)


def test_a_mark_for_missing_values_is_shown_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,label\n1,0\n?,1\n3,0\n")
    with pytest.raises(ExamplesError, match=r"first '\?' in row 1 .*leave the cell empty and fill"):
        limbeck.read(tmp_path / "a.csv")


def test_row_numbers_of_pandas_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Unnamed: 0,a,label\n0,1.5,0\n1,2.5,1\n")
    with pytest.warns(TableWarning, match=r"'Unnamed: 0' .* index=False, or keep it beside"):
        assert limbeck.read(tmp_path / "a.csv").features == ("Unnamed: 0", "a")
    kept = limbeck.read(tmp_path / "a.csv", columns=["Unnamed: 0"])
    assert kept.features == ("a",)
