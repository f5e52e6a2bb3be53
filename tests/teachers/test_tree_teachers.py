"""Teachers that are boosted trees, or models of scikit-learn's: the same scores by every door."""

import json
import pickle
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from worlds import CLASSES, blobs

import limbeck
from limbeck import objectives, students, teachers
from limbeck.errors import (
    CorruptError,
    InputError,
    MismatchError,
    MissingError,
    NeedsPackageError,
    TeacherError,
)
from limbeck.teachers.fitted._tree_files import check_xgboost
from limbeck.teachers.fitted._ubj import decode

lgb = pytest.importorskip("lightgbm", reason="needs limbeck[trees]")
xgb = pytest.importorskip("xgboost", reason="needs limbeck[trees]")
skops = pytest.importorskip("skops.io", reason="needs limbeck[skops]")

POINTS = blobs(200)
ROWS, LABELS = POINTS.inputs, POINTS.labels
IS_ROUND = (LABELS == 0).astype(int)
NEW = blobs(100, seed=1).inputs
QUIET = {"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5}


def of_lightgbm(objective, labels=IS_ROUND, rounds=12, **settings):
    told = {"objective": objective, **QUIET, **settings}
    return lgb.train(told, lgb.Dataset(ROWS, labels), rounds)


def of_xgboost(objective, labels=IS_ROUND, rounds=12, **settings):
    told = {"objective": objective, "nthread": 1, **settings}
    return xgb.train(told, xgb.DMatrix(ROWS, labels), rounds)


def said_by(booster, **how):
    return booster.predict(xgb.DMatrix(NEW), **how)


THREE = {"num_class": 3}
OF_THREE = {
    "sklearn": lambda: teachers.sklearn(
        make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, LABELS), CLASSES
    ),
    "lightgbm": lambda: teachers.lightgbm(of_lightgbm("multiclass", LABELS, **THREE), CLASSES),
    "xgboost": lambda: teachers.xgboost(of_xgboost("multi:softprob", LABELS, **THREE), CLASSES),
}


@pytest.mark.parametrize("library", OF_THREE)
def test_a_small_student_learns_what_the_model_says(library, tmp_path):
    teacher = OF_THREE[library]()
    scores = limbeck.score(teacher, POINTS, to=tmp_path / "scores")
    plan = limbeck.Plan(epochs=40, batch=32, learning_rate=0.01)
    objective = objectives.SoftTargets(temperature=1)
    run = limbeck.train(
        students.mlp([16]), scores, objective, to=tmp_path / "run", plan=plan, control=False
    )
    student = teachers.run(run).answers(POINTS, "student")
    agreement = (student.argmax(1) == teacher.answers(POINTS, "teacher").argmax(1)).mean()
    assert agreement > 0.93
    assert scores.manifest["teacher"]["name"] == teacher.name


@pytest.mark.parametrize("library", OF_THREE)
def test_an_input_of_another_width_is_refused(library):
    with pytest.raises(TeacherError, match=r"takes rows of 2 numbers; one input has shape \(3,\)"):
        OF_THREE[library]().ask(np.zeros((4, 3), np.float32), np.arange(4), "it")


@pytest.mark.parametrize("library", OF_THREE)
def test_another_type_of_numbers_changes_nothing(library):
    teacher, whole = OF_THREE[library](), np.round(NEW)
    np.testing.assert_allclose(
        teacher.predict(whole.astype(np.int64)), teacher.predict(whole), atol=1e-5
    )


# --- LightGBM


@pytest.mark.parametrize("objective", ["binary", "cross_entropy"])
@pytest.mark.parametrize(
    "settings", [{}, {"sigmoid": 2.5}, {"boosting": "dart", "drop_rate": 0.5, "skip_drop": 0}]
)
def test_the_margin_of_lightgbm_is_the_logit_of_its_probability(objective, settings):
    booster = of_lightgbm(objective, **settings)
    teacher = teachers.lightgbm(booster)
    assert (teacher.kind, teacher.classes) == ("logits", ("0", "1"))
    said = teacher.predict(NEW)
    np.testing.assert_allclose(said[:, 1], logit(booster.predict(NEW)), atol=1e-6)
    assert not said[:, 0].any()


FOREST = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}


