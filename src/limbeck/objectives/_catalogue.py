"""The objectives by name, the kinds of scores each learns, and the one a text describes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from limbeck.artifacts import respelt
from limbeck.errors import InputError, RecipeError
from limbeck.objectives._dist import DIST
from limbeck.objectives._dkd import DKD
from limbeck.objectives._embeddings import MatchEmbeddings
from limbeck.objectives._labels import Labels
from limbeck.objectives._logit_standardization import LogitStandardization
from limbeck.objectives._logits import MatchLogits, MatchProbabilities
from limbeck.objectives._objective import Objective, OwnObjective, as_objective, lacking
from limbeck.objectives._reductions import listed
from limbeck.objectives._soft_targets import SoftTargets
from limbeck.objectives._votes import Votes
from limbeck.runtime import Makers, Named, make
from limbeck.scores import Kind

MAKERS: Makers = {
    "SoftTargets": SoftTargets,
    "MatchLogits": MatchLogits,
    "MatchProbabilities": MatchProbabilities,
    "MatchEmbeddings": MatchEmbeddings,
    "Votes": Votes,
    "Labels": Labels,
    "LogitStandardization": LogitStandardization,
    "DIST": DIST,
    "DKD": DKD,
}


# Why other objectives cannot learn such scores, where it is not plain.
WHY: Mapping[str, str] = {"votes": "a vote has no probabilities to soften"}


def of_control(objectives: Sequence[Objective], kind: Kind) -> Labels:
    """The objective of the control beside students of these objectives: hard labels.

    Values are standardised where all the students' are: a control that had to find the scale by
    itself would be the weaker for it.
    """
    are_scaled = all(objective.standardizes for objective in objectives)
    return Labels("standardized" if are_scaled and kind == "values" else "")


def kinds_of(objective: Objective | Callable[..., Any]) -> tuple[Kind, ...]:
    """The kinds of scores that an objective learns; of one softmax where it does not say."""
    return as_objective(objective).kinds


def check_kind(objective: Objective | Callable[..., Any], kind: Kind) -> None:
    """Refuses scores of a kind that the objective does not learn.

    Raises:
        InputError: it says what it learns, and which objectives learn that kind.
    """
    own = as_objective(objective)
    if kind in own.kinds:
        return
    able = [name for name, maker in MAKERS.items() if _teaches(maker(), kind)]
    why = f" ({WHY[kind]})" if kind in WHY else ""
    raise InputError(
        f"{own.text} learns {listed(own.kinds)}, and is given {kind}{why}: "
        + (f"{listed([f'{name}()' for name in able])} would do" if able else "no objective would")
    )


def _teaches(objective: Objective, kind: Kind) -> bool:
    return objective.needs_scores and kind in objective.kinds


def from_text(text: str, *, trust: bool = False) -> Objective:
    """The objective that a call written as text makes, such as `SoftTargets(temperature=4)`.

    `mine.py:Focal(gamma=2)` or `module:Focal(gamma=2)` calls a class or function of yours with
    literal arguments, which runs its code. The text then carries the file's fingerprint. A text
    of 0.1, such as `MatchLogits('standardised')`, is read as today's.

    Raises:
        RecipeError: there is none of that name, or its arguments are refused.
        TrustError: it names a file, and `trust` is not given.
        MissingError, MismatchError: there is no such file, or it is not the one that is meant.
        InputError: the file cannot be run, has no such name, or makes no objective.
    """
    named = Named.parse(text)
    if named is None:
        objective: Objective = make(respelt(text), MAKERS, "objective")
        return objective
    own = named.make("objective", trust=trust)
    if not callable(own) and type(own).__module__ == "builtins":
        raise RecipeError(f"{named.text} makes a {type(own).__name__}, which is no objective")
    if not callable(own) or lacking(own):
        raise InputError(
            f"{named.place}:{named.name} makes no objective: "
            + (f"it lacks {' and '.join(lacking(own))}" if lacking(own) else "it cannot be called")
        )
    return OwnObjective.of(own, named.text)


def check_text(text: str) -> None:
    """Refuses a text that `from_text` could not read, as far as that shows without running a file.

    Raises:
        RecipeError, MissingError, MismatchError: as in `from_text`.
    """
    named = Named.parse(text)
    if named is None:
        from_text(text)
    else:
        named.check()
