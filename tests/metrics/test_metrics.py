"""Metrics: the same numbers as scikit-learn, torchmetrics and slow obvious versions."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import rel_entr, softmax
from sklearn import metrics as sk
from torchmetrics.classification import MulticlassCalibrationError

from limbeck.errors import InputError, LabelsError, MismatchError
from limbeck.metrics import (
    STANDARD,
    Estimate,
    Metric,
    _classification,
    custom,
    difference,
    measure,
    over_examples_and_seeds,
    verdict,
)
from limbeck.metrics._classification import Answers
from limbeck.metrics.intervals import paired_proportions, proportion

NONE = np.zeros((0, 0))
WHOLE_SET = ["macro_f1", "auc", "average_precision", "ece", "agreement_kappa"]


def world(seeds=3, n=200, classes=4, *, seed=0, noise=1.0):
    """Labels, a reference that is often right, and models that resemble the reference."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(classes, size=n)
    reference = 2.0 * np.eye(classes)[labels] + draw.standard_normal((n, classes))
    logits = reference + noise * draw.standard_normal((seeds, n, classes))
    return logits, labels, reference


def libraries(logits, labels, reference):
    """Each metric of one seed `(examples, classes)` as its library or its definition has it."""
    probabilities = softmax(logits, axis=1)
    said, taught = logits.argmax(1), reference.argmax(1)
    wrong = taught != labels
    several = {"average": "macro", "labels": np.arange(logits.shape[1]), "multi_class": "ovr"}
    one_hot = np.eye(logits.shape[1])[labels]
    ece = MulticlassCalibrationError(num_classes=logits.shape[1], n_bins=15)
    return {
        "accuracy": sk.accuracy_score(labels, said),
        "errors": float((said != labels).sum()),
        "macro_f1": sk.f1_score(labels, said, average="macro"),
        "auc": sk.roc_auc_score(labels, probabilities, **several),
        "average_precision": sk.average_precision_score(one_hot, probabilities, average="macro"),
        "nll_nats": sk.log_loss(labels, probabilities, labels=several["labels"]),
        "ece": float(ece(torch.from_numpy(probabilities), torch.from_numpy(labels))),
        "agreement": float(np.mean(said == taught)),
        "agreement_kappa": sk.cohen_kappa_score(said, taught),
        "agreement_on_reference_errors": float(np.mean(said[wrong] == taught[wrong])),
        "kl_nats": float(rel_entr(softmax(reference, axis=1), probabilities).sum(1).mean()),
    }


@pytest.mark.parametrize("name", STANDARD)
def test_a_metric_is_the_librarys_averaged_over_seeds(name):
    logits, labels, reference = world()
    expected = np.mean([libraries(seed, labels, reference)[name] for seed in logits])
    found = measure(STANDARD[name], logits, labels, reference)
    assert found.mean == pytest.approx(expected, rel=1e-6)
    assert found.low < found.mean < found.high


@pytest.mark.parametrize("name", STANDARD)
def test_a_difference_is_the_first_less_the_second(name):
    logits, labels, reference = world()
    other = world(seed=0, noise=2.0)[0]
    found = difference(STANDARD[name], logits, other, labels, reference)
    each = [measure(STANDARD[name], z, labels, reference).mean for z in (logits, other)]
    assert found.mean == pytest.approx(each[0] - each[1], abs=1e-9)
    back = difference(STANDARD[name], other, logits, labels, reference).rescaled(-1.0)
    assert [found.low, found.high] == pytest.approx([back.low, back.high])
    better = 1.0 if STANDARD[name].better == "higher" else -1.0
    if name not in {"ece", "agreement_on_reference_errors"}:
        assert verdict(found.rescaled(better)) == "yes"


@pytest.mark.parametrize("name", STANDARD)
def test_pairing_narrows_the_interval_of_a_difference(name):
    logits, labels, reference = world(seeds=1, n=400)
    close = logits + 0.05 * np.random.default_rng(9).standard_normal(logits.shape)
    alone = measure(STANDARD[name], logits, labels, reference)
    paired = difference(STANDARD[name], logits, close, labels, reference)
    assert paired.high - paired.low < 0.8 * (alone.high - alone.low)


