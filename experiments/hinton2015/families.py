"""Section 5: a generalist, specialists for what it confuses, and one net of all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.cluster import AgglomerativeClustering

import limbeck
from limbeck import objectives, students, teachers
from limbeck.training import specialists

CLUSTERER = AgglomerativeClustering(metric="cosine", linkage="average")
OBJECTIVE = objectives.SoftTargets(temperature=1)


@dataclass(frozen=True)
class Family:
    """What one seed leaves: the specialists, and everybody who is measured."""

    experts: teachers.Specialists
    models: Mapping[str, limbeck.Run | teachers.Teacher]

    def coverage(self, classes: Sequence[str]) -> np.ndarray:
        """How many specialists know each class, `(classes,)`."""
        return np.array([sum(name in known for known in self.experts.subsets) for name in classes])


def family(
    net: students.Student,
    learnt: limbeck.Examples,
    plan: limbeck.Plan,
    short: limbeck.Plan,
    counts: Sequence[int],
    seed: int,
    place: Path,
) -> Family:
    """The generalist of a seed, and everything that comes of it by the shorter plan.

    `counts` are the numbers of clusters that are tried.
    """
    generalist = limbeck.train(
        net, learnt, objectives.Labels(), to=place / "generalist", plan=plan, seeds=[seed]
    )
    predicted = specialists.predictions(teachers.run(generalist), learnt)
    subsets = specialists.confusable(
        predicted, count=counts, classes=learnt.classes, clusterer=CLUSTERER, seed=seed
    )
    experts = specialists.train(
        generalist, learnt, subsets, to=place / "specialists", plan=short, seed=seed
    )
    # One net again: the generalist trained on, by the combined model's answers, and its control by
    # the labels, from the same weights and for as many epochs as each specialist.
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
        "control": distilled.control,
        "combined": experts.combined(),
        "combined_top2": experts.combined(top=2),
        "distilled": distilled,
    }
    return Family(experts, models)


def by_coverage(
    families: Sequence[Family], logits: Mapping[str, np.ndarray], test: limbeck.Examples
) -> list[dict[str, Any]]:
    """The paper's table 4: what is gained by how many specialists know the true class."""
    covered = np.stack([one.coverage(test.classes)[test.labels] for one in families])
    before, after = (
        logits[name].argmax(axis=2) == test.labels for name in ("generalist", "combined")
    )
    table = []
    for count in np.unique(covered).tolist():
        rows = covered == count
        right, now = int(before[rows].sum()), int(after[rows].sum())
        line = {"specialists": count, "examples": int(rows.sum()), "right": right}
        table.append({**line, "more_right": now - right, "relative": (now - right) / max(right, 1)})
    return table


def clusters(families: Sequence[Family]) -> list[list[list[str]]]:
    """The classes of each specialist of each family."""
    return [[list(subset) for subset in one.experts.subsets] for one in families]
