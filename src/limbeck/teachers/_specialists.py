"""Teachers that are a generalist with its specialists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict

import torch
from torch import Tensor

from limbeck import artifacts
from limbeck.errors import InputError, MismatchError
from limbeck.examples import Array
from limbeck.scores import SOFTMAX_KINDS
from limbeck.students import Run
from limbeck.teachers._fusion import TINY, Opinion, fuse
from limbeck.teachers._teacher import Teacher
from limbeck.teachers._torch import run

SPECIALISTS = "specialists"


@dataclass(frozen=True, eq=False)
class Specialist:
    """One who knows some of the classes, and calls all others the dustbin.

    Attributes:
        teacher: answers with logits or log-probabilities of its classes, and the dustbin last.
        positions: where its classes are among the generalist's.
        correction: what its dustbin's logit gains, to undo how its examples were drawn.
    """

    teacher: Teacher
    positions: tuple[int, ...]
    correction: float = 0.0

    def probabilities(self, inputs: Array) -> Tensor:
        """Its answer `(batch, classes + 1)` after the correction, float64."""
        logits = _log_probabilities(self.teacher, inputs)
        logits[:, -1] += self.correction
        return torch.softmax(logits, dim=1)


def combined(generalist: Teacher, members: Sequence[Specialist], *, top: int = 1) -> Teacher:
    """The generalist with its specialists: one teacher, which answers with log-probabilities.

    Hinton, Vinyals & Dean 2015, section 5.3, arXiv:1503.02531. The generalist answers first. A
    specialist is asked only about the inputs for which one of its classes is among the
    generalist's `top` most probable; `fuse` makes one distribution of what they say. Where no
    specialist is concerned, the generalist's answer stands.

    Raises:
        InputError: `top` is not between 1 and the number of classes.
        MismatchError: somebody answers with neither logits nor log-probabilities, or a
            specialist's number of classes is not that of its positions and the dustbin.
    """
    if not 1 <= top <= len(generalist.classes):
        raise InputError(f"top lies between 1 and the {len(generalist.classes)} classes, not {top}")
    for teacher in (generalist, *(member.teacher for member in members)):
        if teacher.kind not in SOFTMAX_KINDS:
            raise MismatchError(f"{teacher.name} answers with {teacher.kind}, not with logits")
    for member in members:
        _check_member(member, generalist)
    return CombinedTeacher(
        name=f"{generalist.name} with {len(members)} specialists",
        classes=generalist.classes,
        kind="log-probabilities",
        fingerprint=_fingerprint(generalist, members, top),
        generalist=generalist,
        specialists=tuple(members),
        top=top,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class CombinedTeacher(Teacher):
    """A generalist with its specialists; `combined` makes one.

    Attributes:
        generalist: who is asked about everything.
        specialists: who is asked about some.
        top: among how many of the generalist's best classes a specialist's has to be.
    """

    generalist: Teacher = field(repr=False)
    specialists: tuple[Specialist, ...] = field(repr=False)
    top: int

    def predict(self, inputs: Array) -> Tensor:
        """Log-probabilities `(batch, classes)`, float64."""
        log_probabilities = _log_probabilities(self.generalist, inputs)
        best = log_probabilities.topk(self.top, dim=1).indices
        opinions = []
        for member in self.specialists:
            positions = torch.tensor(member.positions)
            rows = torch.isin(best, positions).any(dim=1).nonzero()[:, 0]
            if len(rows):
                probabilities = member.probabilities(inputs[rows.numpy()])
                opinions.append(Opinion(rows, probabilities, positions))
        return fuse(log_probabilities.exp(), opinions).clamp_min(TINY).log()


def _check_member(member: Specialist, generalist: Teacher) -> None:
    if len(member.teacher.classes) != len(member.positions) + 1:
        raise MismatchError(
            f"{member.teacher.name} names {len(member.teacher.classes)} classes; "
            f"{len(member.positions)} special ones and the dustbin are {len(member.positions) + 1}"
        )
    if not all(0 <= at < len(generalist.classes) for at in member.positions):
        raise MismatchError(
            f"{member.teacher.name} has positions {member.positions}, outside the "
            f"{len(generalist.classes)} classes of {generalist.name}"
        )


def _fingerprint(generalist: Teacher, members: Sequence[Specialist], top: int) -> str:
    each = [[m.teacher.fingerprint, list(m.positions), m.correction] for m in members]
    return artifacts.fingerprint([generalist.fingerprint, each, top])


def _log_probabilities(teacher: Teacher, inputs: Array) -> Tensor:
    scores = teacher.predict(inputs)
    raw = scores.detach() if isinstance(scores, Tensor) else torch.from_numpy(scores)
    return torch.log_softmax(raw.double().cpu(), dim=1)


class _RunEntry(TypedDict):
    directory: str
    fingerprint: str


class _SpecialistEntry(_RunEntry):
    classes: Sequence[str]
    correction: float


@dataclass(frozen=True)
class SpecialistsRecord:
    """What the manifest of specialists says, so far as opening them needs that.

    Attributes:
        generalist: the run they began with: where it lies as seen from here, and its net.
        specialists: the same of each of them, its classes and what its dustbin's logit gains.
    """

    generalist: _RunEntry
    specialists: Sequence[_SpecialistEntry]


@dataclass(frozen=True, eq=False)
class Specialists:
    """A generalist and the specialists that were trained for it, in a directory.

    Attributes:
        directory: where they lie.
        manifest: what it says of itself.
        generalist: the run they began with, and are asked after.
        members: one run each, in the order of `subsets`.
    """

    directory: Path
    manifest: Mapping[str, Any]
    generalist: Run
    members: tuple[Run, ...]

    @classmethod
    def open(cls, directory: Path, *, trust: bool = False) -> "Specialists":
        """The whole specialists in a directory, and their generalist from where it lies.

        Raises:
            MissingError: there are none, they are not whole, or the generalist is gone.
            MismatchError: the generalist, or a specialist, is another than it was.
            CorruptError: a manifest is damaged.
        """
        manifest = artifacts.read_manifest(directory, SPECIALISTS)
        record = _record(directory, manifest)
        generalist = _open_run(directory, record.generalist, trust)
        members = tuple(_open_run(directory, one, trust) for one in record.specialists)
        return cls(directory, manifest, generalist, members)

    @cached_property
    def record(self) -> SpecialistsRecord:
        """What the manifest says, typed."""
        return _record(self.directory, self.manifest)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in the order of the generalist."""
        return self.generalist.classes

    @property
    def subsets(self) -> tuple[tuple[str, ...], ...]:
        """The classes of each specialist."""
        return tuple(tuple(one["classes"]) for one in self.record.specialists)

    @property
    def corrections(self) -> tuple[float, ...]:
        """What each specialist's dustbin logit gains."""
        return tuple(one["correction"] for one in self.record.specialists)

    def combined(self, *, top: int = 1) -> Teacher:
        """The combined model, a teacher like any other: see `combined`.

        Raises:
            InputError: `top` is not between 1 and the number of classes.
            TrustError: building a net runs code that nobody trusted.
        """
        places = {name: at for at, name in enumerate(self.classes)}
        members = [
            Specialist(run(one), tuple(places[name] for name in subset), correction)
            for one, subset, correction in zip(
                self.members, self.subsets, self.corrections, strict=True
            )
        ]
        teacher = combined(run(self.generalist), members, top=top)
        # The text opens it with a top of 1; another cannot be said by a directory's name.
        source = str(self.directory.resolve()) if top == 1 else ""
        trust = self.generalist.is_trusted
        return replace(teacher, name=self.directory.name, source=source, is_trusted=trust)


def _record(directory: Path, manifest: Mapping[str, Any]) -> SpecialistsRecord:
    return artifacts.record_of(SpecialistsRecord, manifest, directory / artifacts.MANIFEST)


def _open_run(beside: Path, entry: _RunEntry, trust: bool) -> Run:
    directory = beside / entry["directory"]
    run = Run.open(directory, trust=trust)
    if run.fingerprint != entry["fingerprint"]:
        raise MismatchError(
            f"{directory} holds another net than when the specialists were made: train them again"
        )
    return run