@pytest.mark.parametrize("name", STANDARD)
def test_float32_logits_give_the_number_of_float64(name):
    logits, labels, reference = (x.astype(np.float32) if x.ndim > 1 else x for x in world(seeds=2))
    found = measure(STANDARD[name], logits, labels, reference)
    wide = measure(STANDARD[name], logits.astype(float), labels, reference.astype(float))
    assert found == wide


@pytest.mark.parametrize("name", STANDARD)
def test_a_reference_with_one_seed_is_compared_with_every_seed(name):
    logits, labels, reference = world()
    alone = reference[None]
    repeated = difference(STANDARD[name], logits, np.repeat(alone, 3, 0), labels, reference)
    assert difference(STANDARD[name], logits, alone, labels, reference) == repeated


@pytest.mark.parametrize("name", STANDARD)
def test_a_metric_lies_within_its_bounds_and_the_reference_is_its_own_best(name):
    logits, labels, reference = world(n=40)
    metric = STANDARD[name]
    for answers in (logits, reference[None]):
        found = measure(metric, answers, labels, reference)
        assert metric.bounds[0] <= found.low <= found.mean <= found.high <= metric.bounds[1]
    best = {"agreement": 1, "agreement_kappa": 1, "agreement_on_reference_errors": 1, "kl_nats": 0}
    if name in best:
        assert measure(metric, reference[None], labels, reference).mean == best[name]


def test_the_interval_of_a_mean_is_over_examples_and_seeds():
    logits, labels, reference = world()
    p = softmax(logits, axis=-1)
    nll = -np.log(np.take_along_axis(p, np.broadcast_to(labels[:, None], (3, 200, 1)), -1)[..., 0])
    found = measure(STANDARD["nll_nats"], logits, labels, reference)
    expected = over_examples_and_seeds(nll)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_the_interval_of_accuracy_is_that_of_a_proportion_and_errors_are_its_count():
    logits, labels, reference = world()
    accuracy = measure(STANDARD["accuracy"], logits, labels, reference)
    errors = measure(STANDARD["errors"], logits, labels, reference)
    assert accuracy == proportion(logits.argmax(-1) == labels)
    counted = [200 * (1 - x) for x in (accuracy.mean, accuracy.high, accuracy.low)]
    assert [errors.mean, errors.low, errors.high] == pytest.approx(counted)
    assert errors.n == accuracy.n == 200


def test_the_difference_of_accuracies_is_that_of_paired_proportions():
    logits, labels, reference = world()
    other = world(noise=2.0)[0]
    found = difference(STANDARD["accuracy"], logits, other, labels, reference)
    first, second = logits.argmax(-1) == labels, other.argmax(-1) == labels
    assert found == paired_proportions(first, second)


def test_a_model_is_not_certainly_equal_to_itself():
    logits, labels, reference = world()
    for name in set(STANDARD) - {"nll_nats", "kl_nats"}:
        found = difference(STANDARD[name], logits, logits, labels, reference)
        assert found.low < found.mean == 0 < found.high


OF_ROWS = {
    "macro_f1": (_classification.macro_f1, _classification.macro_f1_of_rows),
    "auc": (_classification.auc, _classification.auc_of_rows),
    "average_precision": (
        _classification.average_precision,
        _classification.average_precision_of_rows,
    ),
    "ece": (_classification.ece, _classification.ece_of_rows),
    "agreement_kappa": (_classification.kappa, _classification.kappa_of_rows),
}


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 25),
    classes=st.integers(2, 5),
    decimals=st.sampled_from([0, 1, 9]),  # few decimals make many ties
)
def test_rows_that_repeat_give_the_librarys_number_of_those_rows(seed, n, classes, decimals):
    (logits,), labels, reference = world(1, n, classes, seed=seed)
    logits, reference = logits.round(decimals), reference.round(decimals)
    rows = np.random.default_rng(seed).integers(n, size=n)
    drawn = Answers(logits[rows], labels[rows], reference[rows])
    for name, (library, of_rows) in OF_ROWS.items():
        quick = of_rows(Answers(logits, labels, reference))(rows)
        assert quick == pytest.approx(library(drawn), abs=2e-6, nan_ok=True), name


