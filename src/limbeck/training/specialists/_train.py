"""Trains the specialists of a generalist: its weights, some of its classes, and a dustbin."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limbeck import artifacts
from limbeck.errors import InputError, LabelsError, MismatchError
from limbeck.examples import UNLABELLED, Array, Examples
from limbeck.objectives import Labels
from limbeck.runtime import mixed
from limbeck.students import MODEL, Run, Student
from limbeck.teachers import SPECIALISTS, Specialists
from limbeck.training import _train
from limbeck.training._plan import Plan
from limbeck.training._transfer import TransferSet

DUSTBIN = "(dustbin)"


def train(
    generalist: Run,
    examples: Examples | TransferSet,
    subsets: Sequence[Sequence[str]],
    *,
    to: str | Path,
    plan: Plan = Plan(),
    seed: int = 0,
) -> Specialists:
    """A specialist for each subset of classes, trained independently, in the directory `to`.

    Each is the generalist's net and weights with another output layer: the rows of its subset's
    classes, and one for the dustbin, which all other classes are. The dustbin starts with the
    mean of their rows plus the log of their number: the tangent of their logsumexp where they are
    equal, and nowhere above it. Half of the labelled examples it is trained on are of its subset,
    half are a random sample of the rest; where one kind is rarer, as many of the other are drawn.
    Its dustbin's logit is corrected afterwards by the log of how much the subset was over-sampled:
    with `s` of `S` special and `r` of `R` other examples, by `log(R s / (S r))`, which for halves
    and a share p of special ones is `log((1 - p) / p)`.

    Examples may come as a transfer set, with views. Give those that the generalist was trained on:
    inputs are encoded by their moments. An interrupted call goes on where it was when it is made
    again; specialists that are whole are kept.

    Raises:
        InputError: no subset; one that is empty, repeats a class, or holds all of them; a net whose
            output layer cannot be told from the rest; or a control for a generalist.
        LabelsError: a subset, or its rest, has no labelled example.
        MismatchError: other classes than the generalist's, or a class it does not know.
        OccupiedError: `to` holds something else.
        StorageError: the disk is full or read-only.
    """
    transfer = examples if isinstance(examples, TransferSet) else TransferSet(examples)
    named = tuple(tuple(subset) for subset in subsets)
    job = _Job(generalist, transfer.without_scores(), named, Path(to), plan, seed)
    job = replace(job, plan=plan.suited(len(transfer.examples)))
    job.check()
    with artifacts.writing(job.to, SPECIALISTS, job.request) as artifact:
        if not artifact.is_whole:
            job.run(artifact)
    return Specialists.open(job.to, trust=generalist.is_trusted)


@dataclass(frozen=True)
class _Draw:
    """Which rows a specialist is trained on, and out of how many."""

    special: Array
    rest: Array
    available: tuple[int, int]

    @property
    def correction(self) -> float:
        """What the dustbin's logit gains."""
        special, rest = self.available
        return float(np.log(rest / special) - np.log(len(self.rest) / len(self.special)))

    def to_json(self) -> dict[str, Any]:
        special, rest = self.available
        return {
            "used": {"special": len(self.special), "rest": len(self.rest)},
            "available": {"special": special, "rest": rest},
            "correction": self.correction,
        }


