"""The two means of what several teachers say, and what makes teachers members of one ensemble."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float
from scipy.special import log_softmax, logsumexp

from limbeck.artifacts import fingerprint
from limbeck.errors import InputError, MismatchError, TeacherError
from limbeck.examples import Array
from limbeck.scores._dense import LOWEST
from limbeck.scores._kinds import OF_ONE_SOFTMAX, Kind

Mean = Literal["geometric", "arithmetic"]
MEANS: tuple[Mean, ...] = get_args(Mean)
AVERAGED: Mapping[Mean, tuple[Kind, ...]] = {
    "geometric": OF_ONE_SOFTMAX,
    "arithmetic": (*OF_ONE_SOFTMAX, "votes"),
}
KIND_OF_MEAN: Mapping[Mean, Kind] = {"geometric": "logits", "arithmetic": "log-probabilities"}


def check_mean(mean: str) -> Mean:
    """The mean, if it is one.

    Raises:
        InputError: it is not.
    """
    if mean not in MEANS:
        raise InputError(f"an ensemble's mean is {' or '.join(MEANS)}, not {mean!r}")
    return mean


def geometric(
    logits: Float[np.ndarray, "members examples classes"],
) -> Float[np.ndarray, "examples classes"]:
    """The mean over members of their logits, each row centred first.

    Its softmax is the geometric mean of the members' distributions, scaled to sum to 1 (Hinton,
    Vinyals & Dean 2015, section 2, arXiv:1503.02531). Centring takes out the offset of a row,
    which means nothing.
    """
    centered = logits - logits.mean(axis=2, keepdims=True)
    return np.asarray(centered.mean(axis=0))


def arithmetic(
    logits: Float[np.ndarray, "members examples classes"],
) -> Float[np.ndarray, "examples classes"]:
    """The logarithm of the mean of the members' distributions (the same section).

    Computed by log-sum-exp: a probability too small for its number type keeps its logarithm.
    """
    return np.asarray(logsumexp(log_softmax(logits, axis=2), axis=0) - np.log(len(logits)))


FORMULAS = {"geometric": geometric, "arithmetic": arithmetic}


@dataclass(frozen=True, eq=False)
class Member:
    """What an ensemble has to know of one of its members.

    Attributes:
        name: what errors call it.
        fingerprint: the teacher's.
        classes: the class names in the order of its scores.
        kind: what its scores are.
        about: what else a manifest says of it.
    """

    name: str
    fingerprint: str
    classes: tuple[str, ...]
    kind: Kind
    about: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The member, as a manifest holds it."""
        return {"name": self.name, "fingerprint": self.fingerprint, **self.about}

    def logits(self, raw: Array) -> Array:
        """Its scores as logits, float64: a log-probability is one, up to the offset of a row."""
        wide = raw.astype(np.float64)
        if self.kind not in ("probabilities", "votes"):
            return wide
        if (wide < -1e-3).any():
            raise TeacherError(f"{self.name} answers with probabilities below 0: {wide.min():.4g}")
        with np.errstate(divide="ignore"):  # the log of 0 is held at the lowest
            return np.maximum(np.log(np.maximum(wide, 0.0)), LOWEST)


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Members that speak of the same classes, and the mean of what they say. Made by `of`.

    Attributes:
        members: who speaks.
        mean: "geometric" or "arithmetic".
        columns: for each member, where the classes of the first one stand in its scores.
    """

    members: tuple[Member, ...]
    mean: Mean
    columns: tuple[Array, ...]

    @classmethod
    def of(cls, members: Sequence[Member], mean: str) -> "Ensemble":
        """The ensemble, if its members belong together.

        Raises:
            InputError: no members, or no such mean.
            MismatchError: two members name other classes, or one's scores are not of one softmax.
        """
        checked = check_mean(mean)
        if not members:
            raise InputError("an ensemble has one member or more; got none")
        for number, member in enumerate(members):
            _check_kind(member, number, checked)
        columns = [_columns(members[0], other, n) for n, other in enumerate(members)]
        return cls(tuple(members), checked, tuple(columns))

    @property
    def name(self) -> str:
        """What reports call it."""
        return f"{self.mean} mean of {len(self.members)}"

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in the order of the first member."""
        return self.members[0].classes

    @property
    def kind(self) -> Kind:
        """What the mean is: logits (geometric) or log-probabilities (arithmetic).

        Of votes alone it is their shares, as probabilities: many of them are 0.
        """
        are_votes = {member.kind for member in self.members} == {"votes"}
        return "probabilities" if are_votes else KIND_OF_MEAN[self.mean]

    @property
    def fingerprint(self) -> str:
        """Changes when a member or the mean does."""
        members = [[m.fingerprint, list(m.classes), m.kind] for m in self.members]
        return fingerprint([members, self.mean])

    def to_json(self) -> dict[str, Any]:
        """Members and mean, as a manifest holds them."""
        return {"mean": self.mean, "members": [member.to_json() for member in self.members]}

    def combined(self, said: Sequence[Array]) -> Float[np.ndarray, "examples classes"]:
        """The mean of the members' scores, each `(examples, classes)` in the member's own order.

        Computed in float64, float32.
        """
        if self.kind == "probabilities":
            votes = [raw[:, at] for raw, at in zip(said, self.columns, strict=True)]
            return np.asarray(np.mean(votes, axis=0, dtype=np.float64), dtype=np.float32)
        rows = zip(self.members, said, self.columns, strict=True)
        logits = np.stack([member.logits(raw)[:, at] for member, raw, at in rows])
        return FORMULAS[self.mean](logits).astype(np.float32)


def _check_kind(member: Member, number: int, mean: Mean) -> None:
    *kinds, last = AVERAGED[mean]
    if member.kind not in AVERAGED[mean]:
        hint = "; votes have an arithmetic mean" if member.kind == "votes" else ""
        raise MismatchError(
            f"member {number} of the ensemble, {member.name}, answers with {member.kind}; a mean "
            f"is taken of {', '.join(kinds)} or {last}{hint}"
        )


def _columns(first: Member, other: Member, number: int) -> Array:
    """Where the classes of the first member stand in the scores of the other."""
    pair = [(f"member 0, {first.name}", first), (f"member {number}, {other.name}", other)]
    for (whose, one), (others, another) in (pair, pair[::-1]):
        alone = [name for name in one.classes if name not in another.classes]
        if alone:
            raise MismatchError(
                f"{whose}, names the class {alone[0]!r} and {others}, does not: the members of "
                "an ensemble name the same classes, in any order"
            )
    return np.array([other.classes.index(name) for name in first.classes])
