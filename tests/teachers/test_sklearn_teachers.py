"""Teachers that are fitted models of scikit-learn's, in memory and in files."""

import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC
from worlds import CLASSES, blobs, pictures

from limbeck import teachers
from limbeck.errors import CorruptError, InputError, MismatchError, TeacherError, TrustError

skops = pytest.importorskip("skops.io", reason="needs limbeck[skops]")

POINTS = blobs(200)
ROWS, LABELS = POINTS.inputs, POINTS.labels
IS_ROUND = (LABELS == 0).astype(int)
NEW = blobs(100, seed=1).inputs


def test_a_pipelines_log_probabilities_are_its_own():
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, LABELS)
    teacher = teachers.sklearn(model, CLASSES)
    assert (teacher.kind, teacher.name) == ("log-probabilities", "LogisticRegression")
    np.testing.assert_array_equal(teacher.predict(NEW), model.predict_log_proba(NEW))
    assert teacher.classes == CLASSES
    assert teacher.source == ""


def test_a_multinomial_decision_function_is_the_logits_of_its_probabilities():
    model = LogisticRegression().fit(ROWS, LABELS)
    teacher = teachers.sklearn(model, kind="logits")
    np.testing.assert_array_equal(teacher.predict(NEW), model.decision_function(NEW))
    np.testing.assert_allclose(
        softmax(teacher.predict(NEW), axis=1), model.predict_proba(NEW), atol=1e-6
    )


@pytest.mark.parametrize(
    "model", [LogisticRegression(), GradientBoostingClassifier(n_estimators=9)]
)
def test_a_margin_of_one_column_becomes_two_with_the_same_distribution(model):
    model.fit(ROWS, IS_ROUND)
    said = teachers.sklearn(model, kind="logits").predict(NEW)
    assert not said[:, 0].any()
    np.testing.assert_allclose(softmax(said, axis=1), model.predict_proba(NEW), atol=1e-6)


def test_margins_of_an_svm_are_taken_as_what_they_are_said_to_be():
    three, two = LinearSVC().fit(ROWS, LABELS), LinearSVC().fit(ROWS, IS_ROUND)
    with pytest.raises(TeacherError, match="LinearSVC has no predict_proba, and its decision_func"):
        teachers.sklearn(three)
    each = teachers.sklearn(three, kind="independent-logits")
    assert each.kind == "independent-logits"
    np.testing.assert_array_equal(each.predict(NEW), three.decision_function(NEW))
    both = teachers.sklearn(two, kind="independent-logits").predict(NEW)
    np.testing.assert_array_equal(both[:, 1], two.decision_function(NEW))
    np.testing.assert_array_equal(both[:, 0], -both[:, 1])


def test_probabilities_are_given_where_they_are_asked_for():
    model = RandomForestClassifier(5, random_state=0).fit(ROWS, LABELS)
    teacher = teachers.sklearn(model, kind="probabilities")
    assert teacher.kind == "probabilities"
    np.testing.assert_array_equal(teacher.predict(NEW), model.predict_proba(NEW))
    logs = teachers.sklearn(model)
    floored = np.maximum(model.predict_proba(NEW), 1e-6)
    np.testing.assert_allclose(np.exp(logs.predict(NEW)), floored, rtol=1e-9)
    assert logs.fingerprint != teacher.fingerprint


@pytest.mark.parametrize(("outputs", "names"), [(1, ("value",)), (2, ("value-0", "value-1"))])
def test_a_regressor_answers_with_a_column_for_each_output(outputs, names):
    wanted = ROWS[:, 0] if outputs == 1 else ROWS
    model = RandomForestRegressor(3, random_state=0).fit(ROWS, wanted)
    teacher = teachers.sklearn(model)
    assert (teacher.kind, teacher.classes) == ("values", names)
    np.testing.assert_array_equal(teacher.predict(NEW), model.predict(NEW).reshape(-1, outputs))


def test_outputs_of_a_regressor_can_be_named():
    teacher = teachers.sklearn(LinearRegression().fit(ROWS, ROWS), ["left", "right"])
    assert teacher.classes == ("left", "right")
    with pytest.raises(MismatchError, match="answers with 2 values; given were the names one"):
        teachers.sklearn(LinearRegression().fit(ROWS, ROWS), ["one"])


def test_a_regressor_that_cannot_be_asked_about_zeros_has_as_many_outputs_as_names():
    def inverse(rows):
        if not rows.any():
            raise ValueError("zeros")
        return 1 / rows

    model = make_pipeline(FunctionTransformer(inverse), LinearRegression()).fit(ROWS, ROWS)
    teacher = teachers.sklearn(model, ["left", "right"])
    np.testing.assert_array_equal(teacher.predict(NEW), model.predict(NEW))


