"""MatchLogits, SoftTargets, Labels, ...: a loss bound to a batch.

An objective is called with the student's output `(batch, classes)` and the batch, and returns
named scalars; their sum is minimised and each is logged. Every part is a sum over the rows it
concerns divided by the size of the whole batch, so parts keep their balance whichever rows have
scores or labels, and a batch without labels gives 0 rather than 0/0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Protocol, get_args, runtime_checkable

from torch import Tensor

from limbeck import losses
from limbeck._calls import Makers, make, text_of
from limbeck._own import Named
from limbeck._rows import of_labels, over_scored
from limbeck._successors import DIST, DKD, LogitStandardisation
from limbeck.errors import InputError
from limbeck.examples import Batch
from limbeck.scores import OF_ONE_SOFTMAX, Kind

LogitForm = Literal["raw", "centred", "standardised"]
EmbeddingForm = Literal["cosine", "l2"]
LabelsForm = Literal["", "standardised"]


@runtime_checkable
class Objective(Protocol):
    """What a student is asked for; any callable with these three attributes will do.

    It may say more of itself, each of these being taken as absent where it is not there:

    - `standardises`: true gets it a student whose output is scaled to the mean and deviation of
      the scores, and that deviation as `batch.scale`.
    - `features`: names of the student's submodules (those of its `build`), whose outputs it then
      finds in `batch.features`.
    - `vectorises`: true promises that it is made of torch operations alone, with no branch on
      their values, so that `torch.vmap` may compute it for several students at once.
    - `kinds`: the kinds of scores that it learns (`scores.Kind`); without it, those of one softmax.

    An objective that is an `nn.Module` has its parameters trained with the student's, a copy for
    each seed, started by its submodules' `reset_parameters`. `batch.step` and `batch.steps` say
    where training stands.
    """

    @property
    def text(self) -> str:
        """The call that makes it again."""

    @property
    def needs_scores(self) -> bool:
        """Whether it is about what a teacher said."""

    @property
    def needs_labels(self) -> bool:
        """Whether it cannot do without labels."""

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The named parts, each a scalar."""


@dataclass(frozen=True)
class MatchLogits:
    """Regression on the teacher's logits, `1/(2 batch) sum ||g(x) - z||^2`.

    Ba & Caruana 2014, section 2, arXiv:1312.6184. Forms: "raw" as there; "centred" leaves out the
    offset of a row, which no softmax sees; "standardised" divides each class's error by the
    deviation of that class's logit over the transfer set, and the student keeps the scale and
    shift (the paper's normalised targets).
    """

    form: LogitForm | str = "raw"
    needs_scores = True
    needs_labels = False
    vectorises = True

    @property
    def standardises(self) -> bool:
        """Whether the student's output is to be scaled to the scores' mean and deviation."""
        return self.form == "standardised"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """But for the centred form also those whose columns mean something each for itself."""
        apart: tuple[Kind, ...] = ("independent-logits", "values")
        return OF_ONE_SOFTMAX if self.form == "centred" else (*OF_ONE_SOFTMAX, *apart)

    def __post_init__(self) -> None:
        if self.form not in get_args(LogitForm):
            forms = ", ".join(get_args(LogitForm))
            raise InputError(f"MatchLogits has no form {self.form!r}; known are {forms}")

    @property
    def text(self) -> str:
        """The call that makes it again."""
        return text_of("MatchLogits", self)

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"logits": ...}`, in squared units of the logits (or of their deviation)."""
        if self.form == "centred":
            per_example = losses.logits(losses.centred(output), losses.centred(batch.scores))
        elif self.form == "standardised":
            scale = batch.scale
            per_example = losses.logits(output / scale, batch.scores / scale)
        else:
            per_example = losses.logits(output, batch.scores)
        return {"logits": over_scored(per_example, batch)}


@dataclass(frozen=True)
class SoftTargets:
    """`T^2 KL(teacher || student)` at temperature T, plus the labels at temperature 1 if weighted.

    Hinton, Vinyals & Dean 2015, section 2, arXiv:1503.02531: the weight of the labels is best
    "considerably lower" than that of the soft part, here 1. Only labelled rows enter the hard part.
    Of independent logits both parts are sums over columns, each with a sigmoid of its own.
    """

    temperature: float = 4.0
    hard_weight: float = 0.0
    kinds: ClassVar[tuple[Kind, ...]] = (*OF_ONE_SOFTMAX, "independent-logits")
    needs_scores = True
    vectorises = True

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise InputError(f"SoftTargets: a temperature is above 0, not {self.temperature}")
        if self.hard_weight < 0:
            raise InputError(f"SoftTargets: a weight is 0 or more, not {self.hard_weight}")

    @property
    def needs_labels(self) -> bool:
        """Whether the hard part is weighted."""
        return self.hard_weight > 0

    @property
    def text(self) -> str:
        """The call that makes it again."""
        return text_of("SoftTargets", self)

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"soft": ...}` and, where weighted, `{"hard": ...}`, in nats."""
        is_apart = batch.kind == "independent-logits"
        loss = losses.binary_soft_targets if is_apart else losses.soft_targets
        parts = {"soft": over_scored(loss(output, batch.scores, self.temperature), batch)}
        if self.hard_weight > 0:
            parts["hard"] = self.hard_weight * of_labels(output, batch)
        return parts


@dataclass(frozen=True)
class MatchProbabilities:
    """Regression on the teacher's probabilities, `1/(2 batch) sum ||q - p||^2`.

    Ba & Caruana's comparison, weaker than logits: it hardly sees the small probabilities.
    """

    needs_scores = True
    needs_labels = False
    vectorises = True

    @property
    def text(self) -> str:
        """The call that makes it again."""
        return text_of("MatchProbabilities", self)

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"probabilities": ...}`."""
        per_example = losses.probabilities(output, batch.scores)
        return {"probabilities": over_scored(per_example, batch)}


