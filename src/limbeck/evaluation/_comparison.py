"""Comparison: what an evaluation compares with what, and how closely."""

from dataclasses import dataclass

from limbeck.metrics import Metric


@dataclass(frozen=True)
class Comparison:
    """What is compared with what, and how closely.

    Attributes:
        student: the row that the verdict is about.
        control: the row it is held against; without such a row there is no verdict.
        margin: how far below the reference's accuracy still counts as level with it.
        slices: columns of the examples; accuracy (or what stands for it) and agreement are given
            for each value.
        metrics: further metrics, made by `metrics.custom`.
        allow_seen: whether examples that a model was trained on may be among these.
    """

    student: str = "student"
    control: str = "control"
    margin: float = 0.005
    slices: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()
    allow_seen: bool = False