def test_class_names_are_the_models_in_its_order():
    names = np.array(CLASSES)[LABELS]
    model = LogisticRegression().fit(ROWS, names)
    for given in ((), ("star", "round", "square")):
        assert teachers.sklearn(model, given).classes == ("round", "square", "star")
    with pytest.raises(MismatchError, match="classes round, square, star; given were a, b, c"):
        teachers.sklearn(model, ("a", "b", "c"))


def test_whole_numbers_are_named_by_their_text_or_in_their_order():
    model = LogisticRegression().fit(ROWS, LABELS)
    assert teachers.sklearn(model).classes == ("0", "1", "2")
    assert teachers.sklearn(model, ("2", "1", "0")).classes == ("0", "1", "2")
    assert teachers.sklearn(model, CLASSES).classes == CLASSES
    with pytest.raises(MismatchError, match="classes 1, 2, 3; given were round, square, star"):
        teachers.sklearn(LogisticRegression().fit(ROWS, LABELS + 1), CLASSES)


def test_a_search_and_a_frozen_model_are_asked_as_the_model_in_them():
    model = LogisticRegression().fit(ROWS, LABELS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy's, of its own masked arrays
        search = GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2).fit(ROWS, LABELS)
    for one in (search, FrozenEstimator(model)):
        np.testing.assert_allclose(
            teachers.sklearn(one).predict(NEW), model.predict_log_proba(NEW), atol=1e-6
        )


def test_a_model_fitted_on_a_named_table_is_given_one():
    table = pd.DataFrame(ROWS, columns=["width", "height"])
    scaled = make_column_transformer((StandardScaler(), ["height"]), remainder="passthrough")
    model = make_pipeline(scaled, LogisticRegression()).fit(table, LABELS)
    said = teachers.sklearn(model).predict(NEW)
    wanted = model.predict_log_proba(pd.DataFrame(NEW, columns=["width", "height"]))
    np.testing.assert_array_equal(said, wanted)


def test_pictures_are_flattened():
    shown = pictures(30)
    flat = shown.inputs.reshape(30, -1)
    model = LogisticRegression(max_iter=2000).fit(flat, shown.labels)
    teacher = teachers.sklearn(model, shown.classes)
    np.testing.assert_array_equal(teacher.predict(shown.inputs), model.predict_log_proba(flat))


def votes():
    pair = [("one", LogisticRegression()), ("two", LogisticRegression())]
    return VotingClassifier(pair).fit(ROWS, LABELS)


def test_a_model_that_only_predicts_votes():
    for model, kind in ((votes(), ""), (LogisticRegression().fit(ROWS, LABELS), "votes")):
        teacher = teachers.sklearn(model, CLASSES, kind=kind)
        assert teacher.kind == "votes"
        said = teacher.ask(NEW, np.arange(len(NEW)), "it")
        np.testing.assert_array_equal(said, np.eye(3)[model.predict(NEW)])


