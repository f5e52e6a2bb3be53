"""Teachers that lie in a directory of ours: a run, or a generalist with its specialists."""

from collections.abc import Sequence
from pathlib import Path

from limbeck import _manifest
from limbeck.runs import Run
from limbeck.teachers._specialists import SPECIALISTS, Specialists
from limbeck.teachers._teacher import Teacher


def saved(path: str | Path, classes: Sequence[str] = (), *, trust: bool = False) -> Run | Teacher:
    """The run in a directory, or the combined model of the specialists there.

    They know their own classes; `classes` are not looked at.

    Raises:
        MissingError: there is neither, or it is not whole.
        CorruptError: there is something else, or it is damaged.
        TrustError: building a net runs code, and `trust` is not given.
    """
    directory = Path(path)
    if _artefact(directory) == SPECIALISTS:
        return Specialists.open(directory, trust=trust).combined()
    return Run.open(directory, trust=trust)


def _artefact(directory: Path) -> str:
    if _manifest.state(directory) != "whole":
        return ""
    return str(_manifest.read_json(directory / _manifest.MANIFEST)["artefact"])
