"""Run: a trained student, or its control, as it lies in a directory."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from safetensors.numpy import load as load_numpy

from limbeck import artifacts
from limbeck.errors import MissingError
from limbeck.examples import Array
from limbeck.students import _catalogue, _student, encodings
from limbeck.students._model import Model, build_model
from limbeck.students._record import NetEntry, RunRecord

ARTIFACT = "run"
MODEL = "model.safetensors"
HISTORY = "history.json"


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
            CorruptError: the manifest is damaged, or lacks an entry.
        """
        run = cls(directory, artifacts.read_manifest(directory, ARTIFACT), is_trusted=trust)
        run.record  # noqa: B018  what the manifest lacks is said here, not where it is read
        return run

    @cached_property
    def record(self) -> RunRecord:
        """What the manifest says, typed.

        Raises:
            CorruptError: it lacks an entry.
        """
        return artifacts.record_of(RunRecord, self.manifest, self.directory / artifacts.MANIFEST)

    @property
    def name(self) -> str:
        """The directory's own name, and the role where it is the control's.

        A bias that was chosen on test labels is named with it.
        """
        if self.role != "student":
            return f"{self.directory.name}/control"
        is_oracle = self.record.correction.get("how") == "oracle"
        return f"{self.directory.name} (ORACLE)" if is_oracle else self.directory.name

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in the order of the scores."""
        return tuple(self.record.classes)

    @property
    def kind(self) -> str:
        """What its nets answer with: logits, or values where they learnt values."""
        return self.record.kind

    @cached_property
    def student(self) -> _student.Student:
        """The net's description."""
        return _catalogue.from_text(self.record.student, trust=self.is_trusted)

    @property
    def parameters(self) -> int:
        """How many numbers the net learned."""
        return self.record.parameters or _student.parameters(self.student)

    @property
    def seeds(self) -> list[int]:
        """The seeds that were trained."""
        return [int(seed) for seed in self._nets]

    @property
    def shipped(self) -> int:
        """The seed that was chosen on held-out examples."""
        return self.record.shipped[self.role]

    @property
    def notes(self) -> list[str]:
        """Sentences that a report has to carry."""
        return list(self.record.notes.get(self.role, []))

    @property
    def control(self) -> "Run | None":
        """The control of this student; None where there was none."""
        if "control" not in self.record.nets:
            return None
        return dataclasses.replace(self, role="control")

    @property
    def fingerprint(self) -> str:
        """Names the shipped net by what its answers follow from: made again, it is the same."""
        net = self._nets[str(self.shipped)]
        # 0.1 hashed the whole entry, seconds too, and what it made is known by that.
        return net["fingerprint"] if "fingerprint" in net else artifacts.fingerprint(net)

    @property
    def _nets(self) -> Mapping[str, NetEntry]:
        return self.record.nets[self.role]

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
        content = artifacts.read_checked(self.directory, entry["file"], entry)
        encoding = encodings.from_json(self.record.encoding)
        return build_model(self.student, encoding, int(chosen), content)

    def history(self, seed: int) -> list[dict[str, float]]:
        """What was logged of each epoch of a seed."""
        epochs: list[dict[str, float]] = self._logged(seed)["epochs"]
        return epochs

    def best_epoch(self, seed: int) -> int:
        """The epoch whose net was kept by the held-out loss; -1, the last, where none was chosen.

        Raises:
            MissingError, CorruptError: as in `history`.
        """
        best: int = self._logged(seed)["best"]
        return best

    def seconds(self, seed: int) -> list[float]:
        """How long a seed had been trained, held-out losses included, at each entry of `history`.

        Nets that were trained together share the time. Runs of earlier versions have none.
        """
        seconds: list[float] = self._logged(seed).get("epoch_seconds", [])
        return seconds

    def _logged(self, seed: int) -> dict[str, Any]:
        file = self.directory / Path(self._nets[str(seed)]["file"]).parent / HISTORY
        return artifacts.read_json(file)

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
        entry = self.record.seen
        content = artifacts.read_checked(self.directory, entry["file"], entry)
        return load_numpy(content)


Change = Callable[[int, bytes], bytes]
"""A student's seed and stored weights to other stored weights."""


def net_fingerprint(sha256: str, student: str, encoding: Mapping[str, Any]) -> str:
    """Names a net by its weights, its description and what is done to its inputs."""
    return artifacts.fingerprint([sha256, student, encoding])


def altered_nets(run: Run, to: Path, change: Change) -> dict[str, dict[str, Any]]:
    """Writes every net of the run and its history below `to`; what a manifest says of them.

    Controls are copied as they are.

    Raises:
        CorruptError: a file is not what the run's manifest says.
    """
    nets: dict[str, dict[str, Any]] = {}
    for role, of_role in run.record.nets.items():
        for seed, entry in of_role.items():
            content = artifacts.read_checked(run.directory, entry["file"], entry)
            if role == "student":
                content = change(int(seed), content)
            history = Path(entry["file"]).parent / HISTORY
            artifacts.write_file(to / history, (run.directory / history).read_bytes())
            artifacts.write_file(to / entry["file"], content)
            altered = {**entry, **artifacts.file_entry(content)}
            if "fingerprint" in entry:
                sha256, record = str(altered["sha256"]), run.record
                altered["fingerprint"] = net_fingerprint(sha256, record.student, record.encoding)
            nets.setdefault(role, {})[seed] = altered
    return nets
