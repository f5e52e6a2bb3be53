"""Schedules, max-norm and averages, against slow obvious versions."""

import pytest
import torch
from torch import nn

from limbeck import students
from limbeck.training import _optim


def test_schedules_rise_and_fall_as_they_say():
    rates = {
        name: [_optim.rate(name, 1.0, step, 100, 0.1) for step in range(100)]
        for name in _optim.SCHEDULES
    }
    for of_one in rates.values():
        assert of_one[:10] == sorted(of_one[:10])
        assert of_one[0] == pytest.approx(1 / 11)
        assert max(of_one) == 1.0
    assert set(rates["constant"][10:]) == {1.0}
    assert rates["cosine"][55] == pytest.approx(0.5)
    assert rates["one-cycle"][55] == pytest.approx(0.5)
    assert rates["cosine"][99] < 1e-3
    assert rates["one-cycle"][99] == pytest.approx(1 / 90)


def test_a_rate_without_warmup_starts_at_its_highest():
    assert _optim.rate("cosine", 0.3, 0, 10, 0.0) == 0.3


@pytest.mark.parametrize("name", _optim.OPTIMIZERS)
def test_weight_decay_leaves_biases_alone(name):
    net = nn.Linear(3, 2)
    optimizer = _optim.optimizer(name, net, momentum=1e-9, weight_decay=0.5)
    _optim.set_rate(optimizer, 0.1)
    weight, bias = net.weight.detach().clone(), net.bias.detach().clone()
    for value in net.parameters():
        value.grad = torch.zeros_like(value)
    optimizer.step()
    torch.testing.assert_close(net.weight.detach(), weight * 0.95)
    torch.testing.assert_close(net.bias.detach(), bias)


@pytest.mark.parametrize("name", ["sgd", "nesterov"])
def test_momentum_is_the_papers_sgd_or_looks_one_step_ahead(name):
    net = nn.Linear(1, 1, bias=False)
    optimizer = _optim.optimizer(name, net, momentum=0.9, weight_decay=0.0)
    _optim.set_rate(optimizer, 0.1)
    at, speed = net.weight.item(), 0.0
    for gradient in (1.0, -2.0, 0.5):
        net.weight.grad = torch.full((1, 1), gradient)
        optimizer.step()
        speed = 0.9 * speed + gradient
        at -= 0.1 * (speed if name == "sgd" else gradient + 0.9 * speed)
    assert net.weight.item() == pytest.approx(at, rel=1e-5)


def test_max_norm_shortens_long_units_alone_and_spares_the_output():
    net = students.mlp([6, 5]).sized((4,), 3).build(0)
    with torch.no_grad():
        for value in net.parameters():
            value.mul_(3.0)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    _optim.hold_norms(_optim.hidden_weights(net), 2.0)
    for name in ("1.weight", "3.weight"):
        was, now = before[name].norm(dim=1), net.state_dict()[name].norm(dim=1)
        torch.testing.assert_close(now, was.clamp(max=2.0), rtol=1e-4, atol=1e-4)
    assert torch.equal(net.state_dict()["5.weight"], before["5.weight"])


def test_the_average_is_the_slow_one_and_takes_in_batch_normalisation():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = _optim.Average(net, 0.9)
    slow = {k: v.clone() for k, v in net.state_dict().items() if v.is_floating_point()}
    for step in range(20):
        net(torch.randn(8, 2))
        with torch.no_grad():
            net[0].weight.add_(0.1)
        average.update(net, step)
        decay = min(0.9, (1 + step) / (10 + step))
        for name in slow:
            slow[name] = decay * slow[name] + (1 - decay) * net.state_dict()[name]
    average.copy_to(net)
    for name, value in slow.items():
        torch.testing.assert_close(net.state_dict()[name], value)
