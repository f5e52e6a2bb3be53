"""What a student is asked to match: pure functions of tensors.

Every loss is a sum over classes and one number for each example, `(batch,)`; objectives take the
mean over examples. (`columns_apart` alone looks down the batch, and is one number for each class.)
All of it is computed in float32, or in float64 when that is what comes in. Gradients go to the
student's side only.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from limbeck.errors import InputError, MismatchError

PerExample = Float[Tensor, " batch"]
PerClass = Float[Tensor, " classes"]

LEAST_DEVIATION = 1e-7  # added to a row's deviation before dividing by it


def soft_targets(
    student: Float[Tensor, "batch classes"], teacher: Float[Tensor, "_ _"], temperature: float
) -> PerExample:
    """`T^2 KL(softmax(teacher / T) || softmax(student / T))`, in nats times T^2.

    Hinton, Vinyals & Dean 2015, section 2, arXiv:1503.02531. The paper writes the cross-entropy;
    KL differs from it by the teacher's entropy, so the gradient is the same and equal logits give
    0. T^2 stands here, once: soft gradients shrink as 1/T^2, and with it their size stays put
    while T is tuned. As T grows this tends to `1/(2 classes)` times the squared error of the
    centred logits.

    Raises:
        MismatchError: the two shapes differ (nothing is broadcast).
        InputError: the temperature is not above 0.
    """
    student, teacher = _softened(student, teacher, temperature)
    of_student, of_teacher = torch.log_softmax(student, dim=1), torch.log_softmax(teacher, dim=1)
    return _divergence(of_student, of_teacher) * temperature**2


def binary_soft_targets(
    student: Float[Tensor, "batch classes"], teacher: Float[Tensor, "_ _"], temperature: float
) -> PerExample:
    """`T^2 sum_c KL(sigmoid(teacher_c / T) || sigmoid(student_c / T))`, in nats times T^2.

    `soft_targets` for logits that are each of a sigmoid of their own: a column is an outcome with
    two sides, and their divergences add up. One column is what `soft_targets` says of the two
    classes with logits 0 and that column. As T grows this tends to 1/8 of the squared error of the
    logits: at a probability of 1/2 the KL of a small step d of it is 2 d^2, and d is a quarter of
    the logits' distance over T.

    Raises:
        MismatchError: the two shapes differ (nothing is broadcast).
        InputError: the temperature is not above 0.
    """
    student, teacher = _softened(student, teacher, temperature)
    both = _one_side(student, teacher) + _one_side(-student, -teacher)
    return both * temperature**2


def logits(student: Float[Tensor, "batch classes"], teacher: Float[Tensor, "_ _"]) -> PerExample:
    """Half the squared distance of the logits, `1/2 ||g - z||^2`.

    Ba & Caruana 2014, section 2, arXiv:1312.6184: regression on the values before the softmax.

    Raises:
        MismatchError: the two shapes differ (nothing is broadcast).
    """
    student, teacher = _paired(student, teacher)
    return (student - teacher).square().sum(dim=1) / 2


def centered(scores: Float[Tensor, "batch classes"]) -> Float[Tensor, "batch classes"]:
    """The scores with each row's mean subtracted: what is left is all that a softmax sees."""
    return scores - scores.mean(dim=1, keepdim=True)


def probabilities(
    student: Float[Tensor, "batch classes"], teacher: Float[Tensor, "_ _"]
) -> PerExample:
    """Half the squared distance of the softmaxes at temperature 1: the papers' weaker comparison.

    Raises:
        MismatchError: the two shapes differ (nothing is broadcast).
    """
    student, teacher = _paired(student, teacher)
    distance = torch.softmax(student, dim=1) - torch.softmax(teacher, dim=1)
    return distance.square().sum(dim=1) / 2