@pytest.mark.parametrize("trees", [0, 4])
def test_the_margin_of_lightgbms_forest_is_the_mean_of_its_trees(trees):
    booster = of_lightgbm("binary", **FOREST)
    said = teachers.lightgbm(booster, trees=trees).predict(NEW)
    own = booster.predict(NEW, num_iteration=trees or None)
    np.testing.assert_allclose(softmax(said, axis=1)[:, 1], own, atol=1e-6)


def test_the_softmax_of_lightgbms_margins_is_its_probabilities():
    model = lgb.LGBMClassifier(n_estimators=9, verbosity=-1, n_jobs=1).fit(ROWS, LABELS)
    teacher = teachers.lightgbm(model, CLASSES)
    assert (teacher.kind, teacher.classes, teacher.name) == ("logits", CLASSES, "LGBMClassifier")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it names the columns of a plain array itself
        own = model.predict_proba(NEW)
    np.testing.assert_allclose(softmax(teacher.predict(NEW), axis=1), own, atol=1e-6)


def test_names_that_lightgbms_classifier_learnt_are_its_classes():
    model = lgb.LGBMClassifier(n_estimators=2, verbosity=-1, n_jobs=1)
    model.fit(ROWS, np.array(CLASSES)[LABELS])
    assert teachers.lightgbm(model).classes == ("round", "square", "star")
    with pytest.raises(MismatchError, match="classes round, square, star; given were 0, 1, 2"):
        teachers.lightgbm(model, ["0", "1", "2"])


def test_one_against_all_of_lightgbm_is_one_sigmoid_a_class():
    booster = of_lightgbm("multiclassova", LABELS, sigmoid=2.0, **THREE)
    teacher = teachers.lightgbm(booster)
    assert teacher.kind == "independent-logits"
    said = expit(teacher.predict(NEW))
    np.testing.assert_allclose(said, booster.predict(NEW), atol=1e-6)


@pytest.mark.parametrize(
    ("objective", "settings"),
    [
        ("regression", {}),
        ("regression", {"reg_sqrt": True}),
        ("regression", FOREST),
        ("regression_l1", {}),
        ("huber", {}),
        ("fair", {}),
        ("quantile", {}),
        ("mape", {}),
        ("poisson", {}),
        ("gamma", {}),
        ("tweedie", {}),
    ],
)
def test_regression_of_lightgbm_answers_with_its_values(objective, settings):
    booster = of_lightgbm(objective, np.exp(ROWS[:, 0]), **settings)
    teacher = teachers.lightgbm(booster, trees=5)
    assert (teacher.kind, teacher.classes) == ("values", ("value",))
    own = booster.predict(NEW, num_iteration=5)
    np.testing.assert_array_equal(teacher.predict(NEW), own[:, None])


def test_fewer_trees_are_lightgbms_first_iterations(tmp_path):
    booster = of_lightgbm("multiclass", LABELS, **THREE)
    teacher = teachers.lightgbm(booster, trees=4)
    assert teacher.name == "Booster, 4 trees"
    own = booster.predict(NEW, raw_score=True, num_iteration=4)
    np.testing.assert_array_equal(teacher.predict(NEW), own)
    assert not np.allclose(own, booster.predict(NEW, raw_score=True))
    assert teacher.fingerprint != teachers.lightgbm(booster).fingerprint


