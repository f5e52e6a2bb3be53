"""export(): module -> file, and proof that the file answers alike."""

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from limbeck import _manifest, encodings, runs
from limbeck._engine import Bar, evaluating, is_text, numbers, tensor
from limbeck._optional import needs
from limbeck._report import Report
from limbeck.errors import CorruptError, InputError, MismatchError, NotMetError, OccupiedError
from limbeck.examples import Array, Examples
from limbeck.runs import Run
from limbeck.scores import check_classes
from limbeck.students import Model, Narrowed, Student
from limbeck.students import read as read_student

ARTEFACT = "exported student"
BATCH = 1024
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


def export(
    run: Run,
    *,
    to: str | Path,
    check: Examples,
    tolerance: float = 1e-3,
    absorb: bool = False,
    report: Report | None = None,
) -> Exported:
    """The shipped student as an ONNX or safetensors file that was seen to answer alike.

    The ONNX file takes raw inputs as float32 `(batch, ...)`, of any batch size, to scores
    `(batch, classes)`: the encoding is inside. A linear bottleneck is multiplied out on request,
    and where that makes the file smaller. The card takes its numbers from `report`.

    Raises:
        NotMetError: a score differs by more than `tolerance`; no file is left.
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
        "report": _manifest.fingerprint(report.document) if report else "",
    }
    found = _found(path, request)
    if found is not None:
        return found
    with Bar(f"exporting {path.name}", 1):
        return _write(run, path, check, request, report)


def check_format(to: str | Path) -> Path:
    """The path, if a student can be exported to a file of that ending.

    Raises:
        InputError: it cannot.
    """
    path = Path(to)
    if path.suffix not in FORMATS:
        raise InputError(f"a student is exported to {' or '.join(FORMATS)}, not to {path.name!r}")
    return path


def _check_graph(student: Student, path: Path) -> None:
    if student.tokenises and path.suffix == ".onnx":
        raise InputError(
            f"{student.text} splits texts by a tokenizer, which an ONNX file cannot hold: export "
            f"it to {path.with_suffix('.safetensors').name}, which holds it"
        )


def _check_shape(run: Run, check: Examples) -> None:
    if check.shape != run.student.inputs:
        raise MismatchError(
            f"{run.name} takes inputs of shape {run.student.inputs}, {check.name} has {check.shape}"
        )


def _found(path: Path, request: Mapping[str, Any]) -> Exported | None:
    """The same export, if it is there already."""
    beside = _beside(path, ".json")
    if not path.exists() and not beside.exists():
        return None
    manifest = _manifest.read_json(beside) if beside.exists() else {}
    if manifest.get("request") != request:
        raise OccupiedError(
            f"{path} is there already and is not this export; nothing was overwritten: "
            "choose another name or remove it"
        )
    if not path.exists():
        return None
    _manifest.read_checked(path.parent, path.name, manifest["file"])
    return Exported(path=path, **manifest["check"])


def _write(
    run: Run, path: Path, check: Examples, request: Mapping[str, Any], report: Report | None
) -> Exported:
    model = run.model().cpu()
    student, exported, absorbed = _absorbed(run, model, bool(request["absorb"]))
    content, answers = _FORMATS[path.suffix](student, exported, run)
    expected, given = _both(model, answers, check)
    largest = float(np.abs(expected - given).max())
    if not largest <= request["tolerance"]:
        raise NotMetError(
            f"{path.name} was not written: on {len(check)} examples its scores differ from the "
            f"student's by up to {largest:.3g}, more than the tolerance {request['tolerance']:g}"
        )
    agreement = _agreement(expected, given, run.kind)
    made = Exported(path, len(check), largest, agreement, absorbed)
    described = _description(run, made, check, request)
    described |= {"student": student.text, "file": _manifest.file_entry(content)}
    # What the file is stands beside it before it is there, so that after a crash between the two
    # the same call goes on, and a file that nothing describes is somebody else's.
    _manifest.write_json(_beside(path, ".json"), described)
    _manifest.write_file(_beside(path, ".md"), _card(run, made, check, report).encode())
    _manifest.write_file(path, content)
    return made


def _absorbed(run: Run, model: Model, wanted: bool) -> tuple[Student, Model, bool]:
    student = run.student
    if not isinstance(student, Narrowed) or not student.bottleneck:
        return student, model, False
    if not (wanted or student.shrinks_when_absorbed):
        return student, model, False
    direct, body = student.absorbed(model.body)
    made = Model(body, encodings.from_json(run.manifest["encoding"]), direct.outputs)
    made.rescale(model.shift, model.scale)
    return direct, made.eval(), True


def _both(model: Model, answers: Answers, check: Examples) -> tuple[Array, Array]:
    expected, given = [], []
    for start in range(0, len(check), BATCH):
        inputs = check.inputs[start : start + BATCH]
        with evaluating(model):
            expected.append(model(tensor(inputs)).numpy())
        given.append(answers(inputs))
    return np.concatenate(expected), np.concatenate(given)


def _to_onnx(student: Student, model: Model, run: Run) -> tuple[bytes, Answers]:
    onnx, onnxruntime = needs("onnx"), needs("onnxruntime")
    needs("onnxscript")
    inputs, sizes = _example_inputs(student)
    model = model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # not in its types
    with _silenced(), evaluating(model):
        program = torch.onnx.export(
            model,
            (inputs,),
            dynamo=True,
            input_names=["inputs"],
            output_names=["scores"],
            dynamic_shapes=(sizes,),
        )
    assert program is not None
    proto = program.model_proto
    _forget_traces(proto)
    notes = {"classes": json.dumps(run.classes), "kind": run.kind, "student": student.text}
    onnx.helper.set_model_props(proto, notes)
    content: bytes = proto.SerializeToString(deterministic=True)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

    def answers(batch: Array) -> Array:
        given = numbers(batch) if is_text(batch) else batch.astype(np.float32)
        scores: Array = session.run(["scores"], {"inputs": given})[0]
        return scores

    return content, answers


def _forget_traces(proto: Any) -> None:
    """Takes out where in which source file each operator came from: paths of this machine."""
    graphs = [proto.graph, *proto.functions]
    for graph in graphs:
        for node in graph.node:
            del node.metadata_props[:]
            graphs += [attribute.g for attribute in node.attribute if attribute.HasField("g")]


def _example_inputs(student: Student) -> tuple[torch.Tensor, dict[int, Any]]:
    """Inputs to trace a student with, and which of their sizes may be others."""
    sizes = {0: torch.export.Dim("batch")}
    if not student.reads_text:
        return torch.zeros(2, *student.inputs), sizes
    texts = np.array(["two words", "and three more"], dtype=np.dtypes.StringDType())
    return tensor(texts), {**sizes, 1: torch.export.Dim("bytes")}


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    # The exporter tells its own story on every channel; failures come as exceptions all the same.
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _to_safetensors(student: Student, model: Model, run: Run) -> tuple[bytes, Answers]:
    content = runs.weights(model.state_dict())
    encoding = encodings.from_json(run.manifest["encoding"])
    again = runs.build_model(student, encoding, run.shipped, content).cpu()

    def answers(batch: Array) -> Array:
        with evaluating(again):
            scores: Array = again(tensor(batch)).numpy()
        return scores

    return content, answers


_FORMATS: dict[str, Callable[[Student, Model, Run], tuple[bytes, Answers]]] = {
    ".onnx": _to_onnx,
    ".safetensors": _to_safetensors,
}


def _agreement(expected: Array, given: Array, kind: str) -> float:
    if kind == "independent-logits":
        return float(((expected > 0) == (given > 0)).all(axis=1).mean())
    return float((expected.argmax(1) == given.argmax(1)).mean()) if kind == "logits" else 1.0


def _description(
    run: Run, made: Exported, check: Examples, request: Mapping[str, Any]
) -> dict[str, Any]:
    result = {k: v for k, v in asdict(made).items() if k != "path"}
    return {
        "format": _manifest.FORMAT,
        "artefact": ARTEFACT,
        "request": request,
        "run": str(run.directory),
        "classes": list(run.classes),
        "kind": run.kind,
        "encoding": run.manifest["encoding"],
        "check": result,
        "checked_on": check.name,
        "notes": run.notes,
        "provenance": _manifest.provenance(),
    }


def _card(run: Run, made: Exported, check: Examples, report: Report | None) -> str:
    origin = run.manifest
    lines = [
        f"# {made.path.name}",
        "",
        f"A student made by Limbeck: `{origin['student']}`, seed {run.shipped}.",
        "",
        _takes(run.student),
        f"- Answers with {run.kind} `(batch, {len(run.classes)})`{_of_what(run)}.",
        f"- Trained with `{origin['objective']}` on {origin['examples']['name']} "
        f"({origin['examples']['n']} examples), view `{origin['view']}`.",
        f"- Held against the student on {made.n} examples of {check.name}: largest difference of "
        f"a score {made.largest_difference:.2g}" + _same(run.kind).format(made.agreement),
        f"- Made by Limbeck {origin['provenance']['limbeck']}, commit "
        f"{origin['provenance']['commit'] or 'unknown'}, on {origin['provenance']['machine']}.",
    ]
    lines += [f"- Note: {note}." for note in run.notes]
    if report is not None:
        lines += ["", report.to_markdown()]
    return "\n".join(lines) + "\n"


def _of_what(run: Run) -> str:
    return f" of {', '.join(run.classes)}" if run.kind != "embeddings" else ""


def _same(kind: str) -> str:
    if kind == "independent-logits":
        return ", yes in the same columns on {:.2%}."
    return ", same class on {:.2%}." if kind == "logits" else "."


def _takes(student: Student) -> str:
    if student.reads_text:
        return (
            "- Takes texts as their UTF-8 bytes, uint8 `(batch, longest)` with 0 after the end; "
            "words are found inside."
        )
    inputs = ", ".join(str(side) for side in student.inputs)
    return f"- Takes raw inputs, float32 `(batch, {inputs})`; the encoding is inside."


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def open_exported(path: Path) -> dict[str, Any]:
    """What the file beside an exported student says, after comparing the checksum.

    Raises:
        MissingError: nothing says what the file is, or it is gone.
        CorruptError: it was truncated or altered.
    """
    manifest = _manifest.read_json(_beside(path, ".json"))
    if manifest.get("artefact") != ARTEFACT:
        raise CorruptError(f"{path} is not an exported student")
    _manifest.read_checked(path.parent, path.name, manifest["file"])
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
    student = read_student(manifest["student"], trust=trust)
    encoding = encodings.from_json(manifest["encoding"])
    return runs.build_model(student, encoding, 0, path.read_bytes())
