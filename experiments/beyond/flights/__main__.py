"""A table on which one should not distil, and whether `rivals` says so."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from sklearn.ensemble import RandomForestClassifier

import limbeck
from experiments import harness
from experiments.beyond.flights import rows
from experiments.harness import Entry, Experiment, Outcome, Setting
from limbeck import objectives, students, teachers
from limbeck.selection import Rivals

TREES, LEAF = 500, 5  # of the forest, and the fewest rows in a leaf
STUDENT = students.mlp([256, 256])
OBJECTIVE = objectives.SoftTargets(temperature=1)
PLAN = limbeck.Plan(epochs=20, batch=512, learning_rate=1e-3, held_out=0.05)
SEEDS = 5
BUDGET = 1.0  # milliseconds for one flight


def work(setting: Setting) -> Outcome:
    """A forest, the net that it taught, and all else that could be shipped."""
    parts = rows.split(setting.smoke)
    teacher = forest(setting, parts["labelled"])
    run = student(setting, parts, teacher)
    found = limbeck.rivals(
        run,
        parts["test"],
        teacher=teacher,
        labelled=parts["labelled"],
        to=setting.place / "rivals",
        budget_ms=BUDGET,
    )
    ours = _entries(found, run, parts["test"])
    return Outcome(
        ours,
        holds=found.decision["answer"] == "do not distil",
        seeds=setting.pick(SEEDS, smoke=2),
        headline=list(WORDS),
        more={"decision": found.decision, "rows": {n: len(part) for n, part in parts.items()}},
    )


def forest(setting: Setting, labelled: limbeck.Examples) -> teachers.Teacher:
    """A random forest on the labels; it is fitted anew each time, and is the same."""
    model = RandomForestClassifier(
        setting.pick(TREES, smoke=5), min_samples_leaf=LEAF, random_state=0
    )
    model.fit(labelled.inputs, labelled.labels)
    return teachers.sklearn(model, labelled.classes, name=f"a forest of {TREES}")


def student(
    setting: Setting, parts: Mapping[str, limbeck.Examples], teacher: teachers.Teacher
) -> limbeck.Run:
    """The net on what the forest says of all flights but the test's; its control on the labels."""
    told = parts["unlabelled"].joined(parts["labelled"])
    return limbeck.train(
        STUDENT,
        limbeck.score(teacher, told, to=setting.place / "scores"),
        OBJECTIVE,
        to=setting.place / "student",
        plan=setting.plan(PLAN),
        seeds=setting.pick(SEEDS, smoke=2),
    )


def _entries(found: Rivals, run: limbeck.Run, test: limbeck.Examples) -> Mapping[str, Entry]:
    """AUC and milliseconds of every row, and how far the student is ahead of it."""
    ours: dict[str, Entry] = {}
    for row in found.document["rows"]:
        name = row["name"].replace(" ", "_")
        ours[name] = _once(row["metric"], "mean")
        ours[f"{name}_ms"] = harness.entry([row["latency_ms"]["p50"]])
        if row["student_ahead"]:
            ours[f"student_less_{name}"] = _once(row["student_ahead"], "difference")
    of_seeds = {"student": run, "control": run.control}
    for name, nets in of_seeds.items():
        ours[name] = harness.entry_of("auc", harness.answers(nets, test), test.labels)
    return ours


def _once(measured: Mapping[str, Any], key: str) -> Entry:
    ends = {end: measured[end] for end in ("low", "high")}
    return {"mean": measured[key], **ends, "n": 1, "values": [measured[key]]}


WORDS = {
    "teacher": f"forest of {TREES}",
    "baseline": "100 boosted\ntrees",
    "linear_baseline": "logistic\nregression",
    "control": "net,\nlabels",
    "student": "net,\nforest",
}


def draw(result: Mapping[str, Any]) -> Figure:
    """AUC of every rival."""
    return harness.bars(result, WORDS, "Flights that arrive late", "AUC")


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="On a table of flights boosted trees on the same labels are as good and quick enough: "
    "`rivals` says not to distil.",
    paper={
        "says": "nothing on when not to distil",
        "where": "neither paper",
    },
    cost="20 minutes on one of two cores",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
