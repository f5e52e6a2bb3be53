"""Logit standardisation, DIST and DKD, proved in float64 against slow obvious versions."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from worlds import blobs, double, rule

import limbeck
from limbeck import objectives, students, teachers
from limbeck.errors import InputError, LabelsError, MismatchError
from limbeck.objectives import losses
from tests.objectives.test_objectives import batch

EVERY = torch.ones(6, dtype=torch.bool)
LABELS = torch.tensor([0, 3, -1, 2, 1, 4])


def softmax(row):
    powers = [math.exp(x) for x in row]
    return [x / sum(powers) for x in powers]


def kl(p, q):
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


def slow_dkd(student, teacher, labels, temperature):
    """Both parts by the paper's formulas, one example at a time; 0 without a label."""
    two, rest = [], []
    for z, v, label in zip(student.tolist(), teacher.tolist(), labels.tolist(), strict=True):
        if label < 0:
            two, rest = [*two, 0.0], [*rest, 0.0]
            continue
        q, p = (softmax([x / temperature for x in row]) for row in (z, v))
        two.append(kl([p[label], 1 - p[label]], [q[label], 1 - q[label]]))
        others = [k for k in range(len(p)) if k != label]
        rest.append(
            kl(*([row[k] / (1 - row[label]) for k in others] for row in (p, q)))
        )  # fmt: skip
    square = temperature**2
    return torch.tensor(two).double() * square, torch.tensor(rest).double() * square


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_dkd_is_the_papers_two_parts(temperature):
    student, teacher = double(6, 5, scale=2.0), double(6, 5, seed=1, scale=2.0)
    two, rest = slow_dkd(student, teacher, LABELS, temperature)
    given = (student, teacher, LABELS, temperature)
    torch.testing.assert_close(losses.label_versus_rest(*given), two, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(losses.among_the_rest(*given), rest, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0, 20.0])
def test_soft_targets_are_dkd_with_the_rest_weighed_by_what_the_teacher_leaves_it(temperature):
    """Zhao et al. 2022, equation 6: KD = TCKD + (1 - p(label)) NCKD."""
    student, teacher = double(64, 10), double(64, 10, seed=1)
    labels = torch.arange(64) % 10
    given = (student, teacher, labels, temperature)
    left = 1 - torch.softmax(teacher / temperature, 1)[torch.arange(64), labels]
    whole = losses.label_versus_rest(*given) + left * losses.among_the_rest(*given)
    torch.testing.assert_close(whole, losses.soft_targets(student, teacher, temperature))


def test_dkd_stays_finite_where_the_teacher_is_certain():
    teacher = torch.tensor([[800.0, 0.0, -300.0]], dtype=torch.float64)
    student = double(1, 3).requires_grad_()
    label = torch.tensor([0])
    total = losses.label_versus_rest(student, teacher, label, 1.0)
    total = total + losses.among_the_rest(student, teacher, label, 1.0)
    total.sum().backward()
    assert torch.isfinite(total).all()
    assert torch.isfinite(student.grad).all()


def test_with_two_classes_there_is_no_rest_to_distribute():
    student, teacher = double(4, 2), double(4, 2, seed=1)
    labels = torch.tensor([0, 1, 0, 1])
    assert losses.among_the_rest(student, teacher, labels, 1.0).abs().max() < 1e-12
    whole = losses.label_versus_rest(student, teacher, labels, 3.0)
    torch.testing.assert_close(whole, losses.soft_targets(student, teacher, 3.0))


def test_standardized_rows_are_numpys_z_scores_with_the_samples_deviation():
    rows = double(7, 10).numpy()
    by_hand = (rows - rows.mean(1, keepdims=True)) / (rows.std(1, ddof=1, keepdims=True) + 1e-7)
    found = losses.standardized_rows(torch.from_numpy(rows))
    np.testing.assert_allclose(found.numpy(), by_hand, rtol=1e-12)


def test_logit_standardisation_sees_neither_scale_nor_offset_of_either_side():
    g, z = double(6, 5), double(6, 5, seed=1)
    objective = objectives.LogitStandardization(hard_weight=0)
    once = objective(g, batch(z, LABELS))["soft"]
    moved = objective(3 * g - 7, batch(0.2 * z + 11, LABELS))["soft"]
    torch.testing.assert_close(moved, once, rtol=1e-5, atol=1e-7)


def test_logit_standardisation_is_soft_targets_of_z_scores():
    g, z = double(6, 5), double(6, 5, seed=1)
    parts = objectives.LogitStandardization(2.0, 9.0, 0.1)(g, batch(z, LABELS))
    rows = losses.standardized_rows(g), losses.standardized_rows(z)
    torch.testing.assert_close(parts["soft"], 9 * losses.soft_targets(*rows, 2.0).mean())
    torch.testing.assert_close(parts["hard"], 0.1 * losses.labels(g, LABELS).sum() / 6)


