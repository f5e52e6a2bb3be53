"""Section 3's table: the errors of a big net, a small one, and the small one taught by the big."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

import limbeck
from experiments import harness
from experiments.harness import Experiment, Outcome, Setting
from experiments.hinton2015.shared import mnist_scores, mnist_teacher
from limbeck import objectives, students

# Rate, batch and weight decay were chosen with `tune.py` on 10,000 held-out training images; T is
# the paper's.
STUDENT = students.mlp([800, 800])
OBJECTIVE = objectives.SoftTargets(temperature=20)
PLAN = limbeck.Plan(
    epochs=60,
    batch=128,
    learning_rate=1e-3,
    weight_decay=0.3,
    precision="bfloat16",
    held_out=1 / 60,
)
SEEDS = 5
CLOSED = 0.7  # the share of the gap that has to close
MOST = 100  # and the errors that may be left


def work(setting: Setting) -> Outcome:
    """Trains five students, controls and plain nets on the plain images; counts errors."""
    teacher, scores = mnist_teacher(setting), mnist_scores(setting)
    runs = limbeck.sweep(
        setting.pick(STUDENT, smoke=students.mlp([30, 30])),
        scores,
        {"distilled": OBJECTIVE},
        to=setting.place / "students",
        plan=setting.plan(PLAN),
        seeds=setting.pick(full=SEEDS, smoke=2),
        control=True,  # labels alone, with the same weight decay
    )
    test = setting.examples("mnist:test")
    models = {"teacher": teacher, "plain": _plain(setting), **runs}
    logits = {name: harness.answers(model, test) for name, model in models.items()}
    ours = {
        f"{name}_errors": harness.entry_of("errors", said, test.labels)
        for name, said in logits.items()
    }
    ours["gap_closed"] = harness.entry(_closed(ours, "plain"))
    ours["gap_to_control_closed"] = harness.entry(_closed(ours, "control"))
    ours["distilled_agreement"] = harness.entry_of(
        "agreement", logits["distilled"], test.labels, logits["teacher"][0]
    )
    ours["plain_agreement"] = harness.entry_of(
        "agreement", logits["plain"], test.labels, logits["teacher"][0]
    )
    holds = ours["distilled_errors"]["mean"] <= MOST and ours["gap_closed"]["mean"] >= CLOSED
    return Outcome(ours, holds, seeds=len(runs["distilled"].seeds))


def _plain(setting: Setting) -> limbeck.Run:
    """The paper's plain net, without any regularisation."""
    return limbeck.train(
        setting.pick(STUDENT, smoke=students.mlp([30, 30])),
        setting.examples("mnist:train"),
        objectives.Labels(),
        to=setting.place / "plain",
        plan=setting.plan(replace(PLAN, weight_decay=0.0)),
        seeds=setting.pick(full=SEEDS, smoke=2),
        control=False,
    )


def _closed(ours: Mapping[str, Any], other: str) -> list[float]:
    """The share of the gap between that net and the teacher that each seed's student closed."""
    teacher = ours["teacher_errors"]["mean"]
    pairs = zip(ours[f"{other}_errors"]["values"], ours["distilled_errors"]["values"], strict=True)
    return [(plain - distilled) / max(plain - teacher, 1.0) for plain, distilled in pairs]


def draw(result: Mapping[str, Any]) -> Figure:
    """Errors of the three, beside the paper's."""
    names = {
        "plain_errors": "800-800,\nlabels",
        "control_errors": "800-800, labels,\nweight decay",
        "distilled_errors": "800-800, T = 20,\nweight decay",
        "teacher_errors": "1200-1200,\ndropout, jitter",
    }
    return harness.bars(result, names, "A small net taught by a big one", "errors of 10,000")


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="A 784-800-800-10 net taught by a big net with jitter makes about half the errors of "
    "the same net on labels, from plain images alone.",
    paper={
        "teacher_errors": 67,
        "plain_errors": 146,
        "distilled_errors": 74,
        "gap_closed": 0.91,
        "where": "section 3",
    },
    cost="11 minutes for the teacher and 25 for fifteen small nets, on two cores",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
