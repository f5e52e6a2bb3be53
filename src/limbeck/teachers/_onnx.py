"""Teachers that are ONNX files, answered by ONNX Runtime."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from limbeck.errors import CorruptError, InputError, MissingError, TeacherError
from limbeck.examples import Array
from limbeck.runtime import did_you_mean, needs
from limbeck.scores import check_kind
from limbeck.teachers import _files
from limbeck.teachers._teacher import Teacher

# What onnxruntime brings itself beside the operators of ONNX.
OWN_DOMAINS = {"ai.onnx", "com.microsoft", "com.microsoft.nchwc"}

TYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(string)": "object",
    "tensor(bool)": "bool",
} | {
    f"tensor({kind}{bits})": f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)
}
SCORES = ("tensor(float)", "tensor(double)", "tensor(float16)")

ANY_BATCH = (
    "from torch with torch.onnx.export(net, inputs, dynamo=True, "
    "dynamic_shapes=({0: torch.export.Dim('batch')},))"
)


def onnx(
    path: str | Path,
    classes: Sequence[str] = (),
    *,
    kind: str = "",
    output: str = "",
    threads: int = 0,
    name: str = "",
) -> Teacher:
    """An ONNX file that takes raw inputs `(batch, ...)` to scores `(batch, classes)`.

    It is answered by onnxruntime on the CPU with that many threads, 0 for onnxruntime's own
    choice. Class names and kind are those in the file's metadata, `classes` (a JSON list, whose
    order stands) and `kind`, as `limbeck.export` writes them; else the names are those in the
    `classlabels_*` of its operators, as converters of fitted models write them; where it says
    nothing, classes are given here, and the kind is "logits" unless given. `output` chooses one
    of several outputs. Raw inputs are cast to the type the model takes where that holds them, text
    and tokens too.

    Opening a file runs no code of its maker: libraries of operators are never loaded, and tensors
    kept in other files are read from the model's own folder alone. The fingerprint follows from
    the content of these files, the output and the kind.

    Raises:
        MissingError: no such file, or one that it refers to.
        CorruptError: it is no ONNX file, or a file that it refers to is too short.
        TeacherError: it takes batches of one size or several inputs, answers with several outputs
            of which none is chosen or with no `(batch, classes)`, refers to files outside its
            folder, needs operators of its maker's, or nobody names the classes.
        MismatchError: it names other classes than were given.
        InputError: no such kind, or fewer than 0 threads.
        NeedsPackageError: the packages for ONNX are not installed.
    """
    file, own_name = _files.present(path), name or Path(path).name
    model = _parsed(file)
    parts = _parts(model, file)
    _check_operators(model, own_name)
    session = _session(file, threads, own_name)
    notes = _files.Notes.of(session.get_modelmeta().custom_metadata_map)
    notes = replace(notes, classes=notes.classes or _class_labels(model))
    names, own_kind = notes.named(classes, own_name), kind or notes.kind or "logits"
    slot = _slot(session, own_name)
    chosen = _output(session, output, own_name)
    _files.check_scores(_sides(chosen.shape) or (_files.ANY, _files.ANY), names, own_name)
    options = {"classes": list(classes), "kind": kind, "output": output, "threads": threads}
    options |= {"name": name}
    return OnnxTeacher(
        name=own_name,
        classes=names,
        kind=check_kind(own_kind),
        fingerprint=_files.fingerprint([file, *parts], chosen.name, own_kind),
        source=_files.call("onnx", file, **options),
        place=file,
        session=session,
        slot=slot,
        output=chosen.name,
        options=options,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class OnnxTeacher(Teacher):
    """An ONNX file in a session of onnxruntime's; `onnx` opens one.

    Attributes:
        session: onnxruntime's own.
        slot: its one input.
        output: the name of the output that holds the scores.
        options: the keywords it was opened with.
    """

    session: Any = field(repr=False)
    slot: _files.Slot
    output: str
    options: Mapping[str, Any]

    @property
    def runtime(self) -> str:
        """ONNX Runtime."""
        return "onnxruntime"

    def predict(self, inputs: Array) -> Array:
        """The chosen output."""
        feed = {self.slot.name: self.slot.fitted(inputs, self.name)}
        try:
            scores: Array = self.session.run([self.output], feed)[0]
        except Exception as error:  # its errors have no base of their own
            raise RuntimeError(_reason(error)) from error
        return scores

    def with_threads(self, threads: int) -> Teacher:
        """The file in another session, which has so many threads."""
        assert self.place is not None
        teacher = onnx(self.place, **{**self.options, "threads": threads})
        return replace(teacher, name=self.name)


def _parsed(file: Path) -> Any:
    """The model without the tensors that lie in other files: to read it opens nothing else."""
    try:
        model = needs("onnx").ModelProto.FromString(file.read_bytes())
    except Exception as error:  # protobuf's own, which has no base but this
        raise CorruptError(f"{file} is not an ONNX file, or damaged: {error}") from error
    if not model.graph.node:
        raise CorruptError(f"{file} is not an ONNX file, or damaged: there is no model in it")
    return model


def _messages(model: Any) -> Iterator[Any]:
    """The model and all that is in it, whatever holds it: subgraphs and functions too."""
    waiting = [model]
    while waiting:
        message = waiting.pop()
        yield message
        for kind, value in message.ListFields():
            if kind.message_type is not None:
                waiting.extend([value] if hasattr(value, "ListFields") else value)


def _class_labels(model: Any) -> tuple[str, ...]:
    """The names that a converted classifier or a ZipMap carries; none where they are mere codes."""
    named = {
        tuple(map(str, (*attribute.ints, *(text.decode() for text in attribute.strings))))
        for attribute in _messages(model)
        if attribute.DESCRIPTOR.name == "AttributeProto"
        and attribute.name.startswith("classlabels_")
    }
    [names] = named if len(named) == 1 else [()]
    return () if names == tuple(map(str, range(len(names)))) else names


def _parts(model: Any, file: Path) -> list[Path]:
    """The other files that hold tensors of the model, each once."""
    tensors = [one for one in _messages(model) if one.DESCRIPTOR.name == "TensorProto"]
    elsewhere = [one for one in tensors if one.external_data or one.data_location]
    return sorted({_part(tensor, file) for tensor in elsewhere})


def _part(tensor: Any, file: Path) -> Path:
    entries = [(entry.key, entry.value) for entry in tensor.external_data]
    fields = dict(entries)
    place = _beside(fields.get("location", ""), file)
    try:
        end = int(fields.get("offset", 0)) + int(fields.get("length", 0))
    except ValueError as error:
        raise CorruptError(f"{file} is damaged: {tensor.name!r} lies at {entries}") from error
    if len(fields) < len(entries):  # who reads them otherwise would open another file
        raise CorruptError(f"{file} is damaged: {tensor.name!r} lies at {entries}")
    size = place.stat().st_size
    if size < end:
        raise CorruptError(
            f"{place} is damaged: {file.name} says that {tensor.name!r} ends at byte {end} of it, "
            f"and it has {size}"
        )
    return place


def _beside(location: str, file: Path) -> Path:
    """The file of that name in the model's folder, which neither a path nor a link leaves."""
    folder, relative = file.parent, PureWindowsPath(location)  # knows both kinds of slashes
    # What begins with "*/" is to onnxruntime an address in memory, and no file.
    leaves = (
        relative.drive or relative.root or ".." in relative.parts or relative.parts[:1] == ("*",)
    )
    place = folder / location
    if leaves or "\0" in location or not place.resolve().is_relative_to(folder):
        raise TeacherError(
            f"{file} keeps tensors in {location!r}, which is outside its folder, and was not "
            "opened: put all files of the model into one folder, and name them without a path"
        )
    if not place.is_file():
        raise MissingError(f"{file.name} keeps tensors in {location!r}, which is not in {folder}")
    return place.resolve()