def labels(student: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"]) -> PerExample:
    """Cross-entropy in nats with class positions at temperature 1; 0 where the label is -1."""
    return functional.cross_entropy(_wide(student), labels, ignore_index=-1, reduction="none")


def label_shares(
    student: Float[Tensor, "batch classes"], shares: Float[Tensor, "batch classes"]
) -> PerExample:
    """Cross-entropy in nats with shares of classes, as mixed labels are; 0 for a row of 0."""
    return -(torch.log_softmax(_wide(student), dim=1) * shares).sum(dim=1)


def cosine_distance(
    student: Float[Tensor, "batch columns"], teacher: Float[Tensor, "_ _"]
) -> PerExample:
    """One less the cosine of the angle between the two vectors: from 0, alike, to 2, opposite.

    Their lengths do not count, so a student of it has any length: normalise what it answers with.

    Raises:
        MismatchError: the two shapes differ (nothing is broadcast).
    """
    student, teacher = _paired(student, teacher)
    return 1 - functional.cosine_similarity(student, teacher, dim=1)


def votes(
    student: Float[Tensor, "batch classes"], votes: Float[Tensor, "_ _"], smoothing: float
) -> PerExample:
    """Cross-entropy in nats with votes, of which a share goes evenly to all classes.

    Label smoothing (Szegedy et al. 2016, section 7, arXiv:1512.00567) gives a vote the doubt that
    it does not have: the best answer to it has finite logits.

    Raises:
        MismatchError: the two shapes differ (nothing is broadcast).
    """
    student, votes = _paired(student, votes)
    return label_shares(student, (1 - smoothing) * votes + smoothing / votes.shape[1])


def column_labels(
    student: Float[Tensor, "batch classes"], labels: Float[Tensor, "_ _"] | Int[Tensor, "_ _"]
) -> PerExample:
    """Binary cross-entropy in nats with 0 or 1 for each column, summed; a label of -1 adds 0.

    Raises:
        MismatchError: the two shapes differ (nothing is broadcast).
    """
    student, labels = _paired(student, labels, "the labels have")
    labels = labels.to(student.dtype)
    terms = functional.binary_cross_entropy_with_logits(student, labels, reduction="none")
    return (terms * (labels >= 0)).sum(dim=1)


def value_labels(
    student: Float[Tensor, "batch outputs"], labels: Float[Tensor, "_ _"]
) -> PerExample:
    """Half the squared distance of real values, `1/2 ||g - y||^2`; 0 for a row of NaN.

    Raises:
        MismatchError: the two shapes differ (nothing is broadcast).
    """
    student, labels = _paired(student, labels, "the labels have")
    # The distance itself is masked: 0 times NaN would still be NaN, and so would its gradient.
    distance = torch.where(labels.isnan(), 0.0, student - labels.nan_to_num())
    return distance.square().sum(dim=1) / 2


def standardized_rows(
    scores: Float[Tensor, "batch classes"],
) -> Float[Tensor, "batch classes"]:
    """Each row's z-scores over its classes, `(z - mean) / (deviation + 1e-7)`.

    Sun et al. 2024, "Logit Standardization in Knowledge Distillation", CVPR, arXiv:2403.01427. The
    deviation is the sample's, divided by `classes - 1`, as in the authors' code, from which the
    default temperature and weights come too; the paper writes `1 / classes`, which is the same as
    a temperature `sqrt(classes / (classes - 1))` times lower, 5 % for ten classes.
    """
    wide = _wide(scores)
    deviation = wide.std(dim=1, keepdim=True)
    return (wide - wide.mean(dim=1, keepdim=True)) / (deviation + LEAST_DEVIATION)


def label_versus_rest(
    student: Float[Tensor, "batch classes"],
    teacher: Float[Tensor, "_ _"],
    labels: Int[Tensor, " batch"],
    temperature: float,
) -> PerExample:
    """`T^2 KL` of two outcomes, the label's class or any other, in nats times T^2.

    The labels-class part of decoupled distillation: Zhao et al. 2022, section 3, arXiv:2203.08679.
    It is 0 where the label is -1.

    Raises:
        MismatchError: the two shapes differ (nothing is broadcast).
        InputError: the temperature is not above 0.
    """
    student, teacher = _softened(student, teacher, temperature)
    is_label = _is_label(student, labels)
    of_student, of_teacher = _two_outcomes(student, is_label), _two_outcomes(teacher, is_label)
    return _divergence(of_student, of_teacher) * (labels >= 0) * temperature**2


def among_the_rest(
    student: Float[Tensor, "batch classes"],
    teacher: Float[Tensor, "_ _"],
    labels: Int[Tensor, " batch"],
    temperature: float,
) -> PerExample:
    """`T^2 KL` of the distributions over the classes that are not the label, in nats times T^2.

    The non-labels part of decoupled distillation: Zhao et al. 2022, section 3, arXiv:2203.08679.
    The label's class is masked with minus infinity before the softmax and left out of the sum,
    where the authors' code subtracts 1000. It is 0 where the label is -1, and with two classes.

    `soft_targets` is `label_versus_rest` plus `1 - p(label)` times this, p being the teacher's.

    Raises:
        MismatchError: the two shapes differ (nothing is broadcast).
        InputError: the temperature is not above 0.
    """
    student, teacher = _softened(student, teacher, temperature)
    is_label = _is_label(student, labels)
    of_student, of_teacher = _without(student, is_label), _without(teacher, is_label)
    return _divergence(of_student, of_teacher) * (labels >= 0) * temperature**2


def rows_apart(
    student: Float[Tensor, "batch classes"], teacher: Float[Tensor, "_ _"], temperature: float
) -> PerExample:
    """One less Pearson's correlation of the two softmaxes at temperature T, row by row.

    The inter-class relation of Huang et al. 2022, "Knowledge Distillation from A Stronger
    Teacher", NeurIPS, arXiv:2205.10536. Between 0 and 2; 0 where a row of either is constant,
    which has no correlation. There is no T^2: a correlation does not see scale, so as T grows its
    gradient tends to that of the logits' own correlation and does not shrink. The paper has none
    either; the authors' code multiplies by T^2, which at the default T of 1 is the same.

    Raises:
        MismatchError: the two shapes differ (nothing is broadcast).
        InputError: the temperature is not above 0.
    """
    student, teacher = _softened(student, teacher, temperature)
    everywhere = torch.ones_like(teacher)
    return _apart(torch.softmax(student, dim=1), torch.softmax(teacher, dim=1), everywhere, dim=1)


def columns_apart(
    student: Float[Tensor, "batch classes"],
    teacher: Float[Tensor, "_ _"],
    counts: Bool[Tensor, " batch"],
    temperature: float,
) -> PerClass:
    """The same down the batch, `(classes,)`, over the rows that count: the intra-class relation.

    Huang et al. 2022, arXiv:2205.10536. It needs a decent batch: with one row it is 0, with two
    each correlation is 1 or -1. Unlike all else here it is not a sum over rows, so two halves of
    a batch do not make the whole.

    Raises:
        MismatchError: the two shapes differ (nothing is broadcast).
        InputError: the temperature is not above 0.
    """
    student, teacher = _softened(student, teacher, temperature)
    weights = counts[:, None].to(teacher.dtype)
    return _apart(torch.softmax(student, dim=1), torch.softmax(teacher, dim=1), weights, dim=0)


def _softened(student: Tensor, teacher: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    if not temperature > 0:
        raise InputError(f"a temperature is above 0, not {temperature}")
    student, teacher = _paired(student, teacher)
    return student / temperature, teacher / temperature


def _one_side(student: Tensor, teacher: Tensor) -> Tensor:
    """The terms of an outcome with those logits in a KL of two-sided outcomes, summed."""
    apart = functional.logsigmoid(teacher) - functional.logsigmoid(student)
    return (torch.sigmoid(teacher) * apart).sum(dim=1)


def _divergence(of_student: Tensor, of_teacher: Tensor) -> Tensor:
    # Written out: torch's kl_div is slow under vmap, which has no rule for it.
    return (of_teacher.exp() * (of_teacher - of_student)).sum(dim=1)


def _is_label(scores: Tensor, labels: Tensor) -> Tensor:
    classes = torch.arange(scores.shape[1], device=labels.device)
    # A row without a label takes the first class, and is multiplied by 0 later.
    return classes == labels.clamp_min(0)[:, None]


def _two_outcomes(scores: Tensor, is_label: Tensor) -> Tensor:
    """Log-probabilities `(batch, 2)` of the label's class and of all others together."""
    every = torch.logsumexp(scores, dim=1)
    label = (scores * is_label).sum(dim=1)
    rest = torch.logsumexp(scores.masked_fill(is_label, -torch.inf), dim=1)
    return torch.stack([label - every, rest - every], dim=1)


def _without(scores: Tensor, is_label: Tensor) -> Tensor:
    """Log-probabilities among the other classes; 0 on both sides, so no term, at the label's."""
    others = torch.log_softmax(scores.masked_fill(is_label, -torch.inf), dim=1)
    return others.masked_fill(is_label, 0.0)


def _apart(one: Tensor, other: Tensor, weights: Tensor, dim: int) -> Tensor:
    """One less the correlation along a dimension, over entries of weight 1; 0 for a constant."""
    one, one_varies = _unit(one, weights, dim)
    other, other_varies = _unit(other, weights, dim)
    return torch.where(one_varies & other_varies, 1 - (one * other).sum(dim=dim), 0.0)


def _unit(values: Tensor, weights: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Values less their mean, of length 1; and where they vary by more than rounding does."""
    mean = (values * weights).sum(dim, keepdim=True) / weights.sum(dim, keepdim=True).clamp_min(1)
    from_mean = (values - mean) * weights
    square = from_mean.square().sum(dim, keepdim=True)
    rounding = 4 * torch.finfo(values.dtype).eps
    varies = square > rounding**2 * (values * weights).square().sum(dim, keepdim=True)
    # The inner `where` keeps the root's gradient finite where the outer one throws it away.
    return from_mean / torch.where(varies, square, 1.0).sqrt(), varies.squeeze(dim)


def _wide(scores: Tensor) -> Tensor:
    return scores if scores.dtype == torch.float64 else scores.float()


def _paired(
    student: Tensor, teacher: Tensor, whose: str = "the teacher with"
) -> tuple[Tensor, Tensor]:
    if student.shape != teacher.shape:
        raise MismatchError(
            f"the student answers with shape {tuple(student.shape)}, "
            f"{whose} {tuple(teacher.shape)}: they must be equal"
        )
    return _wide(student), _wide(teacher).detach()