def test_auc_is_the_share_of_pairs_that_are_in_order():
    (logits,), labels, _ = world(1, 60, 2, seed=3)
    scores = softmax(logits.round(0), axis=1)[:, 1]
    won = [(a > b) + (a == b) / 2 for a in scores[labels == 1] for b in scores[labels == 0]]
    found = measure(STANDARD["auc"], logits.round(0)[None], labels, NONE)
    assert found.mean == pytest.approx(np.mean(won))


def test_two_classes_have_one_auc_and_the_mean_of_two_average_precisions():
    (logits,), labels, _ = world(1, 100, 2)
    score = softmax(logits, axis=1)[:, 1]
    auc = measure(STANDARD["auc"], logits[None], labels, NONE)
    precision = measure(STANDARD["average_precision"], logits[None], labels, NONE)
    both = [
        sk.average_precision_score(labels == 1, score),
        sk.average_precision_score(labels == 0, 1 - score),
    ]
    assert auc.mean == pytest.approx(sk.roc_auc_score(labels, score))
    assert precision.mean == pytest.approx(np.mean(both))


def test_classes_that_no_label_names_are_left_out_of_averages():
    logits, labels, _ = world(classes=4)
    six = np.concatenate([logits, np.full((3, 200, 2), -30.0)], axis=-1)
    six[0, :9, 4] = 30.0  # predicted all the same
    said = six[0].argmax(1)
    f1 = sk.f1_score(labels, said, average=None, labels=np.arange(6), zero_division=0)
    assert measure(STANDARD["macro_f1"], six[:1], labels, NONE).mean == pytest.approx(f1[:4].mean())
    probabilities = softmax(six[0], axis=1)
    each = [sk.roc_auc_score(labels == c, probabilities[:, c]) for c in range(4)]
    assert measure(STANDARD["auc"], six[:1], labels, NONE).mean == pytest.approx(np.mean(each))


def test_a_confidence_of_one_is_in_the_last_bin():
    # Four say 1.0 and are right, four say 0.95 and are wrong: one bin, right half the time.
    sure, nearly = [60.0, 0.0], [math.log(19.0), 0.0]
    logits = np.array([[sure] * 4 + [nearly] * 4])
    found = measure(STANDARD["ece"], logits, np.array([0] * 4 + [1] * 4), NONE)
    assert found.mean == pytest.approx(0.975 - 0.5, abs=1e-6)


def test_a_constant_agrees_92_times_in_100_and_has_no_kappa_to_show():
    draw = np.random.default_rng(0)
    reference = np.where(np.arange(1000)[:, None] < 80, [0.0, 3.0], [3.0, 0.0])
    constant = np.stack([np.ones(1000), draw.uniform(-3, 0, 1000)], axis=1)[None]
    labels = np.full(1000, -1)
    assert measure(STANDARD["agreement"], constant, labels, reference).mean == 0.92
    assert measure(STANDARD["agreement_kappa"], constant, labels, reference).mean == 0


def test_all_right_is_not_certain_and_least_so_with_a_rare_class():
    labels = np.array([0] * 357 + [1] * 3)
    logits = 9 * np.eye(2)[labels][None]
    found = {name: measure(STANDARD[name], logits, labels, logits[0]) for name in STANDARD}
    assert found["accuracy"].mean == found["macro_f1"].mean == found["auc"].mean == 1
    assert found["accuracy"].low == pytest.approx(0.989, abs=1e-3)
    assert found["agreement_kappa"].low == pytest.approx(0.989, abs=1e-3)
    for name in ("macro_f1", "auc", "average_precision"):
        assert found[name].low < 0.75


