"""Seeds, modes and bars: what every verb borrows and gives back."""

import io
import random
import time

import numpy as np
import torch
from rich.console import Console
from torch import nn

from limbeck.runtime import _device, _progress, _random


def test_a_seeded_block_is_repeatable_and_gives_the_callers_numbers_back():
    def draw():
        return torch.rand(2).tolist(), np.random.rand(), random.random()  # noqa: NPY002  the old state is what is tested

    with _random.seeded(3):
        first = draw()
    torch.manual_seed(0)
    outside = torch.rand(1)
    torch.manual_seed(0)
    with _random.seeded(3):
        assert draw() == first
    assert torch.equal(torch.rand(1), outside)


def test_evaluating_puts_every_modes_back_even_after_an_error():
    net = nn.Sequential(nn.Dropout(), nn.Linear(2, 2), nn.Dropout())
    net[2].eval()
    try:
        with _device.evaluating(net):
            assert not any(module.training for module in net.modules())
            assert not net(torch.zeros(1, 2)).requires_grad
            raise RuntimeError
    except RuntimeError:
        pass
    assert (net.training, net[0].training, net[2].training) == (True, True, False)


def test_neighbouring_steps_share_no_random_numbers():
    seeds = {_random.mixed(seed, step) for seed in range(10) for step in range(1000)}
    assert len(seeds) == 10_000


def shown(monkeypatch, *, terminal: bool, seconds: float) -> str:
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=100)
    monkeypatch.setattr(_progress, "Console", lambda **_: console)
    monkeypatch.setattr(_progress, "QUIET_SECONDS", 0.2)
    with _progress.Bar("working", 3) as bar:
        bar.advance()
        time.sleep(seconds)
        bar.advance(note="loss 0.5")
        time.sleep(seconds)
    return text.getvalue()


def test_a_bar_appears_by_itself_when_work_is_long(monkeypatch):
    text = shown(monkeypatch, terminal=True, seconds=0.3)
    assert "working" in text
    assert "loss 0.5" in text


def test_short_work_and_pipes_show_nothing(monkeypatch):
    assert shown(monkeypatch, terminal=True, seconds=0.0) == ""
    assert shown(monkeypatch, terminal=False, seconds=0.15) == ""
