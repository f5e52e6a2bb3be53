"""Fusing: the fixed point, gradient descent, and a search over the whole simplex agree."""

import itertools

import hypothesis
import pytest
import torch
from hypothesis import strategies
from worlds import double

from limbeck.errors import InputError
from limbeck.teachers import Opinion, divergence, fuse, fuse_by_descent

ALL = torch.arange


def distributions(*shape: int, seed: int, scale: float = 1.5) -> torch.Tensor:
    return torch.softmax(double(*shape, seed=seed, scale=scale), dim=1)


def opinion(rows: list[int], positions: list[int], seed: int, scale: float = 1.5) -> Opinion:
    said = distributions(len(rows), len(positions) + 1, seed=seed, scale=scale)
    return Opinion(torch.tensor(rows, dtype=torch.int64), said, torch.tensor(positions))


def step(generalist, opinions, q):
    """The mean of the responsibilities, one row and class at a time."""
    made = torch.zeros_like(q)
    for row, column in itertools.product(range(len(q)), range(q.shape[1])):
        shares = [generalist[row, column]]
        for one in opinions:
            if row in one.rows.tolist():
                at, special = one.rows.tolist().index(row), one.positions.tolist()
                rest = sum(q[row, c] for c in range(q.shape[1]) if c not in special)
                said = one.probabilities[at]
                is_special = column in special
                shares.append(
                    said[special.index(column)] if is_special else said[-1] * q[row, column] / rest
                )
        made[row, column] = sum(shares) / len(shares)
    return made


CASES = {
    "one active": [opinion([0, 1, 2, 3], [0, 2], 1)],
    "some rows": [opinion([1, 3], [0, 2], 2), opinion([3], [1, 4, 5], 3)],
    "overlapping": [
        opinion([0, 1, 2], [0, 2, 3], 4),
        opinion([0, 2, 3], [2, 3, 4], 5),
        opinion([0, 3], [3, 5], 6),
    ],
    "one class left": [opinion([0, 1, 2, 3], [0, 1, 2, 3, 4], 7), opinion([0, 1], [5], 8)],
}
each_case = pytest.mark.parametrize("opinions", CASES.values(), ids=CASES)


@pytest.mark.slow
@each_case
def test_the_fixed_point_is_where_descent_ends(opinions):
    generalist = distributions(4, 6, seed=0)
    fused = fuse(generalist, opinions)
    assert torch.allclose(fused.sum(dim=1), torch.ones(4).double(), atol=1e-12)
    assert (fused - fuse_by_descent(generalist, opinions)).abs().max() < 1e-6


@hypothesis.given(strategies.integers(0, 10_000))
@hypothesis.settings(max_examples=8)
@pytest.mark.slow
def test_the_fixed_point_is_where_descent_ends_whatever_is_said(seed):
    generalist = distributions(3, 5, seed=seed)
    chosen = torch.randperm(5, generator=torch.Generator().manual_seed(seed))
    subsets = [chosen[:2].tolist(), chosen[1:4].tolist(), chosen[3:].tolist()]
    opinions = [opinion([0, 2], subset, seed + at) for at, subset in enumerate(subsets, 1)]
    fused = fuse(generalist, opinions)
    assert (fused - fuse_by_descent(generalist, opinions)).abs().max() < 1e-6


@each_case
def test_no_step_makes_the_divergence_larger(opinions):
    generalist = distributions(4, 6, seed=0)
    before = divergence(generalist, opinions, generalist)
    for steps in range(1, 30):
        after = divergence(generalist, opinions, fuse(generalist, opinions, steps=steps))
        assert (after <= before + 1e-14).all()
        before = after


@each_case
def test_a_step_is_the_mean_of_responsibilities(opinions):
    generalist = distributions(4, 6, seed=0)
    assert torch.allclose(
        fuse(generalist, opinions, steps=1), step(generalist, opinions, generalist), atol=1e-15
    )


@each_case
def test_the_gradient_is_the_sum_of_q_less_responsibilities(opinions):
    generalist, z = distributions(4, 6, seed=0), double(4, 6, seed=9).requires_grad_()
    q = torch.softmax(z, dim=1)
    divergence(generalist, opinions, q).sum().backward()
    members = 1 + sum(torch.isin(ALL(4), one.rows).double() for one in opinions)
    expected = members[:, None] * (q - step(generalist, opinions, q)).detach()
    assert torch.allclose(z.grad, expected, rtol=1e-10, atol=1e-12)


