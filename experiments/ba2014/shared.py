"""What several of the experiments use: a deep ensemble on Fashion-MNIST, and its scores."""

import limbeck
from experiments.harness import Setting
from limbeck import objectives, students, teachers, views
from limbeck.scoring import Storage
from limbeck.training import FRESH

MEMBERS = 4
VIEW = views.flip(of=views.jitter(1))
COUNT = 4
TEACHER = limbeck.Plan(
    epochs=8,
    batch=128,
    learning_rate=3e-3,
    schedule="one-cycle",
    warmup=0.2,
    precision="bfloat16",
    held_out=1 / 60,
)


def fashion_members(setting: Setting) -> limbeck.Run:
    """Four convolutional nets of six layers that differ in their start, on the training images.

    They see the images moved by up to a pixel and mirrored, each epoch anew. About 15 minutes on
    two cores; the experiments that need them share them.
    """
    return limbeck.train(
        students.convnet(setting.pick(full="small", smoke=[4, 8])),
        limbeck.TransferSet(setting.examples("fashion-mnist:train"), VIEW, FRESH),
        objectives.Labels(),
        to=setting.of("same_size") / "teachers",
        plan=setting.plan(TEACHER),
        seeds=setting.pick(full=MEMBERS, smoke=2),
        control=False,
    )


def fashion_teacher(setting: Setting) -> teachers.Teacher:
    """The mean of their centred logits, as Ba & Caruana average theirs (section 4)."""
    members = fashion_members(setting)
    each = [teachers.run(members, seed, precision="bfloat16") for seed in members.seeds]
    return teachers.ensemble(each, mean="geometric")


def fashion_scores(setting: Setting) -> limbeck.ScoreSet:
    """What the ensemble says of four views of each training image."""
    return limbeck.score(
        fashion_teacher(setting),
        setting.examples("fashion-mnist:train"),
        to=setting.of("same_size") / "scores",
        views=VIEW,
        count=setting.pick(full=COUNT, smoke=2),
        storage=Storage(batch=128),
    )
