"""What the experiment on wrong answers does to a teacher's scores, and what its rule says."""

import numpy as np
import pytest
from scipy.special import softmax

from experiments.hinton2015.wrong_answers.__main__ import answer, shuffled, uniform

LOGITS = (np.random.default_rng(0).standard_normal((50, 10)) * 4).astype(np.float32)
INPUTS = np.random.default_rng(1).integers(0, 255, (50, 1, 4, 4)).astype(np.uint8)
BEST = LOGITS.argmax(axis=1)


def best_of(logits):
    return logits[np.arange(len(logits)), BEST]


def test_shuffling_keeps_the_best_answer_and_the_set_of_the_others():
    changed = shuffled(LOGITS, INPUTS)
    np.testing.assert_array_equal(best_of(changed), best_of(LOGITS))
    np.testing.assert_array_equal(np.sort(changed, axis=1), np.sort(LOGITS, axis=1))
    assert (changed != LOGITS).mean() > 0.7


def test_shuffling_follows_the_example_and_not_its_place():
    order = np.random.default_rng(2).permutation(50)
    np.testing.assert_array_equal(
        shuffled(LOGITS[order], INPUTS[order]), shuffled(LOGITS, INPUTS)[order]
    )


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_uniform_wrong_answers_keep_how_sure_the_best_is_at_that_temperature(temperature):
    before = softmax(LOGITS / temperature, axis=1)
    after = softmax(uniform(LOGITS, temperature) / temperature, axis=1)
    np.testing.assert_allclose(best_of(after), best_of(before), rtol=1e-5)
    rest = (1 - best_of(before)) / 9
    others = after[np.arange(10) != BEST[:, None]].reshape(50, 9)
    np.testing.assert_allclose(others, np.broadcast_to(rest[:, None], (50, 9)), rtol=1e-4)


def gap(low, high):
    return {"low": low, "high": high}


@pytest.mark.parametrize(
    ("shuffled_gap", "uniform_gap", "expected"),
    [
        (gap(0.1, 0.2), gap(0.01, 0.2), True),
        (gap(0.1, 0.2), gap(-0.01, 0.2), "undecided"),
        (gap(0.1, 0.2), gap(-0.2, -0.1), False),
    ],
)
def test_the_rule_asks_for_both(shuffled_gap, uniform_gap, expected):
    assert answer({"shuffled": shuffled_gap, "uniform": uniform_gap}) == expected
