"""How many unlabelled points a mimic needs, and whether they may be its teacher's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import limbeck
from experiments import harness
from experiments.ba2014.shared import VIEW
from experiments.harness import Entry, Experiment, Outcome, Setting
from limbeck import metrics, objectives, students, teachers, views
from limbeck.scoring import Storage, confidence

SIZES = (1000, 3000, 10_000, 30_000)
SEEDS = 5
STUDENT = students.shallow(500)
MIMIC = objectives.MatchLogits("centered")
COUNT = 8  # views of each point, where it is shown in any but its own

# Without views and to the end: the teacher that the paper warns of, which has overfit its points.
TEACHER = limbeck.Plan(
    epochs=12,
    batch=128,
    learning_rate=3e-3,
    schedule="one-cycle",
    warmup=0.2,
    precision="bfloat16",
    held_out=0.0,
)
PLAN = limbeck.Plan(epochs=40, batch=512, precision="bfloat16", held_out=1 / 30)

SETS = ("own", "unseen")
WAYS = {"": ("plain", 1), "_views": (VIEW, COUNT)}


def work(setting: Setting) -> Outcome:
    """Mimics of each size, of the teacher's own points and of unseen ones, plain and in views."""
    parts, test = halves(setting), setting.examples("fashion-mnist:test")
    teacher = _teacher(setting, parts["own"])
    scores = {
        (of, way): _scores(setting, teacher, parts[of], of, way) for of in SETS for way in WAYS
    }
    runs = {key: _sweep(setting, found, *key) for key, found in scores.items()}
    said = {
        (of + way, size): harness.answers(runs[of, way][f"{size}/mimic"], test)
        for of, way in scores
        for size in _sizes(setting)
    }
    ours = {f"{of}_{named(size)}": _accuracy(logits, test) for (of, size), logits in said.items()}
    ours |= _controls(setting, runs, test)
    ours["teacher_accuracy"] = _accuracy(harness.answers(teacher, test), test)
    sure = confidence(scores["own", ""], scores["unseen", ""])
    ours |= {"own_confidence": _one(sure.own), "unseen_confidence": _one(sure.held_out)}
    gaps = _gaps(setting, said, test)
    ends = [f"{of}{way}_{named(_sizes(setting)[-1])}" for way in WAYS for of in SETS]
    return Outcome(
        ours,
        holds=_holds(gaps),
        seeds=setting.pick(full=SEEDS, smoke=2),
        headline=["teacher_accuracy", "own_confidence", "unseen_confidence", *ends],
        more={"differences": gaps, "sizes": list(_sizes(setting)), "confidence": sure.to_json()},
    )


def halves(setting: Setting) -> dict[str, limbeck.Examples]:
    """The training images: those the teacher learns from, and those it never sees."""
    own, unseen = setting.examples("fashion-mnist:train").split(0.5)
    return {"own": own.named("own points"), "unseen": unseen.named("unseen points")}


def named(size: int) -> str:
    """`1k` for 1000."""
    return f"{size // 1000}k" if size % 1000 == 0 else str(size)


def _sizes(setting: Setting) -> tuple[int, ...]:
    chosen: tuple[int, ...] = setting.pick(full=SIZES, smoke=(60, 250))
    return chosen


def _teacher(setting: Setting, own: limbeck.Examples) -> limbeck.Run:
    return limbeck.train(
        students.convnet(setting.pick(full="small", smoke=[4, 8])),
        own,
        objectives.Labels(),
        to=setting.place / "teacher",
        plan=setting.plan(TEACHER),
        control=False,
    )


def _scores(
    setting: Setting, teacher: limbeck.Run, points: limbeck.Examples, of: str, way: str
) -> limbeck.ScoreSet:
    view, count = WAYS[way]
    return limbeck.score(
        teachers.run(teacher, precision="bfloat16"),
        points,
        to=setting.place / f"scores-{of}{way}",
        views=views.plain() if view == "plain" else view,
        count=setting.pick(count, smoke=min(count, 2)),
        held_out=of == "unseen",
        storage=Storage(batch=128),
    )


