"""Section 5 on many classes: specialists for the states of phones that a generalist confuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.cluster import AgglomerativeClustering

import limbeck
from experiments import harness, spoken
from experiments.harness import Entry, Experiment, Outcome, Setting
from limbeck import objectives, specialists, students, teachers

SEEDS = 3
PLAN = replace(spoken.PLAN, epochs=6, held_out=0.0)
SHORT = replace(PLAN, epochs=3)
COUNTS = (8, 12, 16)  # clusters that are tried; the specialists of small ones are left out
CLUSTERER = AgglomerativeClustering(metric="cosine", linkage="average")
OBJECTIVE = objectives.SoftTargets(temperature=1)
NAMES = ("generalist", "combined", "control", "distilled")


@dataclass(frozen=True, eq=False)
class Family:
    """What one seed leaves: the specialists, and everybody who is measured."""

    experts: specialists.Specialists
    models: Mapping[str, limbeck.Run | teachers.Teacher]


def work(setting: Setting) -> Outcome:
    """Trains a family a seed; measures everybody on the test frames."""
    sets = spoken.made(setting)
    seeds = setting.pick(SEEDS, smoke=2)
    families = [family(setting, sets, seed) for seed in range(seeds)]
    said = {name: _said(families, name, sets) for name in NAMES}
    rates = {name: spoken.frame_error_rate(sets.test, logits) for name, logits in said.items()}
    ours = {name: spoken.accuracy(rate) for name, rate in rates.items()}
    ours["gain"] = spoken.more_accurate(rates["combined"], rates["generalist"])
    ours["distilled_gain"] = spoken.more_accurate(rates["distilled"], rates["generalist"])
    ours["distilled_gain_over_control"] = spoken.more_accurate(rates["distilled"], rates["control"])
    return Outcome(
        ours,
        holds=_holds(ours["gain"]),
        seeds=seeds,
        headline=NAMES,
        more={
            "coverage": _by_coverage(families, said, sets),
            "clusters": [[list(subset) for subset in one.experts.subsets] for one in families],
        },
    )


def family(setting: Setting, sets: spoken.Sets, seed: int) -> Family:
    """The generalist of a seed, and everything that comes of it."""
    place, learnt = setting.place / f"seed-{seed}", sets.train.frames
    net = students.mlp(spoken.layers(setting))
    plan, short = (spoken.planned(setting, one) for one in (PLAN, SHORT))
    generalist = limbeck.train(
        net,
        learnt,
        objectives.Labels(),
        to=place / "generalist",
        plan=plan,
        seeds=[seed],
    )
    subsets = specialists.confusable(
        specialists.predictions(teachers.run(generalist), learnt),
        count=COUNTS,
        classes=learnt.classes,
        clusterer=CLUSTERER,
        seed=seed,
    )
    experts = specialists.train(
        generalist, learnt, subsets, to=place / "specialists", plan=short, seed=seed
    )
    # One net again, from the generalist's weights: by what all of them say, and by the labels.
    distilled = limbeck.train(
        net,
        limbeck.score(experts.combined(), learnt, to=place / "scores"),
        OBJECTIVE,
        to=place / "distilled",
        plan=short,
        seeds=[seed],
        start=generalist.model().state_dict(),
    )
    assert distilled.control is not None
    models = {
        "generalist": generalist,
        "combined": experts.combined(),
        "control": distilled.control,
        "distilled": distilled,
    }
    return Family(experts, models)


def _said(families: Sequence[Family], name: str, sets: spoken.Sets) -> spoken.Said:
    return np.concatenate([_heard(one.models[name], sets.test) for one in families])


def _heard(model: limbeck.Run | teachers.Teacher, part: spoken.Part) -> spoken.Said:
    return spoken.log_posteriors([model] if isinstance(model, limbeck.Run) else model, part)


def _by_coverage(
    families: Sequence[Family], said: Mapping[str, spoken.Said], sets: spoken.Sets
) -> list[dict[str, Any]]:
    """The paper's table 4: what is gained by how many specialists know the true state."""
    labels, names = sets.test.frames.labels, sets.test.frames.classes
    known = [[sum(name in s for s in one.experts.subsets) for name in names] for one in families]
    covered = np.array(known)[:, labels]
    before, after = (said[name].argmax(axis=2) == labels for name in NAMES[:2])
    table = []
    for count in np.unique(covered).tolist():
        rows = (covered == count) & (labels >= 0)
        right, now = int(before[rows].sum()), int(after[rows].sum())
        line = {"specialists": count, "frames": int(rows.sum()), "right": right}
        table.append({**line, "more_right": now - right, "relative": (now - right) / max(right, 1)})
    return table


def _holds(gain: Entry) -> Any:
    if gain["low"] > 0:
        return True
    return False if gain["high"] < 0 else "undecided"


WORDS = {
    "generalist": "generalist",
    "combined": "with\nspecialists",
    "control": "trained on,\nlabels",
    "distilled": "trained on,\nthe combined",
}


def draw(result: Mapping[str, Any]) -> Figure:
    """Frame accuracies of all four."""
    return harness.bars(result, WORDS, "Specialists for confusable states", "frame accuracy, %")


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="Specialists for the states of phones that a generalist confuses make it right more "
    "often.",
    paper={
        "says": "25.0 % to 26.1 % on 15,000 classes of images; the more specialists know a class, "
        "the larger the gain",
        "where": "section 5, tables 3 and 4 (JFT)",
    },
    cost="1 hour on two cores",
    work=work,
    draw=draw,
    large_cost="three layers of 2,000 units: a GPU",
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
