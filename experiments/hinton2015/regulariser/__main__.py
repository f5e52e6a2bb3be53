"""Section 6: with 3 % of the data, soft targets keep what all of it taught; labels overfit."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import limbeck
from experiments import harness
from experiments.harness import Entry, Experiment, Outcome, Setting
from limbeck import metrics, objectives, students

SETS = {"fashion-mnist": "", "mnist": "mnist_"}  # and what their names in the result begin with
SHARE = 0.03
SEEDS = 5
STUDENT = students.mlp([800, 800])
SOFT = objectives.SoftTargets(temperature=10)  # it and the rates: see `tune.py`

# All the data, and 3 % of it with labels: stopped early on a held-out tenth, as in the paper.
ALL = limbeck.Plan(
    epochs=20,
    batch=512,
    learning_rate=1e-3,
    schedule="constant",
    precision="bfloat16",
    held_out=0.1,
    patience=3,
)
HARD = limbeck.Plan(
    epochs=100, batch=128, learning_rate=5e-4, schedule="constant", held_out=0.1, patience=10
)
# 3 % of it with soft targets: nothing is held out, and it trains to the end.
LONG = limbeck.Plan(epochs=100, batch=128, learning_rate=1e-3, schedule="constant", held_out=0.0)
# A training of e epochs is the beginning of a longer one: constant rate, no warm-up, same order.
CURVE = replace(LONG, warmup=0.0)
CURVE_EPOCHS = (1, 2, 4, 8, 16, 32, 64)
CURVE_SEEDS = 3

# The rule, fixed beforehand: on Fashion-MNIST soft targets beat labels with the whole paired
# interval, and close more than half of the gap to all the data with the whole interval.
CLOSED = 0.5


def work(setting: Setting) -> Outcome:
    """Both sets: all data, 3 % with labels, 3 % with soft targets, five seeds each; curves."""
    parts = {name: _of_set(setting, name) for name in SETS}
    ours = {
        SETS[name] + key: found
        for name, (of_set, _) in parts.items()
        for key, found in of_set.items()
    }
    more = {name: of_set for name, (_, of_set) in parts.items()}
    return Outcome(
        ours,
        holds=_holds(ours["gap_closed"], more["fashion-mnist"]["soft_less_hard"]),
        seeds=setting.pick(full=SEEDS, smoke=2),
        headline=["hard_accuracy", "soft_accuracy", "all_data_accuracy", "gap_closed"],
        more=more,
    )


def _of_set(setting: Setting, name: str) -> tuple[dict[str, Entry], dict[str, Any]]:
    whole, test = (setting.examples(f"{name}:{part}") for part in ("train", "test"))
    few = whole.take(few_rows(whole.labels, setting.pick(SHARE, smoke=0.3)))
    place, seeds = setting.place / name, setting.pick(full=SEEDS, smoke=2)
    student = _student(setting)
    everything = _labels(student, whole, place / "all", setting.plan(ALL), seeds)
    scores = limbeck.score(everything, few, to=place / "scores")
    runs = {
        "all_data": everything,
        "hard": _labels(student, few, place / "hard", setting.plan(HARD), seeds),
        # As long as the soft targets, on as many images: what early stopping costs on so few.
        "hard_to_the_end": _labels(student, few, place / "end", setting.plan(LONG), seeds),
        "soft": limbeck.train(
            student,
            scores,
            SOFT,
            to=place / "soft",
            plan=setting.plan(LONG),
            seeds=seeds,
            control=False,
        ),
    }
    seen = {"all_data": whole.split(0.1)[0], "hard": few.split(0.1)[0]}
    said = {of: harness.answers(run, test) for of, run in runs.items()}
    ours = {f"{of}_accuracy": _accuracy(logits, test) for of, logits in said.items()}
    for of, run in runs.items():
        ours[f"{of}_train_accuracy"] = _accuracy(
            harness.answers(run, seen.get(of, few)), seen.get(of, few)
        )
    ours["gap_closed"] = harness.entry(_closed(ours))
    more = {
        "soft_less_hard": _less(said["soft"], said["hard"], test),
        "soft_less_hard_to_the_end": _less(said["soft"], said["hard_to_the_end"], test),
        "curves": _curves(setting, place, scores, few, test),
    }
    return ours, more


def few_rows(labels: np.ndarray, share: float) -> np.ndarray:
    """The same share of each class, drawn at random once and for all, in order."""
    drawn = np.random.default_rng(0)
    of_class = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    chosen = [
        drawn.choice(rows, max(2, round(share * len(rows))), replace=False) for rows in of_class
    ]
    return np.sort(np.concatenate(chosen))


def _student(setting: Setting) -> students.Student:
    made: students.Student = setting.pick(STUDENT, smoke=students.mlp([30, 30]))
    return made


def _labels(
    student: students.Student, examples: limbeck.Examples, to: Path, plan: limbeck.Plan, seeds: int
) -> limbeck.Run:
    return limbeck.train(student, examples, objectives.Labels(), to=to, plan=plan, seeds=seeds)


def _accuracy(logits: np.ndarray, examples: limbeck.Examples) -> Entry:
    return harness.entry_of("accuracy", logits, examples.labels)


def _closed(ours: Mapping[str, Entry]) -> np.ndarray:
    """The share of the gap between labels on few and on all images, a seed each."""
    hard, soft, everything = (
        np.array(ours[f"{of}_accuracy"]["values"]) for of in ("hard", "soft", "all_data")
    )
    return (soft - hard) / np.maximum(everything - hard, 0.001)


def _less(first: np.ndarray, second: np.ndarray, test: limbeck.Examples) -> dict[str, Any]:
    accuracy = metrics.STANDARD["accuracy"]
    between = metrics.difference(accuracy, first, second, test.labels, harness.NOBODY)
    return between.to_json()


def _holds(closed: Entry, better: Mapping[str, Any]) -> Any:
    if better["low"] > 0 and closed["low"] > CLOSED:
        return True
    return False if better["high"] < 0 or closed["high"] < CLOSED else "undecided"


def _curves(
    setting: Setting,
    place: Path,
    scores: limbeck.ScoreSet,
    few: limbeck.Examples,
    test: limbeck.Examples,
) -> list[dict[str, Any]]:
    """Accuracy after so many epochs without early stopping, labels beside soft targets."""
    found = []
    for epochs in setting.pick(full=CURVE_EPOCHS, smoke=(1,)):
        runs = limbeck.sweep(
            _student(setting),
            scores,
            {"soft": SOFT},
            to=place / f"epochs{epochs}",
            plan=replace(CURVE, epochs=epochs),
            seeds=setting.pick(full=CURVE_SEEDS, smoke=2),
        )
        point = {"epochs": epochs}
        for role, name in (("hard", "control"), ("soft", "soft")):
            for part, examples in (("train", few), ("test", test)):
                said = harness.answers(runs[name], examples)
                point[f"{role}_{part}_accuracy"] = _accuracy(said, examples)
        found.append(point)
    return found


def draw(result: Mapping[str, Any]) -> Figure:
    """Accuracy over epochs for both sets; the levels of all data and of early stopping."""
    figure = Figure(figsize=(9.0, 3.6))
    for axes, (name, start) in zip(figure.subplots(1, 2), SETS.items(), strict=True):
        curves = result["more"][name]["curves"]
        epochs = [point["epochs"] for point in curves]
        for role, color in (("soft", harness.OURS), ("hard", harness.CONTROL)):
            found = [point[f"{role}_test_accuracy"] for point in curves]
            harness.curve(axes, epochs, found, color=color, label=f"{role}, test")
            train = [point[f"{role}_train_accuracy"]["mean"] for point in curves]
            axes.plot(epochs, train, ":", color=color, label=f"{role}, training")
        levels = {"all_data": harness.TEACHER, "hard": harness.PAPER}
        words = {"all_data": "all the data, test", "hard": "hard, stopped early, test"}
        for of, color in levels.items():
            found = result["ours"][f"{start}{of}_accuracy"]
            harness.level(axes, found, color=color, label=words[of])
        axes.set(title=name, xlabel="epochs", xscale="log")
        axes.set_xticks(epochs, [str(epoch) for epoch in epochs])
        axes.minorticks_off()
    figure.axes[0].set_ylabel("accuracy")
    harness.legend(figure.axes[1])  # whose lower right is empty
    figure.suptitle("3 % of the data: soft targets against labels", fontsize=10)
    return figure


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="With 3 % of the training data, soft targets without early stopping keep most of what "
    "all the data taught, where labels lose it in spite of early stopping.",
    paper={
        "hard_accuracy": 0.445,
        "soft_accuracy": 0.570,
        "all_data_accuracy": 0.589,
        "hard_train_accuracy": 0.673,
        "soft_train_accuracy": 0.654,
        "all_data_train_accuracy": 0.634,
        "gap_closed": 0.87,
        "where": "section 6, table 5: frames of speech",
    },
    cost="10 minutes on two cores",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
