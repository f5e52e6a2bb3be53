"""Objectives: losses bound to a batch, masked and divided by its whole size."""

import copy
import pickle

import numpy as np
import pytest
import torch
from worlds import double

from limbeck import objectives
from limbeck.errors import InputError, RecipeError
from limbeck.examples import Batch
from limbeck.objectives import losses
from limbeck.scores import KINDS


def batch(scores, labels, is_scored=None, scale=None):
    n = len(scores)
    return Batch(
        np.array([str(i) for i in range(n)]),
        torch.zeros(n, 2),
        torch.as_tensor(labels),
        scores,
        torch.ones(n, dtype=torch.bool) if is_scored is None else torch.tensor(is_scored),
        torch.ones(scores.shape[1]) if scale is None else scale,
    )


def test_matching_logits_is_the_papers_half_mean_square():
    g, z = double(8, 3), double(8, 3, seed=1)
    parts = objectives.MatchLogits()(g, batch(z, [-1] * 8))
    assert parts["logits"].item() == pytest.approx((((g - z) ** 2).sum() / 16).item())


def test_centred_logits_do_not_see_an_offset():
    g, z = double(8, 3), double(8, 3, seed=1)
    objective = objectives.MatchLogits("centered")
    one = objective(g, batch(z, [-1] * 8))["logits"]
    torch.testing.assert_close(objective(g + 3, batch(z - 5, [-1] * 8))["logits"], one)


def test_standardised_logits_weigh_each_class_by_its_deviation():
    g, z = double(8, 3), double(8, 3, seed=1)
    scale = torch.tensor([1.0, 2.0, 4.0])
    parts = objectives.MatchLogits("standardized")(g, batch(z, [-1] * 8, scale=scale))
    by_hand = (((g - z) / scale) ** 2).sum() / 16
    assert parts["logits"].item() == pytest.approx(by_hand.item())


def test_the_hard_part_counts_labelled_rows_and_divides_by_all():
    g, z = double(4, 3), double(4, 3, seed=1)
    parts = objectives.SoftTargets(2.0, hard_weight=0.5)(g, batch(z, [1, -1, -1, 2]))
    hard = losses.labels(g, torch.tensor([1, 0, 0, 2]))[[0, 3]].sum() / 4
    torch.testing.assert_close(parts["hard"], 0.5 * hard)


def test_no_labels_at_all_cost_nothing_rather_than_nan():
    g, z = double(4, 3), double(4, 3, seed=1)
    parts = objectives.SoftTargets(2.0, hard_weight=0.5)(g, batch(z, [-1] * 4))
    assert parts["hard"].item() == 0


def test_rows_without_scores_are_left_out_of_the_soft_part():
    g, z = double(4, 3), double(4, 3, seed=1)
    parts = objectives.SoftTargets(2.0)(g, batch(z, [0] * 4, is_scored=[True, False, True, False]))
    torch.testing.assert_close(parts["soft"], losses.soft_targets(g, z, 2.0)[[0, 2]].sum() / 4)


def test_two_halves_of_a_batch_make_the_whole():
    """What two processes with half a batch each would sum to."""
    g, z = double(6, 3), double(6, 3, seed=1)
    labels = [0, -1, 2, -1, -1, 1]
    objective = objectives.SoftTargets(3.0, hard_weight=0.1)
    whole = objective(g, batch(z, labels))
    first, second = (
        objective(g[:3], batch(z[:3], labels[:3])),
        objective(g[3:], batch(z[3:], labels[3:])),
    )
    for name, value in whole.items():
        torch.testing.assert_close(value, (first[name] + second[name]) / 2)


def test_labels_are_plain_cross_entropy():
    g = double(4, 3)
    parts = objectives.Labels()(g, batch(g, [0, 1, 2, 0]))
    by_hand = torch.nn.functional.cross_entropy(g, torch.tensor([0, 1, 2, 0]))
    torch.testing.assert_close(parts["labels"], by_hand)


@pytest.mark.parametrize("maker", list(objectives.MAKERS.values()))
def test_every_objective_reads_its_own_text_and_says_what_it_needs(maker):
    made = maker()
    assert objectives.from_text(made.text) == made
    assert made.needs_scores or made.needs_labels
    g, z = double(4, 3).requires_grad_(), double(4, 3, seed=1)
    sum(made(g, batch(z, [0, 1, 2, 0])).values()).backward()
    assert torch.isfinite(g.grad).all()
    assert g.grad.abs().sum() > 0


def test_wrong_settings_are_refused_in_words():
    with pytest.raises(InputError, match="a temperature is above 0, not -1"):
        objectives.SoftTargets(-1.0)
    with pytest.raises(InputError, match="no form 'zscored'; known are raw, centered, stand"):
        objectives.MatchLogits("zscored")
    with pytest.raises(RecipeError, match="no objective 'SoftTarget'; did you mean 'SoftTargets'"):
        objectives.from_text("SoftTarget(2)")
    with pytest.raises(RecipeError, match="no keyword 'temprature'; did you mean 'temperature'"):
        objectives.from_text("SoftTargets(temprature=2)")


