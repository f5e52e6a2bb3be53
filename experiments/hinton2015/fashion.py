"""A small convolutional teacher on Fashion-MNIST, which two of the experiments share."""

import limbeck
from experiments.harness import Setting
from limbeck import objectives, students, views
from limbeck.training import FRESH

TEACHER = limbeck.Plan(
    epochs=6, batch=128, learning_rate=3e-3, schedule="one-cycle", held_out=1 / 60
)


def fashion_teacher(setting: Setting) -> limbeck.Run:
    """`convnet('small')` on the training images, each epoch moved and mirrored anew.

    About 3 minutes on two cores.
    """
    return limbeck.train(
        students.convnet(setting.pick(full="small", smoke="tiny")),
        limbeck.TransferSet(
            setting.examples("fashion-mnist:train"), views.flip(of=views.jitter(1)), FRESH
        ),
        objectives.Labels(),
        to=setting.of("methods") / "teacher",
        plan=setting.plan(TEACHER),
        control=False,
    )
