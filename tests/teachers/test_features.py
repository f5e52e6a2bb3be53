"""Columns of a table are found by name: in another order a teacher says the same of a row."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from limbeck import (
    Examples,
    Plan,
    evaluate,
    export,
    live,
    objectives,
    read,
    score,
    students,
    teachers,
    train,
)
from limbeck.errors import ExamplesError, MismatchError
from limbeck.teachers.fitted._model_file import named_features

pandas = pytest.importorskip("pandas", reason="needs limbeck[pandas]")
CLASSES = ("bad", "good")


@pytest.fixture(scope="module")
def frame():
    drawn = np.random.default_rng(0)
    table = {"balance": drawn.normal(size=300), "age": drawn.uniform(0, 100, 300)}
    return pandas.DataFrame(table)


@pytest.fixture(scope="module")
def labels(frame):
    return np.where(frame.balance > 0, "good", "bad")


def opened(frame, labels, place: Path, order, ending=".csv") -> Examples:
    table = frame[list(order)].assign(label=labels)
    table.insert(0, "key", [f"r{row}" for row in range(len(table))])
    file = place / f"{'-'.join(order)}{ending}"
    if ending == ".csv":
        table.to_csv(file, index=False)
    else:
        table.to_parquet(file, index=False)
    return read(str(file))


def models(frame, labels):
    codes = (labels == "good").astype(int)
    yield "forest", teachers.sklearn(RandomForestClassifier(20, random_state=0).fit(frame, labels))
    lightgbm = pytest.importorskip("lightgbm", reason="needs limbeck[trees]")
    how = {"objective": "binary", "verbosity": -1}
    booster = lightgbm.train(how, lightgbm.Dataset(frame, codes), 20)
    yield "lightgbm", teachers.lightgbm(booster, CLASSES)
    xgboost = pytest.importorskip("xgboost", reason="needs limbeck[trees]")
    yield (
        "xgboost",
        teachers.xgboost(xgboost.XGBClassifier(n_estimators=20).fit(frame, codes), CLASSES),
    )


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.slow
def test_every_teacher_with_names_says_the_same_of_a_table_in_another_order(
    frame, labels, ending, tmp_path
):
    straight = opened(frame, labels, tmp_path, ["balance", "age"], ending)
    swapped = opened(frame, labels, tmp_path, ["age", "balance"], ending)
    assert (straight.features, swapped.features) == (("balance", "age"), ("age", "balance"))
    for name, teacher in models(frame, labels):
        assert teacher.features == ("balance", "age"), name
        rows, first = np.arange(300), np.zeros(300, int)
        one, other = (
            score(teacher, table, to=tmp_path / f"{name}-{at}").read(rows, first)
            for at, table in enumerate((straight, swapped))
        )
        np.testing.assert_array_equal(one, other)
        report = evaluate({"teacher": teacher}, swapped)
        assert report.rows[0]["metrics"]["accuracy"]["mean"] > 0.97, name
        batch = live(teacher, swapped).batch(rows, first)
        np.testing.assert_allclose(batch.scores, one, atol=0.02)
        both = teachers.ensemble([teacher, teacher])
        assert evaluate({"teacher": both}, swapped).rows[0]["metrics"]["accuracy"]["mean"] > 0.97


def test_a_run_keeps_the_names_and_is_evaluated_by_them(frame, labels, tmp_path):
    straight = opened(frame, labels, tmp_path, ["balance", "age"])
    swapped = opened(frame, labels, tmp_path, ["age", "balance"])
    test = swapped.take(np.arange(200, 300))
    plan = Plan(epochs=40, batch=32, learning_rate=0.01)
    taught = straight.take(np.arange(200))
    run = train(students.mlp([16]), taught, objectives.Labels(), to=tmp_path / "r", plan=plan)
    assert tuple(run.record.features) == ("balance", "age")
    assert evaluate({"net": run}, test).rows[0]["metrics"]["accuracy"]["mean"] > 0.9
    with pytest.raises(
        MismatchError, match=r"columns \(balance, age\) in that order, .*\(age, bal"
    ):
        export(run, to=tmp_path / "a.safetensors", check=test)
    export(run, to=tmp_path / "a.safetensors", check=straight)


def test_columns_that_are_not_there_are_refused_with_both_lists(frame, labels, tmp_path):
    other = opened(frame.rename(columns={"age": "years"}), labels, tmp_path, ["years", "balance"])
    _, forest = next(models(frame, labels))
    sentence = (
        r"learned from the columns \(balance, age\), and years-balance.csv has \(years, balance\): "
        r"it lacks \(age\); give the columns those names"
    )
    with pytest.raises(MismatchError, match=sentence):
        score(forest, other, to=tmp_path / "s")
    assert not (tmp_path / "s").exists()
    with pytest.raises(MismatchError, match="the model teacher learned from the columns"):
        evaluate({"teacher": forest}, other)


def test_further_columns_are_the_students_alone(frame, labels, tmp_path):
    wider = opened(frame.assign(more=1.0), labels, tmp_path, ["more", "age", "balance"])
    _, forest = next(models(frame, labels))
    assert evaluate({"teacher": forest}, wider).rows[0]["metrics"]["accuracy"]["mean"] > 0.97


def test_who_learned_from_an_array_is_asked_by_position(frame, labels, tmp_path):
    table = opened(frame, labels, tmp_path, ["balance", "age"])
    nameless = RandomForestClassifier(20, random_state=0).fit(frame.to_numpy(), labels)
    assert teachers.sklearn(nameless).features == ()
    assert (
        evaluate({"t": teachers.sklearn(nameless)}, table).rows[0]["metrics"]["accuracy"]["mean"]
        > 0.97
    )


@pytest.mark.parametrize(
    "names", [None, [], ["Column_0", "Column_1"], ["f0", "f1"], ["0", "1"], ["x0", "x1"]]
)
def test_what_a_library_calls_the_columns_of_an_array_is_no_name(names):
    assert named_features(names) == ()


def test_sets_in_another_order_are_not_joined_and_names_are_counted(frame, labels, tmp_path):
    straight = opened(frame, labels, tmp_path, ["balance", "age"])
    swapped = opened(frame, labels, tmp_path, ["age", "balance"])
    with pytest.raises(MismatchError, match="put them in one order"):
        straight.joined(swapped)
    with pytest.raises(ExamplesError, match="there are 2 inputs but 1 names of features"):
        Examples.of(np.zeros((3, 2)), features=["a"])
