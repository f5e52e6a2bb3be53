"""Section 5: do specialists for confused classes help a generalist, and can one net learn both?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.cluster import AgglomerativeClustering

import limbeck
from experiments import harness
from experiments.harness import Entry, Experiment, Outcome, Setting
from limbeck import Examples, Run, metrics, objectives, specialists, students, teachers

# Chosen with `tune.py` on 10,000 held-out training images; the test images had no say.
NET = students.mlp([30])
PLAN = limbeck.Plan(epochs=20, batch=256, learning_rate=3e-3, held_out=0.0)
SPECIALIST = replace(PLAN, epochs=10)
COUNTS = (4, 5, 6)
CLUSTERER = AgglomerativeClustering(metric="cosine", linkage="average")
OBJECTIVE = objectives.SoftTargets(temperature=1)
SEEDS = 5

SET = "fashion-mnist"
NOBODY = np.zeros((0, 0))


@dataclass(frozen=True)
class Family:
    """What one seed leaves: the specialists, and everybody who is measured."""

    experts: specialists.Specialists
    models: Mapping[str, Run | teachers.Teacher]


def work(setting: Setting) -> Outcome:
    """Trains a family a seed; measures everybody on the test images."""
    learnt, test = setting.examples(f"{SET}:train"), setting.examples(f"{SET}:test")
    seeds = range(setting.pick(full=SEEDS, smoke=2))
    families = [family(setting, learnt, seed) for seed in seeds]
    logits = {
        name: np.concatenate([harness.answers(one.models[name], test) for one in families])
        for name in families[0].models
    }
    ours = {name: harness.entry_of("accuracy", said, test.labels) for name, said in logits.items()}
    ours |= _conditional(families, logits, test)
    ours["gain"] = _difference(logits["combined"], logits["generalist"], test)
    ours["gain_over_control"] = _difference(logits["combined"], logits["control"], test)
    ours["distilled_gain"] = _difference(logits["distilled"], logits["generalist"], test)
    ours["distilled_gain_over_control"] = _difference(logits["distilled"], logits["control"], test)
    more = {
        "coverage": _by_coverage(families, logits, test),
        "clusters": [[list(subset) for subset in one.experts.subsets] for one in families],
    }
    headline = ("generalist", "combined", "control", "distilled")
    return Outcome(ours, _answer(ours["gain"]), len(seeds), headline, more)


def family(setting: Setting, learnt: Examples, seed: int) -> Family:
    """The generalist of a seed, and everything that comes of it."""
    place = setting.place / f"seed-{seed}"
    plan, short = setting.plan(PLAN), setting.plan(SPECIALIST)
    generalist = limbeck.train(
        NET, learnt, objectives.Labels(), to=place / "generalist", plan=plan, seeds=[seed]
    )
    predicted = specialists.predictions(teachers.run(generalist), learnt)
    subsets = specialists.confusable(
        predicted, count=COUNTS, classes=learnt.classes, clusterer=CLUSTERER, seed=seed
    )
    experts = specialists.train(
        generalist, learnt, subsets, to=place / "specialists", plan=short, seed=seed
    )
    # One net again: the generalist trained on, by the combined model's answers, and its control by
    # the labels, from the same weights and for as many epochs as each specialist.
    distilled = limbeck.train(
        NET,
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


def _difference(one: np.ndarray, other: np.ndarray, test: Examples) -> Entry:
    """Accuracy of one less that of the other, paired by example and seed."""
    found = metrics.difference(metrics.STANDARD["accuracy"], one, other, test.labels, NOBODY)
    assert found is not None
    values = (_right(one, test) * 1.0 - _right(other, test)).mean(axis=1)
    return {**found.to_json(), "n": len(values), "values": values.tolist()}


def _right(logits: np.ndarray, test: Examples) -> np.ndarray:
    """Which answers are right, `(seeds, examples)`."""
    return np.asarray(logits.argmax(axis=2) == test.labels)


def _conditional(
    families: Sequence[Family], logits: Mapping[str, np.ndarray], test: Examples
) -> dict[str, Entry]:
    """Accuracy on the examples of special classes, with predictions restricted to these."""
    found = {}
    for name in ("generalist", "combined", "control", "distilled"):
        pairs = zip(families, logits[name], strict=True)
        values = [_restricted(said, _coverage(one, test) > 0, test) for one, said in pairs]
        found[f"{name}_conditional"] = harness.entry(values)
    return found


def _restricted(logits: np.ndarray, is_special: np.ndarray, test: Examples) -> float:
    rows = is_special[test.labels]
    allowed = np.where(is_special, logits[rows], -np.inf)
    return float((allowed.argmax(axis=1) == test.labels[rows]).mean())


def _coverage(one: Family, test: Examples) -> np.ndarray:
    """How many specialists know each class, `(classes,)`."""
    return np.array([sum(name in known for known in one.experts.subsets) for name in test.classes])


def _by_coverage(
    families: Sequence[Family], logits: Mapping[str, np.ndarray], test: Examples
) -> list[dict[str, Any]]:
    """The paper's Table 4: what is gained by how many specialists know the true class."""
    covered = np.stack([_coverage(one, test)[test.labels] for one in families])
    before, after = (_right(logits[name], test) for name in ("generalist", "combined"))
    table = []
    for count in np.unique(covered).tolist():
        rows = covered == count
        right, now = int(before[rows].sum()), int(after[rows].sum())
        line = {"specialists": count, "examples": int(rows.sum()), "right": right}
        table.append({**line, "more_right": now - right, "relative": (now - right) / max(right, 1)})
    return table


def _answer(gain: Entry) -> Any:
    if gain["low"] > 0:
        return True
    return False if gain["high"] < 0 else "undecided"


def draw(result: Mapping[str, Any]) -> Figure:
    """Accuracies with their intervals; the gain by the number of specialists for the class."""
    figure = Figure(figsize=(8.4, 3.6))
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    names = {
        "generalist": "generalist",
        "control": "trained on,\nlabels",
        "combined": "with\nspecialists",
        "distilled": "trained on,\nthe combined",
    }
    for at, name in enumerate(names):
        harness.point(left, at, result["ours"][name], color=harness.OURS)
        values = result["ours"][name]["values"]
        left.plot([at + 0.15] * len(values), values, ".", color=harness.OURS, alpha=0.35)
    left.set_xticks(range(len(names)), list(names.values()), fontsize=8)
    left.set(title="Specialists for what is confused", ylabel="test accuracy")
    table = result["more"]["coverage"]
    covered = [str(line["specialists"]) for line in table]
    right.bar(covered, [100 * line["relative"] for line in table], color=harness.OURS)
    right.set(xlabel="specialists that know the class", ylabel="more right answers, %")
    return figure


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="Specialists for the classes that a generalist confuses make it right more often.",
    paper={
        "generalist": 0.250,
        "combined": 0.261,
        "generalist_conditional": 0.431,
        "combined_conditional": 0.459,
        "says": "25.0 % to 26.1 % on JFT; conditional 43.1 % to 45.9 %",
        "where": "section 5, Table 3 (JFT, 15,000 classes)",
    },
    cost="4 minutes on two cores",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
