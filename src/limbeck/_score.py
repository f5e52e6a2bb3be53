"""score(): teacher + examples -> score set."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from limbeck import _manifest, _store
from limbeck._engine import Bar
from limbeck._store import ScoreSet, Shard
from limbeck.errors import InputError
from limbeck.examples import Array, Examples
from limbeck.runs import Run
from limbeck.scores import (
    WIDTHS,
    Dense,
    Width,
    default_width,
    rounding_nats,
    warn_if_mistaken,
)
from limbeck.teachers import Answer, Teacher, as_teacher
from limbeck.views import Plain, View


@dataclass(frozen=True)
class Storage:
    """How scores are kept.

    Attributes:
        width: "float16" or "float32"; "" for what suits the kind (float16 for logits).
        shard_rows: examples a file; each file is finished or absent after a crash.
        batch: examples the teacher answers at a time.
    """

    width: Width | str = ""
    shard_rows: int = _store.SHARD_ROWS
    batch: int = 512

    def __post_init__(self) -> None:
        if self.width not in ("", *WIDTHS):
            raise InputError(f"scores are kept in {' or '.join(WIDTHS)}, not {self.width!r}")
        if min(self.shard_rows, self.batch) < 1:
            raise InputError("a shard and a batch hold 1 example or more")


def score(
    teacher: Teacher | Run | nn.Module | Answer,
    examples: Examples,
    *,
    to: str | Path,
    views: View = Plain(),
    count: int = 1,
    seed: int = 0,
    storage: Storage = Storage(),
) -> ScoreSet:
    """What the teacher says of every example in `count` views, kept in the directory `to`.

    The teacher answers in eval mode and without gradients. An interrupted call goes on where it
    was when it is made again, and one that is whole already returns at once. Labels play no part.

    Raises:
        TeacherError: the teacher answers with another number of classes, NaN or infinity.
        MismatchError: teacher and examples name other classes.
        OccupiedError: `to` holds something else.
        StorageError: the disk is full or read-only; finished shards are kept.
    """
    job = _Job(
        as_teacher(teacher, examples.classes), examples, Path(to), views, count, seed, storage
    )
    examples.check_classes(job.teacher.classes, f"the teacher {job.teacher.name}")
    if count < 1:
        raise InputError(f"score takes 1 view or more, not {count}")
    if not _manifest.check_free(job.to, _store.ARTEFACT, job.request):
        job.run()
    return ScoreSet.open(job.to, examples, views)


@dataclass(frozen=True, eq=False)
class _Job:
    teacher: Teacher
    examples: Examples
    to: Path
    view: View
    count: int
    seed: int
    storage: Storage

    @property
    def width(self) -> Width:
        return self.storage.width or default_width(self.teacher.kind)  # type: ignore[return-value]

    @property
    def request(self) -> dict[str, object]:
        return {
            "teacher": self.teacher.fingerprint,
            "examples": self.examples.fingerprint,
            "order": _manifest.fingerprint(self.examples.keys.tolist()),
            "classes": list(self.teacher.classes),
            "kind": self.teacher.kind,
            "view": self.view.text,
            "count": self.count,
            "seed": self.seed,
            "width": self.width,
            "shard_rows": self.storage.shard_rows,
        }

    def run(self) -> None:
        began = time.monotonic()
        missing = [shard for shard in self._shards() if not _store.is_whole(self.to, shard)]
        with Bar(f"scoring {self.examples.name}", len(missing)) as bar:
            for shard in missing:
                # Answered before anything is written, so that a bad teacher leaves no trace.
                raw = self._answer(shard)
                stored = Dense.of(raw, self.width)
                _manifest.begin(self.to, _store.ARTEFACT, self.request)
                nats = rounding_nats(raw, stored, self.teacher.kind)
                _store.write_shard(self.to, shard, self.examples, stored, nats)
                bar.advance()
        self._finish(time.monotonic() - began)

    def _shards(self) -> Iterator[Shard]:
        return _store.shards(len(self.examples), self.count, self.storage.shard_rows)

    def _answer(self, shard: Shard) -> Array:
        whose = f"the teacher {self.teacher.name}"
        parts = []
        for start in range(shard.start, shard.stop, self.storage.batch):
            rows = np.arange(start, min(start + self.storage.batch, shard.stop))
            batch = self.view.show(self.examples, rows, np.full(len(rows), shard.view), self.seed)
            parts.append(self.teacher.ask(batch.inputs, batch.keys, whose))
        raw = np.concatenate(parts)
        if shard.view == shard.start == 0:
            warn_if_mistaken(raw, self.teacher.kind, whose)
        return raw

    def _finish(self, seconds: float) -> None:
        written = list(self._shards())
        examples = self.examples
        body = {
            "teacher": {"name": self.teacher.name, "fingerprint": self.teacher.fingerprint},
            "examples": {
                "name": examples.name,
                "source": examples.source,
                "fingerprint": examples.fingerprint,
                "n": len(examples),
            },
            **{k: v for k, v in self.request.items() if k not in ("teacher", "examples", "order")},
            "rounding_nats": _store.rounding_nats(self.to, written),
            "files": _manifest.file_entries(self.to, [shard.name for shard in written]),
            "seconds": round(seconds, 1),  # of the call that finished it
            "provenance": _manifest.provenance(),
        }
        _manifest.finish(self.to, _store.ARTEFACT, body)
