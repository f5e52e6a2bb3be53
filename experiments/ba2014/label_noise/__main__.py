"""The first reason why a mimic can be better: its teacher filters wrong labels."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import limbeck
from experiments import harness
from experiments.ba2014 import alike, shared
from experiments.harness import Experiment, Outcome, Setting
from limbeck import metrics, objectives, students, teachers
from limbeck.scoring import Storage
from limbeck.training import FRESH

NOISE = 0.2
NOISE_SEED = 14
STUDENT = students.shallow(1000)
# The control that stops before it learns the wrong labels by heart, by held-out wrong ones too.
STOPPED = {"held_out": 0.1, "patience": 5}

NAMES = ("control", "control_stopped", "teacher", "mimic")


def work(setting: Setting) -> Outcome:
    """Teacher, mimic and both controls on noisy labels; how they answer clean ones."""
    clean, test = (setting.examples(f"fashion-mnist:{part}") for part in ("train", "test"))
    labels = flipped(clean.labels, len(clean.classes), NOISE)
    noisy = limbeck.Examples.of(
        clean.inputs,
        labels,
        keys=clean.keys,
        classes=clean.classes,
        name="fashion-mnist with wrong labels",
    )
    wrong = clean.take(np.flatnonzero(labels != clean.labels))
    models = _models(setting, noisy)
    said = {name: harness.answers(model, test) for name, model in models.items()}
    ours = {name: harness.entry_of("accuracy", x, test.labels) for name, x in said.items()}
    for name, model in models.items():
        x = harness.answers(model, wrong)
        ours[f"{name}_mended"] = harness.entry_of("accuracy", x, wrong.labels)
    gains = {name: _less(said["mimic"], said[name], test) for name in NAMES[:3]}
    return Outcome(
        ours,
        holds=_holds(gains),
        seeds=setting.pick(full=alike.SEEDS, smoke=2),
        headline=NAMES,
        more={"mimic_less": gains, "wrong_labels": len(wrong)},
    )


def flipped(labels: np.ndarray, classes: int, share: float) -> np.ndarray:
    """That share of the labels made wrong, each to one of the other classes, all as likely."""
    drawn = np.random.default_rng(NOISE_SEED)
    rows = drawn.choice(len(labels), round(share * len(labels)), replace=False)
    made = labels.copy()
    made[rows] = (labels[rows] + drawn.integers(1, classes, len(rows))) % classes
    return made


def _models(setting: Setting, noisy: limbeck.Examples) -> dict[str, limbeck.Run]:
    teacher = limbeck.train(
        students.convnet(setting.pick(full="small", smoke=[4, 8])),
        limbeck.TransferSet(noisy, shared.VIEW, FRESH),
        objectives.Labels(),
        to=setting.place / "teacher",
        plan=setting.plan(shared.TEACHER),
        control=False,
    )
    count = setting.pick(full=shared.COUNT, smoke=2)
    scores = limbeck.score(
        teachers.run(teacher, precision="bfloat16"),
        noisy,
        to=setting.place / "scores",
        views=shared.VIEW,
        count=count,
        storage=Storage(batch=128),
    )
    student = setting.pick(STUDENT, smoke=students.shallow(20))
    test = setting.examples("fashion-mnist:test")
    compared = alike.tuned_alike(setting, student, scores, test, setting.place / "compared")
    rate = compared.row(alike.LABELS)["learning_rate"]
    stopped = limbeck.sweep(
        student,
        limbeck.TransferSet(noisy, shared.VIEW, count),
        {"stopped": objectives.Labels()},
        to=setting.place / "stopped",
        plan=replace(alike.at(setting, rate), **STOPPED),
        seeds=setting.pick(full=alike.SEEDS, smoke=2),
    )
    found = {name: compared.run(name) for name in (alike.LABELS, alike.MIMIC)}
    found |= {"control_stopped": stopped["stopped"], "teacher": teacher}
    return {name: found[name] for name in NAMES}


def _less(first: np.ndarray, second: np.ndarray, test: limbeck.Examples) -> dict[str, Any]:
    accuracy = metrics.STANDARD["accuracy"]
    found = metrics.difference(accuracy, first, second, test.labels, harness.NOBODY)
    return found.to_json()


def _holds(gains: Mapping[str, Mapping[str, Any]]) -> Any:
    """Whether the mimic is better than both nets on labels."""
    both = gains["control"], gains["control_stopped"]
    if all(gain["low"] > 0 for gain in both):
        return True
    return False if any(gain["high"] < 0 for gain in both) else "undecided"


WORDS = {
    "control": "labels,\nto the end",
    "control_stopped": "labels,\nstopped early",
    "teacher": "teacher",
    "mimic": "mimic",
}


def draw(result: Mapping[str, Any]) -> Figure:
    """Accuracy on clean test labels, all taught with a fifth of the labels wrong."""
    return harness.bars(result, WORDS, "A fifth of the labels wrong", "accuracy")


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="With a fifth of the training labels wrong, a shallow mimic of a net that learnt from "
    "them is better than the same shallow net on those labels.",
    paper={
        "says": "a teacher filters wrong labels, so that they are no obstacle to its mimic",
        "where": "section 5, the first reason (in words, without numbers)",
    },
    cost="14 minutes on one of two cores",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