def test_what_stopped_early_uses_its_best_iteration():
    # Labels turned round: no round is better than the first.
    held_out = lgb.Dataset(ROWS, 1 - IS_ROUND)
    told = {"objective": "binary", **QUIET}
    stop = [lgb.early_stopping(3, verbose=False)]
    booster = lgb.train(told, lgb.Dataset(ROWS, IS_ROUND), 30, [held_out], callbacks=stop)
    said = teachers.lightgbm(booster).predict(NEW)[:, 1]
    np.testing.assert_allclose(said, logit(booster.predict(NEW)), atol=1e-6)
    model = xgb.XGBClassifier(n_estimators=30, early_stopping_rounds=3, n_jobs=1)
    model.fit(ROWS, IS_ROUND, eval_set=[(ROWS, 1 - IS_ROUND)], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    said = teachers.xgboost(model).predict(NEW)
    np.testing.assert_allclose(softmax(said, axis=1), model.predict_proba(NEW), atol=1e-6)


@pytest.mark.parametrize("objective", ["binary", "multiclass", "regression"])
def test_a_file_of_lightgbm_answers_as_the_model_in_memory(objective, tmp_path):
    settings = THREE if objective == "multiclass" else {}
    booster = of_lightgbm(objective, LABELS if settings else IS_ROUND, **settings)
    booster.save_model(tmp_path / "m.txt")
    teacher, own = teachers.lightgbm(tmp_path / "m.txt"), teachers.lightgbm(booster)
    np.testing.assert_array_equal(teacher.predict(NEW), own.predict(NEW))
    assert (teacher.classes, teacher.kind) == (own.classes, own.kind)
    assert (teacher.name, teacher.source) == ("m.txt", f"lightgbm('{tmp_path / 'm.txt'}')")
    assert own.source == ""
    fewer = teachers.lightgbm(tmp_path / "m.txt", trees=3, name="small")
    assert fewer.source == f"lightgbm('{tmp_path / 'm.txt'}', trees=3, name='small')"


def test_a_model_of_lightgbms_trained_with_names_takes_plain_rows():
    table = pd.DataFrame(ROWS, columns=["width", "height"])
    model = lgb.LGBMRegressor(n_estimators=5, verbosity=-1, n_jobs=1).fit(table, ROWS.sum(axis=1))
    own = model.predict(pd.DataFrame(NEW, columns=["width", "height"]))
    np.testing.assert_array_equal(teachers.lightgbm(model).predict(NEW), own[:, None])


def test_nominal_codes_and_linear_leaves_of_lightgbm_survive_the_file(tmp_path):
    rows = np.column_stack([ROWS, np.arange(len(ROWS)) % 9])
    wanted = (rows[:, 2] % 3 == 0) * 5 + rows[:, 0]
    told = {"objective": "regression", **QUIET, "linear_tree": True, "min_data_per_group": 1}
    booster = lgb.train(told, lgb.Dataset(rows, wanted, categorical_feature=[2]), 5)
    booster.save_model(tmp_path / "m.txt")
    assert "cat_boundaries" in (tmp_path / "m.txt").read_text()
    said = teachers.lightgbm(tmp_path / "m.txt").predict(rows)
    np.testing.assert_array_equal(said[:, 0], booster.predict(rows))


def ranked():
    told = {"objective": "lambdarank", **QUIET}
    return lgb.train(told, lgb.Dataset(ROWS, IS_ROUND, group=[100, 100]), 2)


def categories():
    table = pd.DataFrame({"kind": pd.Categorical(np.where(ROWS[:, 0] > 0, "u", "v"))})
    return table.assign(height=ROWS[:, 1])


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (ranked, TeacherError, "objective 'lambdarank', whose margins .* known are binary, cross_"),
        (
            lambda: of_lightgbm(lambda said, rows: (said - IS_ROUND, np.ones(len(said)))),
            TeacherError,
            "objective 'custom'.*teachers.function takes any other",
        ),
        (
            lambda: of_lightgbm("cross_entropy_lambda"),
            TeacherError,
            "the model Booster was trained for the objective 'cross_entropy_lambda'",
        ),
        (
            lambda: lgb.LGBMClassifier(n_estimators=2, verbosity=-1).fit(categories(), IS_ROUND),
            TeacherError,
            "the model LGBMClassifier was trained on pandas categories",
        ),
        (lambda: lgb.LGBMClassifier(), TeacherError, "LGBMClassifier is not fitted: call its fit"),
        (
            lambda: LogisticRegression(),
            TeacherError,
            "the path of a text file, not a LogisticRegression; teachers.sklearn takes pipelines",
        ),
    ],
)
def test_what_lightgbm_cannot_answer_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        teachers.lightgbm(make())


@pytest.mark.parametrize("trees", [-1, 13])
def test_rounds_that_there_are_not_are_refused(trees):
    text = f"the model Booster has 12 boosting rounds, trees cannot be {trees}"
    with pytest.raises(InputError, match=text):
        teachers.lightgbm(of_lightgbm("binary"), trees=trees)
    with pytest.raises(InputError, match=text):
        teachers.xgboost(of_xgboost("binary:logistic"), trees=trees)


# --- XGBoost


@pytest.mark.parametrize(
    "settings",
    [{}, {"base_score": 0.1}, {"booster": "dart", "rate_drop": 0.5}, {"booster": "gblinear"}],
)
def test_the_margin_of_xgboost_is_the_logit_of_its_probability(settings):
    booster = of_xgboost("binary:logistic", **settings)
    teacher = teachers.xgboost(booster)
    assert (teacher.kind, teacher.classes) == ("logits", ("0", "1"))
    said = teacher.predict(NEW)
    # XGBoost answers in float32, of which the logit magnifies the last digit.
    np.testing.assert_allclose(expit(said[:, 1]), said_by(booster), atol=1e-6)
    np.testing.assert_allclose(said[:, 1], logit(said_by(booster).astype(float)), atol=1e-4)
    assert not said[:, 0].any()