@dataclass(frozen=True)
class MatchEmbeddings:
    """Embeddings alike: `1/batch sum (1 - cos(g, z))`, or "l2", `1/(2 batch) sum ||g - z||^2`.

    By "cosine" only directions count, and the student's vectors may have any length; by "l2" they
    are matched as they are. Normalise the teacher's first if lengths mean nothing.
    """

    form: EmbeddingForm | str = "cosine"
    kinds: ClassVar[tuple[Kind, ...]] = ("embeddings",)
    needs_scores = True
    needs_labels = False

    def __post_init__(self) -> None:
        if self.form not in get_args(EmbeddingForm):
            forms = listed(get_args(EmbeddingForm))
            raise InputError(f"MatchEmbeddings has no form {self.form!r}; known are {forms}")

    @property
    def text(self) -> str:
        """The call that makes it again."""
        return text_of("MatchEmbeddings", self)

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"embeddings": ...}`.

        Raises:
            InputError: a vector of the teacher's is 0 and has no direction.
        """
        if self.form == "l2":
            return {"embeddings": over_scored(losses.logits(output, batch.scores), batch)}
        _check_directions(batch)
        return {"embeddings": over_scored(losses.cosine_distance(output, batch.scores), batch)}


def _check_directions(batch: Batch) -> None:
    has_none = (batch.scores == 0).all(dim=1) & batch.is_scored
    if has_none.any():
        key = str(batch.keys[has_none.cpu().numpy()][0])
        raise InputError(
            f"the teacher's embedding of example {key!r} is 0 in every column, and has no "
            "direction to match by cosine: leave the example out, or take MatchEmbeddings('l2')"
        )


@dataclass(frozen=True)
class Votes:
    """Cross-entropy with the votes of a teacher that names a class and says no more.

    A vote is a label from another hand: what it teaches beyond labels is where the labels are
    missing or wrong. `smoothing` is the share of each vote that goes evenly to all classes.
    """

    smoothing: float = 0.0
    kinds: ClassVar[tuple[Kind, ...]] = ("votes",)
    needs_scores = True
    needs_labels = False
    vectorises = True

    def __post_init__(self) -> None:
        if not 0 <= self.smoothing < 1:
            raise InputError(f"Votes: smoothing is 0 or more and below 1, not {self.smoothing}")

    @property
    def text(self) -> str:
        """The call that makes it again."""
        return text_of("Votes", self)

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"votes": ...}`, in nats."""
        return {"votes": over_scored(losses.votes(output, batch.scores, self.smoothing), batch)}


@dataclass(frozen=True)
class Labels:
    """What the labels ask for: how teachers and controls are trained.

    Cross-entropy with classes; with a 0 or 1 for each column the binary one, summed over columns;
    with real values half the squared distance, as `MatchLogits` has it. The form "standardised" is
    for values alone: each output's error is divided by the deviation of its labels, and the student
    keeps the scale and shift.
    """

    form: LabelsForm | str = ""
    needs_scores = False
    needs_labels = True
    vectorises = True

    def __post_init__(self) -> None:
        if self.form not in get_args(LabelsForm):
            raise InputError(f"Labels has no form {self.form!r}; known is 'standardised'")

    @property
    def standardises(self) -> bool:
        """Whether the student's output is to be scaled to the labels' mean and deviation."""
        return self.form == "standardised"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """All that labels are of; standardised, values alone."""
        every: tuple[Kind, ...] = (*OF_ONE_SOFTMAX, "votes", "independent-logits", "values")
        return ("values",) if self.standardises else every

    @property
    def text(self) -> str:
        """The call that makes it again."""
        return text_of("Labels", self)

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"labels": ...}`, in nats; of values in their squared units (or of their deviation)."""
        if self.standardises:
            scaled = replace(batch, labels=batch.labels / batch.scale)
            return {"labels": of_labels(output / batch.scale, scaled)}
        return {"labels": of_labels(output, batch)}


