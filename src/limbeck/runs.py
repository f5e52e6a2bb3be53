"""Plan, Run, checkpoints: what a training is and leaves behind."""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import torch
from safetensors import SafetensorError
from safetensors.numpy import load as load_numpy
from safetensors.torch import load, save
from torch import Tensor, nn

from limbeck import _manifest, encodings, students
from limbeck._engine import Precision, device
from limbeck.encodings import Encoding
from limbeck.errors import CorruptError, InputError, MissingError
from limbeck.examples import Array
from limbeck.optim import OPTIMISERS, SCHEDULES, OptimiserName, ScheduleName
from limbeck.students import Model

ARTEFACT = "run"
MODEL = "model.safetensors"
CHECKPOINT = "checkpoint.safetensors"
HISTORY = "history.json"


@dataclass(frozen=True)
class Plan:
    """The frozen numbers of one training.

    Attributes:
        epochs: passes over the examples, each example in one of its views a pass.
        batch: examples a step.
        optimiser: "sgd" (with momentum, as in the papers), "nesterov" (the same with Nesterov's
            momentum) or "adamw".
        learning_rate: its highest value.
        schedule: "constant", "cosine" or "one-cycle", after the warm-up.
        warmup: the share of all steps over which the learning rate rises.
        momentum: SGD's momentum, or AdamW's first beta.
        weight_decay: on matrices and filters only.
        clip_norm: the longest gradient over all parameters; 0 for no limit.
        max_norm: the longest incoming weight vector of a hidden unit; 0 for no limit.
        average: the decay of the weights' moving average, which is then shipped; 0 for none.
        precision: "float32", or "bfloat16" autocast; losses are float32 either way.
        held_out: the share of examples kept out of training for decisions; 0 for none.
        patience: stop after so many epochs without a better held-out loss, and ship the best
            epoch; 0 to train to the end and ship the last.
    """

    epochs: int = 30
    batch: int = 128
    optimiser: OptimiserName | str = "adamw"
    learning_rate: float = 1e-3
    schedule: ScheduleName | str = "cosine"
    warmup: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    max_norm: float = 0.0
    average: float = 0.0
    precision: Precision | str = "float32"
    held_out: float = 0.1
    patience: int = 0

    def __post_init__(self) -> None:
        self._check_choices()
        for name in ("epochs", "batch"):
            _check(name, getattr(self, name), getattr(self, name) >= 1, "1 or more")
        _check("learning_rate", self.learning_rate, self.learning_rate > 0, "above 0")
        for name in ("weight_decay", "clip_norm", "max_norm", "patience"):
            _check(name, getattr(self, name), getattr(self, name) >= 0, "0 or more")
        for name in ("warmup", "momentum", "average", "held_out"):
            _check(name, getattr(self, name), 0 <= getattr(self, name) < 1, "0 or more and below 1")
        if self.optimiser == "nesterov" and not self.momentum:
            raise InputError("nesterov looks ahead along the momentum: set momentum above 0")
        if self.patience and not self.held_out:
            raise InputError("patience stops on held-out examples: set held_out above 0")

    def _check_choices(self) -> None:
        choices = {
            "optimiser": OPTIMISERS,
            "schedule": SCHEDULES,
            "precision": get_args(Precision),
        }
        for name, known in choices.items():
            value = getattr(self, name)
            _check(name, value, value in known, f"one of {', '.join(known)}")

    def to_json(self) -> dict[str, Any]:
        """The plan, as a manifest holds it."""
        return dataclasses.asdict(self)


def _check(name: str, value: object, is_right: bool, right: str) -> None:
    if not is_right:
        raise InputError(f"a plan's {name} is {right}, not {value!r}")