def test_n_counts_the_examples_that_count():
    logits, labels, reference = world()
    labels = np.where(np.arange(200) < 50, -1, labels)
    n = {m.name: measure(m, logits, labels, reference).n for m in STANDARD.values()}
    wrong = int(((reference.argmax(1) != labels) & (labels >= 0)).sum())
    both = {"agreement": 200, "agreement_kappa": 200, "kl_nats": 200}
    assert n == {**dict.fromkeys(STANDARD, 150), **both, "agreement_on_reference_errors": wrong}


def test_unlabelled_examples_do_not_touch_what_needs_labels():
    logits, labels, reference = world()
    hidden = np.where(np.arange(200) < 50, -1, labels)
    for metric in STANDARD.values():
        if "labels" in metric.needs:
            kept = measure(metric, logits[:, 50:], labels[50:], reference[50:])
            assert measure(metric, logits, hidden, reference) == kept


def test_what_cannot_be_measured_is_none():
    logits, labels, reference = world(seeds=1)
    nobody = np.full(200, -1)
    for metric in STANDARD.values():
        asks = (labels, NONE) if "reference" in metric.needs else (nobody, reference)
        assert measure(metric, logits, *asks) is None
        assert difference(metric, logits, logits, *asks) is None
    assert measure(STANDARD["auc"], logits, np.zeros(200, dtype=int), NONE) is None
    right = 5 * np.eye(4)[labels]
    assert measure(STANDARD["agreement_on_reference_errors"], logits, labels, right) is None
    same = np.tile([1.0, 0, 0, 0], (200, 1))
    assert measure(STANDARD["agreement_kappa"], same[None], labels, same) is None


def test_one_example_has_metrics_and_wide_intervals():
    logits, labels, reference = world(seeds=2, n=1)
    assert measure(STANDARD["macro_f1"], logits, labels, reference).high == 1
    nll = measure(STANDARD["nll_nats"], logits, labels, reference)
    assert (nll.low, nll.high) == (0, math.inf)


def test_a_huge_gap_between_logits_is_no_infinity():
    logits = np.array([[[2000.0, 0.0], [0.0, 2000.0]]])
    labels, reference = np.array([1, 1]), np.array([[0.0, 2000.0], [0.0, 2000.0]])
    assert measure(STANDARD["nll_nats"], logits, labels, reference).mean == 1000
    assert measure(STANDARD["kl_nats"], logits, labels, reference).mean == 1000


def test_kl_is_from_the_reference_to_the_model():
    logits, reference = np.array([[[0.0, 0.0]]]), np.array([[math.log(9.0), 0.0]])
    found = measure(STANDARD["kl_nats"], logits, np.array([-1]), reference)
    assert found.mean == pytest.approx(0.9 * math.log(1.8) + 0.1 * math.log(0.2))


@pytest.mark.slow
def test_the_resampled_interval_of_macro_f1_covers_the_truth():
    metric = STANDARD["macro_f1"]
    logits, labels, reference = world(1, 12_000, 3, seed=1)
    truth = measure(metric, logits, labels, reference).mean
    parts = [slice(i, i + 100) for i in range(0, 12_000, 100)]
    found = [measure(metric, logits[:, p], labels[p], NONE) for p in parts]
    assert np.mean([f.low <= truth <= f.high for f in found]) >= 0.92


def test_a_large_ranking_gets_fewer_resamples_and_50_at_least():
    ranking, counting = STANDARD["auc"].measured, STANDARD["ece"].measured
    assert [ranking._resamples(10**k) for k in (4, 6, 7)] == [200, 200, 50]
    assert counting._resamples(10**7) == 200


