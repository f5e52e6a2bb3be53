"""Section 3's table: the errors of a big net, a small one, and the small one taught by the big."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

import limbeck
from experiments import harness
from experiments.harness import Experiment, Outcome, Setting
from experiments.hinton2015.shared import mnist_scores, mnist_teacher
from limbeck import objectives, students

# Rate and batch were chosen with `tune.py` on 10,000 held-out training images; T is the paper's.
STUDENT = students.mlp([800, 800])
OBJECTIVE = objectives.SoftTargets(temperature=20)
PLAN = limbeck.Plan(epochs=60, batch=128, learning_rate=1e-3, precision="bfloat16", held_out=1 / 60)
SEEDS = 5
CLOSED = 0.7  # the share of the gap that has to close
MOST = 100  # and the errors that may be left


def work(setting: Setting) -> Outcome:
    """Trains five students and five plain nets on the plain images; counts errors."""
    teacher, scores = mnist_teacher(setting), mnist_scores(setting)
    runs = limbeck.sweep(
        setting.pick(STUDENT, smoke=students.mlp([30, 30])),
        scores,
        {"distilled": OBJECTIVE},
        to=setting.place / "students",
        plan=setting.plan(PLAN),
        seeds=setting.pick(full=SEEDS, smoke=2),
        control=True,  # labels alone, the plain images, the same steps: the paper's plain net
    )
    test = setting.examples("mnist:test")
    models = {"teacher": teacher, "plain": runs["control"], "distilled": runs["distilled"]}
    logits = {name: harness.answers(model, test) for name, model in models.items()}
    ours = {
        f"{name}_errors": harness.entry_of("errors", said, test.labels)
        for name, said in logits.items()
    }
    ours["gap_closed"] = harness.entry(_closed(ours))
    ours["distilled_agreement"] = harness.entry_of(
        "agreement", logits["distilled"], test.labels, logits["teacher"][0]
    )
    ours["plain_agreement"] = harness.entry_of(
        "agreement", logits["plain"], test.labels, logits["teacher"][0]
    )
    holds = ours["distilled_errors"]["mean"] <= MOST and ours["gap_closed"]["mean"] >= CLOSED
    return Outcome(ours, holds, seeds=len(runs["distilled"].seeds))


def _closed(ours: Mapping[str, Any]) -> list[float]:
    """The share of the gap between plain net and teacher that each seed's student closed."""
    teacher = ours["teacher_errors"]["mean"]
    pairs = zip(ours["plain_errors"]["values"], ours["distilled_errors"]["values"], strict=True)
    return [(plain - distilled) / max(plain - teacher, 1.0) for plain, distilled in pairs]


def draw(result: Mapping[str, Any]) -> Figure:
    """Errors of the three, beside the paper's."""
    names = {
        "plain_errors": "800-800, labels",
        "distilled_errors": "800-800, T = 20",
        "teacher_errors": "1200-1200, dropout, jitter",
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
    cost="11 minutes for the teacher and 15 for ten small nets, on two cores",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