@pytest.mark.parametrize("objective", ["multi:softprob", "multi:softmax"])
def test_the_softmax_of_xgboosts_margins_is_its_probabilities(objective):
    booster = of_xgboost(objective, LABELS, **THREE)
    teacher = teachers.xgboost(booster, CLASSES)
    assert (teacher.kind, teacher.classes) == ("logits", CLASSES)
    own = said_by(of_xgboost("multi:softprob", LABELS, **THREE))
    np.testing.assert_allclose(softmax(teacher.predict(NEW), axis=1), own, atol=1e-6)


def test_raw_logits_of_xgboost_are_a_margin():
    booster = of_xgboost("binary:logitraw")
    np.testing.assert_array_equal(teachers.xgboost(booster).predict(NEW)[:, 1], said_by(booster))


def test_several_binary_outputs_of_xgboost_are_one_sigmoid_each():
    booster = of_xgboost("binary:logistic", np.eye(3)[LABELS])
    teacher = teachers.xgboost(booster, CLASSES)
    assert teacher.kind == "independent-logits"
    np.testing.assert_allclose(expit(teacher.predict(NEW)), said_by(booster), atol=1e-6)


@pytest.mark.parametrize(
    "objective",
    [
        *("reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror"),
        *("reg:gamma", "reg:tweedie", "count:poisson", "reg:logistic"),
    ],
)
def test_regression_of_xgboost_answers_with_its_values(objective):
    booster = of_xgboost(objective, expit(ROWS[:, 0]))
    teacher = teachers.xgboost(booster, ["share"], trees=5)
    assert (teacher.kind, teacher.classes) == ("values", ("share",))
    own = said_by(booster, iteration_range=(0, 5))
    np.testing.assert_array_equal(teacher.predict(NEW), own[:, None])


@pytest.mark.parametrize("settings", [{}, {"multi_strategy": "multi_output_tree"}])
def test_several_outputs_of_xgboost_have_a_column_each(settings, tmp_path):
    booster = of_xgboost("reg:squarederror", ROWS, **settings)
    booster.save_model(tmp_path / "m.ubj")
    for teacher in (teachers.xgboost(booster), teachers.xgboost(tmp_path / "m.ubj")):
        assert teacher.classes == ("value-0", "value-1")
        np.testing.assert_array_equal(teacher.predict(NEW), said_by(booster))


def test_quantiles_of_xgboost_have_a_column_each():
    booster = of_xgboost("reg:quantileerror", ROWS[:, 0], quantile_alpha=[0.1, 0.9])
    teacher = teachers.xgboost(booster, ["low", "high"])
    np.testing.assert_array_equal(teacher.predict(NEW), said_by(booster))


@pytest.mark.parametrize("settings", [{}, {"num_parallel_tree": 3, "subsample": 0.5}])
def test_fewer_trees_are_xgboosts_first_iterations(settings):
    booster = of_xgboost("multi:softprob", LABELS, **THREE, **settings)
    teacher = teachers.xgboost(booster, trees=4)
    assert teacher.name == "Booster, 4 trees"
    own = said_by(booster, output_margin=True, iteration_range=(0, 4))
    np.testing.assert_array_equal(teacher.predict(NEW), own)
    assert not np.allclose(own, said_by(booster, output_margin=True))
    assert teacher.fingerprint != teachers.xgboost(booster).fingerprint


@pytest.mark.parametrize("suffix", [".ubj", ".json"])
@pytest.mark.parametrize("kind", ["gbtree", "dart", "gblinear"])
def test_a_file_of_xgboost_answers_as_the_model_in_memory(suffix, kind, tmp_path):
    booster = of_xgboost("binary:logistic", booster=kind)
    file = tmp_path / f"m{suffix}"
    booster.save_model(file)
    teacher, own = teachers.xgboost(file, ["no", "yes"]), teachers.xgboost(booster)
    np.testing.assert_array_equal(teacher.predict(NEW), own.predict(NEW))
    assert teacher.classes == ("no", "yes")
    assert teacher.source == f"xgboost('{file}', classes=['no', 'yes'])"


