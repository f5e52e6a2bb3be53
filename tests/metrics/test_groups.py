"""Where examples belong together, the groups are the sample: intervals say so, and cover."""

import math

import numpy as np
import pytest

import limbeck
from limbeck import metrics
from limbeck.errors import MismatchError
from limbeck.metrics import intervals
from limbeck.metrics._groups import Groups

RANDOM = np.random.default_rng(0)
NOBODY = np.zeros((0, 0))


def slow_error(values: np.ndarray, groups: np.ndarray) -> float:
    """The standard error of one seed's mean: squares of the groups' summed deviations, by hand."""
    mean = values.mean()
    known = sorted(set(groups.tolist()))
    total = 0.0
    for group in known:
        of_group = [value - mean for value, own in zip(values, groups, strict=True) if own == group]
        total += math.fsum(of_group) ** 2
    count = len(known)
    return math.sqrt(total * count / (count - 1)) / len(values)


def test_the_interval_is_that_of_a_ratio_over_clusters() -> None:
    groups = RANDOM.integers(0, 9, 60)
    values = RANDOM.normal(size=60) + groups
    found = intervals.over_examples_and_seeds(values[None], groups=groups)
    half = intervals.stats.t.ppf(0.975, len(set(groups.tolist())) - 1) * slow_error(values, groups)
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((found.mean - half, found.mean + half))
    assert found.n == 60


@pytest.mark.parametrize("seeds", [1, 3])
def test_copies_say_as_much_as_one_example(seeds: int) -> None:
    values = RANDOM.normal(size=(seeds, 20))
    copied, groups = np.repeat(values, 5, axis=1), np.repeat(np.arange(20), 5)
    once = intervals.over_examples_and_seeds(values)
    found = intervals.over_examples_and_seeds(copied, groups=groups)
    assert (found.mean, found.low, found.high) == pytest.approx((once.mean, once.low, once.high))
    resampled, single = (
        intervals.resampled(lambda rows, of=of: of[:, rows].mean(axis=1), seeds, of.shape[1], **how)
        for of, how in ((copied, {"groups": groups}), (values, {}))
    )
    assert (resampled.low, resampled.high) == pytest.approx((single.low, single.high))


@pytest.mark.parametrize("name", ["over_examples_and_seeds", "proportion", "paired_proportions"])
def test_groups_of_one_example_each_change_nothing(name: str) -> None:
    ones = RANDOM.integers(0, 2, (2, 3, 30)).astype(float)
    given = ones if name == "paired_proportions" else ones[:1]
    measure = getattr(intervals, name)
    names = RANDOM.permutation([f"patient {number}" for number in range(30)])
    assert measure(*given, groups=names) == measure(*given)


@pytest.mark.parametrize("kind", ["proportion", "mean"])
def test_intervals_over_groups_cover_and_those_over_examples_do_not(kind: str) -> None:
    groups, drawn = np.repeat(np.arange(40), 25), np.random.default_rng(1)
    covered = {"groups": 0, "examples": 0}
    for _ in range(400):
        of_group = drawn.beta(4, 1, 40)  # how often each speaker is understood; 0.8 on average
        ones = (drawn.random(1000) < of_group[groups]).astype(float)[None]
        of = intervals.proportion if kind == "proportion" else intervals.over_examples_and_seeds
        for name, found in (("groups", of(ones, groups=groups)), ("examples", of(ones))):
            covered[name] += found.low <= 0.8 <= found.high
    assert 0.92 <= covered["groups"] / 400 <= 0.98
    assert covered["examples"] / 400 < 0.8


def test_where_no_example_differs_a_group_counts_once() -> None:
    groups = np.repeat(np.arange(30), 100)
    whole = np.ones((1, 3000))
    thirty = intervals.proportion(np.ones((1, 30)))
    assert intervals.proportion(whole, groups=groups).low == pytest.approx(thirty.low)
    same = intervals.paired_proportions(whole, whole, groups=groups)
    few = intervals.paired_proportions(np.ones((1, 30)), np.ones((1, 30)))
    assert (same.low, same.high) == pytest.approx((few.low, few.high))
    assert same.n == 3000


def test_one_group_says_nothing_of_others() -> None:
    found = intervals.over_examples_and_seeds(np.arange(9.0)[None], groups=np.zeros(9))
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_drawn_groups_bring_all_their_examples() -> None:
    groups = Groups.of(np.array(["b", "a", "b", "c"]), 4)
    assert groups.rows(np.array([1, 1, 0])).tolist() == [0, 2, 0, 2, 1]
    assert len(groups) == 3


def test_as_many_groups_as_examples_are_asked_for() -> None:
    with pytest.raises(MismatchError, match=r"there are 3 examples, but groups \(2,\)"):
        intervals.proportion(np.ones((1, 3)), groups=np.array([0, 1]))


def spoken(is_grouped: bool) -> limbeck.Examples:
    drawn = np.random.default_rng(2)
    groups = np.repeat([f"utterance {number}" for number in range(12)], 10)
    inputs = drawn.normal(size=(120, 4)).astype(np.float32)
    labels = np.repeat(drawn.integers(0, 2, 12), 10)
    return limbeck.Examples.of(
        inputs, labels, classes=["no", "yes"], groups=groups if is_grouped else None, name="frames"
    )


def test_a_report_is_over_groups_and_says_so() -> None:
    def answers(inputs: np.ndarray) -> np.ndarray:
        return np.stack([np.zeros(len(inputs)), np.full(len(inputs), 1.0)], axis=1)

    reports = {
        grouped: limbeck.evaluate({"net": answers}, spoken(grouped)) for grouped in (True, False)
    }
    rows = {grouped: report.document["rows"][0] for grouped, report in reports.items()}
    for name in ("accuracy", "nll_nats", "macro_f1"):
        widths = {
            g: r["metrics"][name]["high"] - r["metrics"][name]["low"] for g, r in rows.items()
        }
        assert widths[True] > 1.5 * widths[False], name
    assert reports[True].document["examples"] == {"name": "frames", "n": 120, "groups": 12}
    assert (
        "120 test examples of frames in 12 groups, 95 % intervals over groups"
        in reports[True].to_markdown()
    )
    assert "groups" not in reports[False].document["examples"]


def test_only_groups_of_examples_that_count_are_counted() -> None:
    logits = RANDOM.normal(size=(1, 40, 2))
    labels = np.where(np.arange(40) < 20, RANDOM.integers(0, 2, 40), -1)
    groups = np.arange(40) // 4
    found = metrics.measure(metrics.STANDARD["accuracy"], logits, labels, NOBODY, groups=groups)
    half = metrics.measure(
        metrics.STANDARD["accuracy"], logits[:, :20], labels[:20], NOBODY, groups=groups[:20]
    )
    assert found == half
