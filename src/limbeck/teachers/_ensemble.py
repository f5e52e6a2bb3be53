"""Several teachers as one: the mean of what they say."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from limbeck.errors import InputError, TeacherError
from limbeck.examples import Array
from limbeck.runtime import Precision
from limbeck.scores import Ensemble, Mean, Member
from limbeck.students import Run
from limbeck.teachers._teacher import Teacher, described, ordered
from limbeck.teachers._torch import run


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
    speakers = tuple(one for given in members for one in members_in(given))
    made = Ensemble.of([Member(s.name, s.fingerprint, s.classes, s.kind) for s in speakers], mean)

    def answer(inputs: Array, *keys: Array) -> Array:
        rows = [f"row {row} of the batch" for row in range(len(inputs))]
        known = keys[0] if keys else np.array(rows)
        inputs = np.ascontiguousarray(inputs)  # once, not once for each member
        return made.combined([s.ask(inputs, known, f"the member {s.name}") for s in speakers])

    teacher = described(name or made.name, answer, made.classes, made.kind, made.fingerprint)
    by_key = any(speaker.answers_keys for speaker in speakers)
    source = _source(members)
    return replace(teacher, members=speakers, mean=made.mean, source=source, answers_keys=by_key)


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
