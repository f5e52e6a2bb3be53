"""Does one hidden layer without any convolution learn more from a teacher than from labels?"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from matplotlib.figure import Figure

import limbeck
from experiments import harness
from experiments.ba2014 import alike
from experiments.ba2014.shared import fashion_scores, fashion_teacher
from experiments.harness import BUILD, Entry, Experiment, Outcome, Setting
from experiments.hinton2015.shared import mnist_teacher
from limbeck import views
from limbeck.selection import Compared

VIEW, COUNT = views.jitter(2), 8  # of each MNIST image; the big net was trained on such
SETS = {"mnist": "MNIST", "fashion": "Fashion-MNIST"}


def work(setting: Setting) -> Outcome:
    """The same shallow net by labels and as a mimic on both sets."""
    ours: dict[str, Entry] = {}
    for name, (compared, test) in _compared(setting).items():
        said = alike.logits(compared, test)
        ours[f"{name}_labels_accuracy"] = alike.accuracy(said[alike.LABELS], test)
        ours[f"{name}_mimic_accuracy"] = alike.accuracy(said[alike.MIMIC], test)
        ours[f"{name}_gain"] = alike.gap(said[alike.MIMIC], said[alike.LABELS], test)
        seeds = len(compared.document["seeds"])
    for name, (teacher, test) in _teachers(setting).items():
        ours[f"{name}_teacher_accuracy"] = alike.accuracy(harness.answers(teacher, test), test)
    return Outcome(
        ours,
        holds=answer([ours[f"{name}_gain"] for name in SETS]),
        seeds=seeds,
        headline=[f"{name}_{what}_accuracy" for name in SETS for what in ("labels", "mimic")],
        more={"student": alike.shallow(setting).text},
    )


def _compared(setting: Setting) -> Mapping[str, tuple[Compared, limbeck.Examples]]:
    mnist, fashion = setting.examples("mnist:test"), setting.examples("fashion-mnist:test")
    student = alike.shallow(setting)
    return {
        "mnist": (
            alike.tuned_alike(setting, student, mnist_scores(setting), mnist, setting.place / "m"),
            mnist,
        ),
        # The very nets of `same_size`, which are not trained again.
        "fashion": (
            alike.tuned_alike(
                setting,
                student,
                fashion_scores(setting),
                fashion,
                setting.of("same_size") / "shallow",
            ),
            fashion,
        ),
    }


def _teachers(setting: Setting) -> Mapping[str, tuple[Any, limbeck.Examples]]:
    return {
        "mnist": (mnist_teacher(_of_hinton(setting)), setting.examples("mnist:test")),
        "fashion": (fashion_teacher(setting), setting.examples("fashion-mnist:test")),
    }


def mnist_scores(setting: Setting) -> limbeck.ScoreSet:
    """What the big net of Hinton et al. says of eight moved views of each training image."""
    return limbeck.score(
        mnist_teacher(_of_hinton(setting)),
        setting.examples("mnist:train"),
        to=setting.place / "mnist-scores",
        views=VIEW,
        count=setting.pick(full=COUNT, smoke=2),
    )


def _of_hinton(setting: Setting) -> Setting:
    """The same size among the artifacts of the other paper, whose big net is used again."""
    is_usual = setting.root.parent == BUILD
    return replace(setting, root=BUILD / "hinton2015") if is_usual else setting


def answer(gains: list[Entry]) -> bool | Literal["undecided"]:
    """Whether the mimic is better on both sets, with the whole intervals."""
    if all(gain["low"] > 0 for gain in gains):
        return True
    return False if any(gain["high"] < 0 for gain in gains) else "undecided"


def draw(result: Mapping[str, Any]) -> Figure:
    """A panel a set: labels and mimic, with the teacher above."""
    figure = Figure(figsize=(6.4, 3.4))
    for axes, (name, title) in zip(figure.subplots(1, 2), SETS.items(), strict=True):
        for at, what in enumerate(("labels", "mimic")):
            found = result["ours"][f"{name}_{what}_accuracy"]
            color = harness.CONTROL if what == "labels" else harness.OURS
            harness.point(axes, at, found, color=color)
            axes.plot([at + 0.12] * found["n"], found["values"], ".", color=color, alpha=0.35)
        teacher = result["ours"][f"{name}_teacher_accuracy"]
        harness.level(axes, teacher, color=harness.TEACHER, label="teacher")
        axes.set_xticks([0, 1], ["labels", "mimic"])
        axes.set(title=title, ylabel="accuracy", xlim=(-0.5, 1.5))
        harness.legend(axes)
    return figure


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="A net of one hidden layer without convolution is more accurate as a mimic than by "
    "labels, on MNIST and on Fashion-MNIST.",
    paper={
        "says": "TIMIT, one hidden layer of 8k units: phone error rate 23.1 % by labels, 21.6 % as "
        "a mimic; on CIFAR-10 such nets did poorly, whatever they learned from",
        "where": "table 1; section 4",
    },
    cost="15 minutes on two cores, beside `same_size` and the big net of `hinton2015/mnist` (11)",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
