"""Which gains over soft targets survive when all methods are tuned alike?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from matplotlib.figure import Figure

import limbeck
from experiments import harness
from experiments.harness import Entry, Experiment, Outcome, Setting
from experiments.hinton2015.fashion import fashion_teacher
from limbeck import objectives, students
from limbeck.selection import Budget, Compared

STUDENT = students.mlp([50, 50])
PLAN = limbeck.Plan(epochs=12, batch=256, held_out=0.0)
SEEDS = 5

# The same number of trials for all: each method's candidates in turn, at nine learning rates.
BUDGET = Budget(trials=9, learning_rates=(5e-4, 2e-2), held_out=1 / 6)
SOFT = "soft"
METHODS: Mapping[str, Sequence[objectives.Objective]] = {
    SOFT: [
        objectives.SoftTargets(2.0),
        objectives.SoftTargets(4.0),
        objectives.SoftTargets(4.0, hard_weight=0.5),
    ],
    "raw_logits": [objectives.MatchLogits("raw")],
    "centred_logits": [objectives.MatchLogits("centered")],
    "standardised_logits": [objectives.MatchLogits("standardized")],
    "logit_standardisation": [
        objectives.LogitStandardization(),  # the authors' settings
        objectives.LogitStandardization(temperature=4.0),
        objectives.LogitStandardization(hard_weight=0.0),
    ],
    "dist": [
        objectives.DIST(),  # the paper's settings
        objectives.DIST(temperature=4.0),
        objectives.DIST(inter_weight=32.0, intra_weight=32.0, temperature=4.0),  # as in their code
    ],
    "dkd": [
        objectives.DKD(),  # the authors' settings
        objectives.DKD(beta=2.0),
        objectives.DKD(beta=2.0, temperature=2.0),
    ],
}
SUCCESSORS = ("logit_standardisation", "dist", "dkd")


def work(setting: Setting) -> Outcome:
    """Scores the training images once, and compares all methods on them."""
    teacher, test = fashion_teacher(setting), setting.examples("fashion-mnist:test")
    scores = limbeck.score(
        teacher, setting.examples("fashion-mnist:train"), to=setting.place / "scores"
    )
    compared = limbeck.compare(
        setting.pick(STUDENT, smoke=students.mlp([8])),
        scores,
        {name: of[: setting.pick(len(of), smoke=1)] for name, of in METHODS.items()},
        test=test,
        to=setting.place / "compared",
        plan=setting.plan(PLAN),
        budget=setting.pick(BUDGET, smoke=Budget(1, (3e-3, 3e-3))),
        seeds=setting.pick(full=SEEDS, smoke=2),
        baseline=SOFT,
    )
    ours = {f"{row['name']}_accuracy": _entry(row) for row in compared.rows}
    ours["teacher_accuracy"] = harness.entry_of(
        "accuracy", harness.answers(teacher, test), test.labels
    )
    headline = [f"{name}_accuracy" for name in ("control", SOFT, *SUCCESSORS)]
    more = {
        key: compared.document[key]
        for key in ("student", "budget", "chosen_by", "baseline", "comparisons", "rows", "notes")
    }
    seeds = len(compared.document["seeds"])
    return Outcome(ours, answer(compared), seeds, headline, {"compared": more})


def answer(compared: Compared) -> bool | Literal["undecided"]:
    """Whether any successor beats tuned soft targets, by intervals that hold together.

    True if one does, False if all three are worse, else undecided.
    """
    found = [compared.row(name)["against"][SOFT]["answer"] for name in SUCCESSORS]
    if "yes" in found:
        return True
    return False if set(found) == {"no"} else "undecided"


def _entry(row: Mapping[str, Any]) -> Entry:
    values = list(row["values"])
    return {**row["metrics"]["accuracy"], "n": len(values), "values": values}


def draw(result: Mapping[str, Any]) -> Figure:
    """Each method's accuracy less that of soft targets, with intervals that hold together."""
    return harness.gaps(result["more"]["compared"], SOFT, "soft targets", height=3.2)


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="A successor of soft targets (logit standardisation, DIST or DKD) is still better when "
    "soft targets are tuned as much.",
    paper={
        "says": "later papers: CIFAR-100, ResNet-32x4 to 8x4: soft targets 73.3 %, logit "
        "standardisation 76.6, DKD 76.3, DIST 76.3",
        "where": "arXiv:2403.01427, 2203.08679, 2205.10536",
    },
    cost="10 minutes on two cores",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
