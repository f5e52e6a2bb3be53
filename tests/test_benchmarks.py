"""A benchmark's ratio is measured in pairs, and its file has the agreed form."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmarks import measured

RESULTS = sorted((Path(__file__).parents[1] / "benchmarks" / "results").glob("*.json"))


def check(result: dict) -> None:
    keys = {"format", "what", "ratio", "machine", "versions", "commit", "command"}
    assert result.keys() == keys
    assert result["format"] == 1
    assert result["what"]
    assert result["command"].startswith("python -m benchmarks.")
    found = result["ratio"]
    assert found.keys() == {"median", "low", "high", "n"}
    assert 0 < found["low"] <= found["median"] <= found["high"]
    assert found["n"] >= 6


@pytest.mark.parametrize("file", RESULTS, ids=lambda file: file.stem)
def test_a_result_has_the_agreed_form(file):
    check(json.loads(file.read_text()))


def test_a_result_is_written_with_what_made_it(tmp_path):
    found = measured.ratio(lambda: time.sleep(0.03), lambda: time.sleep(0.001), repeats=7)
    assert found["median"] > 1
    file = measured.write("sleep", "30 ms of sleep to 1 ms", found, to=tmp_path)
    check(json.loads(file.read_text()))


@pytest.mark.parametrize("n", [6, 9, 15, 40])
def test_the_interval_of_a_median_holds_it_at_least_19_times_in_20(n):
    drawn = np.random.default_rng(0).exponential(size=(4000, n))
    intervals = [measured.median(list(row)) for row in drawn]
    held = np.mean([i["low"] <= np.log(2) <= i["high"] for i in intervals])
    assert held > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 4000)


def test_no_tighter_pair_of_order_statistics_would_do():
    ordered = [float(value) for value in range(1, 21)]
    found = measured.median(ordered)
    k = int(found["low"])  # P(median outside the k-th to the (n + 1 - k)-th) = 2 P(B < k)
    assert 2 * stats.binom.cdf(k - 1, 20, 0.5) <= 0.05 < 2 * stats.binom.cdf(k, 20, 0.5)


def test_too_few_pairs_are_refused():
    with pytest.raises(ValueError, match="fewer than 6 pairs has no 95 % interval; got 5"):
        measured.ratio(lambda: None, lambda: None, repeats=5)