def test_what_stopped_early_and_names_of_columns_survive_the_file(tmp_path):
    table = pd.DataFrame(ROWS, columns=["width", "height"])
    model = xgb.XGBClassifier(n_estimators=30, early_stopping_rounds=3, n_jobs=1)
    model.fit(table, IS_ROUND, eval_set=[(table, 1 - IS_ROUND)], verbose=False)
    model.save_model(tmp_path / "m.json")
    teacher = teachers.xgboost(tmp_path / "m.json")
    own = model.predict_proba(pd.DataFrame(NEW, columns=["width", "height"]))
    np.testing.assert_allclose(softmax(teacher.predict(NEW), axis=1), own, atol=1e-6)


def test_what_stands_for_a_missing_value_is_the_models():
    rows = np.where(ROWS > 1, -9, ROWS)
    model = xgb.XGBClassifier(n_estimators=5, missing=-9.0, n_jobs=1).fit(rows, IS_ROUND)
    said = teachers.xgboost(model).predict(rows)
    np.testing.assert_allclose(softmax(said, axis=1), model.predict_proba(rows), atol=1e-6)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (
            lambda: of_xgboost("binary:hinge"),
            TeacherError,
            "objective 'binary:hinge', whose margins .* known are binary:logistic, binary:logitr",
        ),
        (
            lambda: xgb.XGBRegressor(objective=lambda y, said: (said - y, np.ones_like(y))).fit(
                ROWS, IS_ROUND
            ),
            TeacherError,
            "the model XGBRegressor was trained for the objective 'custom'",
        ),
        (
            lambda: xgb.XGBClassifier(n_estimators=2, enable_categorical=True).fit(
                categories(), IS_ROUND
            ),
            TeacherError,
            "the model XGBClassifier was trained on a data frame's categories",
        ),
        (lambda: xgb.XGBClassifier(), TeacherError, "XGBClassifier is not fitted: call its fit fi"),
        (
            lambda: LogisticRegression(),
            TeacherError,
            r"a \.ubj or \.json file, not a LogisticRegression; teachers.sklearn takes pipelines",
        ),
    ],
)
def test_what_xgboost_cannot_answer_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        teachers.xgboost(make())


def test_a_linear_booster_has_no_trees():
    with pytest.raises(
        InputError, match=r"Booster is linear \(gblinear\): it has no trees, trees=2"
    ):
        teachers.xgboost(of_xgboost("binary:logistic", booster="gblinear"), trees=2)


# --- files


@pytest.mark.parametrize("library", OF_THREE)
def test_a_file_that_is_not_there_is_missing(library, tmp_path):
    with pytest.raises(MissingError, match=r"there is no file .*none\.txt"):
        getattr(teachers, library)(tmp_path / "none.txt")


@pytest.mark.parametrize("library", OF_THREE)
def test_an_empty_file_is_said_to_be(library, tmp_path):
    (tmp_path / "m.skops").touch()
    with pytest.raises(CorruptError, match="is empty"):
        getattr(teachers, library)(tmp_path / "m.skops")


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_other_class_names_than_there_are_classes_are_refused(library):
    make = {"lightgbm": of_lightgbm, "xgboost": of_xgboost}[library]
    objective = {"lightgbm": "binary", "xgboost": "binary:logistic"}[library]
    with pytest.raises(MismatchError, match="knows the classes 0, 1; given were a, b, c"):
        getattr(teachers, library)(make(objective), ["a", "b", "c"])


@pytest.fixture
def files(tmp_path):
    of_lightgbm("binary").save_model(tmp_path / "lightgbm.txt")
    of_xgboost("binary:logistic").save_model(tmp_path / "xgboost.json")
    of_xgboost("binary:logistic").save_model(tmp_path / "xgboost.ubj")
    skops.dump(LogisticRegression().fit(ROWS, LABELS), tmp_path / "skops.zip")
    (tmp_path / "pickle.bin").write_bytes(pickle.dumps([1]))
    return tmp_path


@pytest.mark.parametrize(
    ("library", "name"),
    [("lightgbm", "lightgbm.txt"), ("xgboost", "xgboost.json"), ("xgboost", "xgboost.ubj")],
)
def test_a_text_opens_the_file_again(library, name, files, monkeypatch):
    monkeypatch.chdir(files)
    teacher = getattr(teachers, library)(name, ["no", "yes"], trees=5)
    again = teachers.from_text(teacher.source)
    assert (again.fingerprint, again.classes, again.source) == (
        *(teacher.fingerprint, teacher.classes, teacher.source),
    )
    np.testing.assert_array_equal(again.predict(NEW), teacher.predict(NEW))
    for text in (name, f"{library}:{name}"):
        assert teachers.from_text(text, ["no", "yes"]).classes == ("no", "yes")