def multi_label():
    hot = np.eye(3, dtype=int)[LABELS] | (ROWS[:, :1] > 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MLPClassifier([4], max_iter=5, random_state=0).fit(ROWS, hot)


REFUSED = [
    (lambda: LogisticRegression(), "the model LogisticRegression is not fitted: call its fit fir"),
    (lambda: "text".upper, "a builtin_function_or_method is no fitted model"),
    (lambda: KMeans(2, n_init=1).fit(ROWS), "KMeans is neither a classifier nor a regressor"),
    (
        lambda: RandomForestClassifier(2).fit(ROWS, np.stack([LABELS, IS_ROUND], 1)),
        "RandomForestClassifier has several outputs, each with classes of its own: take one of t",
    ),
]


@pytest.mark.parametrize(("make", "text"), REFUSED)
def test_a_model_that_gives_no_scores_is_refused(make, text):
    with pytest.raises(TeacherError, match=text):
        teachers.sklearn(make())


def test_a_model_of_several_labels_at_once_is_refused_when_it_is_asked():
    teacher = teachers.sklearn(multi_label())
    with pytest.raises(TeacherError, match=r"MLPClassifier miss a sum of one by .* \(multi-label"):
        teacher.predict(NEW)


def test_a_margin_for_each_pair_of_classes_is_refused():
    model = make_pipeline(SVC(decision_function_shape="ovo")).fit(ROWS, LABELS)
    with pytest.raises(TeacherError, match="SVC has a margin for each pair of classes"):
        teachers.sklearn(model, kind="logits")


@pytest.mark.parametrize(
    ("model", "kind", "text"),
    [
        (
            RandomForestClassifier(2),
            "logits",
            "log-probabilities, probabilities, votes, not with",
        ),
        (
            RidgeClassifier(),
            "probabilities",
            "answers with logits, independent-logits, votes",
        ),
        (LinearRegression(), "logits", "LinearRegression answers with values, not with 'logits'"),
        (LogisticRegression(), "loglets", "not with 'loglets'"),
    ],
)
def test_a_kind_that_the_model_has_not_is_refused(model, kind, text):
    with pytest.raises(InputError, match=text):
        teachers.sklearn(model.fit(ROWS, LABELS), kind=kind)


class Opener:
    """What an attacker's pickle holds: opening it runs what it names."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return open, (str(self.place), "w")


class Own(BaseEstimator):
    """An estimator that skops has never heard of."""

    def fit(self, rows, labels):
        self.classes_ = np.unique(labels)
        return self

    def predict_proba(self, rows):
        return np.full((len(rows), len(self.classes_)), 1 / len(self.classes_))


def kept(model, place, suffix):
    file = place / f"model{suffix}"
    if suffix == ".skops":
        skops.dump(model, file)
    elif suffix == ".joblib":
        joblib.dump(model, file)
    else:
        file.write_bytes(pickle.dumps(model))
    return file


@pytest.mark.parametrize("suffix", [".skops", ".joblib", ".pkl", ".pickle"])
def test_a_file_answers_as_the_model_in_memory(suffix, tmp_path):
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, LABELS)
    file = kept(model, tmp_path, suffix)
    trust = suffix != ".skops"
    teacher = teachers.sklearn(file, CLASSES, kind="logits", trust=trust)
    np.testing.assert_array_equal(teacher.predict(NEW), model.decision_function(NEW))
    assert teacher.source == f"sklearn('{file}', classes={list(CLASSES)!r}, kind='logits')"
    again = teachers.sklearn(str(file), kind="logits", trust=trust)
    assert again.fingerprint == teacher.fingerprint
    assert again.source == f"sklearn('{file}', kind='logits')"
    assert teachers.sklearn(file, trust=trust).fingerprint != teacher.fingerprint


@pytest.mark.parametrize("suffix", [".joblib", ".pkl", ".pickle"])
def test_a_pickle_is_not_opened_without_trust(suffix, tmp_path):
    trap = tmp_path / "trap"
    file = kept(Opener(trap), tmp_path, suffix)
    with pytest.raises(TrustError, match=r"runs code that this file names: pass --trust \(trust=T"):
        teachers.sklearn(file)
    assert not trap.exists()


def test_types_that_skops_does_not_know_are_named_and_need_trust(tmp_path):
    file = kept(Own().fit(ROWS, LABELS), tmp_path, ".skops")
    with pytest.raises(TrustError, match=r"not know to be safe: .*\.Own; pass --trust"):
        teachers.sklearn(file)
    said = teachers.sklearn(file, trust=True).predict(NEW)
    np.testing.assert_allclose(np.exp(said), 1 / 3)


@pytest.mark.parametrize(
    ("suffix", "content"),
    [(".skops", b"PK no zip"), (".skops", b"something"), (".pkl", b"\x80\x04 no pickle")],
)
def test_a_damaged_model_is_said_to_be(suffix, content, tmp_path):
    file = tmp_path / f"model{suffix}"
    file.write_bytes(content)
    with pytest.raises(CorruptError, match=r"the model .*model\.\w+ cannot be read: \w+"):
        teachers.sklearn(file, trust=True)


def test_a_truncated_skops_file_is_said_to_be_damaged(tmp_path):
    file = kept(LogisticRegression().fit(ROWS, LABELS), tmp_path, ".skops")
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(CorruptError, match="cannot be read: BadZipFile"):
        teachers.sklearn(file)


def test_a_file_of_no_known_ending_is_refused(tmp_path):
    file = tmp_path / "model.bin"
    file.write_bytes(b"bytes")
    with pytest.raises(InputError, match=r"of no kind that is opened: \.skops, or with trust=True"):
        teachers.sklearn(file)


def test_state_decides_the_fingerprint():
    one, same = (LogisticRegression().fit(ROWS, LABELS) for _ in range(2))
    other = LogisticRegression(C=9).fit(ROWS, LABELS)
    names = [teachers.sklearn(model).fingerprint for model in (one, same, other)]
    assert names[0] == names[1] != names[2]


def test_a_text_opens_a_model_of_scikit_learns_again(tmp_path):
    model = LogisticRegression().fit(ROWS, LABELS)
    safe, risky = (kept(model, tmp_path, suffix) for suffix in (".skops", ".pkl"))
    teacher = teachers.sklearn(safe, CLASSES, kind="logits")
    assert teachers.from_text(teacher.source).fingerprint == teacher.fingerprint
    trusted = teachers.sklearn(risky, CLASSES, trust=True)
    with pytest.raises(TrustError, match="runs code that this file names"):
        teachers.from_text(trusted.source)
    assert teachers.from_text(trusted.source, trust=True).fingerprint == trusted.fingerprint