@dataclass(frozen=True, eq=False)
class _Job:
    generalist: Run
    transfer: TransferSet
    subsets: tuple[tuple[str, ...], ...]
    to: Path
    plan: Plan
    seed: int

    def check(self) -> None:
        """Everything that can be refused before any work."""
        examples = self.transfer.examples
        if self.generalist.role != "student":
            raise InputError("a generalist is a run's student, not its control")
        examples.check_classes(self.generalist.classes, f"the generalist {self.generalist.name}")
        if not self.subsets:
            raise InputError("there is no subset of two classes or more to make a specialist for")
        if len(set(self.subsets)) != len(self.subsets):
            raise InputError("a subset of classes is given twice: one specialist each is enough")
        if not examples.is_labelled.any():
            raise LabelsError(f"specialists learn from labels, and {examples.name} has none")
        for subset in self.subsets:
            _check_subset(subset, self.generalist.classes)
        for number in range(len(self.subsets)):
            self.draw(number)
            self.start(number)

    @cached_property
    def request(self) -> dict[str, Any]:
        transfer = self.transfer
        return {
            "generalist": self.generalist.fingerprint,
            "subsets": [list(subset) for subset in self.subsets],
            "plan": self.plan.to_json(),
            "seed": self.seed,
            "examples": transfer.examples.fingerprint,
            "labels": transfer.examples.labels_fingerprint,
            "view": transfer.view.text,
            "count": transfer.count,
            "view_seed": transfer.seed,
        }

    def run(self, artifact: artifacts.Writing) -> None:
        began = time.monotonic()
        artifact.begin()
        members = [self.specialist(number) for number in range(len(self.subsets))]
        artifact.finish(self.body(members, time.monotonic() - began))

    def positions(self, number: int) -> Array:
        """Where the classes of a subset are among the generalist's."""
        return np.array([self.generalist.classes.index(name) for name in self.subsets[number]])

    def draw(self, number: int) -> _Draw:
        """Its special examples and as many of the rest, at random; half and half whatever there is.

        Raises:
            LabelsError: there are none of one kind.
        """
        labels = self.transfer.examples.labels
        is_special = np.isin(labels, self.positions(number))
        special = np.flatnonzero(is_special)
        rest = np.flatnonzero(~is_special & (labels != UNLABELLED))
        half = min(len(special), len(rest))
        if not half:
            kind = "rest" if len(special) else "classes"
            raise LabelsError(
                f"no labelled example of {self.transfer.examples.name} is of the {kind} of "
                f"the specialist for {', '.join(self.subsets[number])}"
            )
        generator = np.random.default_rng(mixed(self.seed, number))
        used = [np.sort(generator.permutation(rows)[:half]) for rows in (special, rest)]
        return _Draw(used[0], used[1], (len(special), len(rest)))

    def relabelled(self, number: int) -> TransferSet:
        """All the examples, of which those that were drawn have labels: subset or dustbin.

        The others stay, unlabelled and unseen by the training, so that inputs are encoded as the
        generalist's were.
        """
        examples, draw = self.transfer.examples, self.draw(number)
        place = np.full(len(self.generalist.classes), len(self.subsets[number]))
        place[self.positions(number)] = np.arange(len(self.subsets[number]))
        labels = np.full(len(examples), UNLABELLED)
        rows = np.concatenate([draw.special, draw.rest])
        labels[rows] = place[examples.labels[rows]]
        names = (*self.subsets[number], _dustbin(self.subsets[number]))
        return replace(self.transfer, examples=examples.with_labels(labels, names))

    def student(self, number: int) -> Student:
        """The generalist's net with outputs for the subset and the dustbin."""
        return replace(self.generalist.student, outputs=len(self.subsets[number]) + 1)

    @cached_property
    def head(self) -> frozenset[str]:
        """The names of the weights that change with the number of classes."""
        return _head(self.generalist.student)

    @cached_property
    def weights(self) -> Mapping[str, Tensor]:
        return self.generalist.model().state_dict()

    def start(self, number: int) -> dict[str, Tensor]:
        """The generalist's weights with the output layer of a subset and its dustbin."""
        return _begun(self.weights, self.head, self.positions(number))

    def specialist(self, number: int) -> Run:
        """One, trained like any net on labels."""
        return _train.train(
            self.student(number),
            self.relabelled(number),
            Labels(),
            to=self.to / f"specialist-{number}",
            plan=self.plan,
            seeds=[self.seed],
            control=False,
            start=self.start(number),
        )

    def body(self, members: Sequence[Run], seconds: float) -> dict[str, Any]:
        """What the manifest says of them."""
        examples = self.transfer.examples
        entries = [
            {
                "directory": member.directory.name,
                "fingerprint": member.fingerprint,
                "classes": list(self.subsets[number]),
                **self.draw(number).to_json(),
            }
            for number, member in enumerate(members)
        ]
        return {
            **{k: v for k, v in self.request.items() if k != "subsets"},
            "generalist": {
                "name": self.generalist.name,
                "directory": os.path.relpath(self.generalist.directory, self.to),
                "fingerprint": self.generalist.fingerprint,
            },
            "examples": {
                "name": examples.name,
                "source": examples.source,
                "fingerprint": examples.fingerprint,
                "n": len(examples),
            },
            "classes": list(self.generalist.classes),
            "specialists": entries,
            "seconds": round(seconds, 1),
            "files": artifacts.file_entries(self.to, self._files(members)),
            "provenance": artifacts.provenance(),
        }

    def _files(self, members: Sequence[Run]) -> Iterator[str]:
        for member in members:
            folder = member.directory.name
            yield f"{folder}/{artifacts.MANIFEST}"
            yield f"{folder}/student-{self.seed}/{MODEL}"


def _check_subset(subset: Sequence[str], classes: tuple[str, ...]) -> None:
    unknown = [name for name in subset if name not in classes]
    if unknown:
        raise MismatchError(
            f"the generalist knows no class {unknown[0]!r}; it knows {', '.join(classes[:12])}"
        )
    if not subset or len(set(subset)) != len(subset):
        raise InputError(f"a subset names classes, each once, not {list(subset)}")
    if len(subset) == len(classes):
        raise InputError(
            f"a specialist for all {len(classes)} classes would have nothing in its dustbin"
        )


def _dustbin(subset: Sequence[str]) -> str:
    name = DUSTBIN
    while name in subset:
        name = f"({name})"
    return name


def _head(student: Student) -> frozenset[str]:
    own = student.build(0).state_dict()
    wider = replace(student, outputs=student.outputs + 1).build(0).state_dict()
    changed = {name for name in own if name in wider and own[name].shape != wider[name].shape}
    are_rows = all(
        own[name].shape[:1] == (student.outputs,)
        and wider[name].shape == (student.outputs + 1, *own[name].shape[1:])
        for name in changed
    )
    if not changed or not are_rows or own.keys() != wider.keys():
        raise InputError(
            f"the output layer of {student.text} cannot be replaced: with one class more, one "
            "layer has to have one row more, and everything else has to stay as it is"
        )
    return frozenset(f"body.{name}" for name in changed)


def _begun(
    weights: Mapping[str, Tensor], head: frozenset[str], positions: Array
) -> dict[str, Tensor]:
    """The weights with the head of a subset; the output's scale is multiplied into it."""
    special = torch.from_numpy(positions).to(weights["scale"].device)
    is_rest = torch.ones(len(weights["scale"]), dtype=torch.bool, device=special.device)
    is_rest[special] = False

    def rows(values: Tensor) -> Tensor:
        return torch.cat([values[special], values[is_rest].mean(dim=0, keepdim=True)])

    scale, shift = weights["scale"], rows(weights["shift"])
    shift[-1] += is_rest.sum().log()
    begun = {**weights, "scale": torch.ones_like(shift), "shift": shift}
    for name in head:
        value = weights[name]
        begun[name] = rows(value * scale.view(-1, *[1] * (value.dim() - 1)))
    return begun