def _check_operators(model: Any, whose: str) -> None:
    domains = OWN_DOMAINS | {schema.domain for schema in needs("onnx").defs.get_all_schemas()}
    own = {(function.domain, function.name) for function in model.functions}
    nodes = [one for one in _messages(model) if one.DESCRIPTOR.name == "NodeProto"]
    foreign = {(node.domain, node.op_type) for node in nodes if node.domain not in domains} - own
    if foreign:
        names = ", ".join(sorted(":".join(one) for one in foreign))
        raise TeacherError(
            f"{whose} needs operators from a library of its maker's, {names}; no such library is "
            "ever loaded: export it with the operators of ONNX alone"
        )


def _session(file: Path, threads: int, whose: str) -> Any:
    if threads < 0:
        raise InputError(f"threads is 0 (onnxruntime's own choice) or more, not {threads}")
    onnxruntime = needs("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what goes wrong is raised, and need not be printed too
    # Whatever it is called: another format would be read past the checks of this one.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no base of their own
        raise TeacherError(
            f"onnxruntime {onnxruntime.__version__} cannot open {whose}: {_reason(error)}"
        ) from error


def _reason(error: Exception) -> str:
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", str(error).strip().split("\n")[0])


def _slot(session: Any, whose: str) -> _files.Slot:
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise TeacherError(
            f"{whose} takes {len(inputs)} inputs, {', '.join(_described(one) for one in inputs)}; "
            "a teacher takes one: export a model that makes the others itself"
        )
    if inputs[0].type not in TYPES:
        raise TeacherError(
            f"{whose} takes {inputs[0].type}, which raw inputs cannot be: export it with an input "
            "of float32, or of whole numbers"
        )
    slot = _files.Slot(inputs[0].name, _sides(inputs[0].shape), np.dtype(TYPES[inputs[0].type]))
    slot.check_batch(whose, ANY_BATCH)
    return slot


def _output(session: Any, wanted: str, whose: str) -> Any:
    outputs = {one.name: one for one in session.get_outputs()}
    if wanted and wanted not in outputs:
        raise InputError(f"{whose} has no output {wanted!r}; {did_you_mean(wanted, outputs)}")
    if len(outputs) > 1 and not wanted:
        raise TeacherError(
            f"{whose} answers with {len(outputs)} outputs, "
            f"{', '.join(_described(one) for one in outputs.values())}: choose the scores, "
            f"output={list(outputs)[-1]!r}"
        )
    chosen = outputs[wanted or next(iter(outputs))]
    if chosen.type not in SCORES:
        raise TeacherError(f"{whose} answers with {_described(chosen)}: {_advice(chosen.type)}")
    return chosen


def _advice(kind: str) -> str:
    if kind.startswith("tensor"):
        return "scores are float16, float32 or float64"
    return (
        "scores are one tensor (batch, classes); of scikit-learn's models skl2onnx makes one with "
        "options={'zipmap': False}"
    )


def _described(one: Any) -> str:
    shape = f" {_files.shape_text(_sides(one.shape))}" if one.shape else ""
    return f"{one.name!r} ({one.type}{shape})"


def _sides(shape: Sequence[Any]) -> tuple[int, ...]:
    return tuple(one if isinstance(one, int) and one >= 0 else _files.ANY for one in shape or ())