def test_a_metric_of_your_own_is_your_number_of_the_labelled_examples():
    logits, labels, _ = world()
    labels[:20] = -1

    def top_two_share(scores, positions):
        own = np.take_along_axis(scores, positions[:, None], 1)
        return float(np.mean((scores > own).sum(axis=1) < 2))

    top_two = custom("top_2", top_two_share, "higher", bounds=(0.0, 1.0))
    found = measure(top_two, logits, labels, NONE)
    second = np.sort(logits[:, 20:], axis=-1)[..., -2]
    own = np.take_along_axis(logits[:, 20:], np.tile(labels[20:, None], (3, 1, 1)), -1)[..., 0]
    exact = over_examples_and_seeds((own >= second).astype(float))
    assert (found.mean, found.n) == (pytest.approx(exact.mean), 180)
    assert found.high - found.low == pytest.approx(exact.high - exact.low, rel=0.2)
    assert difference(top_two, logits, logits[:1], labels, NONE).n == 180


def test_a_metric_of_your_own_without_a_number_is_none():
    logits, labels, _ = world()
    assert measure(custom("none", lambda z, y: math.nan, "lower"), logits, labels, NONE) is None


def test_the_standard_names_are_those_of_reports():
    assert list(STANDARD) == list(libraries(*(x[0] if x.ndim > 2 else x for x in world())))
    assert all(name == metric.name for name, metric in STANDARD.items())
    lower = {"errors", "nll_nats", "ece", "kl_nats"}
    assert {m.name for m in STANDARD.values() if m.better == "lower"} == lower


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda z, y, r: (z[0], y, r), InputError, r"two classes or more: \(200, 4\)"),
        (lambda z, y, r: (z[..., :1], y, r), InputError, r"two classes or more: \(3, 200, 1\)"),
        (lambda z, y, r: (z, y[:7], r), MismatchError, r"200 examples, but labels \(7,\)"),
        (lambda z, y, r: (z, y + 1, r), LabelsError, r"labels from 1 to 4 are outside the 4"),
        (lambda z, y, r: (z, y - 2, r), LabelsError, r"labels from -2 to 1 are outside the 4"),
        (lambda z, y, r: (z, y, r[:1]), MismatchError, r"shape \(1, 4\), the model's \(200, 4\)"),
        (lambda z, y, r: (z * np.nan, y, r), InputError, "the model's logits hold NaN or inf"),
        (lambda z, y, r: (z, y, r - np.inf), InputError, "the reference's logits hold NaN or inf"),
    ],
)
def test_answers_that_do_not_fit_are_refused_in_a_sentence(change, error, message):
    with pytest.raises(error, match=message):
        measure(STANDARD["accuracy"], *change(*world()))


def test_models_of_other_examples_are_not_compared():
    logits, labels, reference = world()
    with pytest.raises(MismatchError, match=r"one has \(200, 4\) and the other \(1, 4\)"):
        difference(STANDARD["accuracy"], logits, logits[:, :1], labels, reference)
    with pytest.raises(MismatchError, match="one model has 3 and the other 2"):
        difference(STANDARD["auc"], logits, logits[:2], labels, reference)


def test_a_metric_of_your_own_that_gives_no_number_is_refused():
    logits, labels, _ = world()
    many = custom("per_class", lambda z, y: [0.1, 0.2], "higher")
    with pytest.raises(InputError, match=r"'per_class' gives one number a call, not \[0.1, 0.2\]"):
        measure(many, logits, labels, NONE)


def test_a_metric_is_plain_to_read():
    accuracy = STANDARD["accuracy"]
    assert isinstance(accuracy, Metric)
    assert (accuracy.better, accuracy.bounds, accuracy.needs) == ("higher", (0, 1), {"labels"})
    assert isinstance(measure(accuracy, *world()), Estimate)


@pytest.mark.parametrize("name", STANDARD)
def test_a_higher_confidence_widens_the_interval_and_leaves_the_mean(name):
    logits, labels, reference = world()
    other = world(seed=0, noise=2.0)[0]
    usual = measure(STANDARD[name], logits, labels, reference)
    sure = measure(STANDARD[name], logits, labels, reference, confidence=0.999)
    assert sure.mean == usual.mean
    assert sure.high - sure.low > usual.high - usual.low
    given = (STANDARD[name], logits, other, labels, reference)
    usual, sure = difference(*given), difference(*given, confidence=0.999)
    assert sure.mean == usual.mean
    assert sure.high - sure.low > usual.high - usual.low
