"""Is a shallow net of a deep one's size worse by labels, and as good as a mimic?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from matplotlib.figure import Figure

import limbeck
from experiments import harness
from experiments.ba2014 import alike
from experiments.ba2014.shared import (
    COUNT,
    VIEW,
    fashion_members,
    fashion_scores,
    fashion_teacher,
)
from experiments.harness import Entry, Experiment, Outcome, Setting
from limbeck import students, teachers
from limbeck.selection import Compared

# The rule, fixed beforehand: the mimic is no worse than the deep net by labels if the interval of
# their difference lies above this.
MARGIN = -0.0025


def work(setting: Setting) -> Outcome:
    """Deep and shallow by labels and as mimics of an ensemble; shallow as mimic of the deep one."""
    test, scores = setting.examples("fashion-mnist:test"), fashion_scores(setting)
    compared = {
        name: alike.tuned_alike(setting, net, scores, test, setting.place / name)
        for name, net in _nets(setting).items()
    }
    copy = _copy(setting, compared)
    said = {name: alike.logits(one, test) for name, one in compared.items()}
    ours = {
        "ensemble_accuracy": _accuracy(fashion_teacher(setting), test),
        "convolutional_accuracy": _accuracy(fashion_members(setting), test),
        "copy_accuracy": _accuracy(copy, test),
    }
    for name, of_net in said.items():
        ours[f"{name}_labels_accuracy"] = alike.accuracy(of_net[alike.LABELS], test)
        ours[f"{name}_mimic_accuracy"] = alike.accuracy(of_net[alike.MIMIC], test)
    deep, shallow = said["deep"], said["shallow"]
    gaps = {
        "shallow_less_deep": alike.gap(shallow[alike.LABELS], deep[alike.LABELS], test),
        "mimic_less_deep": alike.gap(shallow[alike.MIMIC], deep[alike.LABELS], test),
        "gain": alike.gap(shallow[alike.MIMIC], shallow[alike.LABELS], test),
    }
    ours |= gaps | {"copy_agreement": _agreement(setting, copy, compared["deep"], test)}
    return Outcome(
        ours,
        holds=answer(gaps["shallow_less_deep"], gaps["mimic_less_deep"]),
        seeds=len(compared["deep"].document["seeds"]),
        headline=[
            f"{name}_accuracy" for name in ("deep_labels", "shallow_labels", "shallow_mimic")
        ],
        more={
            "parameters": {name: one.run(alike.MIMIC).parameters for name, one in compared.items()},
            "students": {name: one.run(alike.MIMIC).student.text for name, one in compared.items()},
            "tuning": {name: one.document["rows"] for name, one in compared.items()},
        },
    )


def _nets(setting: Setting) -> Mapping[str, students.Student]:
    return {"deep": alike.deep(setting), "shallow": alike.shallow(setting)}


def _copy(setting: Setting, compared: Mapping[str, Compared]) -> limbeck.Run:
    """The shallow net as a mimic of one deep net of its own size, that of the first seed."""
    deep = teachers.run(compared["deep"].run(alike.LABELS), 0)
    scores = limbeck.score(
        deep,
        setting.examples("fashion-mnist:train"),
        to=setting.place / "deep-scores",
        views=VIEW,
        count=setting.pick(full=COUNT, smoke=2),
    )
    rate = compared["shallow"].row(alike.MIMIC)["learning_rate"]
    return limbeck.sweep(
        alike.shallow(setting),
        scores,
        {"copy": alike.MATCH},
        to=setting.place / "copies",
        plan=alike.at(setting, rate),
        seeds=setting.pick(full=alike.SEEDS, smoke=2),
        control=False,
    )["copy"]


def _agreement(
    setting: Setting, copy: limbeck.Run, deep: Compared, test: limbeck.Examples
) -> Entry:
    """How often the copy names the class that the deep net it copies does."""
    said = harness.answers(teachers.run(deep.run(alike.LABELS), 0), test)
    return harness.entry_of("agreement", harness.answers(copy, test), test.labels, said[0])


def _accuracy(model: limbeck.Run | teachers.Teacher, test: limbeck.Examples) -> Entry:
    return alike.accuracy(harness.answers(model, test), test)


def answer(by_labels: Entry, as_mimic: Entry) -> bool | Literal["undecided"]:
    """Whether the shallow net is worse than the deep one by labels and not worse as a mimic."""
    if by_labels["high"] < 0 and as_mimic["low"] > MARGIN:
        return True
    is_refuted = by_labels["low"] > 0 or as_mimic["high"] < MARGIN
    return False if is_refuted else "undecided"


def draw(result: Mapping[str, Any]) -> Figure:
    """Accuracies of deep and shallow, by labels and as mimics, with the ensemble above."""
    names = {
        "deep_labels_accuracy": "deep,\nlabels",
        "shallow_labels_accuracy": "shallow,\nlabels",
        "copy_accuracy": "shallow,\ncopy of deep",
        "shallow_mimic_accuracy": "shallow,\nmimic",
        "deep_mimic_accuracy": "deep,\nmimic",
    }
    count = result["more"]["parameters"]["deep"]
    figure = harness.bars(result, names, f"{count:,} parameters each", "accuracy")
    axes = figure.axes[0]
    ensemble = result["ours"]["ensemble_accuracy"]
    harness.level(axes, ensemble, color=harness.TEACHER, label="convolutional ensemble")
    harness.legend(axes)
    return figure


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="A net of one hidden layer with as many parameters as a deep one is less accurate by "
    "labels, and as accurate as the deep one by labels when it mimics an ensemble.",
    paper={
        "says": "TIMIT, phone error rate: 8k hidden units by labels 23.1 %, as a mimic 21.6 %; "
        "three layers of 2,000 by labels 21.9 %; an ensemble of convolutional nets 18.5 %",
        "where": "table 1; sections 1 and 3",
    },
    cost="15 minutes on two cores, beside the ensemble that it shares (15)",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
