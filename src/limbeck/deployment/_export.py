"""export(): module -> verified file."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from limbeck import artifacts, students
from limbeck.deployment._card import card
from limbeck.deployment._exported import ARTIFACT, Answers, Exported, check_format, path_beside
from limbeck.deployment._onnx import to_onnx
from limbeck.errors import InputError, MismatchError, NotMetError, OccupiedError
from limbeck.evaluation import Report
from limbeck.examples import Array, Examples, brief_names, tensor
from limbeck.runtime import Bar, evaluating
from limbeck.scores import check_classes
from limbeck.students import Model, Narrowed, Run, Student, encodings

ROUNDING = 16 * float(np.finfo(np.float32).eps)  # of the largest score: sums in another order
BATCH = 1024


def export(
    run: Run,
    *,
    to: str | Path,
    check: Examples,
    tolerance: float = 1e-3,
    absorb: bool = False,
    report: Report | None = None,
) -> Exported:
    """The shipped student as a verified ONNX or safetensors file.

    The ONNX file takes raw inputs as float32 `(batch, ...)`, of any batch size, to scores
    `(batch, classes)`: the encoding is inside. A linear bottleneck is multiplied out on request,
    and where that makes the file smaller. The card takes its numbers from `report`.

    The file is verified: its scores of the `check` examples are the student's, but for `tolerance`
    times the deviation of that output over those examples, and a few units in the last place.

    Raises:
        NotMetError: a score differs by more than that; no file is left.
        InputError: the file's ending is neither .onnx nor .safetensors.
        MismatchError: the examples are not of the shape or classes of the student.
        OccupiedError: the file is there already and is not this student's.
        NeedsPackageError: the packages for ONNX are not installed.
    """
    path = check_format(to)
    _check_graph(run.student, path)
    check_classes(check, run.classes, run.kind, run.name)
    _check_shape(run, check)
    request = {
        "model": run.fingerprint,
        "seed": run.shipped,
        "check": check.fingerprint,
        "tolerance": tolerance,
        "absorb": absorb,
        "report": artifacts.fingerprint(report.document) if report else "",
    }
    earlier = _earlier_export(path, request)
    if earlier is not None:
        return earlier
    with Bar(f"exporting {path.name}", 1):
        return _write(run, path, check, request, report)


def _check_graph(student: Student, path: Path) -> None:
    if student.tokenizes and path.suffix == ".onnx":
        raise InputError(
            f"{student.text} splits texts by a tokenizer, which an ONNX file cannot hold: export "
            f"it to {path.with_suffix('.safetensors').name}, which holds it"
        )


def _check_shape(run: Run, check: Examples) -> None:
    if check.shape != run.student.inputs:
        raise MismatchError(
            f"{run.name} takes inputs of shape {run.student.inputs}, {check.name} has {check.shape}"
        )
    own = tuple(run.record.features)
    if own and check.features and own != check.features:
        raise MismatchError(
            f"{run.name} takes the columns {brief_names(own)} in that order, {check.name} has "
            f"{brief_names(check.features)}: check with a table like the one it learned from"
        )


def _earlier_export(path: Path, request: Mapping[str, Any]) -> Exported | None:
    """The same export, if it is there already."""
    beside = path_beside(path, ".json")
    if not path.exists() and not beside.exists():
        return None
    manifest = artifacts.read_json(beside) if beside.exists() else {}
    if manifest.get("request") != request:
        raise OccupiedError(
            f"{path} is there already and is not this export; nothing was overwritten: "
            "choose another name or remove it"
        )
    if not path.exists():
        return None
    artifacts.read_checked(path.parent, path.name, manifest["file"])
    return Exported(path=path, **manifest["check"])


def _write(
    run: Run, path: Path, check: Examples, request: Mapping[str, Any], report: Report | None
) -> Exported:
    model = run.model().cpu()
    student, exported, absorbed = _absorbed(run, model, bool(request["absorb"]))
    content, answers = _FORMATS[path.suffix](student, exported, run)
    expected, actual = _both(model, answers, check)
    apart = np.abs(expected - actual)
    largest = float(apart.max())
    allowed = _allowed(expected, request["tolerance"])
    if not (apart <= allowed).all():
        row, column = np.unravel_index((apart / allowed).argmax(), apart.shape)
        raise NotMetError(
            f"{path.name} was not written: on {len(check)} examples its scores differ from the "
            f"student's by up to {apart[row, column]:.3g} for {run.classes[column]!r}, more than "
            f"{allowed[column]:.3g}, which is the tolerance {request['tolerance']:g} times the "
            "deviation of that output: a larger --tolerance would let it pass"
        )
    agreement = _agreement(expected, actual, run.kind)
    made = Exported(path, len(check), largest, agreement, absorbed)
    described = _description(run, made, check, request)
    described |= {"student": student.text, "file": artifacts.file_entry(content)}
    # What the file is stands beside it before it is there, so that after a crash between the two
    # the same call goes on, and a file that nothing describes is somebody else's.
    artifacts.write_json(path_beside(path, ".json"), described)
    artifacts.write_file(path_beside(path, ".md"), card(run, made, check, report).encode())
    artifacts.write_file(path, content)
    return made


def _allowed(expected: Array, tolerance: float) -> Array:
    """How far a score of each output may be off, `(classes,)`.

    As a share of its deviation over the examples, because what 0.001 means depends on the units:
    for values near 250,000 it is below float32's resolution, for values near 1e-6 all of them.
    """
    wide = expected.astype(np.float64)
    deviation = wide.std(axis=0) if len(wide) > 1 else np.full(wide.shape[1], wide.std())
    return np.asarray(tolerance * deviation + ROUNDING * np.abs(wide).max(axis=0))


def _absorbed(run: Run, model: Model, wanted: bool) -> tuple[Student, Model, bool]:
    student = run.student
    if not isinstance(student, Narrowed) or not student.bottleneck:
        return student, model, False
    if not (wanted or student.shrinks_when_absorbed):
        return student, model, False
    direct, body = student.absorbed(model.body)
    direct_model = Model(body, encodings.from_json(run.record.encoding), direct.outputs)
    direct_model.rescale(model.shift, model.scale)
    return direct, direct_model.eval(), True


def _both(model: Model, answers: Answers, check: Examples) -> tuple[Array, Array]:
    expected, actual = [], []
    for start in range(0, len(check), BATCH):
        inputs = check.inputs[start : start + BATCH]
        with evaluating(model):
            expected.append(model(tensor(inputs)).numpy())
        actual.append(answers(inputs))
    return np.concatenate(expected), np.concatenate(actual)


def _to_safetensors(student: Student, model: Model, run: Run) -> tuple[bytes, Answers]:
    content = students.weights_bytes(model.state_dict())
    encoding = encodings.from_json(run.record.encoding)
    again = students.build_model(student, encoding, run.shipped, content).cpu()

    def answers(batch: Array) -> Array:
        with evaluating(again):
            scores: Array = again(tensor(batch)).numpy()
        return scores

    return content, answers


_FORMATS: dict[str, Callable[[Student, Model, Run], tuple[bytes, Answers]]] = {
    ".onnx": to_onnx,
    ".safetensors": _to_safetensors,
}


def _agreement(expected: Array, actual: Array, kind: str) -> float:
    if kind == "independent-logits":
        return float(((expected > 0) == (actual > 0)).all(axis=1).mean())
    return float((expected.argmax(1) == actual.argmax(1)).mean()) if kind == "logits" else 1.0


def _description(
    run: Run, exported: Exported, check: Examples, request: Mapping[str, Any]
) -> dict[str, Any]:
    result = {k: v for k, v in asdict(exported).items() if k != "path"}
    return {
        "format": artifacts.FORMAT,
        "artifact": ARTIFACT,
        "request": request,
        "run": str(run.directory),
        "classes": list(run.classes),
        **({"features": list(run.record.features)} if run.record.features else {}),
        "kind": run.kind,
        "encoding": run.record.encoding,
        "check": result,
        "checked_on": check.name,
        "notes": run.notes,
        "provenance": artifacts.provenance(),
    }