@pytest.mark.parametrize("maker", list(objectives.MAKERS.values()))
def test_every_objective_says_which_kinds_it_learns(maker):
    kinds = objectives.kinds_of(maker())
    assert kinds
    assert set(kinds) <= set(KINDS)


class Own:
    """An objective as a user would write it, which says nothing of kinds."""

    text, needs_scores, needs_labels = "mine.py:Own()", True, False

    def __call__(self, output, batch):
        return {"own": (output - batch.scores).abs().mean()}


def test_an_objective_that_does_not_say_learns_what_a_softmax_makes():
    assert objectives.kinds_of(Own()) == ("logits", "log-probabilities", "probabilities")
    objectives.check_kind(Own(), "log-probabilities")


def test_a_refusal_lists_what_the_objective_learns_and_who_learns_the_kind():
    sentence = (
        r"mine.py:Own\(\) learns logits, log-probabilities or probabilities, and is given "
        r"values: MatchLogits\(\) would do"
    )
    with pytest.raises(InputError, match=sentence):
        objectives.check_kind(Own(), "values")


class Hinted(torch.nn.Module):
    """An objective with parameters, which says all there is to say."""

    text, needs_scores, needs_labels = "Hinted()", True, False
    kinds, features, standardizes, vectorizes = ["values"], ["1"], True, True

    def __init__(self):
        super().__init__()
        self.guess = torch.nn.Linear(2, 3)

    def forward(self, output, batch):
        return {"hint": self.guess(output).sum()}


def bare(output, batch):
    return {"bare": output.sum()}


bare.text, bare.needs_scores, bare.needs_labels = "bare()", True, True


def test_one_of_your_own_is_wrapped_and_answers_all_that_an_objective_does():
    plain, hinted = objectives.as_objective(Own()), objectives.as_objective(Hinted())
    assert all(isinstance(one, objectives.Objective) for one in (plain, hinted))
    assert (plain.features, plain.standardizes, plain.vectorizes) == ((), False, False)
    assert plain.trainable is None
    assert plain.begun(3) is plain
    assert (hinted.kinds, hinted.features) == (("values",), ("1",))
    assert hinted.standardizes
    assert hinted.vectorizes
    assert hinted.trainable is hinted.wrapped


def test_it_is_wrapped_once_and_ours_not_at_all():
    ours, wrapped = objectives.Labels(), objectives.as_objective(bare)
    assert objectives.as_objective(ours) is ours
    assert objectives.as_objective(wrapped) is wrapped
    assert wrapped.needs_labels
    g = double(2, 3)
    assert wrapped(g, batch(g, [0, 1]))["bare"] == g.sum()


def test_the_wrapped_object_keeps_its_class_and_its_own_attributes():
    given = Hinted()
    wrapped = objectives.as_objective(given)
    assert type(given) is Hinted
    assert wrapped.guess is given.guess
    with pytest.raises(AttributeError):
        wrapped.gess  # noqa: B018  looking is what fails


def test_it_is_asked_once_what_it_says_of_itself():
    given = Own()
    wrapped = objectives.as_objective(given)
    given.needs_labels, given.text = True, "other()"
    assert (wrapped.needs_labels, wrapped.text) == (False, "mine.py:Own()")


def test_parameters_begin_as_the_seed_says_and_the_given_ones_are_left_alone():
    given = Hinted()
    before = given.guess.weight.detach().clone()
    one, again, other = (objectives.as_objective(given).begun(seed) for seed in (1, 1, 2))
    assert torch.equal(one.guess.weight, again.guess.weight)
    assert not torch.equal(one.guess.weight, other.guess.weight)
    assert torch.equal(given.guess.weight, before)


class Squared(objectives.Objective):
    """An objective that descends from ours and says nothing but its text."""

    text = "Squared()"

    def __call__(self, output, batch):
        return {"squared": output.square().sum()}


def test_one_that_descends_from_ours_has_its_defaults():
    made = objectives.as_objective(Squared())
    assert isinstance(made, Squared)
    assert (made.needs_scores, made.needs_labels) == (True, False)
    assert made.kinds == objectives.kinds_of(Own())


@pytest.mark.parametrize("made", [maker() for maker in objectives.MAKERS.values()])
def test_an_objective_survives_copies_and_pickles(made):
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301  our own
    assert copy.deepcopy(made) == made


def test_a_wrapped_one_survives_copies_and_pickles():
    wrapped = objectives.as_objective(Hinted())
    again = pickle.loads(pickle.dumps(wrapped))  # noqa: S301  our own
    for made in (again, copy.deepcopy(wrapped)):
        assert made.text == "Hinted()"
        assert made.wrapped is not wrapped.wrapped
        assert torch.equal(made.guess.weight, wrapped.guess.weight)
