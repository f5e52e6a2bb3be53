"""The mathematics of the two papers, proved on small cases in float64."""

import math

import pytest
import torch
from worlds import double

from limbeck.errors import InputError, MismatchError
from limbeck.objectives import losses


def slow_soft_targets(student, teacher, temperature):
    """The definition, one example and one class at a time."""
    values = []
    for z, v in zip(student.tolist(), teacher.tolist(), strict=True):
        q = [math.exp(x / temperature) / sum(math.exp(y / temperature) for y in z) for x in z]
        p = [math.exp(x / temperature) / sum(math.exp(y / temperature) for y in v) for x in v]
        kl = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
        values.append(temperature**2 * kl)
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0, 20.0])
def test_soft_targets_are_the_definition(temperature):
    student, teacher = double(7, 5), double(7, 5, seed=1)
    fast = losses.soft_targets(student, teacher, temperature)
    torch.testing.assert_close(fast, slow_soft_targets(student, teacher, temperature))


def test_equal_logits_cost_nothing():
    z = double(6, 10)
    assert losses.soft_targets(z, z, 4.0).abs().max() < 1e-14
    assert losses.logits(z, z).abs().max() == 0
    assert losses.probabilities(z, z).abs().max() == 0


@pytest.mark.parametrize("temperature", [1.0, 3.0, 20.0])
def test_the_softened_gradient_is_the_papers(temperature):
    """Hinton et al. 2015, equation 2, times the T^2: dC/dz = T (q - p)."""
    student, teacher = double(4, 6).requires_grad_(), double(4, 6, seed=1)
    losses.soft_targets(student, teacher, temperature).sum().backward()
    q = torch.softmax(student / temperature, 1)
    p = torch.softmax(teacher / temperature, 1)
    torch.testing.assert_close(student.grad, (temperature * (q - p)).detach())


def test_gradients_agree_with_finite_differences():
    student, teacher = double(3, 4, scale=1.0).requires_grad_(), double(3, 4, seed=1)
    for loss in (
        lambda z: losses.soft_targets(z, teacher, 3.0),
        lambda z: losses.logits(z, teacher),
        lambda z: losses.logits(losses.centered(z), losses.centered(teacher)),
        lambda z: losses.probabilities(z, teacher),
        lambda z: losses.labels(z, torch.tensor([0, 3, -1])),
    ):
        assert torch.autograd.gradcheck(loss, (student,))


def limit(student, teacher):
    """Half the centred squared error, divided by the number of classes."""
    return losses.logits(losses.centered(student), losses.centered(teacher)) / student.shape[1]


def test_a_very_high_temperature_is_centred_logit_matching():
    student, teacher = double(64, 10), double(64, 10, seed=1)
    ratio = losses.soft_targets(student, teacher, 1e4) / limit(student, teacher)
    assert (ratio - 1).abs().max() < 1e-3


def test_a_temperature_of_20_is_not_yet_logit_matching():
    student, teacher = double(4096, 10), double(4096, 10, seed=1)
    gap = losses.soft_targets(student, teacher, 20.0) / limit(student, teacher) - 1
    assert (gap.abs() > 0.10).double().mean() > 0.1  # an example in six is 10 % off or more
    assert gap.square().mean().sqrt() > 0.05


def test_the_gradient_of_the_limit_is_the_papers():
    """Hinton et al. 2015, equation 4 times T^2: (z - v) / N for zero-mean logits."""
    student, teacher = (
        losses.centered(double(8, 5)).requires_grad_(),
        losses.centered(double(8, 5, seed=1)),
    )
    losses.soft_targets(student, teacher, 1e5).sum().backward()
    torch.testing.assert_close(
        student.grad, ((student - teacher) / 5).detach(), rtol=1e-3, atol=1e-4
    )


def test_t_squared_keeps_the_size_of_the_gradient():
    student, teacher = double(256, 10, scale=1.0), double(256, 10, seed=1, scale=1.0)
    sizes = []
    for temperature in (5.0, 10.0, 20.0):
        z = student.clone().requires_grad_()
        losses.soft_targets(z, teacher, temperature).mean().backward()
        sizes.append(z.grad.norm().item())
    assert max(sizes) / min(sizes) < 1.2  # without it the ratio would be about 16


def test_nothing_is_divided_by_the_number_of_classes():
    """Twice the classes, half of them impossible, cost as much: a mean over classes would halve."""
    student, teacher = double(5, 4), double(5, 4, seed=1)
    impossible = torch.full((5, 4), -1e6, dtype=torch.float64)
    wide = losses.soft_targets(
        torch.cat([student, impossible], 1), torch.cat([teacher, impossible], 1), 2.0
    )
    torch.testing.assert_close(wide, losses.soft_targets(student, teacher, 2.0))


def test_an_offset_of_a_row_changes_soft_targets_not_but_raw_logits():
    student, teacher = double(5, 4), double(5, 4, seed=1)
    moved = teacher + 7.0
    torch.testing.assert_close(
        losses.soft_targets(student, moved, 3.0), losses.soft_targets(student, teacher, 3.0)
    )
    assert not torch.allclose(losses.logits(student, moved), losses.logits(student, teacher))


def test_the_teacher_gets_no_gradient():
    student, teacher = double(3, 4).requires_grad_(), double(3, 4, seed=1).requires_grad_()
    total = losses.soft_targets(student, teacher, 2.0) + losses.logits(student, teacher)
    total.sum().backward()
    assert teacher.grad is None


@pytest.mark.parametrize(
    "loss", [losses.logits, losses.probabilities, lambda a, b: losses.soft_targets(a, b, 1.0)]
)
def test_a_teacher_of_one_row_is_not_broadcast(loss):
    with pytest.raises(MismatchError, match=r"shape \(64, 10\).*\(1, 10\): they must be equal"):
        loss(double(64, 10), double(1, 10))


def test_a_temperature_is_positive():
    with pytest.raises(InputError, match="a temperature is above 0, not 0"):
        losses.soft_targets(double(2, 3), double(2, 3), 0.0)


def test_losses_are_float32_at_least():
    narrow = double(4, 3).to(torch.bfloat16)
    for loss in (losses.soft_targets(narrow, narrow, 2.0), losses.logits(narrow, narrow)):
        assert loss.dtype == torch.float32
    assert losses.labels(narrow, torch.tensor([0, 1, 2, -1])).dtype == torch.float32


def test_mixed_labels_cost_the_mean_of_both():
    z = double(2, 3)
    shares = torch.tensor([[0.25, 0.75, 0.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    one = losses.labels(z, torch.tensor([0, 0]))[0]
    other = losses.labels(z, torch.tensor([1, 1]))[0]
    mixed = losses.label_shares(z, shares)
    torch.testing.assert_close(mixed[0], 0.25 * one + 0.75 * other)
    assert mixed[1] == 0