def _sweep(setting: Setting, scores: limbeck.ScoreSet, of: str, way: str) -> dict[str, limbeck.Run]:
    """A mimic of each size, and where the points are plain the same net on their labels."""
    return limbeck.sweep(
        setting.pick(STUDENT, smoke=students.shallow(20)),
        scores,
        {"mimic": MIMIC},
        to=setting.place / f"sweep-{of}{way}",
        plan=setting.plan(PLAN),
        seeds=setting.pick(full=SEEDS, smoke=2),
        sizes=_sizes(setting),
        control=not way,
    )


def _controls(
    setting: Setting, runs: Mapping[tuple[str, str], Mapping[str, limbeck.Run]], test: Any
) -> dict[str, Entry]:
    return {
        f"{of}_labels_{named(size)}": _accuracy(
            harness.answers(runs[of, ""][f"{size}/control"], test), test
        )
        for of in SETS
        for size in _sizes(setting)
    }


def _accuracy(logits: np.ndarray, test: limbeck.Examples) -> Entry:
    return harness.entry_of("accuracy", logits, test.labels)


def _one(found: Any) -> Entry:
    """A confidence, which has its interval over examples, as an entry of one teacher."""
    return {**found.to_json(), "n": 1, "values": [found.mean]}


def _less(first: np.ndarray, second: np.ndarray, test: limbeck.Examples) -> dict[str, Any]:
    accuracy = metrics.STANDARD["accuracy"]
    found = metrics.difference(accuracy, first, second, test.labels, harness.NOBODY)
    return found.to_json()


def _gaps(
    setting: Setting, said: Mapping[tuple[str, int], np.ndarray], test: limbeck.Examples
) -> dict[str, dict[str, Any]]:
    """Paired differences of accuracy: unseen less own at each size, and views less plain."""
    found = {}
    for size in _sizes(setting):
        for way in WAYS:
            pair = (said[of + way, size] for of in ("unseen", "own"))
            found[f"unseen_less_own{way}_{named(size)}"] = _less(*pair, test)
        for of in SETS:
            pair = (said[of + way, size] for way in ("_views", ""))
            found[f"views_less_plain_{of}_{named(size)}"] = _less(*pair, test)
    *_, before, last = _sizes(setting)
    found["unseen_last_less_before"] = _less(said["unseen", last], said["unseen", before], test)
    found["largest"] = found[f"unseen_less_own_{named(last)}"]
    return found


def _holds(gaps: Mapping[str, Mapping[str, Any]]) -> Any:
    """Whether unseen points are better at the largest size, and more of them better than fewer."""
    both = gaps["largest"], gaps["unseen_last_less_before"]
    if all(gap["low"] > 0 for gap in both):
        return True
    return False if any(gap["high"] < 0 for gap in both) else "undecided"


LOOKS = {
    "own": {"color": harness.CONTROL, "label": "the teacher's own points"},
    "unseen": {"color": harness.OURS, "label": "points it never saw"},
    "own_views": {"color": harness.PAPER, "label": "own, in 8 views"},
    "unseen_views": {"color": "#7a4fa3", "label": "unseen, in 8 views"},
}


def draw(result: Mapping[str, Any]) -> Figure:
    """Accuracy of the mimic by the number of its points, one curve a kind; the teacher's level."""
    figure = harness.chart("How many points, and whose", "points without labels", "accuracy")
    axes, sizes = figure.axes[0], result["more"]["sizes"]
    for of, look in LOOKS.items():
        found = [result["ours"][f"{of}_{named(size)}"] for size in sizes]
        harness.curve(axes, sizes, found, **look)
    harness.level(
        axes, result["ours"]["teacher_accuracy"], color=harness.TEACHER, label="the teacher"
    )
    axes.set(xscale="log")
    axes.set_xticks(sizes, [named(size) for size in sizes])
    axes.minorticks_off()
    harness.legend(axes)
    return figure


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="A mimic learns more from more unlabelled points, and more from points that its teacher "
    "never saw than from as many of the teacher's own training points.",
    paper={
        "says": "works best with a very large unlabelled set that does not fall on training points",
        "where": "sections 1 and 5 (in words, without numbers)",
    },
    cost="27 minutes on one of two cores",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