@pytest.mark.parametrize(
    ("library", "name", "text"),
    [
        ("lightgbm", "xgboost.json", "is a XGBoost file, not one of LightGBM's: teachers.xgboost"),
        ("lightgbm", "xgboost.ubj", "is a XGBoost file, not one of LightGBM's: teachers.xgboost"),
        ("lightgbm", "pickle.bin", "is a pickle file, .* teachers.sklearn with trust=True opens"),
        ("xgboost", "lightgbm.txt", "is a LightGBM file, not one of XGBoost's: teachers.lightgbm"),
        ("xgboost", "skops.zip", "is a skops file, not one of XGBoost's: teachers.sklearn opens"),
        ("sklearn", "lightgbm.txt", "is a LightGBM file, not one of scikit-learn's: teachers.ligh"),
        ("sklearn", "xgboost.ubj", "is a XGBoost file, not one of scikit-learn's: teachers.xgboo"),
    ],
)
def test_a_file_of_another_library_says_so(library, name, text, files):
    with pytest.raises(InputError, match=text):
        getattr(teachers, library)(files / name)


LIGHTGBM_FAULTS = [
    (lambda text: "some text", "it is of another kind"),
    (lambda text: text[: text.index("Tree=3")], "it ends early"),
    (lambda text: text[: text.index("[boosting")], "it ends early"),
    (lambda text: text[: text.index("Tree=0")], "it ends early"),
    (lambda text: text.replace("max_feature_idx=1", "max_feature_idx="), "lacks a max_feature_idx"),
    (
        lambda text: text.replace("feature_names=", "feature_names=x "),
        "its feature_names are not 2",
    ),
    (lambda text: text.replace("num_leaves=", "leaves=", 1), "trees have not the length that it"),
    (lambda text: text.replace("Tree=2", "Trie=2"), "tree 2 is not where it should be"),
    (lambda text: text.replace("leaf_value", "leef_value", 1), "a tree lacks its leaf_value"),
    (
        lambda text: text.replace("split_feature=1 0", "split_feature=1 7", 1),
        "a feature beyond the",
    ),
    (
        lambda text: text.replace("left_child=2 ", "left_child=0 ", 1),
        "tree 0 has nodes that are no",
    ),
    (lambda text: text.replace("threshold=-", "threshold=x", 1), "could not convert string"),
]


@pytest.mark.parametrize(("damage", "text"), LIGHTGBM_FAULTS, ids=range(len(LIGHTGBM_FAULTS)))
def test_a_damaged_file_of_lightgbm_is_refused_before_lightgbm_reads_it(damage, text, tmp_path):
    file = tmp_path / "m.txt"
    booster = of_lightgbm("regression", ROWS[:, 0] + ROWS[:, 1], num_leaves=4)
    whole = booster.model_to_string()
    file.write_text(damage(whole))
    assert file.read_text() != whole
    with pytest.raises(CorruptError, match=f"no whole text file of a LightGBM model: .*{text}"):
        teachers.lightgbm(file)


XGBOOST_FAULTS = [
    (lambda said: said.pop("learner"), "it lacks 'learner'"),
    (lambda said: trees_of(said).pop(), "it does not have the trees that it says"),
    (lambda said: forest_of(said)["tree_info"].pop(), "tree_info has 11 numbers where 12 should"),
    (lambda said: forest_of(said)["iteration_indptr"].pop(), "its rounds have not the trees"),
    (lambda said: trees_of(said)[1]["parents"].pop(), "tree 1 has 28 numbers where 29 should be"),
    (lambda said: spoil(said, "split_indices", 9), "tree 0 asks for a feature beyond the 2"),
    (lambda said: spoil(said, "left_children", 0), "tree 0 has nodes that are no tree"),
    (lambda said: spoil(said, "right_children", 99), "tree 0 has nodes that are no tree"),
]


def forest_of(said):
    return said["learner"]["gradient_booster"]["model"]


def trees_of(said):
    return forest_of(said)["trees"]


def spoil(said, name, value):
    trees_of(said)[0][name][0] = value


