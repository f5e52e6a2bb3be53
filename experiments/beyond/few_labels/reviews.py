"""The IMDB reviews, those of them that have labels, and the shallow student of their texts."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np

import limbeck
from experiments import harness
from experiments.harness import Entry, Setting
from limbeck import objectives, students, teachers

NAMES = ("teacher", "control", "student")
STUDENT = students.ngrams(2)
OBJECTIVE = objectives.SoftTargets(temperature=1)
PLAN = limbeck.Plan(epochs=6, batch=128, learning_rate=0.02, held_out=0.05)

Said = dict[str, np.ndarray]


@cache
def parts(setting: Setting) -> tuple[limbeck.Examples, limbeck.Examples]:
    """The training half, and of the test half those texts that do not stand in it too.

    A smoke run takes a few of the test half for both.
    """
    test = limbeck.read("imdb:test")
    if setting.smoke:
        rows = np.random.default_rng(0).permutation(len(test))
        return test.take(rows[:320]), test.take(rows[320:420])
    train = limbeck.read("imdb:train")
    is_new = ~np.isin(test.content_hashes, train.content_hashes)
    return train, test.take(np.flatnonzero(is_new))


def labelled(setting: Setting, count: int, draw: int) -> limbeck.Examples:
    """So many of the training texts, which have labels in that draw."""
    train, _ = parts(setting)
    rows = np.random.default_rng([count, draw]).permutation(len(train))[:count]
    return train.take(np.sort(rows))


def said(
    setting: Setting,
    count: int,
    draw: int,
    teach: Callable[[limbeck.Examples], teachers.Teacher],
) -> Said:
    """What teacher, control and student say of the test texts, each `(examples, classes)`.

    It is kept, so that processes can do one draw each, and the experiment finds all of them.
    """
    file = setting.place / f"said-{count}-{draw}.npz"
    if not file.exists():
        known = labelled(setting, count, draw)
        teacher = teach(known)
        run = student(setting, teacher, known, f"{count}-{draw}", draw)
        models = dict(zip(NAMES, (teacher, run.control, run), strict=True))
        test = parts(setting)[1]
        _write(file, {name: harness.answers(model, test)[0] for name, model in models.items()})
    with np.load(file) as kept:
        return dict(kept)


def _write(file: Path, arrays: Said) -> None:
    """All of it or nothing, whenever the process ends."""
    unfinished = file.with_suffix(".unfinished.npz")
    np.savez(unfinished, **arrays)  # type: ignore[arg-type]  # its last keyword is not ours
    unfinished.replace(file)


def student(
    setting: Setting,
    teacher: teachers.Teacher,
    known: limbeck.Examples,
    name: str,
    seed: int,
) -> limbeck.Run:
    """The student of what the teacher says of all training texts, and the control on the labels."""
    told = parts(setting)[0].without_labels()
    scores = limbeck.score(teacher, told, to=setting.place / f"scores-{name}")
    return limbeck.train(
        setting.pick(STUDENT, smoke=students.ngrams(1, buckets=1024, dimensions=4)),
        scores,
        OBJECTIVE,
        to=setting.place / f"student-{name}",
        plan=setting.plan(PLAN),
        seeds=[seed],
        labelled=known,
    )


def joined(draws: list[Said]) -> Said:
    """What each name says in all draws, `(draws, examples, classes)`."""
    return {name: np.stack([one[name] for one in draws]) for name in NAMES}


def accuracies(said: Said, test: limbeck.Examples, count: int) -> Mapping[str, Entry]:
    """The accuracy of all three, by name and number of labels."""
    return {
        f"{name}_{count}": harness.entry_of("accuracy", answers, test.labels)
        for name, answers in said.items()
    }
