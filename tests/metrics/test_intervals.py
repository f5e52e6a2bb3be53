"""Intervals: slow obvious versions, identities, and how often they cover the truth."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from limbeck.errors import InputError, MismatchError
from limbeck.metrics import (
    Estimate,
    over_examples_and_seeds,
    resampled,
    simultaneous,
    unseen,
    verdict,
    within,
)
from limbeck.metrics.intervals import paired_proportions, proportion


def crossed(draw, seeds, n, *, by_example, by_seed, noise):
    return (
        by_example * draw.standard_normal((1, n))
        + by_seed * draw.standard_normal((seeds, 1))
        + noise * draw.standard_normal((seeds, n))
    )


def slow_crossed(values):
    """The two-way analysis of variance without replication, written out cell by cell."""
    seeds, n = len(values), len(values[0])
    grand = sum(sum(row) for row in values) / (seeds * n)
    row_means = [sum(row) / n for row in values]
    column_means = [sum(values[s][i] for s in range(seeds)) / seeds for i in range(n)]
    examples_square = seeds * sum((m - grand) ** 2 for m in column_means) / (n - 1)
    seeds_square = n * sum((m - grand) ** 2 for m in row_means) / (seeds - 1)
    rest = 0.0
    for s in range(seeds):
        for i in range(n):
            rest += (values[s][i] - row_means[s] - column_means[i] + grand) ** 2
    rest_square = rest / ((n - 1) * (seeds - 1))
    parts = [square / (n * seeds) for square in (examples_square, seeds_square, rest_square)]
    variance = max(parts[0] + parts[1] - parts[2], parts[0], parts[1])
    degrees = variance**2 / (parts[0] ** 2 / (n - 1) + parts[1] ** 2 / (seeds - 1))
    half = stats.t.ppf(0.975, degrees) * math.sqrt(variance)
    return grand, grand - half, grand + half


@pytest.mark.parametrize("by_seed", [0.0, 0.1, 3.0])
@pytest.mark.parametrize(("seeds", "n"), [(2, 3), (3, 17), (5, 40)])
def test_the_crossed_interval_is_that_of_the_slow_obvious_version(seeds, n, by_seed):
    draw = np.random.default_rng(seeds)
    values = crossed(draw, seeds, n, by_example=1, by_seed=by_seed, noise=1) + 5
    found = over_examples_and_seeds(values)
    assert (found.mean, found.low, found.high) == pytest.approx(slow_crossed(values.tolist()))
    assert found.n == n


def test_one_seed_gives_the_t_interval_over_examples():
    values = np.random.default_rng(0).exponential(size=(1, 30))
    found = over_examples_and_seeds(values)
    usual = stats.ttest_1samp(values[0], 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((usual.low, usual.high))


def test_seeds_that_all_answer_alike_tell_no_more_than_one():
    values = np.random.default_rng(1).standard_normal((1, 50))
    one, five = over_examples_and_seeds(values), over_examples_and_seeds(np.repeat(values, 5, 0))
    assert (five.low, five.high) == pytest.approx((one.low, one.high))


def test_examples_that_are_all_alike_leave_the_t_interval_over_seeds():
    of_seeds = np.array([0.1, 0.4, 0.3, 0.7])
    found = over_examples_and_seeds(np.repeat(of_seeds[:, None], 20, axis=1))
    usual = stats.ttest_1samp(of_seeds, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((usual.low, usual.high))


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize(
    ("by_seed", "noise"), [(0.0, 1.0), (0.1, 0.5), (0.15, 1.0), (0.2, 0.0), (1.0, 1.0)]
)
def test_the_crossed_interval_covers_the_truth_92_to_98_times_in_100(seeds, by_seed, noise):
    draw, runs = np.random.default_rng(7), 700
    found = (
        over_examples_and_seeds(
            crossed(draw, seeds, 60, by_example=1, by_seed=by_seed, noise=noise)
        )
        for _ in range(runs)
    )
    covered = sum(estimate.low <= 0 <= estimate.high for estimate in found) / runs
    assert 0.92 <= covered <= 0.98


def test_an_interval_over_examples_alone_would_not_cover_where_seeds_differ():
    # What the crossed interval is for: the same simulation, seeds averaged away.
    draw, runs = np.random.default_rng(7), 300
    covered = 0
    for _ in range(runs):
        values = crossed(draw, 3, 60, by_example=1, by_seed=1, noise=1)
        found = over_examples_and_seeds(values.mean(axis=0, keepdims=True))
        covered += found.low <= 0 <= found.high
    assert covered / runs < 0.5


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    seeds=st.integers(1, 4),
    n=st.integers(2, 12),
    factor=st.floats(0.1, 10),
    shift=st.floats(-5, 5),
)
def test_an_interval_moves_and_stretches_with_its_values(seed, seeds, n, factor, shift):
    values = np.random.default_rng(seed).standard_normal((seeds, n))
    plain, moved = over_examples_and_seeds(values), over_examples_and_seeds(factor * values + shift)
    expected = [factor * end + shift for end in (plain.mean, plain.low, plain.high)]
    assert [moved.mean, moved.low, moved.high] == pytest.approx(expected, abs=1e-9)


def test_one_example_leaves_all_that_the_bounds_allow():
    found = over_examples_and_seeds(np.array([[0.4], [0.6]]), bounds=(0.0, math.inf))
    assert found == Estimate(0.5, 0.0, math.inf, 1)
    assert found.to_json() == {"mean": 0.5, "low": 0.0, "high": None, "n": 1}


def test_an_interval_stays_within_its_bounds():
    found = over_examples_and_seeds(np.array([[0.0, 0.0, 0.0, 1.0]]), bounds=(0.0, math.inf))
    assert found.low == 0.0


def test_ten_thousand_examples_and_five_seeds_are_exact_in_float32_too():
    values = np.random.default_rng(0).random((5, 10_000), dtype=np.float32)
    found, exact = over_examples_and_seeds(values), over_examples_and_seeds(values.astype(float))
    assert found == exact


def test_a_proportion_of_one_seed_is_close_to_wilsons():
    values = (np.arange(5000) < 4321)[None]
    found = proportion(values)
    usual = stats.binomtest(4321, 5000).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((usual.low, usual.high), abs=2e-5)


@pytest.mark.parametrize("seeds", [1, 5])
def test_360_of_360_are_not_certain(seeds):
    found = proportion(np.ones((seeds, 360)))
    usual = stats.binomtest(360, 360).proportion_ci(method="wilson")
    assert found.mean == found.high == 1
    assert found.low == pytest.approx(usual.low, abs=2e-4)
    assert found.n == 360


def test_one_error_in_one_of_five_seeds_is_not_surer_than_none():
    values = np.ones((5, 360))
    none = proportion(values)
    values[0, 0] = 0
    assert proportion(values).low < none.low


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), seeds=st.integers(1, 4), n=st.integers(1, 15))
def test_a_proportion_lies_within_its_interval_within_0_and_1(seed, seeds, n):
    draw = np.random.default_rng(seed)
    values = draw.random((seeds, n)) < draw.random()
    found, turned = proportion(values), proportion(~values)
    assert 0 <= found.low <= found.mean <= found.high <= 1
    assert found.low < found.high
    ends = (1 - turned.high, 1 - turned.low)
    assert (found.low, found.high) == pytest.approx(ends)


@pytest.mark.parametrize(("share", "n"), [(0.99, 360), (0.95, 360), (0.85, 100)])
@pytest.mark.parametrize("alike", [0.2, 1.0])  # how little seeds agree on what is hard
def test_a_proportion_covers_the_truth(share, n, alike):
    draw, runs, covered = np.random.default_rng(3), 300, 0
    for _ in range(runs):
        ease = draw.beta(alike * share, alike * (1 - share), size=n)
        found = proportion(draw.random((3, n)) < ease)
        covered += found.low <= share <= found.high
    assert covered / runs >= 0.93


def slow_bonett_price(only_first, only_second, n):
    """Adjusted Wald of Bonett & Price 2012, with t and n + 1 for their z and n + 2."""
    one, other = (only_first + 1) / (n + 2), (only_second + 1) / (n + 2)
    variance = (one + other - (one - other) ** 2) / (n + 1)
    half = stats.t.ppf(0.975, n + 1) * math.sqrt(variance)
    return one - other - half, one - other + half


@pytest.mark.parametrize(("only_first", "only_second", "n"), [(0, 0, 50), (3, 1, 50), (9, 2, 200)])
def test_paired_proportions_of_one_seed_are_those_of_bonett_and_price(only_first, only_second, n):
    first, second = np.ones((1, n)), np.ones((1, n))
    second[0, :only_first] = 0
    first[0, only_first : only_first + only_second] = 0
    found = paired_proportions(first, second)
    expected = slow_bonett_price(only_first, only_second, n)
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.mean == pytest.approx((only_first - only_second) / n)


@pytest.mark.parametrize("seeds", [1, 5])
def test_models_that_never_differ_may_still_differ_elsewhere(seeds):
    answers = np.random.default_rng(0).random((seeds, 360)) < 0.9
    found = paired_proportions(answers, answers)
    assert found.mean == 0
    assert found.high == pytest.approx(2.8 / 360, rel=0.02)
    assert found.low == pytest.approx(-found.high)
    assert verdict(found) == "undecided"


def test_a_clear_difference_on_few_examples_is_undecided():
    assert verdict(paired_proportions(np.ones((1, 4)), np.array([[0, 0, 1, 1]]))) == "undecided"


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), seeds=st.integers(1, 4), n=st.integers(1, 12))
def test_the_difference_the_other_way_is_the_negative(seed, seeds, n):
    draw = np.random.default_rng(seed)
    first, second = draw.random((seeds, n)) < draw.random(), draw.random((1, n)) < draw.random()
    there, back = paired_proportions(first, second), paired_proportions(second, first).rescaled(-1)
    assert -1 <= there.low <= there.mean <= there.high <= 1
    assert [there.mean, there.low, there.high] == pytest.approx([back.mean, back.low, back.high])


def test_one_seed_is_paired_with_each_of_the_other():
    draw = np.random.default_rng(0)
    first, second = draw.random((3, 40)) < 0.8, draw.random((1, 40)) < 0.7
    assert paired_proportions(first, second) == paired_proportions(first, np.repeat(second, 3, 0))


@pytest.mark.parametrize("n", [20, 100])
def test_paired_proportions_cover_the_truth_where_few_examples_differ(n):
    draw, runs, covered = np.random.default_rng(5), 500, 0
    for _ in range(runs):
        between = draw.choice([1, 0, -1], p=[0.06, 0.92, 0.02], size=(1, n))
        found = paired_proportions(between > 0, between < 0)
        covered += found.low <= 0.04 <= found.high
    assert covered / runs >= 0.94


def test_paired_proportions_say_yes_wrongly_at_most_3_times_in_100():
    # No true difference, three seeds that differ between themselves: 2.5 % to each side.
    draw, runs, wrong = np.random.default_rng(6), 500, 0
    for _ in range(runs):
        ease = draw.beta(0.9, 0.1, size=200) - 0.02 * draw.random((6, 1))
        answers = draw.random((6, 200)) < ease
        wrong += verdict(paired_proportions(answers[:3], answers[3:])) == "yes"
    assert wrong / runs <= 0.03


def test_resampling_a_mean_gives_the_crossed_interval():
    draw = np.random.default_rng(2)
    values = crossed(draw, 3, 80, by_example=1, by_seed=0.1, noise=1)
    found = resampled(lambda rows: values[:, rows].mean(axis=1), 3, 80, resamples=4000)
    exact = over_examples_and_seeds(values)
    assert found.mean == pytest.approx(exact.mean)
    assert found.high - found.low == pytest.approx(exact.high - exact.low, rel=0.05)


def test_resampling_draws_the_same_rows_for_every_seed_and_every_call():
    drawn = []

    def statistic(rows):
        drawn.append(rows)
        return np.array([rows.mean()])

    first = resampled(statistic, 1, 30, resamples=5)
    again, other = resampled(statistic, 1, 30, resamples=5), resampled(statistic, 1, 30, seed=1)
    assert first == again != other
    assert drawn[0].tolist() == list(range(30))
    assert all(rows.shape == (30,) and rows.min() >= 0 and rows.max() < 30 for rows in drawn)


def test_the_resampled_median_covers_the_truth():
    draw, runs, covered = np.random.default_rng(4), 150, 0
    for _ in range(runs):
        values = draw.standard_normal(60)
        found = resampled(lambda rows, v=values: np.median(v[rows])[None], 1, 60, resamples=100)
        covered += found.low <= 0 <= found.high
    assert covered / runs >= 0.92


def test_a_statistic_that_never_moves_still_reaches_as_far_as_was_asked():
    found = resampled(lambda rows: np.ones(2), 2, 50, bounds=(0.0, 1.0), least=0.07)
    assert (found.mean, found.high, found.low) == (1.0, 1.0, pytest.approx(0.93))


def test_resamples_without_a_value_are_left_out():
    values = np.arange(40.0)

    def statistic(rows):
        return np.array([values[rows].mean() if 0 in rows else math.nan])

    found = resampled(statistic, 1, 40)  # row 0 is in 63 % of the resamples
    assert 0 < found.low < found.mean == 19.5 < found.high


def test_too_few_resamples_with_a_value_leave_all_that_the_bounds_allow():
    def statistic(rows):
        return np.array([0.5 if {0, 1, 2} <= set(rows.tolist()) else math.nan])

    found = resampled(statistic, 1, 40, bounds=(0.0, 1.0))
    assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize("n", [10, 360])
def test_what_nothing_was_seen_of_is_wilsons_end(n):
    usual = stats.binomtest(0, n).proportion_ci(method="wilson")
    assert unseen([n]) == pytest.approx(usual.high)


def test_the_rarest_group_decides_what_may_be_unseen():
    assert unseen([50, 50]) == pytest.approx(unseen([100]))
    assert unseen([97, 3]) == pytest.approx(unseen([3]) / 2)


@pytest.mark.parametrize(
    ("low", "high", "better", "close"),
    [
        (0.1, 0.3, "yes", "yes"),
        (0.0, 0.3, "undecided", "yes"),
        (-0.5, 0.3, "undecided", "undecided"),
        (-0.2, -0.1, "no", "yes"),
        (-0.3, -0.1, "no", "undecided"),
        (-0.5, -0.3, "no", "no"),
    ],
)
def test_the_whole_interval_decides(low, high, better, close):
    between = Estimate((low + high) / 2, low, high, 10)
    assert verdict(between) == better
    assert within(between, 0.2) == close


def test_an_estimate_turned_round_swaps_its_ends():
    assert Estimate(1.0, -2.0, 5.0, 3).rescaled(-2.0) == Estimate(-2.0, -10.0, 4.0, 3)


def test_an_estimate_is_plain_json():
    found = proportion(np.array([[1, 0, 1, 1]]))
    assert json.loads(json.dumps(found.to_json(), allow_nan=False)) == found.to_json()


@pytest.mark.parametrize("numbers", [(0.5, 0.6, 0.7), (math.nan, 0.0, 1.0), (0.5, math.nan, 1.0)])
def test_an_estimate_outside_its_interval_is_refused(numbers):
    with pytest.raises(InputError, match="a mean lies within its interval, but got Estimate"):
        Estimate(*numbers, 5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: over_examples_and_seeds(np.ones(3)), InputError, r"at least one each: \(3,\)"),
        (lambda: over_examples_and_seeds(np.ones((2, 0))), InputError, r"one each: \(2, 0\)"),
        (
            lambda: over_examples_and_seeds(np.array([[1.0, math.nan]])),
            InputError,
            "seed 0 has nan for example 1",
        ),
        (lambda: proportion(np.array([[1.0, 0.5]])), InputError, "zeros and ones, not of 0.5"),
        (
            lambda: paired_proportions(np.ones((2, 4)), np.ones((3, 4))),
            MismatchError,
            "one model has 2 and the other 3",
        ),
        (
            lambda: paired_proportions(np.ones((2, 4)), np.ones((2, 1))),
            MismatchError,
            r"one has \(4,\) and the other \(1,\)",
        ),
        (
            lambda: resampled(lambda _: np.ones(1), 2, 9),
            InputError,
            r"2 finite values.*not \[1\.\]",
        ),
        (lambda: resampled(lambda _: np.full(1, math.nan), 1, 9), InputError, r"not \[nan\]"),
        (lambda: within(Estimate(0.0, 0.0, 0.0, 1), -0.1), InputError, "zero or more, not -0.1"),
    ],
)
def test_what_has_no_interval_is_refused_in_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_another_confidence_takes_another_quantile_of_the_same_spread(confidence):
    values = np.random.default_rng(0).exponential(size=(1, 30))
    found = over_examples_and_seeds(values, confidence=confidence)
    usual = stats.ttest_1samp(values[0], 0).confidence_interval(confidence)
    assert (found.low, found.high) == pytest.approx((usual.low, usual.high))


def test_every_interval_widens_with_the_confidence():
    draw = np.random.default_rng(3)
    ones, others = (draw.integers(0, 2, (3, 80)).astype(float) for _ in range(2))

    def mean_of(rows):
        return ones[:, rows].mean(axis=1)

    def widths(confidence):
        found = [
            over_examples_and_seeds(ones, confidence=confidence),
            proportion(ones, confidence=confidence),
            paired_proportions(ones, others, confidence=confidence),
            resampled(mean_of, 3, 80, confidence=confidence),
        ]
        return np.array([each.high - each.low for each in found])

    assert (widths(0.8) < widths(0.95)).all()
    assert (widths(0.95) < widths(0.999)).all()
    assert unseen([50], confidence=0.8) < unseen([50]) < unseen([50], confidence=0.999)


@pytest.mark.slow
def test_many_intervals_hold_together_as_often_as_one():
    """Six comparisons with one control, which depend on each other, in 400 worlds."""
    draw, worlds, many = np.random.default_rng(5), 400, 6
    together = alone = 0
    for _ in range(worlds):
        control = crossed(draw, 5, 60, by_example=1, by_seed=0.2, noise=1)
        gaps = [
            crossed(draw, 5, 60, by_example=1, by_seed=0.2, noise=1) - control for _ in range(many)
        ]
        for confidence in (simultaneous(many), 0.95):
            found = [over_examples_and_seeds(gap, confidence=confidence) for gap in gaps]
            all_hold = all(each.low <= 0 <= each.high for each in found)
            together += all_hold if confidence > 0.95 else 0
            alone += all_hold if confidence == 0.95 else 0
    assert together / worlds > 0.93
    assert alone / worlds < 0.93


def test_bonferroni_divides_what_is_left():
    assert simultaneous(1) == pytest.approx(0.95)
    assert simultaneous(5, 0.9) == pytest.approx(0.98)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95, float("nan")])
def test_a_confidence_is_a_share(confidence):
    with pytest.raises(InputError, match="a confidence lies between 0 and 1, not"):
        over_examples_and_seeds(np.ones((2, 3)), confidence=confidence)
    with pytest.raises(InputError, match="a confidence lies between 0 and 1, not"):
        simultaneous(3, confidence)


def test_no_comparison_at_all_is_refused():
    with pytest.raises(InputError, match="comparisons are 1 or more, not 0"):
        simultaneous(0)