def correlations(one, other):
    return torch.tensor([np.corrcoef(a, b)[0, 1] for a, b in zip(one, other, strict=True)])


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_dist_is_one_less_numpys_correlation_of_rows_and_columns(temperature):
    g, z = double(6, 5), double(6, 5, seed=1)
    q, p = (torch.softmax(x / temperature, 1).numpy() for x in (g, z))
    rows = losses.rows_apart(g, z, temperature)
    columns = losses.columns_apart(g, z, EVERY, temperature)
    torch.testing.assert_close(rows, 1 - correlations(q, p), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(columns, 1 - correlations(q.T, p.T), rtol=1e-9, atol=1e-12)
    parts = objectives.DIST(2.0, 3.0, temperature)(g, batch(z, LABELS))
    torch.testing.assert_close(parts["inter"], 2 * rows.mean())
    torch.testing.assert_close(parts["intra"], 3 * columns.mean())


def test_dist_does_not_see_a_stretch_of_the_students_probabilities():
    """A positive affine map of a row of probabilities that leaves them summing to one."""
    g, z = double(6, 5, scale=1.0), double(6, 5, seed=1)
    nearer = 0.3 * torch.softmax(g, 1) + 0.7 / 5
    rows = losses.rows_apart(g, z, 1.0)
    torch.testing.assert_close(losses.rows_apart(nearer.log(), z, 1.0), rows)
    columns = losses.columns_apart(g, z, EVERY, 1.0)
    torch.testing.assert_close(losses.columns_apart(nearer.log(), z, EVERY, 1.0), columns)


def test_a_correlation_needs_no_t_squared():
    """Its gradient tends to that of the logits' own correlation, where KL's shrinks as 1/T^2."""
    z, sizes = double(32, 10, seed=1, scale=1.0), []
    for temperature in (10.0, 100.0):
        g = double(32, 10, scale=1.0).requires_grad_()
        losses.rows_apart(g, z, temperature).sum().backward()
        sizes.append(g.grad.norm().item())
    assert sizes[0] == pytest.approx(sizes[1], rel=0.1)


def test_only_rows_that_count_enter_the_columns():
    g, z = double(6, 5), double(6, 5, seed=1)
    counts = torch.tensor([True, False, True, True, False, True])
    among = losses.columns_apart(g, z, counts, 1.0)
    alone = losses.columns_apart(g[counts], z[counts], EVERY[:4], 1.0)
    torch.testing.assert_close(among, alone)
    parts = objectives.DIST(hard_weight=0)(g, batch(z, LABELS, is_scored=counts.tolist()))
    torch.testing.assert_close(parts["intra"], alone.mean() * 4 / 6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_constant_has_no_correlation_and_no_gradient(dtype):
    z = double(6, 5, seed=1).to(dtype)
    g = torch.full((6, 5), 0.3, dtype=dtype).requires_grad_()
    total = losses.rows_apart(g, z, 1.0).sum() + losses.columns_apart(g, z, EVERY, 1.0).sum()
    total.backward()
    assert total == 0
    assert g.grad.abs().max() == 0


def test_a_batch_of_one_row_has_no_columns_to_compare():
    g = double(1, 5).requires_grad_()
    parts = objectives.DIST()(g, batch(double(1, 5, seed=1), [2]))
    sum(parts.values()).backward()
    assert parts["intra"] == 0
    assert torch.isfinite(g.grad).all()


def test_a_class_that_is_hardly_ever_likely_still_correlates():
    z = double(6, 5, seed=1, scale=1.0)
    far = z - 40 * torch.eye(5, dtype=torch.float64)[4]
    torch.testing.assert_close(
        losses.columns_apart(far, far, EVERY, 1.0), torch.zeros(5).double(), atol=1e-9, rtol=0
    )


SUCCESSORS = [
    objectives.LogitStandardization(),
    objectives.DIST(),
    objectives.DIST(temperature=4.0),
    objectives.DKD(),
]
named = pytest.mark.parametrize("objective", SUCCESSORS, ids=lambda o: o.text)


@named
def test_equal_logits_cost_nothing_but_the_labels(objective):
    z = double(6, 5)
    parts = objective(z, batch(z, LABELS))
    assert sum(value for name, value in parts.items() if name != "hard").abs() < 1e-12


@named
def test_gradients_agree_with_finite_differences(objective):
    z = double(6, 5, seed=1, scale=2.0)
    asked = batch(z, LABELS, is_scored=[True, True, True, False, True, True])

    def total(g):
        return sum(objective(g, asked).values())

    assert torch.autograd.gradcheck(total, (double(6, 5, scale=1.0).requires_grad_(),))


@named
def test_the_teacher_gets_no_gradient(objective):
    g, z = double(6, 5).requires_grad_(), double(6, 5, seed=1).requires_grad_()
    sum(objective(g, batch(z, LABELS)).values()).backward()
    assert z.grad is None


@named
def test_rows_without_scores_learn_from_their_label_alone(objective):
    g, z = double(6, 5).requires_grad_(), double(6, 5, seed=1)
    is_scored = [True, False, True, True, True, True]
    parts = objective(g, batch(z, LABELS, is_scored=is_scored))
    sum(value for name, value in parts.items() if name != "hard").backward()
    assert g.grad[1].abs().max() == 0


def test_rows_without_a_label_add_nothing_to_dkd():
    g, z = double(6, 5).requires_grad_(), double(6, 5, seed=1)
    sum(objectives.DKD()(g, batch(z, LABELS)).values()).backward()
    assert g.grad[2].abs().max() == 0


@pytest.mark.parametrize(
    "objective", [made() for made in objectives.MAKERS.values()], ids=lambda o: o.text
)
def test_many_students_at_once_cost_what_each_costs_alone(objective):
    """The sweep maps an objective over a leading dimension of students."""
    students, z = double(3, 6, 5), double(6, 5, seed=1)
    asked = batch(z, LABELS, is_scored=[True, True, False, True, True, True])
    together = torch.func.vmap(lambda output: objective(output, asked))(students)
    for name, values in together.items():
        alone = torch.stack([objective(output, asked)[name] for output in students])
        torch.testing.assert_close(values, alone)


@named
def test_gradients_of_many_students_are_those_of_each_alone(objective):
    students, z = double(3, 6, 5), double(6, 5, seed=1)
    asked = batch(z, LABELS)

    def total(output):
        return torch.stack(list(objective(output, asked).values())).sum()

    together = torch.func.vmap(torch.func.grad(total))(students)
    for one, found in zip(students, together, strict=True):
        torch.testing.assert_close(found, torch.func.grad(total)(one))


def test_dkd_warms_up_over_the_first_share_of_the_steps():
    g, z = double(6, 5), double(6, 5, seed=1)
    objective = objectives.DKD(warmup=0.1)
    whole = objective(g, batch(z, LABELS))

    def after(step):
        return objective(g, replace(batch(z, LABELS), step=step, steps=100))

    for step, share in ((0, 0.1), (4, 0.5), (9, 1.0), (99, 1.0)):
        torch.testing.assert_close(after(step)["rest"], share * whole["rest"])
        torch.testing.assert_close(after(step)["label"], share * whole["label"])
        torch.testing.assert_close(after(step)["hard"], whole["hard"])


def test_wrong_settings_of_successors_are_refused_in_words():
    with pytest.raises(InputError, match="DIST: a temperature is above 0, not 0"):
        objectives.DIST(temperature=0)
    with pytest.raises(InputError, match="DKD: a weight is 0 or more, not -1"):
        objectives.DKD(beta=-1)
    with pytest.raises(InputError, match="DKD: a warm-up is 0 or more and below 1, not 1"):
        objectives.DKD(warmup=1)
    with pytest.raises(InputError, match="LogitStandardization: a weight is 0 or more, not nan"):
        objectives.LogitStandardization(soft_weight=float("nan"))


def test_dkd_refuses_mixed_labels_in_words():
    z = double(2, 3)
    mixed = batch(z, torch.full((2, 3), 1 / 3))
    with pytest.raises(LabelsError, match="DKD needs one label for each example, and this view"):
        objectives.DKD()(z, mixed)


@pytest.mark.parametrize("rows", [(64, 10), (1, 10)])
def test_a_teacher_of_another_shape_is_not_broadcast(rows):
    g, z = double(64, 10), double(*rows)
    labels, every = torch.zeros(64, dtype=torch.long), torch.ones(64, dtype=torch.bool)
    for loss in (
        lambda: losses.rows_apart(g[:, :9], z, 1.0),
        lambda: losses.columns_apart(g[:, :9], z, every, 1.0),
        lambda: losses.label_versus_rest(g[:, :9], z, labels, 1.0),
        lambda: losses.among_the_rest(g[:, :9], z, labels, 1.0),
    ):
        with pytest.raises(MismatchError, match="they must be equal"):
            loss()


def test_successors_are_trained_together_as_they_are_alone(tmp_path):
    teacher = teachers.function(rule, blobs().classes, name="rule")
    scores = limbeck.score(teacher, blobs(96), to=tmp_path / "scores")
    plan = limbeck.Plan(epochs=3, batch=32, learning_rate=0.02, held_out=0.0)
    student = students.mlp([5])
    asked = {type(one).__name__: one for one in SUCCESSORS}
    runs = limbeck.sweep(student, scores, asked, to=tmp_path / "together", plan=plan)
    for name, objective in asked.items():
        alone = limbeck.train(student, scores, objective, to=tmp_path / name, plan=plan)
        for one, other in zip(
            runs[name].model().parameters(), alone.model().parameters(), strict=True
        ):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
