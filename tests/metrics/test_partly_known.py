"""Tags of which some are not known: they count in no loss and no metric, and all else stays."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

import limbeck
from limbeck import Examples, Plan, metrics, objectives, students
from limbeck.errors import LabelsError
from limbeck.examples import UNLABELLED
from limbeck.metrics import MEASURES
from limbeck.metrics._metric import _answers
from limbeck.objectives import losses
from limbeck.scoring._agreement import agreement

METRICS = MEASURES["independent-logits"].metrics
DRAWN = np.random.default_rng(0)
LOGITS = DRAWN.normal(size=(60, 3))
LABELS = (DRAWN.normal(size=(60, 3)) + LOGITS > 0).astype(np.int8)
LABELS[DRAWN.random((60, 3)) < 0.3] = UNLABELLED
KNOWN = LABELS != UNLABELLED


def measured(name: str, labels: np.ndarray = LABELS) -> metrics.Estimate:
    estimate = metrics.measure(METRICS[name], LOGITS[None], labels, np.zeros((0, 0)))
    assert estimate is not None
    return estimate


def by_column(function: object) -> float:
    columns = range(3)
    return float(
        np.mean([function(LABELS[KNOWN[:, c], c], LOGITS[KNOWN[:, c], c]) for c in columns])  # type: ignore[operator]
    )


def test_each_metric_is_that_of_the_known_labels() -> None:
    rows = KNOWN.any(axis=1)
    terms = np.logaddexp(0, LOGITS) - LABELS * LOGITS
    nll = [terms[row][KNOWN[row]].mean() for row in np.flatnonzero(rows)]
    assert measured("log_loss_nats").mean == pytest.approx(np.mean(nll), rel=1e-12)
    right = [((LOGITS > 0) == LABELS)[row][KNOWN[row]].all() for row in np.flatnonzero(rows)]
    assert measured("subset_accuracy").mean == pytest.approx(np.mean(right))
    assert measured("subset_accuracy").n == rows.sum()
    assert measured("micro_f1").mean == pytest.approx(f1_score(LABELS[KNOWN], LOGITS[KNOWN] > 0))
    assert measured("auc").mean == pytest.approx(by_column(roc_auc_score))
    expected = by_column(lambda y, s: average_precision_score(y, expit(s)))
    assert measured("average_precision").mean == pytest.approx(expected)


@pytest.mark.parametrize("name", ["micro_f1", "auc", "average_precision"])
def test_what_is_resampled_is_the_same_number(name: str) -> None:
    whole = METRICS[name].measured
    answers = _answers(LOGITS[None], LABELS, np.zeros((0, 0)), np.arange(60))[0]
    of_rows = whole.resampler(answers)  # type: ignore[union-attr]
    assert of_rows(np.arange(60)) == pytest.approx(whole.value(answers), rel=1e-12)  # type: ignore[union-attr]


def test_the_loss_and_its_gradient_are_those_of_the_known_labels() -> None:
    logits = torch.tensor(LOGITS, requires_grad=True)
    loss = losses.column_labels(logits, torch.tensor(LABELS, dtype=torch.int64))
    terms = np.logaddexp(0, LOGITS) - LABELS * LOGITS
    np.testing.assert_allclose(loss.detach().numpy(), np.where(KNOWN, terms, 0).sum(1), rtol=1e-12)
    loss.sum().backward()
    assert logits.grad is not None
    expected = np.where(KNOWN, expit(LOGITS) - LABELS, 0)
    np.testing.assert_allclose(logits.grad.numpy(), expected, rtol=1e-10, atol=1e-12)


def test_the_sanity_step_looks_at_what_is_known() -> None:
    seen = agreement(LOGITS, LABELS, "independent-logits")
    assert seen.value == pytest.approx(((LOGITS > 0) == LABELS)[KNOWN].mean())
    assert seen.auc == pytest.approx(by_column(roc_auc_score))
    assert agreement(-LOGITS, LABELS, "independent-logits").is_below_chance


def test_a_student_learns_from_tags_that_are_known_in_part(tmp_path: Path) -> None:
    rows = ["x,y,z,p,q,s"]
    points = DRAWN.normal(size=(200, 3))
    for row, point in enumerate(points):
        tags = ["" if (row + c) % 4 == 0 else str(float(point[c] > 0)) for c in range(3)]
        rows.append(",".join([*map(str, point), *tags]))
    (tmp_path / "t.csv").write_text("\n".join(rows))
    examples = limbeck.read(tmp_path / "t.csv", label=["p", "q", "s"])
    assert examples.is_labelled.all()
    assert (examples.labels == UNLABELLED).mean() == pytest.approx(0.25)
    run = limbeck.train(
        students.mlp([8]),
        examples,
        objectives.Labels(),
        to=tmp_path / "r",
        plan=Plan(epochs=100, batch=16),
    )
    whole = Examples.of(points.astype(np.float32)[:, :], (points > 0).astype(int), name="whole")
    shown = torch.as_tensor(np.asarray(whole.inputs[:]))
    said = run.model()(shown).detach().numpy() > 0
    assert (said == whole.labels).mean() > 0.9


def test_minus_one_for_no_is_not_taken_for_unknown() -> None:
    with pytest.raises(LabelsError, match="and no label is 0: -1 says that a label is not known"):
        Examples.of(np.zeros((2, 1)), np.array([[1, -1], [1, 1]]))
    with pytest.raises(LabelsError, match=r"they are 0 or 1, or -1 \(in a table an empty cell\)"):
        Examples.of(np.zeros((2, 1)), np.array([[1, 2], [1, 1]]))
