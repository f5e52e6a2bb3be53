"""The few examples that a teacher is asked about before all: who they are, and its answers."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from limbeck import artifacts
from limbeck.errors import CorruptError
from limbeck.examples import Array, Examples, View
from limbeck.scoring._determinism import check_steady
from limbeck.teachers import Teacher

SAMPLE = 256  # examples that are asked about
NAME = "sanity.sample"  # answers that are kept until the shards hold them


@dataclass(frozen=True, eq=False)
class Sample:
    """The few examples in their first view, and what the teacher answered.

    Attributes:
        rows: positions in the examples, ascending, `(n,)`.
        scores: float32 `(n, classes)`.
    """

    rows: Array
    scores: Array

    @classmethod
    def of(
        cls, teacher: Teacher, examples: Examples, view: View, seed: int, batch: int
    ) -> "Sample":
        """Asks the teacher, so many at a time, and about a few of them twice.

        Raises:
            TeacherError: it cannot answer, or answers the same input twice differently.
        """
        rows = chosen_rows(examples)
        shown = view.show(examples, rows, np.zeros_like(rows), seed)
        whose = f"the teacher {teacher.name}"
        parts = [slice(start, start + batch) for start in range(0, len(rows), batch)]
        scores = np.concatenate(
            [teacher.ask(shown.inputs[part], shown.keys[part], whose) for part in parts]
        )
        check_steady(teacher, shown.inputs, shown.keys, scores)
        return cls(rows, scores)

    def write(self, directory: Path) -> None:
        """Keeps the answers, so that who goes on need not ask again."""
        header = {"checksum": self._checksum()}
        tensors = {"rows": self.rows, "scores": self.scores}
        content = save(tensors, metadata={"limbeck": json.dumps(header)})
        artifacts.write_file(directory / NAME, content)

    def _checksum(self) -> str:
        return artifacts.checksum(self.rows.tobytes() + self.scores.tobytes())

    @classmethod
    def read(cls, directory: Path) -> "Sample | None":
        """The answers that an interrupted job kept; None where there are none, or damaged ones."""
        try:
            content = (directory / NAME).read_bytes()
            header, tensors = artifacts.embedded(content), load(content)
            sample = cls(tensors["rows"], tensors["scores"])
            is_whole = header["checksum"] == sample._checksum()
        except (OSError, CorruptError, SafetensorError, KeyError):
            return None
        return sample if is_whole else None

    def known(self, rows: Array) -> tuple[Array, Array]:
        """Which of those rows it has the answer of, booleans, and those answers in their order."""
        at = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        is_known = self.rows[at] == rows
        return is_known, self.scores[at[is_known]]


def chosen_rows(examples: Examples) -> Array:
    """Up to `SAMPLE` positions by the hash of the key, those with a label first; ascending.

    A file is often sorted by class, so its beginning says nothing of the rest; and the same
    examples in another order give the same sample.
    """
    order = np.argsort(examples.key_hashes, kind="stable")
    is_labelled = examples.is_labelled[order]
    chosen = np.concatenate([order[is_labelled], order[~is_labelled]])[:SAMPLE]
    return np.asarray(np.sort(chosen))
