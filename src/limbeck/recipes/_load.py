"""load() opens an artefact again; show() says what it is, what made it, whether it is whole."""

from pathlib import Path
from typing import Any

from limbeck import artifacts, students
from limbeck.datasets import read
from limbeck.deployment import open_exported, open_model
from limbeck.errors import CorruptError, LimbeckError, MismatchError, MissingError
from limbeck.evaluation import Report
from limbeck.examples import Examples
from limbeck.scores import ARTEFACT, ScoreSet
from limbeck.scoring import HeldOut, recorded_confidence
from limbeck.selection import Compared, Rivals
from limbeck.students import Model, Run
from limbeck.teachers import SPECIALISTS, Specialists

REPORT = "report"


def load(
    path: str | Path, *, examples: Examples | None = None, trust: bool = False
) -> Run | ScoreSet | Report | Compared | Rivals | Model | Specialists:
    """What an artefact's directory holds, or the model in an exported safetensors file.

    A score set needs its examples: those given, or the source it remembers.

    Raises:
        MissingError: there is nothing, it is not whole, or its examples are nowhere.
        CorruptError: it is damaged.
        TrustError: it names code, and `trust` is not given.
    """
    directory = Path(path)
    if directory.is_file():
        return open_model(directory, trust=trust)
    artefact = _artefact(directory)
    if artefact == students.ARTEFACT:
        return Run.open(directory, trust=trust)
    if artefact == ARTEFACT:
        return load_scores(directory, examples)
    if artefact == REPORT:
        return Report.read(directory)
    if artefact == SPECIALISTS:
        return Specialists.open(directory, trust=trust)
    if artefact == Compared.FORM.artefact:
        return Compared.read(directory)
    if artefact == Rivals.FORM.artefact:
        return Rivals.read(directory)
    raise CorruptError(f"{directory} holds a {artefact}, which this Limbeck does not know")


def load_run(path: str | Path, *, trust: bool = False) -> Run:
    """The run in a directory; anything else there is an error."""
    return Run.open(Path(path), trust=trust)


def load_scores(path: str | Path, examples: Examples | None = None) -> ScoreSet:
    """The score set in a directory, with the examples given or those it remembers.

    Raises:
        MissingError: there is none, or it was made from examples in memory and none are given.
        MismatchError: what the source holds now is not what was scored.
    """
    directory = Path(path)
    about = artifacts.read_manifest(directory, ARTEFACT)["examples"]
    if examples is None and not about["source"]:
        raise MissingError(
            f"{directory} was made from examples in memory ({about['name']}): give them again "
            "(examples=, --examples)"
        )
    found = read(about["source"]) if examples is None else examples
    scores = ScoreSet.open(directory, found)
    if examples is None and found.fingerprint != about["fingerprint"]:
        scores.positions(found)
        raise MismatchError(f"{about['source']} has lost examples since {directory} was made")
    return scores


def _artefact(directory: Path) -> str:
    found = artifacts.state(directory)
    if found in ("absent", "foreign"):
        raise MissingError(f"there is no Limbeck artefact in {directory}")
    name = artifacts.MANIFEST if found == "whole" else artifacts.REQUEST
    return str(artifacts.read_json(directory / name)["artefact"])


def show(path: str | Path) -> dict[str, Any]:
    """What an artefact is, what made it, and whether it is whole: plain values, ready for JSON.

    Every checksum is compared; `whole` is "yes", or what is wrong.

    Raises:
        MissingError: there is no artefact.
    """
    place = Path(path)
    if place.is_file():
        manifest = open_exported(place)
        return {
            "artefact": manifest.pop("artefact"),
            "path": str(place),
            "whole": "yes",
            **manifest,
        }
    shown: dict[str, Any] = {"artefact": _artefact(place), "path": str(place)}
    if artifacts.state(place) == "begun":
        request = artifacts.read_json(place / artifacts.REQUEST)
        return {**shown, "whole": _unfinished(place), "request": request}
    shown["whole"] = _fault(place, shown["artefact"]) or "yes"
    manifest = artifacts.read_json(place / artifacts.MANIFEST)
    shown |= {k: v for k, v in manifest.items() if k not in ("files", "format", "artefact")}
    return shown | (_held_out(manifest) if shown["artefact"] == ARTEFACT else {})


def _held_out(manifest: dict[str, Any]) -> dict[str, Any]:
    """What a score set knows of its teacher's past, and the warning if there is one."""
    shown = {"held_out": manifest.get("held_out", HeldOut().to_json())}
    for found in recorded_confidence(manifest, str(manifest["teacher"]["name"])):
        if found.is_far_apart:
            shown["warning"] = str(found)
    return shown


def _unfinished(directory: Path) -> str:
    done = sum(1 for file in directory.rglob("*.safetensors"))
    return f"no: interrupted after {done} files; run the command that makes it again to go on"


def _fault(directory: Path, artefact: str) -> str:
    """What is wrong with a finished artefact, in words; "" for nothing."""
    try:
        manifest = artifacts.read_manifest(directory, artefact)
        for name, entry in _files(manifest):
            artifacts.read_checked(directory, name, entry)
        if artefact == SPECIALISTS:
            Specialists.open(directory)  # that generalist and specialists are still the same
    except LimbeckError as error:
        return f"no: {error}"
    return ""


def _files(manifest: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every file that a manifest of any artefact names, with its checksum."""
    found = list(manifest.get("files", {}).items())
    for nets in manifest.get("nets", {}).values():
        found += [(net["file"], net) for net in nets.values()]
    if "seen" in manifest:
        found.append((manifest["seen"]["file"], manifest["seen"]))
    return found
