"""Mimics and nets on labels that are tuned alike, and how they compare on the test images."""

from dataclasses import replace
from pathlib import Path

import numpy as np

import limbeck
from experiments import harness
from experiments.harness import Entry, Setting
from limbeck import metrics, objectives, students
from limbeck.selection import Budget, Compared

SEEDS = 5
MIMIC, LABELS = "mimic", "control"
MATCH = objectives.MatchLogits("centered")
PLAN = limbeck.Plan(epochs=25, batch=512, precision="bfloat16", held_out=0.0)
# For each net and each of the two: five rates, one seed, judged on held-out training images. The
# range holds what `what_to_match` found best for logits (0.009) and for labels (0.002).
BUDGET = Budget(trials=5, learning_rates=(5e-4, 3e-2), held_out=1 / 6)


def deep(setting: Setting) -> students.Student:
    """Three hidden layers."""
    return students.mlp([setting.pick(full=512, smoke=12)] * 3)


def shallow(setting: Setting) -> students.Student:
    """One hidden layer, as wide as the deep net's number of parameters allows."""
    inputs, outputs = 28 * 28, 10
    budget = students.parameters(deep(setting).sized((1, 28, 28), outputs))
    return students.shallow((budget - outputs) // (inputs + 1 + outputs))


def tuned_alike(
    setting: Setting,
    student: students.Student,
    scores: limbeck.ScoreSet,
    test: limbeck.Examples,
    to: Path,
) -> Compared:
    """The student as a mimic and on the labels, each with its best learning rate, five seeds."""
    return limbeck.compare(
        student,
        scores,
        {MIMIC: [MATCH]},
        test=test,
        to=to,
        plan=setting.plan(PLAN),
        budget=setting.pick(BUDGET, smoke=Budget(1, (3e-3, 3e-3))),
        seeds=setting.pick(full=SEEDS, smoke=2),
    )


def at(setting: Setting, rate: float) -> limbeck.Plan:
    """The plan of the final nets at a learning rate that was chosen."""
    return replace(setting.plan(PLAN), learning_rate=rate)


def logits(compared: Compared, test: limbeck.Examples) -> dict[str, np.ndarray]:
    """What each of them says of the test images, `(seeds, examples, classes)`."""
    return {name: harness.answers(compared.run(name), test) for name in (MIMIC, LABELS)}


def accuracy(said: np.ndarray, test: limbeck.Examples) -> Entry:
    """How many it is right on, with an interval over images and seeds."""
    return harness.entry_of("accuracy", said, test.labels)


def gap(first: np.ndarray, second: np.ndarray, test: limbeck.Examples) -> Entry:
    """The first's accuracy less the second's, paired by image and seed."""
    measured = metrics.STANDARD["accuracy"]
    found = metrics.difference(measured, first, second, test.labels, harness.NOBODY)
    assert found is not None
    one, other = (accuracy(said, test)["values"] for said in (first, second))
    values = [a - b for a, b in np.broadcast(one, other)]
    return {**found.to_json(), "n": len(values), "values": values}
