"""What fitted models of scikit-learn's say."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from worlds import blobs

from limbeck import teachers

POINTS = blobs(120)
ROWS, LABELS = POINTS.inputs, POINTS.labels


class Stated:
    """A classifier that says what it is told to."""

    def __init__(self, said):
        self.said = said

    def predict_proba(self, table):
        return np.array(self.said)


def test_the_models_own_log_probabilities_are_taken_where_it_has_them():
    model = LogisticRegression(C=1e6).fit(ROWS, LABELS)
    said = teachers.fitted_log_probabilities(model, ROWS * 2)
    np.testing.assert_array_equal(said, model.predict_log_proba(ROWS * 2))
    assert said.min() < np.log(1e-6)


def test_a_probability_of_0_counts_as_a_millionth():
    forest = RandomForestClassifier(7, random_state=0).fit(ROWS, LABELS)
    probabilities = forest.predict_proba(ROWS)
    assert (probabilities == 0).any()
    said = teachers.fitted_log_probabilities(forest, ROWS)
    np.testing.assert_allclose(np.exp(said), np.maximum(probabilities, 1e-6), rtol=1e-12)


def test_a_probability_of_0_is_never_above_another_of_its_row():
    said = teachers.fitted_log_probabilities(Stated([[0.0, 1e-9, 1.0], [0.0, 0.5, 0.5]]), ROWS[:2])
    np.testing.assert_allclose(np.exp(said), [[1e-9, 1e-9, 1], [1e-6, 0.5, 0.5]], rtol=1e-12)


@pytest.mark.parametrize("outputs", [1, 2])
def test_values_have_a_column_for_each_output(outputs):
    wanted = ROWS[:, 0] if outputs == 1 else ROWS
    said = teachers.fitted_values(LinearRegression().fit(ROWS, wanted), ROWS)
    assert said.shape == (len(ROWS), outputs)
    assert said.dtype == np.float64


def test_a_fingerprint_is_of_the_fitted_state():
    one, same = (LogisticRegression().fit(ROWS, LABELS) for _ in range(2))
    other = LogisticRegression().fit(ROWS, (LABELS + 1) % 3)
    assert (
        teachers.fitted_fingerprint(one)
        == teachers.fitted_fingerprint(same)
        != teachers.fitted_fingerprint(other)
    )
    assert teachers.fitted_bytes(one) > 100


def test_masked_arrays_are_part_of_the_state():
    one, other = LogisticRegression().fit(ROWS, LABELS), LogisticRegression().fit(ROWS, LABELS)
    one.seen, other.seen = np.ma.array([1.0, 2.0]), np.ma.array([1.0, 3.0])
    assert (
        teachers.fitted_fingerprint(one)
        == teachers.fitted_fingerprint(one)
        != teachers.fitted_fingerprint(other)
    )


def test_what_cannot_be_pickled_has_a_new_name_each_time_and_no_size():
    model = make_pipeline(FunctionTransformer(lambda rows: rows * 2), LogisticRegression())
    model.fit(ROWS, LABELS)
    assert teachers.fitted_fingerprint(model) != teachers.fitted_fingerprint(model)
    assert teachers.fitted_bytes(model) == 0
