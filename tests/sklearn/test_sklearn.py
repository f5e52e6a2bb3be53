import pickle
import warnings

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_blobs, make_moons
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from limbeck import Run
from limbeck.datasets import Columns
from limbeck.deployment import temperature_of
from limbeck.errors import (
    ExamplesError,
    InputError,
    LabelsError,
    MismatchError,
    StudentWarning,
    TableWarning,
    TeacherError,
)
from limbeck.sklearn import DistilledClassifier, DistilledRegressor
from limbeck.sklearn._one_hot import OneHot

TINY = {"student": "mlp([16])", "rows_per_row": 1, "epochs": 8, "batch": 32, "random_state": 0}
CHECKED = {**TINY, "rows_per_row": 2, "epochs": 10, "learning_rate": 0.01}
QUICK = {**TINY, "epochs": 2, "control": False}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # odd data on purpose: the checks read errors alone
@parametrize_with_checks(
    [
        DistilledClassifier(DecisionTreeClassifier(random_state=0), **CHECKED),
        DistilledRegressor(DecisionTreeRegressor(random_state=0), **CHECKED),
    ]
)
def test_scikit_learns_own_checks_pass(estimator, check):
    check(estimator)


def forest(trees: int = 30) -> RandomForestClassifier:
    return RandomForestClassifier(trees, min_samples_leaf=3, random_state=0)


@pytest.fixture(scope="module")
def moons():
    rows, labels = make_moons(700, noise=0.25, random_state=0)
    names = np.array(["north", "south"])[labels]
    return rows[:500], names[:500], rows[500:], names[500:]


@pytest.fixture(scope="module")
def distilled(moons):
    rows, labels, _, _ = moons
    made = DistilledClassifier(
        forest(), "mlp([32])", rows_per_row=5, epochs=15, learning_rate=0.02, random_state=0
    )
    return made.fit(rows, labels)


def test_the_student_answers_as_its_teacher_does(distilled, moons):
    _, _, rows, labels = moons
    agreement = np.mean(distilled.predict(rows) == distilled.teacher_.predict(rows))
    assert agreement > 0.93
    assert distilled.score(rows, labels) > distilled.teacher_.score(rows, labels) - 0.03
    assert set(distilled.predict(rows)) == {"north", "south"}


def test_with_labels_teacher_student_and_control_are_reported_on_rows_none_has_seen(distilled):
    assert set(distilled.report_) == {"teacher", "student", "control"}
    assert distilled.report_["teacher"]["agreement"] == 1.0
    for of in distilled.report_.values():
        assert 0.7 < of["accuracy"] <= 1
        assert of["nats"] > 0
    assert distilled.control_ is not None


def test_with_labels_a_clone_is_fitted_and_without_them_the_teacher_is_used_as_it_is(moons):
    rows, labels, _, _ = moons
    given = forest(5)
    made = DistilledClassifier(given, **QUICK).fit(rows[:80], labels[:80])
    assert made.teacher_ is not given
    assert not hasattr(given, "classes_")
    fitted = forest(5).fit(rows, labels)
    made = DistilledClassifier(fitted, **QUICK).fit(rows[:80])
    assert made.teacher_ is fitted
    assert made.control_ is None
    assert made.report_ == {}
    assert made.classes_.tolist() == ["north", "south"]


def test_a_frozen_teacher_stays_as_it_is_inside_a_pipeline_and_its_clone(moons):
    rows, labels, _, _ = moons
    scaler = StandardScaler().fit(rows)
    fitted = forest(5).fit(scaler.transform(rows), labels)
    student = DistilledClassifier(FrozenEstimator(fitted), **QUICK)
    pipeline = clone(make_pipeline(StandardScaler(), student)).fit(rows, labels)
    assert pipeline[-1].teacher_.estimator is fitted
    assert pipeline.predict(rows[:3]).shape == (3,)


def test_it_goes_through_a_pipeline_and_cross_validation(moons):
    rows, labels, _, _ = moons
    student = DistilledClassifier(forest(10), **{**TINY, "control": False, "learning_rate": 0.02})
    found = cross_val_score(make_pipeline(StandardScaler(), student), rows, labels, cv=2)
    assert found.min() > 0.75


def test_the_same_random_state_gives_the_same_student(moons):
    rows, labels, _, _ = moons
    made = [
        DistilledClassifier(forest(5), **{**QUICK, "random_state": state}).fit(rows, labels)
        for state in (1, 1, 2)
    ]
    first, again, other = (one.predict_proba(rows) for one in made)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def nats(logits: np.ndarray, labels: np.ndarray) -> float:
    return float(-log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())