@dataclass(frozen=True, eq=False)
class Run:
    """A trained student, or its control: several seeds of one net, of which one is shipped.

    Attributes:
        directory: where it lies.
        manifest: what it says of itself.
        role: "student" or "control".
        is_trusted: whether code that the run names may be run to build it.
    """

    directory: Path
    manifest: Mapping[str, Any]
    role: str = "student"
    is_trusted: bool = False

    @classmethod
    def open(cls, directory: Path, *, trust: bool = False) -> "Run":
        """The whole run in a directory.

        Raises:
            MissingError: there is none, or it is not whole.
            CorruptError: the manifest is damaged.
        """
        return cls(directory, _manifest.read_manifest(directory, ARTEFACT), is_trusted=trust)

    @property
    def name(self) -> str:
        """The directory's own name, and the role where it is the control's.

        A bias that was chosen on test labels is named with it.
        """
        if self.role != "student":
            return f"{self.directory.name}/control"
        is_oracle = self.manifest.get("correction", {}).get("how") == "oracle"
        return f"{self.directory.name} (ORACLE)" if is_oracle else self.directory.name

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in the order of the scores."""
        return tuple(self.manifest["classes"])

    @property
    def kind(self) -> str:
        """What its nets answer with: logits, or values where they learnt values."""
        return str(self.manifest.get("kind", "logits"))

    @property
    def student(self) -> students.Student:
        """The net's description."""
        return students.read(self.manifest["student"], trust=self.is_trusted)

    @property
    def parameters(self) -> int:
        """How many numbers the net learned."""
        known = self.manifest.get("parameters")  # which runs of earlier versions lack
        return students.parameters(self.student) if known is None else int(known)

    @property
    def seeds(self) -> list[int]:
        """The seeds that were trained."""
        return [int(seed) for seed in self._nets]

    @property
    def shipped(self) -> int:
        """The seed that was chosen on held-out examples."""
        return int(self.manifest["shipped"][self.role])

    @property
    def notes(self) -> list[str]:
        """Sentences that a report has to carry."""
        return list(self.manifest["notes"].get(self.role, []))

    @property
    def control(self) -> "Run | None":
        """The control of this student; None where there was none."""
        if "control" not in self.manifest["nets"]:
            return None
        return dataclasses.replace(self, role="control")

    @property
    def fingerprint(self) -> str:
        """Names the shipped net by its weights."""
        return _manifest.fingerprint(self._nets[str(self.shipped)])

    @property
    def _nets(self) -> Mapping[str, Any]:
        nets: Mapping[str, Any] = self.manifest["nets"][self.role]
        return nets

    def model(self, seed: int | None = None) -> Model:
        """The trained net of a seed, the shipped one by default, in eval mode.

        Raises:
            CorruptError: the file was truncated or altered.
            MissingError: the file is gone, or that seed was not trained.
            TrustError: building it runs code that nobody trusted.
        """
        chosen = str(self.shipped if seed is None else seed)
        if chosen not in self._nets:
            raise MissingError(f"{self.directory} has no seed {chosen}; it has {self.seeds}")
        entry = self._nets[chosen]
        content = _manifest.read_checked(self.directory, entry["file"], entry)
        encoding = encodings.from_json(self.manifest["encoding"])
        return build_model(self.student, encoding, int(chosen), content)

    def history(self, seed: int) -> list[dict[str, float]]:
        """What was logged of each epoch of a seed."""
        epochs: list[dict[str, float]] = self._logged(seed)["epochs"]
        return epochs

    def seconds(self, seed: int) -> list[float]:
        """How long a seed had been trained, held-out losses included, at each entry of `history`.

        Nets that were trained together share the time. Runs of earlier versions have none.
        """
        seconds: list[float] = self._logged(seed).get("epoch_seconds", [])
        return seconds

    def _logged(self, seed: int) -> dict[str, Any]:
        file = self.directory / Path(self._nets[str(seed)]["file"]).parent / HISTORY
        return _manifest.read_json(file)

    def seen(self) -> Array:
        """The content hashes of all examples the nets were trained or decided on, uint64."""
        return self._seen["content"]

    def trained_on(self) -> Array:
        """Those of `seen` that steps were taken on, without those held out for decisions, uint64.

        A run that was made before this was recorded gives all of them.
        """
        seen = self._seen
        return seen["content"][seen[self.role]] if self.role in seen else seen["content"]

    @property
    def _seen(self) -> dict[str, Array]:
        entry = self.manifest["seen"]
        content = _manifest.read_checked(self.directory, entry["file"], entry)
        return load_numpy(content)


def build_model(
    student: students.Student, encoding: Encoding, seed: int, content: bytes = b""
) -> Model:
    """The model of a student on the device, as its seed starts it or with stored weights."""
    body = student.unfilled(seed) if content else student.build(seed)
    model = Model(body, encoding, student.outputs)
    if content:
        load_weights(model, content, student.text)
        model.eval()
    return _placed(model, student.inputs)


