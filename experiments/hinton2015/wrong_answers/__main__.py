"""Does a student learn from the relative probabilities of wrong answers?"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.figure import Figure
from scipy.special import logsumexp

import limbeck
from experiments import harness
from experiments.harness import Entry, Experiment, Outcome, Setting
from experiments.hinton2015.fashion import fashion_teacher
from limbeck import Examples, metrics, objectives, students, teachers

STUDENT = students.mlp([100, 100])
PLAN = limbeck.Plan(epochs=15, batch=256, learning_rate=3e-3, held_out=0.0)
SEEDS = 5
TEMPERATURES = (1.0, 2.0, 4.0, 8.0)
JUDGED_ON = 1 / 6  # of the training images: they choose the temperature and teach nobody
TUNING_SEED = 100
ALTERED = ("shuffled", "uniform")
USUAL, USUALLY = 4.0, "_t4"  # a temperature that many take, and how its numbers are called
NOBODY = np.zeros((0, 0))

Logits = np.ndarray  # (examples, classes)


def work(setting: Setting) -> Outcome:
    """Chooses T with the true scores, then trains on the true, the shuffled and the uniform."""
    learnt, judged = setting.examples("fashion-mnist:train").split(JUDGED_ON)
    teacher, test = fashion_teacher(setting), setting.examples("fashion-mnist:test")
    true = limbeck.score(teacher, learnt, to=setting.place / "scores" / "true")
    temperature, tried = _chosen_temperature(setting, true, judged)
    runs = _trained(setting, true, "true", temperature, control=True)
    # At the usual temperature as well, where the wrong answers weigh more.
    runs |= _trained(setting, true, f"true{USUALLY}", USUAL, control=False)
    for how in ALTERED:
        for suffix, at in (("", temperature), (USUALLY, USUAL)):
            scores = limbeck.score(
                altered(teacher, how, at), learnt, to=setting.place / "scores" / (how + suffix)
            )
            runs |= _trained(setting, scores, how + suffix, at, control=False)
    logits = {name: harness.answers(run, test) for name, run in runs.items()}
    said = harness.answers(teacher, test)
    gaps, usual = (
        {how: _gap(logits[f"true{s}"], logits[f"{how}{s}"], test) for how in ALTERED}
        for s in ("", USUALLY)
    )
    more = {
        "temperature": temperature,
        "held_out_accuracy": tried,
        "true_less": gaps,
        f"true_less{USUALLY}": usual,
    }
    return Outcome(
        _measured(logits, said, test),
        answer(gaps),
        seeds=len(runs["true"].seeds),
        headline=[f"{name}_accuracy" for name in ("true", *ALTERED, "control")],
        more=more,
    )


def altered(teacher: limbeck.Run, how: str, temperature: float) -> teachers.Teacher:
    """The teacher with the probabilities of its wrong answers changed, its own answer kept.

    "Wrong" is every class but the teacher's own most likely one, so that labels play no part.
    """
    asked = teachers.run(teacher)
    change: Callable[[Logits, np.ndarray], Logits] = {
        "shuffled": lambda logits, inputs: shuffled(logits, inputs),
        "uniform": lambda logits, _: uniform(logits, temperature),
    }[how]

    def answer(inputs: np.ndarray) -> Logits:
        keys = np.arange(len(inputs)).astype(str)
        return change(asked.ask(inputs, keys, asked.name), inputs)

    version = f"{asked.fingerprint} {temperature}"
    return teachers.function(answer, asked.classes, name=f"{how} wrong answers", version=version)


def shuffled(logits: Logits, inputs: np.ndarray) -> Logits:
    """Each example's wrong logits in another order, which its own content decides."""
    changed = logits.copy()
    for row, (one, best) in enumerate(zip(inputs, logits.argmax(axis=1), strict=True)):
        digest = hashlib.blake2b(np.ascontiguousarray(one).tobytes(), digest_size=8).digest()
        wrong = np.delete(np.arange(logits.shape[1]), best)
        order = np.random.default_rng(int.from_bytes(digest)).permutation(wrong)
        changed[row, wrong] = logits[row, order]
    return changed


def uniform(logits: Logits, temperature: float) -> Logits:
    """Each example's wrong logits made equal, so that its best answer keeps its probability at T.

    That is label smoothing, with as much of it for each example as the teacher is unsure.
    """
    classes = np.arange(logits.shape[1])
    is_best = classes == logits.argmax(axis=1)[:, None]
    wrong = np.where(is_best, -np.inf, logits.astype(np.float64) / temperature)
    level = temperature * (logsumexp(wrong, axis=1) - np.log(len(classes) - 1))
    return np.where(is_best, logits, level[:, None]).astype(np.float32)