@pytest.mark.parametrize("objective", ["SoftTargets(temperature=8)", "LogitStandardization(1)"])
@pytest.mark.slow
def test_the_temperature_makes_new_rows_more_probable_where_an_objective_scales_logits(
    objective, moons
):
    rows, names, new, new_names = moons
    made = DistilledClassifier(forest(), objective=objective, **{**TINY, "learning_rate": 0.01})
    made.fit(rows, names)
    assert made.temperature_ != 1
    calibrated = np.log(made.predict_proba(new))
    raw = made._outputs(new) * made.temperature_
    labels = (new_names == "south").astype(int)
    assert nats(calibrated, labels) < nats(raw, labels)


def test_the_temperature_is_found_where_it_is_known_and_never_makes_held_out_rows_worse():
    logits = np.random.default_rng(0).normal(size=(4000, 3)) * 3
    assert temperature_of(logits * 2.5, softmax(logits, axis=1)) == pytest.approx(2.5, rel=1e-3)
    assert temperature_of(logits, softmax(logits, axis=1)) == pytest.approx(1, rel=1e-3)


def test_the_decision_function_is_the_log_odds_of_the_probabilities(distilled, moons):
    new = moons[2]
    probabilities = distilled.predict_proba(new)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    odds = np.log(probabilities[:, 1] / probabilities[:, 0])
    np.testing.assert_allclose(distilled.decision_function(new), odds, atol=1e-9)
    rows, labels = make_blobs(90, centers=3, random_state=0)
    three = DistilledClassifier(forest(5), **QUICK).fit(rows, labels)
    np.testing.assert_allclose(
        softmax(three.decision_function(rows), axis=1), three.predict_proba(rows)
    )


