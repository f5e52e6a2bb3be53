"""What the manifest of a score set says, typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

from limbeck.artifacts import ExamplesEntry, FileEntry
from limbeck.scores._dense import Width
from limbeck.scores._kinds import Kind


class TeacherEntry(TypedDict):
    """Who speaks; an ensemble names its members, each with what it says of itself."""

    name: str
    fingerprint: str
    parameters: NotRequired[int]
    members: NotRequired[Sequence[Mapping[str, Any]]]


class HeldOutEntry(TypedDict):
    """Whether the examples were held out: the answer, who says so, and of some of them how many."""

    answer: str
    by: str
    own: NotRequired[int]
    held_out: NotRequired[int]


def _unknown() -> HeldOutEntry:
    return {"answer": "unknown", "by": ""}


class RoundingEntry(TypedDict):
    """What rounding did to the scores, in nats."""

    mean: float
    highest: float


@dataclass(frozen=True)
class ScoreSetRecord:
    """What the manifest of a score set says.

    Entries that sets of earlier versions lack come last, with what their absence means.

    Attributes:
        teacher: who speaks.
        examples: of which examples the scores are.
        classes: the class names in the order of the columns.
        kind: what the scores are.
        view: how the examples were shown, as text.
        count: how many views of each example were scored.
        seed: what the views were drawn with.
        width: what the scores were rounded to.
        shard_rows: examples a file.
        rounding_nats: what that rounding did.
        files: the shards.
        seconds: what scoring took; 0 where it was not recorded.
        held_out: whether the examples were held out from the teacher, and who says so; unknown
            where it was not recorded.
        confidence: how sure the teacher is of which part of the examples; empty where that was not
            recorded, and where scores are no distribution.
        sanity: what was seen of the teacher on a few examples; empty where that was not recorded.
    """

    teacher: TeacherEntry
    examples: ExamplesEntry
    classes: Sequence[str]
    kind: Kind
    view: str
    count: int
    seed: int
    width: Width
    shard_rows: int
    rounding_nats: RoundingEntry
    files: Mapping[str, FileEntry]
    seconds: float = 0.0
    held_out: HeldOutEntry = field(default_factory=_unknown)
    confidence: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sanity: Mapping[str, Any] = field(default_factory=dict)
