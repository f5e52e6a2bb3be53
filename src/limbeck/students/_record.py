"""What the manifest of a run says, typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

from limbeck.artifacts import ExamplesEntry, NamedFileEntry


class NetEntry(NamedFileEntry):
    """One trained net: its weights, after how many steps, and the loss that it is chosen by."""

    steps: int
    held_out_loss: float | None
    # What the net answers follows from it; nets of 0.1 have none.
    fingerprint: NotRequired[str]


class MakerEntry(TypedDict):
    """What made the run, so far as its card names it."""

    limbeck: str
    machine: str
    commit: str


@dataclass(frozen=True)
class RunRecord:
    """What the manifest of a run says.

    Entries that runs of earlier versions lack come last, with what their absence means.

    Attributes:
        student: the net's description, as text.
        objective: what it was trained by, as text.
        examples: those of the transfer set.
        classes: the class names in the order of the outputs.
        view: how the examples were shown, as text.
        scores: the fingerprint of the scores; empty where there were none.
        encoding: what is done to raw inputs.
        nets: by role ("student", "control"), then by seed.
        shipped: the chosen seed of each role.
        notes: by role, sentences that a report has to carry.
        features: of a table the names of the columns that the net takes, in order.
        seen: the file with the content hashes of what the nets were trained or decided on.
        provenance: what made it.
        kind: what the nets answer with; logits where it is not said.
        parameters: how many numbers the student's net learned; 0 where they were not counted.
        seconds: what training took; 0 where it was not recorded, as `score_seconds`.
        score_seconds: what the scores cost before.
        teacher: who gave the scores and how sure it is; empty where that is not known.
        correction: the bias correction that made this run of another; empty for none.
    """

    student: str
    objective: str
    examples: ExamplesEntry
    classes: Sequence[str]
    view: str
    scores: str
    encoding: Mapping[str, Any]
    nets: Mapping[str, Mapping[str, NetEntry]]
    shipped: Mapping[str, int]
    notes: Mapping[str, Sequence[str]]
    seen: NamedFileEntry
    provenance: MakerEntry
    kind: str = "logits"
    parameters: int = 0
    seconds: float = 0.0
    score_seconds: float = 0.0
    features: Sequence[str] = ()
    teacher: Mapping[str, Any] = field(default_factory=dict)
    correction: Mapping[str, Any] = field(default_factory=dict)
