"""A table of scores made elsewhere teaches by key, and never by position."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet
from worlds import CLASSES, blobs, rule

from limbeck import Examples, Plan, evaluate, live, objectives, score, students, teachers, train
from limbeck.errors import (
    CorruptError,
    ExamplesError,
    InputError,
    MismatchError,
    MissingError,
    TeacherError,
)
from limbeck.examples.views import Mixup

POINTS = blobs(50)
SAID = rule(POINTS.inputs)
TURNED = ("star", "round", "square")


def columns(keys=POINTS.keys, scores=SAID, classes=CLASSES, key="key"):
    """The table as columns, in an order of its own."""
    order = np.random.default_rng(0).permutation(len(keys))
    found = {name: scores[order, at] for at, name in enumerate(classes)}
    return pa.table({key: np.asarray(keys)[order].tolist(), **found})


def write(path, table=None):
    """A file of that ending with the scores of the points."""
    given = columns() if table is None else table
    if path.suffix == ".csv":
        csv.write_csv(given, path)
    elif path.suffix == ".parquet":
        parquet.write_table(given, path)
    else:
        order = np.random.default_rng(1).permutation(len(POINTS))
        np.savez(path, keys=POINTS.keys[order], scores=SAID[order], classes=np.array(CLASSES))
    return path


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".npz"])
@pytest.mark.parametrize("classes", [(), CLASSES, TURNED], ids=["own", "same", "turned"])
def test_a_score_is_found_by_its_key_and_class(ending, classes, tmp_path):
    teacher = teachers.scores(write(tmp_path / f"said{ending}"), classes)
    assert teacher.classes == (classes or CLASSES)
    at = [CLASSES.index(name) for name in teacher.classes]
    part = POINTS.take(np.array([31, 4, 17]))
    np.testing.assert_allclose(teacher.answers(part, "t"), rule(part.inputs)[:, at], rtol=1e-6)
    again = teachers.from_text(teacher.source)
    assert again.fingerprint == teacher.fingerprint


def test_a_table_scores_trains_and_is_evaluated_as_the_teacher_it_was_made_by(tmp_path):
    table = teachers.scores(write(tmp_path / "said.parquet"), name="said")
    known = teachers.function(rule, CLASSES, name="rule")
    one = score(table, POINTS, to=tmp_path / "table")
    other = score(known, POINTS, to=tmp_path / "rule")
    rows, views = np.arange(50), np.zeros(50, int)
    np.testing.assert_array_equal(one.read(rows, views), other.read(rows, views))
    plan, soft = Plan(epochs=2), objectives.SoftTargets(2)
    runs = [
        train(students.mlp([4]), given, soft, to=tmp_path / name, plan=plan, control=False)
        for name, given in {"a": one, "b": other, "c": live(table, POINTS, count=1)}.items()
    ]
    weights = [[*run.model().state_dict().values()] for run in runs]
    assert all((a == b).all() and (b == c).all() for a, b, c in zip(*weights, strict=True))
    report = evaluate({"table": table, "rule": known}, POINTS, reference="rule")
    first, second = (report.row(name) for name in ("table", "rule"))
    assert first["metrics"] == second["metrics"]
    assert "latency_ms" in second
    assert "latency_ms" not in first
    assert "said" in str(report) or "table" in str(report)


def test_a_table_is_a_member_of_an_ensemble(tmp_path):
    table = teachers.scores(write(tmp_path / "said.csv"), TURNED)
    known = teachers.function(lambda x: 2 * rule(x), CLASSES, name="rule")
    mixed = teachers.ensemble([known, table])
    plain = teachers.ensemble([known, teachers.function(rule, CLASSES, name="one")])
    np.testing.assert_allclose(mixed.answers(POINTS, "m"), plain.answers(POINTS, "p"), rtol=1e-5)
    turned = teachers.ordered(mixed, TURNED)
    np.testing.assert_array_equal(
        turned.answers(POINTS, "m"), mixed.answers(POINTS, "m")[:, [2, 0, 1]]
    )
    with pytest.raises(
        MismatchError, match="has no scores of 60 of the 60 examples of others, the"
    ):
        mixed.answers(blobs(60, name="others"), "m")


def test_the_order_of_the_rows_changes_nothing_and_a_score_does(tmp_path):
    prints = set()
    for keys, scores in [(POINTS.keys, SAID), (POINTS.keys[::-1], SAID[::-1])]:
        write(tmp_path / "said.csv", columns(keys, scores))
        prints.add(teachers.scores(tmp_path / "said.csv").fingerprint)
    assert len(prints) == 1
    write(tmp_path / "said.csv", columns(scores=SAID + 1))
    assert teachers.scores(tmp_path / "said.csv").fingerprint not in prints


def test_keys_are_text_and_a_key_may_have_another_name(tmp_path):
    keys = [f"{row:03}" for row in range(50)]
    points = Examples.of(POINTS.inputs, keys=keys, classes=CLASSES)
    write(tmp_path / "said.csv", columns(keys, key="id"))
    teacher = teachers.scores(tmp_path / "said.csv", key="id")
    np.testing.assert_allclose(teacher.answers(points, "t"), SAID, rtol=1e-6)
    assert "key='id'" in teacher.source


def test_columns_that_are_no_classes_are_left_out_by_naming_the_classes(tmp_path):
    table = columns().append_column("note", pa.array(["x"] * 50))
    teacher = teachers.scores(write(tmp_path / "said.csv", table), CLASSES)
    np.testing.assert_allclose(teacher.answers(POINTS, "t"), SAID, rtol=1e-6)
    with pytest.raises(TeacherError, match=r"column 'note' of .*said.csv holds string, not scores"):
        teachers.scores(tmp_path / "said.csv")


def test_rows_without_keys_are_those_of_the_examples_or_nobodys(tmp_path):
    np.save(tmp_path / "said.npy", SAID)
    points = Examples.of(POINTS.inputs, classes=CLASSES, name="points")
    for given in (tmp_path / "said.npy", SAID):
        teacher = teachers.scores(given, CLASSES)
        np.testing.assert_array_equal(teacher.answers(points, "t"), SAID)
        for other in (points.take(np.arange(50)[::-1]), points.take(np.arange(49)), POINTS):
            with pytest.raises(
                MismatchError, match=r"50 rows and no keys, and the .* are not 0 to"
            ):
                score(teacher, other, to=tmp_path / "s")
    assert teachers.from_text(str(tmp_path / "said.npy"), CLASSES).classes == CLASSES
    assert teachers.scores(SAID, CLASSES).source == ""


def test_a_table_answers_about_no_view(tmp_path):
    table = teachers.scores(write(tmp_path / "said.csv"))
    sentence = r"said.csv cannot answer about the view mixup.*as they are, not of views"
    for teacher in (table, teachers.ensemble([table])):
        with pytest.raises(InputError, match=sentence):
            score(teacher, POINTS, to=tmp_path / "s", views=Mixup())
        with pytest.raises(InputError, match=sentence):
            live(teacher, POINTS, views=Mixup())
    with pytest.raises(TeacherError, match="answers by key, not by input"):
        table.predict(POINTS.inputs)


def test_examples_without_scores_are_counted_and_one_is_named(tmp_path):
    write(tmp_path / "said.csv", columns(POINTS.keys[:47], SAID[:47]))
    table = teachers.scores(tmp_path / "said.csv")
    sentence = "no scores of 3 of the 50 examples of blobs, the first is 'blobs-47'; its 47 keys ar"
    with pytest.raises(MismatchError, match=sentence):
        score(table, POINTS, to=tmp_path / "s")
    with pytest.raises(MismatchError, match=sentence):
        live(table, POINTS)
    with pytest.raises(MismatchError, match=sentence):
        evaluate({"table": table}, POINTS)
    assert not (tmp_path / "s").exists()


def not_a_number():
    scores = SAID.copy()
    scores[3, 1] = np.nan
    return columns(scores=scores)


@pytest.mark.parametrize(
    ("table", "classes", "error", "sentence"),
    [
        (not_a_number(), (), TeacherError, "1 scores in .* are NaN or empty, the first of class "
         "'square' and example 'blobs-3'"),
        (columns(["a"] * 50), (), TeacherError, r"1 keys of .* the first is 'a' \(50 times\)"),
        (columns(), ("round", "sqare"), MismatchError, r"no column for \(sqare\) of the classes "
         r"\(round, sqare\); its columns are \(round, square, star\): did you mean 'square'"),
        (columns(key="kee"), (), ExamplesError, "has no column 'key'; did you mean 'kee'"),
        (columns().set_column(1, "round", pa.array([None] + [1.0] * 49)), (), TeacherError,
         "1 scores in .* are NaN or empty, the first of class 'round'"),
        (columns().set_column(1, "round", pa.nulls(50)), (), TeacherError, "holds null, not scor"),
        (columns().select(["key"]), (), TeacherError, "holds no scores"),
        (columns(keys=[""] * 50), (), ExamplesError, "column 'key' of .* is empty in row 0"),
    ],
    ids=["nan", "twice", "class", "key", "empty", "nothing", "none", "nameless"],
)  # fmt: skip
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_table_that_cannot_be_used_says_why(table, classes, error, sentence, ending, tmp_path):
    with pytest.raises(error, match=sentence):
        teachers.scores(write(tmp_path / f"said{ending}", table), classes)


def test_arrays_that_are_no_table_of_scores_say_why(tmp_path):
    path = tmp_path / "said.npz"
    np.savez(path, keys=POINTS.keys)
    with pytest.raises(
        TeacherError, match="has no array 'scores'; a table of scores has 'keys' and"
    ):
        teachers.scores(path)
    np.savez(path, keys=POINTS.keys, scores=SAID)
    assert teachers.scores(path, CLASSES).classes == CLASSES
    with pytest.raises(TeacherError, match=r"said.npz does not name the classes of its columns"):
        teachers.scores(path)
    with pytest.raises(
        TeacherError, match=r"has 3 scores for each example, and 2 classes are name"
    ):
        teachers.scores(path, ("a", "b"))
    np.savez(path, keys=POINTS.keys[:7], scores=SAID)
    with pytest.raises(TeacherError, match=r"has 50 rows of scores and keys of \(7,\)"):
        teachers.scores(path, CLASSES)
    np.savez(path, keys=POINTS.keys, scores=SAID[:, 0])
    with pytest.raises(
        TeacherError, match=r"are numbers \(examples, classes\), not float32 \(50,\)"
    ):
        teachers.scores(path, CLASSES)
    with pytest.raises(TeacherError, match="the table of scores holds no scores"):
        teachers.scores(np.empty((0, 3), np.float32), CLASSES)


def test_files_that_are_no_table_say_why(tmp_path):
    with pytest.raises(MissingError, match=r"there is no file .*gone.csv"):
        teachers.scores(tmp_path / "gone.csv")
    Path(tmp_path / "said.xls").touch()
    with pytest.raises(InputError, match=r"ends in '.xls'; tables of scores are"):
        teachers.scores(tmp_path / "said.xls")
    (tmp_path / "said.npz").write_bytes(b"PK")
    with pytest.raises(CorruptError, match=r"said.npz is not a whole .npz file"):
        teachers.scores(tmp_path / "said.npz")


def test_infinity_in_a_table_is_refused_when_it_is_asked_for(tmp_path):
    scores = SAID.copy()
    scores[3, 1] = np.inf
    table = teachers.scores(write(tmp_path / "said.parquet", columns(scores=scores)))
    with pytest.raises(TeacherError, match=r"NaN or infinity for 1 of .*, the first is 'blobs-3'"):
        score(table, POINTS, to=tmp_path / "s")
