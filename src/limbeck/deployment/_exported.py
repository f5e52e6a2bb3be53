"""Exported: an exported file with its card, opened again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limbeck import artifacts, students
from limbeck.errors import CorruptError, InputError
from limbeck.examples import Array
from limbeck.students import Model, encodings, from_text

ARTIFACT = "exported student"
FORMATS = (".onnx", ".safetensors")

Answers = Callable[[Array], Array]


@dataclass(frozen=True)
class Exported:
    """A student's file, after it was held against the student.

    Attributes:
        path: the file; beside it lie `.json`, which says what it is, and `.md`, its card.
        n: how many examples both answered.
        largest_difference: the largest absolute difference of any score.
        agreement: the share of examples on which both name the same class, or say yes in the same
            columns; 1 where answers are neither.
        absorbed: whether a linear bottleneck was multiplied out.
    """

    path: Path
    n: int
    largest_difference: float
    agreement: float
    absorbed: bool


def check_format(to: str | Path) -> Path:
    """The path, if a student can be exported to a file of that ending.

    Raises:
        InputError: it cannot.
    """
    path = Path(to)
    if path.suffix not in FORMATS:
        raise InputError(f"a student is exported to {' or '.join(FORMATS)}, not to {path.name!r}")
    return path


def path_beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def open_exported(path: Path) -> dict[str, Any]:
    """What the file beside an exported student says, after comparing the checksum.

    Raises:
        MissingError: nothing says what the file is, or it is gone.
        CorruptError: it was truncated or altered.
    """
    manifest = artifacts.read_json(path_beside(path, ".json"))
    if manifest.get("artifact") != ARTIFACT:
        raise CorruptError(f"{path} is not an exported student")
    artifacts.read_checked(path.parent, path.name, manifest["file"])
    return manifest


def open_model(path: Path, *, trust: bool = False) -> Model:
    """The model in an exported safetensors file, in eval mode.

    Raises:
        InputError: it is an ONNX file, which onnxruntime opens.
        MissingError, CorruptError: as `open_exported`.
        TrustError: building it runs code that nobody trusted.
    """
    if path.suffix == ".onnx":
        raise InputError(f"{path} is opened with onnxruntime.InferenceSession, not with load")
    manifest = open_exported(path)
    student = from_text(manifest["student"], trust=trust)
    encoding = encodings.from_json(manifest["encoding"])
    return students.build_model(student, encoding, 0, path.read_bytes())
