"""Fuses a generalist's and its specialists' answers into one distribution over all classes.

Hinton, Vinyals & Dean 2015, section 5.3, arXiv:1503.02531: the q that minimises
`KL(p_g, q) + sum over the active specialists of KL(p_m, q)`, where a specialist's dustbin is
compared with the sum of q over the classes in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from limbeck.errors import InputError

Rows = Float[Tensor, "batch classes"]

TINY = 1e-300  # stands for a probability of 0 where a ratio is taken
STEPS = 10_000
SUM_TOLERANCE = 1e-4  # float32 probabilities of many classes sum to one so closely


@dataclass(frozen=True, eq=False)
class Opinion:
    """What one specialist says of the rows it was asked about.

    Attributes:
        rows: which rows of the batch, `(asked,)`.
        probabilities: `(asked, special + 1)`: its own classes in order, and the dustbin last.
        positions: where its own classes are among all, `(special,)`.
    """

    rows: Int[Tensor, " asked"]
    probabilities: Float[Tensor, "asked columns"]
    positions: Int[Tensor, " special"]


def fuse(
    generalist: Rows,
    opinions: Sequence[Opinion],
    *,
    tolerance: float = 1e-12,
    steps: int = STEPS,
) -> Float[Tensor, "batch classes"]:
    """The fused distributions, float64, by the fixed point q <- mean of responsibilities.

    The responsibility of the generalist is its own answer; that of a specialist is its answer,
    with its dustbin shared out over the classes in it as q has them. No step makes the sum of
    divergences larger. A row about which nobody has an opinion is the generalist's, exactly; rows
    that have converged are left alone. A row has converged when it is at most `tolerance` nats
    above the smallest sum of divergences. After so many steps it is left where it is: some 1e-5
    nats above where all are certain, each of something else.

    Raises:
        InputError: a row that is no distribution, shapes that do not fit, or a specialist for all
            classes.
    """
    terms = _terms(generalist, opinions)
    q = generalist.double().clamp_min(TINY)
    rows = torch.arange(len(q))
    for _ in range(steps):
        if not len(rows):
            break
        part, before = terms.take(rows), q[rows]
        after = part.step(before).clamp_min(TINY)
        q[rows] = after
        # Convexity bounds what is left to gain by the steepest way down, towards one class.
        gap = part.members * ((after / before).amax(dim=1) - 1)
        rows = rows[gap > tolerance]
    return torch.where(q > TINY, q, 0.0)


def fuse_by_descent(
    generalist: Rows,
    opinions: Sequence[Opinion],
    *,
    tolerance: float = 1e-9,
    steps: int = 50_000,
) -> Float[Tensor, "batch classes"]:
    """The same by gradient descent on the logits z of q = softmax(z), as the paper does it.

    The slow reference for `fuse`: each row descends on its own, by the gradient of `divergence`,
    until no part of it is above `tolerance`.

    Raises:
        InputError: as `fuse`.
    """
    members = _terms(generalist, opinions).members
    z = generalist.double().clamp_min(1e-12).log()
    for _ in range(steps):
        z = z.detach().requires_grad_()
        total = divergence(generalist, opinions, torch.softmax(z, dim=1)).sum()
        (slope,) = torch.autograd.grad(total, z)
        if slope.abs().max() <= tolerance:
            break
        # No curvature is above members / 2, so this step never overshoots.
        z = z - slope * (2 / members)[:, None]
    return torch.softmax(z.detach(), dim=1)


def divergence(
    generalist: Rows, opinions: Sequence[Opinion], q: Float[Tensor, "batch _"]
) -> Float[Tensor, " batch"]:
    """What `fuse` makes small: `KL(p_g, q) + sum KL(p_m, q)` of each row, in nats."""
    total = _kl(generalist.double(), q)
    for one in opinions:
        rows = q[one.rows]
        rest = rows[:, _rest(one, q.shape[1])].sum(dim=1, keepdim=True)
        grouped = torch.cat([rows[:, one.positions], rest], dim=1)
        total = total.index_add(0, one.rows, _kl(one.probabilities.double(), grouped))
    return total


def _kl(p: Tensor, q: Tensor) -> Tensor:
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(dim=1)


def _rest(opinion: Opinion, classes: int) -> Tensor:
    is_rest = torch.ones(classes, dtype=torch.bool)
    is_rest[opinion.positions] = False
    return is_rest


@dataclass(frozen=True, eq=False)
class _Terms:
    """Everything a step needs, for all rows and specialists at once.

    Attributes:
        said: what all say of single classes, summed, `(batch, classes)`.
        dustbins: each specialist's dustbin, 0 where it is not active, `(batch, specialists)`.
        rest: which classes each dustbin holds, `(specialists, classes)` of 0 and 1.
        members: how many have an opinion on a row, the generalist among them, `(batch,)`.
    """

    said: Tensor
    dustbins: Tensor
    rest: Tensor
    members: Tensor

    def take(self, rows: Tensor) -> "_Terms":
        return _Terms(self.said[rows], self.dustbins[rows], self.rest, self.members[rows])

    def step(self, q: Tensor) -> Tensor:
        """The mean of the responsibilities under q."""
        share = self.dustbins / (q @ self.rest.T).clamp_min(TINY)
        return (self.said + q * (share @ self.rest)) / self.members[:, None]


def _terms(generalist: Rows, opinions: Sequence[Opinion]) -> _Terms:
    batch, classes = generalist.shape
    _check_distributions(generalist, "the generalist")
    opinion = generalist.double().clone()
    dustbins = torch.zeros(batch, len(opinions), dtype=torch.float64)
    rest = torch.zeros(len(opinions), classes, dtype=torch.float64)
    members = torch.ones(batch, dtype=torch.float64)
    for number, one in enumerate(opinions):
        _check_opinion(one, classes, number)
        probabilities = one.probabilities.double()
        opinion[one.rows[:, None], one.positions] += probabilities[:, :-1]
        dustbins[one.rows, number] = probabilities[:, -1]
        rest[number] = _rest(one, classes)
        members[one.rows] += 1
    return _Terms(opinion, dustbins, rest, members)


def _check_opinion(opinion: Opinion, classes: int, number: int) -> None:
    whose = f"specialist {number}"
    special = len(opinion.positions)
    if not 0 < special < classes or len(set(opinion.positions.tolist())) != special:
        raise InputError(
            f"{whose} has {special} of {classes} classes: it needs at least 1, each once, and a "
            "rest for its dustbin"
        )
    shape = (len(opinion.rows), special + 1)
    if tuple(opinion.probabilities.shape) != shape:
        raise InputError(
            f"{whose} answered with shape {tuple(opinion.probabilities.shape)}; its rows, its "
            f"classes and the dustbin need {shape}"
        )
    _check_distributions(opinion.probabilities, whose)


def _check_distributions(rows: Tensor, whose: str) -> None:
    off = (rows.double().sum(dim=1) - 1).abs()
    if (rows < 0).any() or not (off <= SUM_TOLERANCE).all():
        raise InputError(f"{whose} gave a row that is no distribution: 0 or more, summing to one")