def _chosen_temperature(
    setting: Setting, scores: limbeck.ScoreSet, judged: Examples
) -> tuple[float, dict[str, float]]:
    """The best of the temperatures on images that taught nobody, of equals the lowest."""
    runs = limbeck.sweep(
        _student(setting),
        scores,
        {f"T{t:g}": objectives.SoftTargets(t) for t in TEMPERATURES},
        to=setting.place / "temperatures",
        plan=setting.plan(PLAN),
        seeds=[TUNING_SEED],
        control=False,
    )
    tried = {
        name: harness.entry_of("accuracy", harness.answers(run, judged), judged.labels)["mean"]
        for name, run in runs.items()
    }
    return TEMPERATURES[int(np.argmax(list(tried.values())))], tried


def _trained(
    setting: Setting, scores: limbeck.ScoreSet, name: str, temperature: float, *, control: bool
) -> dict[str, limbeck.Run]:
    return limbeck.sweep(
        _student(setting),
        scores,
        {name: objectives.SoftTargets(temperature)},
        to=setting.place / "students",
        plan=setting.plan(PLAN),
        seeds=setting.pick(full=SEEDS, smoke=2),
        control=control,
    )


def _student(setting: Setting) -> students.Student:
    return setting.pick(STUDENT, smoke=students.mlp([8]))


def _measured(logits: Mapping[str, Any], said: np.ndarray, test: Examples) -> dict[str, Entry]:
    """Accuracy, and how often a student shares a mistake, among the teacher's mistakes."""
    ours = {"teacher_accuracy": harness.entry_of("accuracy", said, test.labels)}
    for name, answers in logits.items():
        ours[f"{name}_accuracy"] = harness.entry_of("accuracy", answers, test.labels)
    for name, answers in logits.items():
        ours[f"{name}_same_mistakes"] = harness.entry_of(
            "agreement_on_reference_errors", answers, test.labels, said[0]
        )
    for name, answers in logits.items():
        ours[f"{name}_agreement"] = harness.entry_of("agreement", answers, test.labels, said[0])
    return ours


def _gap(true: np.ndarray, other: np.ndarray, test: Examples) -> dict[str, Any]:
    """Accuracy with the true scores less that with the others; the two hold together at 95 %."""
    accuracy = metrics.STANDARD["accuracy"]
    confidence = 1 - 0.05 / len(ALTERED)
    found = metrics.difference(accuracy, true, other, test.labels, NOBODY, confidence=confidence)
    assert found is not None
    return found.to_json()


def answer(gaps: Mapping[str, Mapping[str, Any]]) -> bool | Literal["undecided"]:
    """True if the true scores are better than both others with the whole interval of each.

    False if they are worse than one of them, else undecided.
    """
    if all(gap["low"] > 0 for gap in gaps.values()):
        return True
    return False if any(gap["high"] < 0 for gap in gaps.values()) else "undecided"


def draw(result: Mapping[str, Any]) -> Figure:
    """Accuracies on the left, shared mistakes on the right."""
    names = {"true": "true", "shuffled": "shuffled", "uniform": "uniform", "control": "labels"}
    figure = Figure(figsize=(7.0, 3.4))
    for axes, key, title in zip(
        figure.subplots(1, 2),
        ("accuracy", "same_mistakes"),
        ("accuracy", "the teacher's mistakes made too"),
        strict=True,
    ):
        for at, name in enumerate(names):
            found = result["ours"][f"{name}_{key}"]
            color = harness.CONTROL if name == "control" else harness.OURS
            harness.point(axes, at, found, color=color)
            axes.plot([at + 0.12] * found["n"], found["values"], ".", color=color, alpha=0.35)
        axes.set_xticks(range(len(names)), list(names.values()))
        axes.set(title=title, xlabel="probabilities of wrong answers")
    return figure


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="A student learns from the relative probabilities of wrong answers: shuffled among "
    "the wrong classes, or made uniform, they teach it less.",
    paper={
        "says": "much of the information about the learned function resides in the ratios of "
        "very small probabilities in the soft targets",
        "where": "section 2",
    },
    cost="7 minutes on two cores, 3 of them for the teacher that `methods` uses too",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
