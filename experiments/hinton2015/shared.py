"""What several of the experiments use: the big net of section 3, and its scores."""

from pathlib import Path

import limbeck
from experiments.harness import Setting
from limbeck import objectives, students, views
from limbeck.training import FRESH

TEACHER = limbeck.Plan(
    epochs=160,
    batch=512,
    learning_rate=2e-3,
    max_norm=2.0,
    precision="bfloat16",
    held_out=1 / 60,
)


def mnist_teacher(setting: Setting) -> limbeck.Run:
    """The big net: 784-1200-1200-10 with dropout, max-norm and a fresh 2-pixel jitter each epoch.

    About 11 minutes on two cores; the experiments that need it share it.
    """
    units = setting.pick(full=1200, smoke=50)
    return limbeck.train(
        students.mlp([units, units], dropout=0.5, input_dropout=0.2),
        limbeck.TransferSet(setting.examples("mnist:train"), views.jitter(2), FRESH),
        objectives.Labels(),
        to=_folder(setting) / "teacher",
        plan=setting.plan(TEACHER),
        control=False,
    )


def mnist_scores(setting: Setting) -> limbeck.ScoreSet:
    """What the big net says of the plain training images."""
    to = _folder(setting) / "scores"
    return limbeck.score(mnist_teacher(setting), setting.examples("mnist:train"), to=to)


def _folder(setting: Setting) -> Path:
    return setting.of("mnist")