@pytest.mark.slow
def test_an_exported_student_gives_the_calibrated_probabilities(moons, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs limbeck[export]")
    rows, labels, new, _ = moons
    how = {**TINY, "objective": "SoftTargets(temperature=8)"}
    made = DistilledClassifier(forest(5), **how).fit(rows, labels)
    again = pickle.loads(pickle.dumps(made))  # noqa: S301  its own
    exported = again.export(tmp_path / "student.onnx")
    assert exported.agreement == 1.0
    session = onnxruntime.InferenceSession(str(exported.path))
    inputs = made.encode(new).astype(np.float32)
    scores = session.run(["scores"], {"inputs": inputs})[0]
    np.testing.assert_allclose(softmax(scores, axis=1), made.predict_proba(new), atol=1e-4)
    assert "the temperature found on" in (tmp_path / "student.onnx.md").read_text()


def test_a_directory_keeps_the_run_and_the_control(moons, tmp_path):
    rows, labels, _, _ = moons
    made = DistilledClassifier(forest(5), directory=tmp_path, **TINY).fit(rows, labels)
    assert isinstance(made.control_, Run)
    kept = Run.open(tmp_path / "student")
    assert kept.manifest["calibration"]["temperature"] == made.temperature_
    assert kept.control is not None
    again = clone(made).fit(rows, labels)
    np.testing.assert_array_equal(again.predict_proba(rows), made.predict_proba(rows))


# --- nominal columns and missing values ----------------------------------------------------------


def people(rows: int = 240, missing: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    drawn = np.random.default_rng(0)
    table = np.empty((rows, 3), dtype=object)
    table[:, 0] = drawn.normal(40, 10, rows)
    table[:, 1] = drawn.choice(np.array(["cook", "nurse", "smith"], dtype=object), rows)
    table[:, 2] = drawn.integers(0, 90, rows)
    labels = (table[:, 1] == "nurse") | (table[:, 0].astype(float) > 50)
    table[drawn.random(table.shape) < missing] = np.nan
    return table, labels


@pytest.mark.slow
def test_the_teacher_sees_text_as_the_table_has_it_and_the_student_sees_it_one_hot():
    table, labels = people()
    columns = ColumnTransformer([("job", OneHotEncoder(), [1])], remainder="passthrough")
    teacher = make_pipeline(columns, forest(20))
    made = DistilledClassifier(teacher, **{**TINY, "rows_per_row": 4, "learning_rate": 0.02})
    made.fit(table, labels)
    assert made._one_hot.names == ("0", "1=cook", "1=nurse", "1=smith", "2")
    assert made.encode(table).shape == (240, 5)
    assert np.mean(made.predict(table) == made.teacher_.predict(table)) > 0.9
    unknown = table[:1].copy()
    unknown[0, 1] = "king"
    assert made.encode(unknown)[0, 1:4].sum() == 0


@pytest.mark.slow
def test_a_data_frame_goes_to_the_teacher_as_it_is():
    pandas = pytest.importorskip("pandas", reason="needs limbeck[pandas]")
    table, labels = people()
    frame = pandas.DataFrame(
        {
            "age": table[:, 0].astype(float),
            "job": pandas.Categorical(table[:, 1]),
            "number": table[:, 2].astype(int),
        }
    )
    columns = ColumnTransformer([("job", OneHotEncoder(), ["job"])], remainder="passthrough")
    made = DistilledClassifier(
        make_pipeline(columns, forest(10)),
        **{**TINY, "rows_per_row": 4, "learning_rate": 0.02, "student": "mlp([8])"},
    ).fit(frame, labels)
    assert made.feature_names_in_.tolist() == ["age", "job", "number"]
    assert made._one_hot.names == ("age", "job=cook", "job=nurse", "job=smith", "number")
    assert np.mean(made.predict(frame) == made.teacher_.predict(frame)) > 0.85
    with pytest.raises(ValueError, match="feature names"):
        made.predict(frame[["job", "age", "number"]])
    with pytest.raises(MismatchError, match="other columns or another order of them: 'job' is"):
        made.fit(frame, labels, unlabelled=frame[["job", "age", "number"]])


def test_rows_come_back_from_their_inputs():
    table, _ = people(60, missing=0.2)
    columns = Columns.of(table)
    values = columns.numbers(table)
    one_hot = OneHot.of(columns, values)
    assert one_hot.names[:2] == ("0", "0 is missing")
    inputs = one_hot.inputs(values)
    assert inputs.shape == (60, len(one_hot.names))
    assert np.isfinite(inputs).all()
    np.testing.assert_array_equal(one_hot.values(inputs), values)


def test_a_table_of_numbers_is_its_own_encoding():
    rows = make_blobs(30, random_state=0)[0]
    columns = Columns.of(rows)
    np.testing.assert_array_equal(OneHot.of(columns, rows).inputs(columns.numbers(rows)), rows)


@pytest.mark.slow
def test_missing_values_are_refused_or_imputed_with_a_flag(moons):
    rows, labels, _, _ = moons
    rows = rows.copy()
    rows[::7, 1] = np.nan
    teacher = HistGradientBoostingClassifier(max_iter=10)
    # Of the rows that were given, not of those that were made from them.
    gaps = np.isnan(rows).sum()
    with pytest.raises(
        ExamplesError, match=rf"\(NaN\) that the student cannot take: {gaps} in column '1'"
    ):
        DistilledClassifier(teacher, **{**QUICK, "held_out": 0.0}).fit(rows, labels)
    made = DistilledClassifier(teacher, missing="impute", **{**TINY, "rows_per_row": 3})
    made.fit(rows, labels)
    assert made.encode(rows).shape == (500, 3)
    assert made.encode(rows)[0].tolist()[2] == 1
    assert np.mean(made.predict(rows) == made.teacher_.predict(rows)) > 0.8


# --- regression ----------------------------------------------------------------------------------


def waves(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    drawn = np.random.default_rng(seed)
    given = drawn.uniform(-2, 2, (rows, 2))
    return given, 500 + 100 * np.sin(given[:, 0]) + 50 * given[:, 1] + drawn.normal(0, 20, rows)


@pytest.mark.slow
def test_a_regressors_student_gives_its_values_and_the_control_learns_the_labels():
    rows, values = waves(300)
    new, new_values = waves(300, seed=1)
    made = DistilledRegressor(
        RandomForestRegressor(30, min_samples_leaf=3, random_state=0),
        "mlp([32])",
        rows_per_row=4,
        learning_rate=0.01,
        random_state=0,
    ).fit(rows, values)
    apart = np.sqrt(np.mean((made.predict(new) - made.teacher_.predict(new)) ** 2))
    assert apart < 0.25 * new_values.std()
    assert made.score(new, new_values) > 0.8
    assert set(made.report_) == {"teacher", "student", "control"}
    assert made.report_["control"]["rmse"] < values.std()
    assert made.report_["teacher"]["rmse_to_teacher"] == 0


@pytest.mark.parametrize(
    ("rows", "epochs", "held_out", "patience"),
    [
        # 45 + 90 rows, 8 epochs of 4 batches; a fifth of 45 leaves 2 batches.
        (50, 16, 0.2, 10),
        # 16 + 32 rows, 8 epochs of 2 batches; of 16 none are held out, and 1 batch is an epoch.
        (18, 16, 0.0, 0),
    ],
)
def test_a_regressors_control_has_the_students_steps_and_stops_early(
    rows, epochs, held_out, patience, tmp_path
):
    inputs, values = waves(rows)
    how = {**TINY, "rows_per_row": 2, "directory": tmp_path}
    made = DistilledRegressor(DecisionTreeRegressor(max_depth=4), **how).fit(inputs, values)
    plan = made.control_.manifest["plan"]
    assert (plan["epochs"], plan["held_out"], plan["patience"]) == (epochs, held_out, patience)


def test_a_fitted_regressor_is_used_as_it_is_and_exported(tmp_path):
    rows, values = waves(80)
    fitted = DecisionTreeRegressor(max_depth=6).fit(rows, values)
    made = DistilledRegressor(fitted, **TINY).fit(rows)
    assert made.teacher_ is fitted
    assert made.control_ is None
    made.export(tmp_path / "student.safetensors")
    assert "Answers with values" in (tmp_path / "student.safetensors.md").read_text()


# --- unlabelled rows, and bad input --------------------------------------------------------------


def test_unlabelled_rows_are_taken_instead_of_new_ones(moons, tmp_path):
    rows, labels, new, _ = moons
    made = DistilledClassifier(forest(5), directory=tmp_path, **QUICK)
    made.fit(rows[:100], labels[:100], unlabelled=new)
    assert Run.open(tmp_path / "student").manifest["examples"]["n"] == 90 + 200
    for transfer, n in (("", 90), ("random", 180), ("nbe", 180)):
        place = tmp_path / (transfer or "none")
        given = DistilledClassifier(forest(5), transfer=transfer, directory=place, **QUICK)
        given.fit(rows[:100], labels[:100])
        assert Run.open(place / "student").manifest["examples"]["n"] == n


def test_rows_of_other_columns_are_refused(moons):
    rows, labels, _, _ = moons
    made = DistilledClassifier(forest(5), **QUICK)
    with pytest.raises(MismatchError, match="the unlabelled set has 3 columns, not the 2 there"):
        made.fit(rows, labels, unlabelled=np.zeros((4, 3)))
    table, classes = people(60)
    strange = table.copy()
    strange[0, 1] = "king"
    columns = ColumnTransformer([("job", OneHotEncoder(), [1])], remainder="passthrough")
    made = DistilledClassifier(make_pipeline(columns, forest(5)), **QUICK)
    with pytest.raises(MismatchError, match="has a category in column '1' that the training rows"):
        made.fit(table, classes, unlabelled=strange)


def test_teachers_and_labels_that_cannot_be_used_are_refused_in_one_sentence(moons):
    rows, labels, _, _ = moons
    rows, labels = rows[:60], labels[:60]
    with pytest.raises(LabelsError, match="y holds the one class 'north': a classifier needs 2"):
        DistilledClassifier(forest(), **QUICK).fit(rows, np.full(60, "north"))
    alone = DummyClassifier().fit(rows, np.full(60, "north"))
    with pytest.raises(TeacherError, match="DummyClassifier knows the one class 'north'"):
        DistilledClassifier(alone, **QUICK).fit(rows)
    with pytest.raises(TeacherError, match="RidgeClassifier has no predict_proba; Calibrated"):
        DistilledClassifier(RidgeClassifier(), **QUICK).fit(rows, labels)
    with pytest.raises(NotFittedError, match="the teacher RandomForestClassifier is not fitted"):
        DistilledClassifier(forest(), **QUICK).fit(rows)
    frozen = FrozenEstimator(forest(3).fit(rows, labels == "north"))
    with pytest.raises(MismatchError, match=r"knows the classes \[False, True\], y holds"):
        DistilledClassifier(frozen, **QUICK).fit(rows, labels)
    with pytest.raises(ExamplesError, match="all 2 columns are constant"):
        DistilledClassifier(forest(3), **QUICK).fit(np.ones((60, 2)), labels)


def test_parameters_that_cannot_be_used_are_refused_in_one_sentence(moons):
    rows, labels, _, _ = moons
    for wrong, message in (
        ({"missing": "drop"}, "missing is 'refuse' or 'impute', not 'drop'"),
        ({"held_out": 1}, "held_out lies between 0 and 1, not 1"),
        ({"rows_per_row": 0}, "rows_per_row is 1 or more, not 0"),
        ({"transfer": "mung"}, "did you mean 'munge'"),
        ({"student": "mpl([3])"}, "did you mean 'mlp'"),
    ):
        with pytest.raises(InputError, match=message):
            DistilledClassifier(forest(3), **{**QUICK, **wrong}).fit(rows, labels)


def test_a_column_that_looks_like_codes_is_said_once(moons):
    rows, labels, _, _ = moons
    table = np.column_stack([rows, np.arange(500) % 5])
    made = DistilledClassifier(forest(3), **QUICK)
    with pytest.warns(
        TableWarning, match="few whole numbers are taken as continuous: '2' "
    ) as said:
        made.fit(table, labels)
    assert len(said) == 1


def test_a_student_larger_than_its_teacher_is_allowed_and_said(moons):
    rows, labels, _, _ = moons
    made = DistilledClassifier(LogisticRegression(), **{**QUICK, "student": "mlp([600])"})
    with pytest.warns(StudentWarning, match=r"the student takes 12,008 bytes and its teacher \d"):
        made.fit(rows, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DistilledClassifier(forest(), **QUICK).fit(rows, labels)
