"""load() opens an artifact again; show() says what it is, what made it, whether it is whole."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from limbeck import artifacts, students
from limbeck.datasets import read
from limbeck.deployment import open_exported, open_model
from limbeck.errors import CorruptError, LimbeckError, MismatchError, MissingError
from limbeck.evaluation import Report
from limbeck.examples import Examples
from limbeck.runtime import at_the_door
from limbeck.scores import ARTIFACT, ScoreSet, ScoreSetRecord
from limbeck.scoring import recorded_confidence
from limbeck.selection import Compared, Rivals
from limbeck.students import Model, Run, RunRecord
from limbeck.teachers import SPECIALISTS, Specialists

REPORT = "report"

Opened = Run | ScoreSet | Report | Compared | Rivals | Specialists

# How each kind is opened: from its directory, its examples and whether it is trusted.
_OPENERS: Mapping[str, Callable[[Path, Examples | None, bool], Opened]] = {
    students.ARTIFACT: lambda place, _, trust: Run.open(place, trust=trust),
    ARTIFACT: lambda place, examples, trust: load_scores(place, examples, trust=trust),
    REPORT: lambda place, *_: Report.read(place),
    SPECIALISTS: lambda place, _, trust: Specialists.open(place, trust=trust),
    Compared.FORM.artifact: lambda place, *_: Compared.read(place),
    Rivals.FORM.artifact: lambda place, *_: Rivals.read(place),
}

# What the manifest of each kind has to say.
_RECORDS: Mapping[str, type] = {
    students.ARTIFACT: RunRecord,
    ARTIFACT: ScoreSetRecord,
    REPORT: artifacts.DocumentRecord,
    Compared.FORM.artifact: artifacts.DocumentRecord,
    Rivals.FORM.artifact: artifacts.DocumentRecord,
}


def load(
    path: str | Path, *, examples: Examples | None = None, trust: bool = False
) -> Opened | Model:
    """What an artifact's directory holds, or the model in an exported safetensors file.

    A score set needs its examples: those given, or the source it remembers.

    Raises:
        MissingError: there is nothing, it is not whole, or its examples are nowhere.
        CorruptError: it is damaged.
        TrustError: it names code, and `trust` is not given.
    """
    directory = Path(path)
    if directory.is_file():
        return open_model(directory, trust=trust)
    kind = _kind(directory)
    if kind not in _OPENERS:
        raise CorruptError(f"{directory} holds a {kind}, which this Limbeck does not know")
    return _OPENERS[kind](directory, examples, trust)


def load_run(path: str | Path, *, trust: bool = False) -> Run:
    """The run in a directory; anything else there is an error."""
    return Run.open(Path(path), trust=trust)


def load_scores(
    path: str | Path, examples: Examples | None = None, *, trust: bool = False
) -> ScoreSet:
    """The score set in a directory, with the examples given or those it remembers.

    Raises:
        MissingError: there is none, or it was made from examples in memory and none are given.
        MismatchError: what the source holds now is not what was scored.
    """
    directory = Path(path)
    about = artifacts.read_record(ScoreSetRecord, directory, ARTIFACT).examples
    if examples is None and not about["source"]:
        raise MissingError(
            f"{directory} was made from examples in memory ({about['name']}): give them again "
            "(examples=, --examples)"
        )
    opened = read(about["source"]) if examples is None else examples
    scores = ScoreSet.open(directory, opened, trust=trust)
    if examples is None and opened.fingerprint != about["fingerprint"]:
        scores.positions(opened)
        raise MismatchError(f"{about['source']} has lost examples since {directory} was made")
    return scores


def _kind(directory: Path) -> str:
    state = artifacts.state(directory)
    if state in ("absent", "foreign"):
        raise MissingError(f"there is no Limbeck artifact in {directory}")
    name = artifacts.MANIFEST if state == "whole" else artifacts.REQUEST
    return str(artifacts.read_json(directory / name)["artifact"])


@at_the_door("the artifact")
def show(path: str | Path) -> dict[str, Any]:
    """What an artifact is, what made it, and whether it is whole: plain values, ready for JSON.

    Every checksum is compared; `whole` is "yes", or what is wrong.

    Raises:
        MissingError: there is no artifact.
    """
    place = Path(path)
    if place.is_file():
        manifest = open_exported(place)
        return {
            "artifact": manifest.pop("artifact"),
            "path": str(place),
            "whole": "yes",
            **manifest,
        }
    kind = _kind(place)
    shown: dict[str, Any] = {"artifact": kind, "path": str(place)}
    if artifacts.state(place) == "begun":
        request = artifacts.read_json(place / artifacts.REQUEST)
        return {**shown, "whole": _unfinished(place), "request": request}
    shown["whole"] = _fault(place, kind) or "yes"
    manifest = artifacts.read_json(place / artifacts.MANIFEST)
    shown |= {k: v for k, v in artifacts.without_heading(manifest).items() if k != "files"}
    return shown | (_held_out(place, manifest) if kind == ARTIFACT else {})


def _held_out(place: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What a score set knows of its teacher's past, and the warning if there is one."""
    try:
        record = artifacts.record_of(ScoreSetRecord, manifest, place / artifacts.MANIFEST)
    except CorruptError:
        return {}  # what it lacks is said under "whole"
    shown: dict[str, Any] = {"held_out": record.held_out}
    for confidence in recorded_confidence(record):
        if confidence.is_far_apart:
            shown["warning"] = str(confidence)
    return shown


def _unfinished(directory: Path) -> str:
    done = sum(1 for file in directory.rglob("*.safetensors"))
    return f"no: interrupted after {done} files; run the command that makes it again to go on"


def _fault(directory: Path, kind: str) -> str:
    """What is wrong with a finished artifact, in words; "" for nothing."""
    try:
        manifest = artifacts.read_manifest(directory, kind)
        if kind in _RECORDS:
            artifacts.record_of(_RECORDS[kind], manifest, directory / artifacts.MANIFEST)
        for name, entry in _files(manifest):
            artifacts.read_checked(directory, name, entry)
        if kind == SPECIALISTS:
            Specialists.open(directory)  # that generalist and specialists are still the same
    except LimbeckError as error:
        return f"no: {error}"
    return ""


def _files(manifest: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every file that a manifest of any artifact names, with its checksum."""
    entries = list(manifest.get("files", {}).items())
    for nets in manifest.get("nets", {}).values():
        entries += [(net["file"], net) for net in nets.values()]
    if "seen" in manifest:
        entries.append((manifest["seen"]["file"], manifest["seen"]))
    return entries
