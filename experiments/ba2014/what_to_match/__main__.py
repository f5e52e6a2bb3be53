"""Is a mimic best asked for its teacher's logits, by squared error?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from matplotlib.figure import Figure

import limbeck
from experiments import harness
from experiments.ba2014.alike import PLAN, SEEDS
from experiments.ba2014.shared import fashion_scores, fashion_teacher
from experiments.harness import Experiment, Outcome, Setting
from limbeck import objectives, students
from limbeck.selection import Budget, Compared

STUDENT = students.shallow(800)
BUDGET = Budget(trials=5, learning_rates=(4e-4, 1e-2), held_out=1 / 6)
RAW = "raw_logits"
METHODS: Mapping[str, Sequence[objectives.Objective]] = {
    RAW: [objectives.MatchLogits("raw")],
    "centred_logits": [objectives.MatchLogits("centered")],
    "standardised_logits": [objectives.MatchLogits("standardized")],
    "kl_t1": [objectives.SoftTargets(1.0)],
    "kl_t4": [objectives.SoftTargets(4.0)],
    "probabilities": [objectives.MatchProbabilities()],
}
RIVALS = ("kl_t1", "probabilities")  # what the paper tried beside the logits


def work(setting: Setting) -> Outcome:
    """Six objectives tuned alike on the scores of the shared ensemble."""
    test = setting.examples("fashion-mnist:test")
    compared = limbeck.compare(
        setting.pick(STUDENT, smoke=students.shallow(8)),
        fashion_scores(setting),
        METHODS,
        test=test,
        to=setting.place / "compared",
        plan=setting.plan(PLAN),
        budget=setting.pick(BUDGET, smoke=Budget(1, (3e-3, 3e-3))),
        seeds=setting.pick(full=SEEDS, smoke=2),
        baseline=RAW,
    )
    teacher = harness.answers(fashion_teacher(setting), test)
    said = {row["name"]: harness.answers(compared.run(row["name"]), test) for row in compared.rows}
    ours = {
        f"{name}_{metric}": harness.entry_of(metric, logits, test.labels, teacher[0])
        for metric in ("accuracy", "agreement", "kl_nats")
        for name, logits in said.items()
    }
    ours["teacher_accuracy"] = harness.entry_of("accuracy", teacher, test.labels)
    kept = ("student", "budget", "chosen_by", "baseline", "comparisons", "rows", "notes")
    return Outcome(
        ours,
        answer(compared),
        seeds=len(compared.document["seeds"]),
        headline=[f"{name}_accuracy" for name in (RAW, *RIVALS, "kl_t4", "control")],
        more={"compared": {key: compared.document[key] for key in kept}},
    )


def answer(compared: Compared) -> bool | Literal["undecided"]:
    """Whether the raw logits beat both rivals, by intervals that hold together.

    Does not hold if a rival beats them, else it is undecided.
    """
    found = [compared.row(name)["against"][RAW] for name in RIVALS]
    if all(gap["high"] < 0 for gap in found):
        return True
    return False if any(gap["low"] > 0 for gap in found) else "undecided"


def draw(result: Mapping[str, Any]) -> Figure:
    """Each objective's accuracy less that of the raw logits, with intervals that hold together."""
    return harness.gaps(result["more"]["compared"], RAW, "raw logits", height=3.0)


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="A mimic that regresses on its teacher's raw logits is more accurate than one that "
    "matches the distribution by KL, or the probabilities by squared error.",
    paper={
        "says": "L2 on logits was better than KL divergence and than L2 on probabilities; "
        "normalising the logits helps a little",
        "where": "section 2",
    },
    cost="20 minutes on two cores, beside the ensemble of `same_size` (15)",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