MAKERS: Makers = {
    "SoftTargets": SoftTargets,
    "MatchLogits": MatchLogits,
    "MatchProbabilities": MatchProbabilities,
    "MatchEmbeddings": MatchEmbeddings,
    "Votes": Votes,
    "Labels": Labels,
    "LogitStandardisation": LogitStandardisation,
    "DIST": DIST,
    "DKD": DKD,
}


# Why other objectives cannot learn such scores, where it is not plain.
WHY: Mapping[str, str] = {"votes": "a vote has no probabilities to soften"}


def of_control(objectives: Sequence[Objective], kind: Kind) -> Labels:
    """What a control is asked for beside students of these objectives: the labels alone.

    Values are standardised where all the students' are: a control that had to find the scale by
    itself would be the weaker for it.
    """
    are_scaled = all(getattr(objective, "standardises", False) for objective in objectives)
    return Labels("standardised" if are_scaled and kind == "values" else "")


def kinds_of(objective: Objective) -> tuple[Kind, ...]:
    """The kinds of scores that an objective learns; of one softmax where it does not say."""
    kinds: tuple[Kind, ...] = getattr(objective, "kinds", OF_ONE_SOFTMAX)
    return kinds


def check_kind(objective: Objective, kind: Kind) -> None:
    """Refuses scores of a kind that the objective does not learn.

    Raises:
        InputError: it says what it learns, and which objectives learn that kind.
    """
    if kind in (kinds := kinds_of(objective)):
        return
    able = [name for name, maker in MAKERS.items() if _teaches(maker(), kind)]
    why = f" ({WHY[kind]})" if kind in WHY else ""
    raise InputError(
        f"{objective.text} learns {listed(kinds)}, and is given {kind}{why}: "
        + (f"{listed([f'{name}()' for name in able])} would do" if able else "no objective would")
    )


def _teaches(objective: Objective, kind: Kind) -> bool:
    return objective.needs_scores and kind in kinds_of(objective)


def listed(names: Sequence[str]) -> str:
    """`a, b or c`."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def read(text: str, *, trust: bool = False) -> Objective:
    """The objective that a call written as text makes, such as `SoftTargets(temperature=4)`.

    `mine.py:Focal(gamma=2)` calls a class or function in a file of yours with literal arguments,
    which runs the file. The objective's text then carries the file's fingerprint.

    Raises:
        RecipeError: there is none of that name, or its arguments are refused.
        TrustError: it names a file, and `trust` is not given.
        MissingError, MismatchError: there is no such file, or it is not the one that is meant.
        InputError: the file cannot be run, has no such name, or makes no objective.
    """
    named = Named.parse(text)
    if named is None:
        made: Objective = make(text, MAKERS, "objective")
        return made
    own = named.make("objective", trust=trust)
    if not callable(own) or not isinstance(own, Objective):
        lacking = [name for name in ("needs_scores", "needs_labels") if not hasattr(own, name)]
        raise InputError(
            f"{named.file}:{named.name} makes no objective: "
            + (f"it lacks {' and '.join(lacking)}" if lacking else "it cannot be called")
        )
    return own


def check(text: str) -> None:
    """Refuses a text that `read` could not read, as far as that shows without running a file.

    Raises:
        RecipeError, MissingError, MismatchError: as in `read`.
    """
    named = Named.parse(text)
    if named is None:
        read(text)
    else:
        named.check()
