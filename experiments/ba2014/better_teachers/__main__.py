"""Figure 3: the better the teacher, the better the mimic, for a small and a large student."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

import limbeck
from experiments import harness
from experiments.ba2014 import shared
from experiments.harness import Entry, Experiment, Outcome, Setting
from limbeck import metrics, objectives, students, teachers
from limbeck.scoring import Storage
from limbeck.training import FRESH

SEEDS = 3
MIMIC = objectives.MatchLogits("centered")
STUDENTS = {"small": students.shallow(100), "large": students.shallow(1000)}
# The rate is the one that `what_to_match` chose for centred logits by held-out training images.
PLAN = limbeck.Plan(epochs=30, batch=512, learning_rate=9e-3, precision="bfloat16", held_out=1 / 60)

# Cheap teachers of rising accuracy; the last two are one net of the shared ensemble, and all.
CHEAP = {
    "linear": (students.mlp([]), 4),
    "tiny_1": (students.convnet("tiny"), 1),
    "tiny_5": (students.convnet("tiny"), 5),
    "small_2": (students.convnet("small"), 2),
}
DEEP = ("one_net", "ensemble")
NAMES = (*CHEAP, *DEEP)

LEAST = 0.8  # what the rank correlation has to be above


def work(setting: Setting) -> Outcome:
    """Both students as mimics of every teacher, and how their accuracies are ordered."""
    test = setting.examples("fashion-mnist:test")
    said = {name: harness.answers(one, test) for name, one in _teachers(setting).items()}
    mimics = {
        (size, name): harness.answers(run, test)
        for name in said
        for size, run in _mimics(setting, name).items()
    }
    ours = {f"teacher_{name}": _accuracy(logits, test) for name, logits in said.items()}
    ours |= {f"{size}_{name}": _accuracy(x, test) for (size, name), x in mimics.items()}
    for size in STUDENTS:
        ours[f"rank_correlation_{size}"] = _rank_correlation(ours, size)
    gains = {
        size: _less(mimics[size, NAMES[-1]], mimics[size, NAMES[0]], test) for size in STUDENTS
    }
    return Outcome(
        ours,
        holds=_holds(ours, gains),
        seeds=setting.pick(full=SEEDS, smoke=2),
        headline=[
            *(f"rank_correlation_{size}" for size in STUDENTS),
            *(f"{who}_{name}" for name in (NAMES[0], NAMES[-1]) for who in ("teacher", *STUDENTS)),
        ],
        more={
            "best_less_worst": gains,
            "small_with_best_less_large_with": {
                name: _less(mimics["small", NAMES[-1]], mimics["large", name], test)
                for name in NAMES
            },
        },
    )


def _teachers(setting: Setting) -> dict[str, limbeck.Run | teachers.Teacher]:
    made: dict[str, Any] = {name: _cheap(setting, name) for name in CHEAP}
    members = shared.fashion_members(setting)
    first = teachers.run(members, members.shipped, precision="bfloat16")
    return {**made, "one_net": first, "ensemble": shared.fashion_teacher(setting)}


def _cheap(setting: Setting, name: str) -> limbeck.Run:
    net, epochs = CHEAP[name]
    train = setting.examples("fashion-mnist:train")
    return limbeck.train(
        setting.pick(net, smoke=students.mlp([10 * (1 + list(CHEAP).index(name))])),
        limbeck.TransferSet(train, shared.VIEW, FRESH),
        objectives.Labels(),
        to=setting.place / "teachers" / name,
        plan=setting.plan(replace(shared.TEACHER, epochs=epochs)),
        control=False,
    )


def _scores(setting: Setting, name: str) -> limbeck.ScoreSet:
    if name == "ensemble":
        return shared.fashion_scores(setting)
    teacher = _teachers(setting)[name]
    if isinstance(teacher, limbeck.Run):
        teacher = teachers.run(teacher, precision="bfloat16")
    return limbeck.score(
        teacher,
        setting.examples("fashion-mnist:train"),
        to=setting.place / "scores" / name,
        views=shared.VIEW,
        count=setting.pick(full=shared.COUNT, smoke=2),
        storage=Storage(batch=128),
    )


def _mimics(setting: Setting, name: str) -> dict[str, limbeck.Run]:
    """Both students of one teacher."""
    scores, found = _scores(setting, name), {}
    for size, student in STUDENTS.items():
        found[size] = limbeck.sweep(
            setting.pick(student, smoke=students.shallow({"small": 5, "large": 30}[size])),
            scores,
            {"mimic": MIMIC},
            to=setting.place / f"{size}-{name}",
            plan=setting.plan(PLAN),
            seeds=setting.pick(full=SEEDS, smoke=2),
            control=False,
        )["mimic"]
    return found


def _accuracy(logits: np.ndarray, test: limbeck.Examples) -> Entry:
    return harness.entry_of("accuracy", logits, test.labels)


def _rank_correlation(ours: Mapping[str, Entry], size: str) -> Entry:
    """Spearman's, between the teachers' accuracies and the mimics', one a seed."""
    of_teachers = [ours[f"teacher_{name}"]["mean"] for name in NAMES]
    of_mimics = np.array([ours[f"{size}_{name}"]["values"] for name in NAMES])
    found = [stats.spearmanr(of_teachers, of_seed).statistic for of_seed in of_mimics.T]
    made = harness.entry([np.nan_to_num(one) for one in found])  # mimics all alike have no order
    return {**made, "low": max(made["low"], -1.0), "high": min(made["high"], 1.0)}


def _less(first: np.ndarray, second: np.ndarray, test: limbeck.Examples) -> dict[str, Any]:
    accuracy = metrics.STANDARD["accuracy"]
    found = metrics.difference(accuracy, first, second, test.labels, harness.NOBODY)
    return found.to_json()


def _holds(ours: Mapping[str, Entry], gains: Mapping[str, Mapping[str, Any]]) -> Any:
    """Whether the order is kept for both students, and the best teacher helps each."""
    orders = [ours[f"rank_correlation_{size}"] for size in STUDENTS]
    if all(o["low"] > LEAST for o in orders) and all(g["low"] > 0 for g in gains.values()):
        return True
    is_not = any(o["high"] < LEAST for o in orders) or any(g["high"] < 0 for g in gains.values())
    return False if is_not else "undecided"


def draw(result: Mapping[str, Any]) -> Figure:
    """The mimics' accuracy over their teacher's, with the diagonal on which they are equal."""
    figure = harness.chart("Better teachers", "accuracy of the teacher", "accuracy of its mimic")
    axes, ours = figure.axes[0], result["ours"]
    across = [ours[f"teacher_{name}"]["mean"] for name in NAMES]
    order = np.argsort(across)
    for size, color in (("small", harness.CONTROL), ("large", harness.OURS)):
        found = [ours[f"{size}_{NAMES[at]}"] for at in order]
        label = f"{STUDENTS[size].hidden} hidden units"
        harness.curve(axes, [across[at] for at in order], found, color=color, label=label)
    ends = [min(across), max(across)]
    axes.plot(ends, ends, ":", color=harness.TEACHER, label="as good as its teacher")
    harness.legend(axes)
    return figure


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="The more accurate the teacher, the more accurate its mimic, for a small and a large "
    "shallow student.",
    paper={
        "says": "small and large mimics rise with their teacher, almost parallel to the diagonal",
        "where": "figure 3: TIMIT, 8,000 and 160,000 hidden units",
    },
    cost="17 minutes on one of two cores, after the shared ensemble of ba2014/same_size",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