@pytest.mark.parametrize(("damage", "text"), XGBOOST_FAULTS, ids=range(len(XGBOOST_FAULTS)))
def test_a_damaged_file_of_xgboost_is_refused_before_xgboost_reads_it(damage, text, tmp_path):
    file = tmp_path / "m.json"
    of_xgboost("reg:squarederror", ROWS[:, 0]).save_model(file)
    said = json.loads(file.read_text())
    damage(said)
    file.write_text(json.dumps(said))
    with pytest.raises(CorruptError, match=rf"no whole \.ubj or \.json file of .*{text}"):
        teachers.xgboost(file)


@pytest.mark.parametrize("suffix", [".ubj", ".json", ".txt"])
def test_a_file_cut_anywhere_among_its_trees_is_refused(suffix, tmp_path):
    file = tmp_path / f"m{suffix}"
    of_text = suffix == ".txt"
    model = of_lightgbm("binary", rounds=3) if of_text else of_xgboost("binary:logistic", rounds=3)
    model.save_model(file)
    whole = file.read_bytes()
    end = whole.index(b"end of trees") if of_text else len(whole)
    open_it = teachers.lightgbm if of_text else teachers.xgboost
    for length in np.random.default_rng(0).integers(1, end, 60):
        file.write_bytes(whole[:length])
        with pytest.raises(CorruptError, match="no whole"):
            open_it(file)


def test_what_is_nested_without_end_is_refused(tmp_path):
    (tmp_path / "m.json").write_bytes(b'{"learner":' + b"[" * 100_000)
    with pytest.raises(CorruptError, match="no whole"):
        teachers.xgboost(tmp_path / "m.json")
    (tmp_path / "m.ubj").write_bytes(b"{L" + bytes(7) + b"\x07learner" + b"[" * 100_000)
    with pytest.raises(CorruptError, match="no UBJSON at byte"):
        teachers.xgboost(tmp_path / "m.ubj")


def test_a_length_beyond_the_file_is_refused():
    with pytest.raises(ValueError, match="a length of 255 at byte 3"):
        decode(b"{U\xff")


def test_ubjson_of_any_form_is_read():
    content = b"{U\x01a[U\x01i\xffTFZSU\x02ab]U\x01b[$U#U\x03\x01\x02\x03U\x01c[#U\x01d?\x80\0\0}"
    said = decode(content)
    assert said["a"] == [1, -1, True, False, None, "ab"]
    np.testing.assert_array_equal(said["b"], [1, 2, 3])
    assert said["c"] == [1.0]
    with pytest.raises(ValueError, match="2 bytes too many"):
        decode(content + b"\0\0")


def test_both_forms_of_a_file_of_xgboost_say_the_same():
    booster = of_xgboost("binary:logistic")
    text, binary = (check_xgboost(bytes(booster.save_raw(form))) for form in ("json", "ubj"))
    for one, other in zip(trees_of(text), trees_of(binary), strict=True):
        np.testing.assert_array_equal(one["left_children"], other["left_children"])
        np.testing.assert_allclose(one["split_conditions"], other["split_conditions"], rtol=1e-6)


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(NeedsPackageError, match=r"needs xgboost: pip install 'limbeck\[trees\]'"):
        teachers.xgboost("m.ubj")


def test_a_share_of_the_trees_of_xgboost_is_its_first_rounds():
    booster = of_xgboost("binary:logistic", rounds=20)
    fewer = teachers.xgboost(booster).with_trees(0.1)
    first = teachers.xgboost(booster, trees=2)
    np.testing.assert_array_equal(fewer.predict(NEW), first.predict(NEW))
    assert fewer.fingerprint == first.fingerprint
    linear = teachers.xgboost(of_xgboost("binary:logistic", booster="gblinear"))
    assert (linear.has_trees, teachers.xgboost(booster).has_trees) == (False, True)
    with pytest.raises(InputError, match="Booster has no trees of which it could keep 10%"):
        linear.with_trees(0.1)


def test_a_share_of_the_trees_of_lightgbm_is_its_first_rounds():
    settings = {"objective": "binary", "verbose": -1, "num_threads": 1}
    booster = lgb.train(settings, lgb.Dataset(ROWS, IS_ROUND), 20)
    fewer = teachers.lightgbm(booster).with_trees(0.1)
    first = teachers.lightgbm(booster, trees=2)
    np.testing.assert_array_equal(fewer.predict(NEW), first.predict(NEW))
    assert fewer.fingerprint == first.fingerprint
