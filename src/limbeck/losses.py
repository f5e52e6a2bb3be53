"""What a student is asked to match: pure functions of tensors.

Every loss is a sum over classes and one number for each example, `(batch,)`; objectives take the
mean over examples. All of it is computed in float32, or in float64 when that is what comes in.
Gradients go to the student's side only.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from limbeck.errors import InputError, MismatchError

PerExample = Float[Tensor, " batch"]


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
    if not temperature > 0:
        raise InputError(f"a temperature is above 0, not {temperature}")
    student, teacher = _paired(student, teacher)
    of_student = torch.log_softmax(student / temperature, dim=1)
    of_teacher = torch.log_softmax(teacher / temperature, dim=1)
    # torch's kl_div with log_target, written out: that one is slow for many students at once.
    divergence = of_teacher.exp() * (of_teacher - of_student)
    return divergence.sum(dim=1) * temperature**2


def logits(student: Float[Tensor, "batch classes"], teacher: Float[Tensor, "_ _"]) -> PerExample:
    """Half the squared distance of the logits, `1/2 ||g - z||^2`.

    Ba & Caruana 2014, section 2, arXiv:1312.6184: regression on the values before the softmax.

    Raises:
        MismatchError: the two shapes differ (nothing is broadcast).
    """
    student, teacher = _paired(student, teacher)
    return (student - teacher).square().sum(dim=1) / 2


def centred(scores: Float[Tensor, "batch classes"]) -> Float[Tensor, "batch classes"]:
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


def _wide(scores: Tensor) -> Tensor:
    return scores if scores.dtype == torch.float64 else scores.float()


def _paired(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    if student.shape != teacher.shape:
        raise MismatchError(
            f"the student answers with shape {tuple(student.shape)}, "
            f"the teacher with {tuple(teacher.shape)}: they must be equal"
        )
    return _wide(student), _wide(teacher).detach()
