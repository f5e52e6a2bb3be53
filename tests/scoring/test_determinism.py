"""A teacher who answers the same input twice with other scores is caught before the work starts."""

import numpy as np
import pytest
import torch
from torch import nn
from worlds import CLASSES, Tilted, blobs, rule

from limbeck import Examples, live, score, teachers, views
from limbeck.errors import TeacherError
from limbeck.scoring._determinism import SAMPLE

POINTS = blobs(60)


def left_in_training(net: nn.Module) -> teachers.Teacher:
    """A callable around a module, whose mode nobody sees."""
    net.train()
    return teachers.function(
        lambda inputs: net(torch.from_numpy(inputs)).detach(), CLASSES, name="net"
    )


def dropped(share: float) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 50), nn.ReLU(), nn.Dropout(share), nn.Linear(50, 3))


def normalised() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 3))


def drawing() -> teachers.Teacher:
    drawn = np.random.default_rng(0)
    return teachers.function(lambda x: drawn.normal(size=(len(x), 3)), CLASSES, name="net")


def flipping() -> teachers.Teacher:
    """Who says of one class now that it is impossible, now that it is not."""
    drawn = np.random.default_rng(0)

    def answer(inputs):
        said = np.zeros((len(inputs), 3))
        said[np.arange(len(inputs)), drawn.integers(0, 3, len(inputs))] = -np.inf
        return said

    return teachers.function(answer, CLASSES, kind="log-probabilities", name="net")


UNSTEADY = {
    "dropout": lambda: left_in_training(dropped(0.5)),
    "little dropout": lambda: left_in_training(dropped(0.02)),
    "batch normalisation": lambda: left_in_training(normalised()),
    "both": lambda: left_in_training(Tilted()),
    "random": drawing,
    "impossible now and then": flipping,
    "in an ensemble": lambda: teachers.ensemble([drawing()]),
}


@pytest.mark.parametrize("make", UNSTEADY.values(), ids=list(UNSTEADY))
def test_who_answers_the_same_input_otherwise_is_refused(make, tmp_path):
    sentence = (
        r"answers the same input twice with different scores \(example 'blobs-\d', class "
        r"'(round|square|star)': -?[\d.e+]+ and -?[\d.e+]+\): is it in training mode \(dropout, "
        r"batch normalisation\), does it draw at random"
    )
    with pytest.raises(TeacherError, match=sentence):
        score(make(), POINTS, to=tmp_path / "s")
    assert not (tmp_path / "s").exists()
    with pytest.raises(TeacherError, match=sentence):
        live(make(), POINTS)


def sure() -> teachers.Teacher:
    said = np.log(np.maximum(np.eye(3), 1e-300))[np.arange(60) % 3]
    said[said < -600] = -np.inf
    return teachers.function(
        lambda x: said[: len(x)], CLASSES, kind="log-probabilities", name="sure"
    )


def far() -> teachers.Teacher:
    """Far from 0, and rounded as float32 there is, which depends on how many are asked about."""
    return teachers.function(
        lambda x: (1e4 + rule(x) + 1e-2 * (len(x) % 2)).astype(np.float32), CLASSES, name="far"
    )


STEADY = {
    "a function": lambda: teachers.function(rule, CLASSES, name="rule"),
    "a module": lambda: Tilted().train(),
    "in bfloat16": lambda: teachers.module(dropped(0.5), CLASSES, precision="bfloat16"),
    "probabilities of 0": sure,
    "rounded": far,
}


@pytest.mark.parametrize("make", STEADY.values(), ids=list(STEADY))
def test_who_answers_alike_passes(make, tmp_path):
    assert len(score(make(), blobs(11), to=tmp_path / "s")) == 11
    assert live(make(), blobs(1)).has_scores


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_rounding_by_another_batch_stays_far_below_what_is_allowed(precision):
    torch.manual_seed(0)
    layers = [part for _ in range(6) for part in (nn.Linear(64, 64), nn.GELU(), nn.LayerNorm(64))]
    net = nn.Sequential(*layers, nn.Linear(64, 3))
    inputs = np.random.default_rng(0).normal(size=(256, 64)).astype(np.float32)
    teacher = teachers.module(net, CLASSES, precision=precision)
    many, few = np.asarray(teacher.predict(inputs)), np.asarray(teacher.predict(inputs[:SAMPLE]))
    assert np.abs(many[:SAMPLE] - few).max() < 0.015 * np.abs(many - many.mean()).max()
    assert live(teacher, Examples.of(inputs, classes=CLASSES)).has_scores


def test_some_are_asked_about_and_a_few_of_them_again_in_the_view_that_is_shown(tmp_path):
    asked = []

    def counted(inputs):
        asked.append(inputs)
        return rule(inputs)

    teacher = teachers.function(counted, CLASSES, name="counted")
    mixed = views.Mixup()
    live(teacher, POINTS, views=mixed, seed=3)
    rows = np.arange(len(POINTS))
    shown = mixed.show(POINTS, rows, np.zeros_like(rows), 3).inputs
    assert [len(inputs) for inputs in asked] == [len(POINTS), SAMPLE]
    np.testing.assert_array_equal(asked[0], shown)
    np.testing.assert_array_equal(asked[1], shown[:SAMPLE])
    score(teacher, POINTS, to=tmp_path / "s")
    before = len(asked)
    score(teacher, POINTS, to=tmp_path / "s")
    assert len(asked) == before
