"""Measurements: one table, whose numbers are the slow obvious ones and the same in every verb."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax
from worlds import CLASSES, blobs, rule

import limbeck
from limbeck import Examples, Plan, metrics, objectives, students, teachers
from limbeck.errors import MismatchError
from limbeck.evaluation import (
    EVERY_SEED,
    Difference,
    Measurements,
    Pair,
    Predictions,
    _cost,
    measures_of,
)
from limbeck.evaluation._measurements import slices
from limbeck.metrics import CONFIDENCE, MEASURES, STANDARD, Estimate, simultaneous
from limbeck.selection import Budget, by_size

N = 90
RANDOM = np.random.default_rng(5)
LABELS = np.where(np.arange(N) % 9 == 0, -1, RANDOM.integers(0, 3, N))
GROUPS = np.arange(N) // 3


def drawn(seeds: int) -> np.ndarray:
    """Log-probabilities `(seeds, examples, classes)` that lean to the labels."""
    leaning = np.eye(3)[np.maximum(LABELS, 0)]
    return np.asarray(log_softmax(leaning + RANDOM.normal(size=(seeds, N, 3)), axis=2))


ANSWERS = {"teacher": drawn(1), "student": drawn(3), "control": drawn(3)}
PREDICTIONS = Predictions(ANSWERS, LABELS, reference="teacher")
DECIDES = STANDARD["accuracy"]


def right(answers: np.ndarray) -> np.ndarray:
    """Whether each seed is right on each labelled example, one at a time."""
    known = [row for row in range(N) if LABELS[row] >= 0]
    return np.array(
        [[float(seed[row].argmax() == LABELS[row]) for row in known] for seed in answers]
    )


# Identities.


@pytest.mark.parametrize("metric", STANDARD)
def test_a_model_less_itself_is_nothing(metric):
    pair = Pair(metric, "student", "again")
    again = replace(PREDICTIONS, answers={**ANSWERS, "again": ANSWERS["student"]})
    found = Measurements.of(again, [STANDARD[metric]], [pair])
    less = found.differences[pair]
    assert less.estimate.mean == less.gain.mean == 0
    assert less.estimate.low <= 0 <= less.estimate.high
    assert less.answer == "undecided"
    assert found.estimates["student"] == found.estimates["again"]


def test_a_reference_agrees_with_itself_in_everything():
    found = Measurements.of(PREDICTIONS, STANDARD.values()).estimates["teacher"]
    assert found["agreement"].mean == found["agreement_kappa"].mean == 1
    assert found["kl_nats"].mean == 0


@pytest.mark.parametrize("metric", STANDARD)
def test_a_pair_turned_round_has_the_other_sign_and_the_other_answer(metric):
    one, other = Pair(metric, "student", "control"), Pair(metric, "control", "student")
    found = Measurements.of(PREDICTIONS, [STANDARD[metric]], [one, other]).differences
    turned = found[other].estimate.rescaled(-1)
    numbers = [found[one].estimate.mean, found[one].estimate.low, found[one].estimate.high]
    assert numbers == pytest.approx([turned.mean, turned.low, turned.high], abs=1e-12)
    opposite = {"yes": "no", "no": "yes", "undecided": "undecided"}
    assert found[one].answer == opposite[found[other].answer]


def test_a_gain_is_above_zero_where_the_first_is_better():
    sure = np.log(np.where(np.eye(3)[np.maximum(LABELS, 0)] == 1, 0.98, 0.01))
    given = replace(PREDICTIONS, answers={**ANSWERS, "sure": sure[None]})
    for metric in ("accuracy", "errors", "nll_nats"):
        pair = Pair(metric, "sure", "student")
        less = Measurements.of(given, [STANDARD[metric]], [pair]).differences[pair]
        assert less.answer == "yes"
        assert less.gain.low > 0


# The slow obvious computation.


def test_numbers_are_means_over_seeds_and_labelled_examples():
    found = Measurements.of(PREDICTIONS, STANDARD.values())
    for name, answers in ANSWERS.items():
        estimates = found.estimates[name]
        assert list(estimates) == list(STANDARD)
        assert estimates["accuracy"].mean == pytest.approx(right(answers).mean())
        assert estimates["accuracy"].n == (LABELS >= 0).sum() == 80
        losses = [
            -seed[row, LABELS[row]] for seed in answers for row in range(N) if LABELS[row] >= 0
        ]
        assert estimates["nll_nats"].mean == pytest.approx(np.mean(losses))
        said = ANSWERS["teacher"][0].argmax(axis=1)
        assert estimates["agreement"].mean == pytest.approx((answers.argmax(axis=2) == said).mean())
        assert estimates["agreement"].n == N


def test_a_difference_is_paired_by_example_and_seed():
    pair = Pair("accuracy", "student", "control")
    less = Measurements.of(PREDICTIONS, [DECIDES], [pair]).differences[pair].estimate
    between = right(ANSWERS["student"]) - right(ANSWERS["control"])
    assert less.mean == pytest.approx(between.mean())
    # The interval is that of the differences and of one example for either side.
    added = np.hstack([between, np.tile([1.0, -1.0], (3, 1))])
    by_hand = metrics.over_examples_and_seeds(added, bounds=(-1.0, 1.0))
    assert [less.low, less.high] == pytest.approx([by_hand.low, by_hand.high])


def test_one_seed_of_the_first_can_be_held_against_the_second():
    alone = Pair("accuracy", "student", "teacher", 2)
    every = Pair("accuracy", "student", "teacher")
    assert every.seed == EVERY_SEED
    found = Measurements.of(PREDICTIONS, [DECIDES], [alone, every]).differences
    per_seed = right(ANSWERS["student"]).mean(axis=1) - right(ANSWERS["teacher"]).mean()
    assert found[alone].estimate.mean == pytest.approx(per_seed[2])
    assert found[every].estimate.mean == pytest.approx(per_seed.mean())


def test_the_mean_of_the_seeds_is_the_number_of_all():
    given = Predictions({name: ANSWERS[name] for name in ("student", "control")}, LABELS)
    each = [Measurements.of(given.of_seed(seed), [DECIDES]) for seed in (0, 1, 2)]
    values = [one.estimates["student"]["accuracy"].mean for one in each]
    assert values == pytest.approx(right(ANSWERS["student"]).mean(axis=1))
    whole = Measurements.of(given, [DECIDES]).estimates["student"]["accuracy"]
    assert np.mean(values) == pytest.approx(whole.mean)


def test_groups_are_the_sample_where_examples_belong_together():
    grouped = Measurements.of(replace(PREDICTIONS, groups=GROUPS), [DECIDES])
    alone = Measurements.of(PREDICTIONS, [DECIDES])
    known = np.flatnonzero(LABELS >= 0)
    by_hand = metrics.intervals.proportion(right(ANSWERS["student"]), groups=GROUPS[known])
    found = grouped.estimates["student"]["accuracy"]
    assert found == by_hand
    assert found.mean == alone.estimates["student"]["accuracy"].mean
    assert found != alone.estimates["student"]["accuracy"]


def test_a_slice_is_the_table_of_its_examples_alone():
    where = np.array(["north", "south", "west"])[np.arange(N) % 3]
    examples = Examples.of(np.zeros((N, 2)), LABELS, classes=CLASSES, columns={"where": where})
    given = replace(PREDICTIONS, groups=GROUPS)
    for part in slices(given, examples, ["where"], measures_of("logits")):
        rows = np.flatnonzero(where == part.value)
        assert (part.column, part.n) == ("where", len(rows))
        answers = {name: seeds[:, rows] for name, seeds in ANSWERS.items()}
        alone = Predictions(answers, LABELS[rows], GROUPS[rows], "teacher")
        wanted = [STANDARD["accuracy"], STANDARD["agreement"]]
        assert part.measurements == Measurements.of(alone, wanted)


def test_many_differences_hold_together_at_a_higher_confidence():
    pairs = [Pair("accuracy", "student", "control"), Pair("accuracy", "student", "teacher")]
    each = Measurements.of(PREDICTIONS, [DECIDES], pairs)
    together = Measurements.of(PREDICTIONS, [DECIDES], pairs, confidence=simultaneous(2))
    assert each.estimates == together.estimates
    for pair in pairs:
        one, both = each.differences[pair].estimate, together.differences[pair].estimate
        assert both.low < one.low < one.high < both.high
    assert simultaneous(1) == CONFIDENCE


# What is left out.


def test_what_cannot_be_measured_is_not_there():
    unlabelled = replace(PREDICTIONS, labels=np.full(N, -1), reference="")
    found = Measurements.of(unlabelled, STANDARD.values(), [Pair("accuracy", "student", "control")])
    assert found == Measurements({name: {} for name in ANSWERS}, {})
    assert found.difference("accuracy", "student", "control") is None


def test_votes_have_no_probabilities():
    given = replace(PREDICTIONS, votes=frozenset({"teacher"}))
    pairs = [Pair(metric, "student", "teacher") for metric in ("accuracy", "nll_nats")]
    found = Measurements.of(given, STANDARD.values(), pairs)
    assert not metrics.OF_PROBABILITIES & found.estimates["teacher"].keys()
    assert STANDARD.keys() - found.estimates["student"].keys() == {"kl_nats"}
    assert list(found.differences) == pairs[:1]


def test_seeds_that_cannot_be_paired_are_refused():
    given = replace(PREDICTIONS, answers={**ANSWERS, "control": drawn(2)})
    assert not given.are_paired("student", "control")
    assert given.are_paired("student", "teacher")
    assert not given.are_paired("student", "nobody")
    with pytest.raises(MismatchError, match="one model has 3 and the other 2"):
        Measurements.of(given, [DECIDES], [Pair("accuracy", "student", "control")])


def test_answers_without_metrics_of_their_own_are_measured_as_logits():
    assert measures_of("values") is MEASURES["values"]
    assert measures_of("votes") is measures_of("logits") is MEASURES["logits"]


def test_a_table_written_by_hand_answers():
    one = Estimate(-0.2, -0.3, -0.1, 50)
    table = Measurements(
        {"a": {"accuracy": Estimate(0.5, 0.25, 0.75, 50)}},
        {Pair("nll_nats", "a", "b"): Difference(one, one.rescaled(-1))},
    )
    assert table.to_json("a") == {"accuracy": {"mean": 0.5, "low": 0.25, "high": 0.75, "n": 50}}
    assert table.difference("nll_nats", "a", "b").answer == "yes"


# The verbs.


@pytest.mark.slow
def test_the_four_verbs_say_the_same_of_the_same_model_on_the_same_examples(tmp_path, monkeypatch):
    monkeypatch.setattr(_cost, "SECONDS", 0.01)
    teacher = teachers.function(rule, CLASSES, name="rule")
    scores = limbeck.score(teacher, blobs(80), to=tmp_path / "scores")
    test = blobs(70, seed=9, name="test")
    compared = limbeck.compare(
        students.mlp([5]),
        scores,
        {"soft": [objectives.SoftTargets(2.0)]},
        test=test,
        to=tmp_path / "compared",
        plan=Plan(epochs=3, batch=16),
        budget=Budget(trials=1),
        seeds=2,
    )
    run, control = compared.run("soft"), compared.run("control")
    report = limbeck.evaluate({"student": run, "control": control}, test)
    rivals = limbeck.rivals(
        run,
        test,
        teacher=teacher,
        labelled=blobs(60, seed=4, name="labelled"),
        to=tmp_path / "rivals",
        metric="accuracy",
    )
    sizes = by_size({"80/soft": run, "80/control": control}, test)

    accuracy = report.row("student")["metrics"]["accuracy"]
    assert compared.row("soft")["metrics"]["accuracy"] == accuracy
    assert rivals.row("student")["metric"] == accuracy
    assert sizes.row(80, "soft")["metrics"]["accuracy"] == accuracy
    likelihood = report.row("student")["metrics"]["nll_nats"]
    assert compared.row("soft")["metrics"]["nll_nats"] == likelihood
    assert sizes.row(80, "soft")["metrics"]["nll_nats"] == likelihood

    ends = ("low", "high", "n")
    less = [report.verdict[key] for key in ("difference", *ends)]
    against = compared.row("soft")["against"]["control"]
    assert [against[key] for key in ("difference", *ends)] == less
    assert [sizes.row(80, "soft")["against_control"][key] for key in ("mean", *ends)] == less
    assert against["answer"] == report.verdict["answer"]
