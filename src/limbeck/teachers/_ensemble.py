"""Several teachers as one: the mean of what they say."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from limbeck.errors import InputError, TeacherError
from limbeck.examples import Array
from limbeck.runtime import Precision
from limbeck.scores import Ensemble, Mean, Member
from limbeck.students import Run
from limbeck.teachers._teacher import Teacher
from limbeck.teachers._torch import run
from limbeck.teachers.wrapped import ordered


def ensemble(
    members: Sequence[Teacher | Run], *, mean: Mean | str = "geometric", name: str = ""
) -> Teacher:
    """The teacher who says the mean of what its members say of the same raw inputs.

    `mean="geometric"` answers with logits, the mean of the members' logits, each row centred
    first; its softmax is the geometric mean of their distributions. `"arithmetic"` answers with
    log-probabilities, the logarithm of the mean of their distributions; of members that all give
    votes it answers with the votes' shares, which are probabilities. Members name the same
    classes in any order; the first one's is the ensemble's. A run is a member with each of its
    seeds; `teachers.run(run, seed)` is one net of it. Computed in float64.

    Raises:
        InputError: no members, or no such mean.
        TeacherError: a member is neither a teacher nor a run.
        MismatchError: two members name other classes, or one's scores are not of one softmax.
    """
    speakers = tuple(one for listed in members for one in members_in(listed))
    mean_of = Ensemble.of(
        [Member(s.name, s.fingerprint, s.classes, s.kind) for s in speakers], mean
    )
    return EnsembleTeacher(
        name=name or mean_of.name,
        classes=mean_of.classes,
        kind=mean_of.kind,
        fingerprint=mean_of.fingerprint,
        source=_source(members),
        of=mean_of,
        speakers=speakers,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class EnsembleTeacher(Teacher):
    """The mean of what several teachers say; `ensemble` makes one.

    Attributes:
        of: which members belong together, and how their mean is computed.
        speakers: those members.
    """

    of: Ensemble
    speakers: tuple[Teacher, ...]

    def predict(self, inputs: Array) -> Array:
        """The mean, where errors about an input know only its row."""
        rows = [f"row {row} of the batch" for row in range(len(inputs))]
        return self.predict_by_key(inputs, np.array(rows))

    def predict_by_key(self, inputs: Array, keys: Array) -> Array:
        """The mean of what the members say of these keys."""
        inputs = np.ascontiguousarray(inputs)  # once, not once for each member
        answers = [one.ask(inputs, keys, f"the member {one.name}") for one in self.speakers]
        return self.of.combined(answers)

    @property
    def runtime(self) -> str:
        """That of all members, where they share one."""
        [runtime, *others] = {speaker.runtime for speaker in self.speakers}
        return "" if others else runtime

    def uncached(self) -> Teacher:
        """Of the members that look nothing up."""
        return replace(self, speakers=tuple(speaker.uncached() for speaker in self.speakers))

    @property
    def answers_keys(self) -> bool:
        """Whether a member does."""
        return any(speaker.answers_keys for speaker in self.speakers)

    @property
    def members(self) -> tuple[Teacher, ...]:
        """Who speaks."""
        return self.speakers

    @property
    def mean(self) -> str:
        """Which mean it is."""
        return self.of.mean

    @property
    def bytes(self) -> int:
        """The sum of its members'; 0 where one of them is not known."""
        parts = [member.bytes for member in self.members]
        return sum(parts) if all(parts) else 0

    def with_threads(self, threads: int) -> Teacher:
        """The same with each member opened for so many threads."""
        return replace(self, speakers=tuple(one.with_threads(threads) for one in self.speakers))

    def reopen(self) -> Teacher:
        """The same opened anew, by its text or member by member."""
        if self._is_text:
            return super().reopen()
        return replace(self, speakers=tuple(one.reopen() for one in self.speakers))


def in_precision(teacher: Teacher | Run, precision: Precision | str) -> Teacher | Run:
    """The same teacher answering in that precision: a run of ours, or an ensemble of such.

    See `teachers.module` for what "bfloat16" does; "float32" changes nothing.

    Raises:
        InputError: no such precision, or a teacher whose arithmetic is not ours.
    """
    if precision == "float32":
        return teacher
    if isinstance(teacher, Run):
        return run(teacher, precision=precision)
    if teacher.net:
        quick = run(*teacher.net, precision=precision)
        return replace(ordered(quick, teacher.classes), source=teacher.source)
    if not teacher.members:
        raise InputError(
            f"{teacher.name} cannot be asked in {precision}: runs of ours and ensembles of them "
            "can, and a module of your own by teachers.module(net, classes, precision=...)"
        )
    each = [in_precision(member, precision) for member in teacher.members]
    together = ensemble(each, mean=teacher.mean, name=teacher.name)
    return replace(ordered(together, teacher.classes), source=teacher.source)


def members_in(given: object) -> list[Teacher]:
    """The teacher, or every seed of the run, that was handed in as a member."""
    if isinstance(given, Run):
        return [run(given, seed) for seed in given.seeds]
    if isinstance(given, Teacher):
        return [given]
    raise TeacherError(
        f"a member of an ensemble is a teacher or a run, not a {type(given).__name__}: "
        "teachers.module and teachers.function make a teacher of it"
    )


def _source(members: Sequence[Teacher | Run]) -> str | tuple[str, ...]:
    """The texts that open the members again; empty if one of them was made in memory."""
    texts = []
    for member in members:
        if isinstance(member, Run):
            texts.append(str(member.directory.resolve()) if member.role == "student" else "")
        else:
            texts.append(member.source if isinstance(member.source, str) else "")
    return tuple(texts) if all(texts) else ""
