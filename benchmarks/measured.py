"""The ratio of two times, measured in pairs, and the file that keeps it.

found = ratio(many, one, repeats=9)
write("many_students_8x30", "8 students at once to 1, of 784-30-30-10 at batch 128", found)
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from limbeck.artifacts import provenance

FORMAT = 1
RESULTS = Path(__file__).parent / "results"
CONFIDENCE = 0.95


def ratio(
    first: Callable[[], object], second: Callable[[], object], repeats: int = 9
) -> dict[str, float | int]:
    """How much longer the first takes than the second: median, 95 % interval, number of pairs.

    Both are called once beforehand. Then each repeat times one and the other right after it, in
    alternating order, so that a machine that slows down for a while slows both. The interval is
    that of the median's order statistics, which assumes nothing of how times are distributed.
    """
    if repeats < 6:
        raise ValueError(f"the median of fewer than 6 pairs has no 95 % interval; got {repeats}")
    first()
    second()
    ratios = []
    for repeat in range(repeats):
        times = [0.0, 0.0]
        for which in (0, 1) if repeat % 2 == 0 else (1, 0):
            times[which] = _seconds((first, second)[which])
        ratios.append(times[0] / times[1])
    return median(ratios)


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def median(values: list[float]) -> dict[str, float | int]:
    """The median with the tightest symmetric pair of order statistics of at least 95 %."""
    ordered, n = np.sort(values), len(values)
    # P(the median lies below the k-th smallest) = P(Binomial(n, 1/2) < k)
    k = int(stats.binom.ppf((1 - CONFIDENCE) / 2, n, 0.5))
    return {
        "median": float(np.median(ordered)),
        "low": float(ordered[max(k - 1, 0)]),
        "high": float(ordered[min(n - k, n - 1)]),
        "n": n,
    }


def write(name: str, what: str, found: dict[str, float | int], to: Path = RESULTS) -> Path:
    """Writes `NAME.json`: what was compared, the ratio, and what measured it."""
    made = provenance()
    body: dict[str, Any] = {
        "format": FORMAT,
        "what": what,
        "ratio": found,
        "machine": made["machine"],
        "versions": {key: made[key] for key in ("limbeck", "torch", "numpy", "python")},
        "commit": made["commit"],
        "command": " ".join(["python", "-m", f"benchmarks.{name_of_script()}", *sys.argv[1:]]),
    }
    to.mkdir(parents=True, exist_ok=True)
    file = to / f"{name}.json"
    file.write_text(json.dumps(body, indent=1) + "\n")
    return file


def name_of_script() -> str:
    """The module that was started, such as `many_students`."""
    return Path(sys.argv[0]).stem