def _placed(model: Model, inputs: tuple[int, ...]) -> Model:
    if len(inputs) == 3:  # images: convolutions are faster with the channels last
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in its types
    return model.to(device())


def load_weights(module: nn.Module, content: bytes, what: str) -> None:
    """Puts stored weights into a module.

    Raises:
        CorruptError: they are not this net's.
    """
    try:
        module.load_state_dict(load(content))
    except (SafetensorError, RuntimeError) as error:
        raise CorruptError(f"the stored weights do not fit {what}: {error}") from error


def started(model: Model, start: Mapping[str, Tensor]) -> Model:
    """The model with those of its weights replaced.

    Raises:
        InputError: a weight is not one of the model's, or of another shape.
    """
    own = model.state_dict()
    for name, value in start.items():
        if name not in own or own[name].shape != value.shape:
            known = tuple(own[name].shape) if name in own else "not there"
            raise InputError(
                f"start gives {name!r} of shape {tuple(value.shape)}; in this student it is {known}"
            )
    model.load_state_dict({**own, **start})
    return model


def weights(state: Mapping[str, Tensor]) -> bytes:
    """A module's weights as safetensors; equal weights give equal bytes."""
    return save({k: v.detach().contiguous().cpu() for k, v in state.items()})


def fingerprint(tensors: Mapping[str, Tensor]) -> str:
    """Names weights by their names and values."""
    return _manifest.fingerprint(_manifest.checksum(weights(tensors)))


@dataclass
class Log:
    """What a training notes of one net.

    Its seconds are those of the training at each record, kept apart from what is alike each time.
    """

    sums: dict[str, float] = field(default_factory=dict)
    epochs: list[dict[str, float]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    best_epoch: int = -1
    is_done: bool = False

    def add(self, parts: Mapping[str, Tensor]) -> bool:
        """Adds the parts of a step's loss; whether what is summed is still a number."""
        for name, part in parts.items():
            self.sums[name] = self.sums.get(name, 0.0) + part.item()
        return math.isfinite(sum(self.sums.values()))

    def record(self, step: int, per_record: int, held_out: list[float], patience: int) -> None:
        """Makes a record of the steps since the last; with patience it may be the last one.

        `held_out` is the net's loss on the held-out examples, or empty where there are none.
        """
        since = (step - 1) % per_record + 1
        record = {name: value / since for name, value in self.sums.items()}
        record |= dict.fromkeys(["held_out"][: len(held_out)], sum(held_out))
        self.epochs.append({"step": step, **record})
        self.sums = {}
        if patience:
            losses = [epoch["held_out"] for epoch in self.epochs]
            self.best_epoch = losses.index(min(losses))
            self.is_done = self.waited >= patience

    @property
    def waited(self) -> int:
        """How many records came after the best one."""
        return len(self.epochs) - 1 - self.best_epoch


@dataclass
class Progress:
    """Where a training stands: all that is needed to go on to the identical end."""

    step: int = 0
    seconds: float = 0.0
    logs: list[Log] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether every net is."""
        return all(log.is_done for log in self.logs)

    @property
    def note(self) -> str:
        """The first net's last record in words, for a progress bar."""
        epochs = self.logs[0].epochs
        last = epochs[-1] if epochs else {}
        return " ".join(f"{name} {value:.4g}" for name, value in last.items() if name != "step")

    def save(self, file: Path, tensors: Mapping[str, Tensor]) -> None:
        """Writes the checkpoint atomically."""
        head = json.dumps(dataclasses.asdict(self))
        kept = {k: v.detach().contiguous().cpu() for k, v in tensors.items()}
        _manifest.write_file(file, save(kept, metadata={"limbeck": head}))

    @classmethod
    def load(cls, file: Path, nets: int) -> tuple["Progress", dict[str, Tensor]]:
        """The checkpoint of so many nets in a file, or a fresh start where there is none.

        Raises:
            CorruptError: the file is damaged.
        """
        if not file.exists():
            return cls(logs=[Log() for _ in range(nets)]), {}
        content = file.read_bytes()
        try:
            said = _manifest.embedded(content)
            said["logs"] = [Log(**log) for log in said["logs"]]
            return cls(**said), load(content)
        except (SafetensorError, CorruptError, TypeError, KeyError) as error:
            raise CorruptError(f"{file} is damaged; remove it to start that net anew") from error
