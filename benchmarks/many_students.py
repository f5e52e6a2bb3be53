"""How much longer eight small students take together than one alone.

`python -m benchmarks.many_students` trains nets of 784-30-30-10 at batch 128 through the public
`limbeck.sweep`, whole calls with all they cost: four seeds of a student with a control each, and
one student alone. Nothing else should run on the machine meanwhile.
"""

import itertools
import tempfile
from pathlib import Path

import numpy as np

import limbeck
from benchmarks.measured import ratio, write
from limbeck import objectives, students

NET = students.mlp([30, 30])
SEEDS = 4  # and a control for each: eight nets
PLAN = limbeck.Plan(epochs=16, batch=128, held_out=0.0)
EXAMPLES = 8_192  # 64 steps an epoch
SOFT = {"soft": objectives.SoftTargets(temperature=4)}


def main() -> None:
    """Measures, writes and prints the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        scores = _scores(Path(folder))
        places = (Path(folder) / f"call-{i}" for i in itertools.count())

        def many() -> None:
            limbeck.sweep(NET, scores, SOFT, to=next(places), plan=PLAN, seeds=SEEDS)

        def one() -> None:
            limbeck.sweep(NET, scores, SOFT, to=next(places), plan=PLAN, control=False)

        found = ratio(many, one, repeats=15)
    what = (
        "seconds of 8 students (4 seeds and their controls) over seconds of 1, each a whole "
        f"limbeck.sweep of 784-30-30-10, batch 128, {PLAN.epochs * EXAMPLES // PLAN.batch} steps"
    )
    print(write("many_students_8x30", what, found), found)


def _scores(folder: Path) -> limbeck.ScoreSet:
    """Scores of random bytes in MNIST's shape: the time does not depend on what is learnt."""
    drawn = np.random.default_rng(0)
    inputs = drawn.integers(0, 256, (EXAMPLES, 1, 28, 28)).astype(np.uint8)
    classes = [str(digit) for digit in range(10)]
    examples = limbeck.Examples.of(inputs, drawn.integers(0, 10, EXAMPLES), classes=classes)
    projection = drawn.normal(0, 0.01, (784, 10)).astype(np.float32)
    return limbeck.score(lambda x: x.reshape(len(x), -1) @ projection, examples, to=folder / "s")


if __name__ == "__main__":
    main()
