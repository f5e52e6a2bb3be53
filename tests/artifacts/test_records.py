"""A manifest is read as a typed record, and what it lacks is named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from limbeck.artifacts import FileEntry, NamedFileEntry, record_of
from limbeck.errors import CorruptError

FILE = Path("place/manifest.json")


@dataclass(frozen=True)
class Toy:
    name: str
    weights: NamedFileEntry
    files: Mapping[str, Mapping[str, FileEntry]]
    parts: Sequence[FileEntry] = ()
    kind: str = "logits"
    about: Mapping[str, str] = field(default_factory=dict)


ENTRY = {"bytes": 3, "sha256": "ab"}
WHOLE = {"name": "toy", "weights": {"file": "w", **ENTRY}, "files": {"net": {"0": ENTRY}}}


def test_a_record_has_the_entries_and_the_defaults_of_those_that_may_be_absent():
    record = record_of(Toy, {**WHOLE, "format": 1, "further": []}, FILE)
    assert record == Toy("toy", WHOLE["weights"], WHOLE["files"], (), "logits", {})
    assert record_of(Toy, {**WHOLE, "kind": "values"}, FILE).kind == "values"


@pytest.mark.parametrize("key", WHOLE)
def test_an_entry_that_is_lacking_is_named(key):
    lacking = {k: v for k, v in WHOLE.items() if k != key}
    with pytest.raises(CorruptError, match=rf"^place/manifest.json lacks {key}$"):
        record_of(Toy, lacking, FILE)


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"weights": ENTRY}, "weights.file"),
        ({"weights": {"file": "w"}}, "weights.bytes, weights.sha256"),
        ({"weights": None}, "weights.bytes, weights.sha256, weights.file"),
        ({"files": {"net": {"0": ENTRY, "1": {"bytes": 3}}}}, r"files\.net\.1\.sha256"),
        ({"parts": [ENTRY, {"sha256": "ab"}]}, r"parts\.1\.bytes"),
        ({"name": "toy", "files": {"net": {"0": 7}}}, "files.net.0.bytes, files.net.0.sha256"),
    ],
)
def test_so_is_what_an_entry_lacks_itself(changed, path):
    with pytest.raises(CorruptError, match=rf"lacks {path}$"):
        record_of(Toy, {**WHOLE, **changed}, FILE)