def test_nothing_on_a_grid_of_three_classes_is_better():
    generalist = distributions(1, 3, seed=0)
    opinions = [opinion([0], [0], 1), opinion([0], [0, 1], 2)]
    ticks = torch.arange(1, 400).double() / 400
    first, second = torch.meshgrid(ticks, ticks, indexing="ij")
    grid = torch.stack([first, second, 1 - first - second], dim=-1).flatten(0, 1)
    grid = grid[grid[:, 2] > 1e-9]
    repeated = [
        Opinion(ALL(len(grid)), one.probabilities.expand(len(grid), -1), one.positions)
        for one in opinions
    ]
    values = divergence(generalist.expand(len(grid), -1), repeated, grid)
    fused = fuse(generalist, opinions)
    assert divergence(generalist, opinions, fused)[0] <= values.min()
    assert (fused[0] - grid[values.argmin()]).abs().max() < 2 / 400


def test_the_generalist_stands_exactly_where_nobody_is_active():
    generalist = distributions(4, 6, seed=0, scale=30.0)
    assert torch.equal(fuse(generalist, []), generalist)
    fused = fuse(generalist, [opinion([1], [0, 2], 1)])
    assert torch.equal(fused[[0, 2, 3]], generalist[[0, 2, 3]])
    assert not torch.equal(fused[1], generalist[1])


def test_with_one_specialist_special_classes_are_the_mean_and_the_rest_keeps_its_proportions():
    generalist = torch.tensor([[0.5, 0.3, 0.2]]).double()
    one = Opinion(ALL(1), torch.tensor([[0.6, 0.4]]).double(), torch.tensor([0]))
    fused = fuse(generalist, [one])
    rest = (0.5 + 0.4) / 2
    expected = torch.tensor([[(0.5 + 0.6) / 2, rest * 0.6, rest * 0.4]]).double()
    assert torch.allclose(fused, expected, atol=1e-12)


def test_certainty_and_zeros_give_distributions_that_nothing_beats():
    generalist = torch.tensor([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0, 1.0]]).double()
    sure = torch.tensor([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]).double()
    opinions = [
        Opinion(ALL(3), sure, torch.tensor([0, 1])),
        Opinion(ALL(3), sure.flip(0), torch.tensor([1, 2])),
    ]
    fused = fuse(generalist, opinions)
    assert torch.isfinite(fused).all()
    assert torch.allclose(fused.sum(dim=1), torch.ones(3).double(), atol=1e-12)
    found = divergence(generalist, opinions, fused)
    for seed in range(50):
        others = distributions(3, 4, seed=seed, scale=3.0)
        assert (found <= divergence(generalist, opinions, others) + 1e-9).all()


def test_a_class_that_the_generalist_excludes_can_come_back_by_a_specialist():
    generalist = torch.tensor([[1.0, 0.0, 0.0]]).double()
    said = torch.tensor([[0.2, 0.7, 0.1]]).double()
    fused = fuse(generalist, [Opinion(ALL(1), said, torch.tensor([0, 1]))])
    assert torch.allclose(fused, torch.tensor([[0.6, 0.35, 0.05]]).double(), atol=1e-9)


@pytest.mark.parametrize(("scale", "nats"), [(1.0, 1e-9), (10.0, 1e-9), (30.0, 1e-4)])
@pytest.mark.slow
def test_confident_answers_that_contradict_each_other_converge_too(scale, nats):
    generalist = distributions(200, 10, seed=0, scale=scale)
    subsets = [[0, 2, 4, 6], [2, 3, 4], [5, 7, 9], [0, 8]]
    opinions = [opinion(list(range(200)), s, n, scale) for n, s in enumerate(subsets, 1)]
    fused = fuse(generalist, opinions)
    better = divergence(generalist, opinions, fuse(generalist, opinions, steps=20_000))
    assert (divergence(generalist, opinions, fused) - better).max() < nats


BAD = {
    "is no distribution": (torch.full((1, 3), 0.5), []),
    "0 or more": (torch.tensor([[1.5, -0.5, 0.0]]), []),
    "specialist 0 gave a row": (
        torch.full((1, 3), 1 / 3),
        [Opinion(ALL(1), torch.tensor([[0.5, 0.6]]), torch.tensor([0]))],
    ),
    "specialist 0 has 3 of 3 classes": (
        torch.full((1, 3), 1 / 3),
        [Opinion(ALL(1), torch.full((1, 4), 0.25), ALL(3))],
    ),
    "need (1, 3)": (
        torch.full((1, 3), 1 / 3),
        [Opinion(ALL(1), torch.tensor([[0.5, 0.5]]), ALL(2))],
    ),
}


@pytest.mark.parametrize("sentence", BAD)
@pytest.mark.parametrize("how", [fuse, fuse_by_descent])
def test_what_is_no_opinion_is_refused(sentence, how):
    with pytest.raises(InputError) as caught:
        how(*BAD[sentence])
    assert sentence in str(caught.value)
