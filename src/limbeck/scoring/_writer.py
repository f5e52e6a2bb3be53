"""Keeps scores in shards that a crash leaves whole or absent, wherever the scores come from."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limbeck import artifacts
from limbeck.errors import InputError, MismatchError
from limbeck.examples import Array, Examples, View
from limbeck.runtime import Bar
from limbeck.scores import (
    ARTIFACT,
    SHARD_ROWS,
    WIDTHS,
    Dense,
    Kind,
    ScoreSet,
    Shard,
    Width,
    default_width,
    is_whole_shard,
    planned_shards,
    recorded_rounding_nats,
    rounding_nats,
    write_shard,
)
from limbeck.scoring._confidence import measured
from limbeck.scoring._held_out import HeldOut
from limbeck.scoring._sample import NAME as SAMPLE
from limbeck.scoring._sample import Sample


@dataclass(frozen=True)
class Storage:
    """How scores are kept.

    Attributes:
        width: "float16" or "float32"; "" for what suits the kind (float16 for logits).
        shard_rows: examples a file; each file is finished or absent after a crash.
        batch: examples the teacher answers at a time.
    """

    width: Width | str = ""
    shard_rows: int = SHARD_ROWS
    batch: int = 512

    def __post_init__(self) -> None:
        if self.width not in ("", *WIDTHS):
            raise InputError(f"scores are kept in {' or '.join(WIDTHS)}, not {self.width!r}")
        if min(self.shard_rows, self.batch) < 1:
            raise InputError("a shard and a batch hold 1 example or more")


@dataclass(frozen=True, eq=False)
class Origin:
    """Where raw scores come from: a teacher who is asked, or score sets that are combined.

    Attributes:
        teacher: what the manifest says of who speaks: its name, its fingerprint, its members.
        classes: the class names in the order of the scores.
        kind: what the scores are.
        raw: the scores of a shard's rows, float32 `(rows, classes)`.
        verb: what is being done, for the progress bar.
        request: what makes it another request, beside the teacher's fingerprint.
        seconds: what was spent on it before.
        held_out: whether the examples were held out from who speaks.
        sample: answers that were had before the first shard, which `raw` knows.
        sanity: what those answers say of who speaks.
    """

    teacher: Mapping[str, Any]
    classes: tuple[str, ...]
    kind: Kind
    raw: Callable[[Shard], Array]
    verb: str = "scoring"
    request: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    held_out: HeldOut = field(default_factory=HeldOut)
    sample: Sample | None = None
    sanity: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Job:
    """A score set that is to be made: of whom, of what, how it is shown and kept."""

    origin: Origin
    examples: Examples
    to: Path
    view: View
    count: int
    seed: int
    storage: Storage

    @property
    def is_whole(self) -> bool:
        """Whether all of it is there already.

        Raises:
            OccupiedError: something else is there.
        """
        return artifacts.check_free(self.to, ARTIFACT, self.request)

    def done(self) -> ScoreSet:
        """The score set, made as far as it is not there yet."""
        with artifacts.writing(self.to, ARTIFACT, self.request) as artifact:
            if not artifact.is_whole:
                self._run(artifact)
            (self.to / SAMPLE).unlink(missing_ok=True)  # the shards hold it
            scores = ScoreSet.open(self.to, self.examples, self.view)
            if self._says_more_than(scores):  # it was made before, and learns it now
                artifact.finish({**scores.manifest, **self._confidence(scores.manifest)})
                scores = ScoreSet.open(self.to, self.examples, self.view)
        return scores

    def _says_more_than(self, scores: ScoreSet) -> bool:
        """Whether the set does not know yet that its examples were held out, or that not.

        Raises:
            MismatchError: it knows the opposite.
        """
        said = self.origin.held_out.answer
        if "unknown" not in (said, scores.held_out) and said != scores.held_out:
            raise MismatchError(
                f"{self.to} is recorded with held_out = {scores.held_out!r}, not {said!r}; nothing "
                "was changed: leave the flag away, or choose another directory"
            )
        return said not in ("unknown", scores.held_out)

    @property
    def width(self) -> Width:
        """What the scores are rounded to."""
        return self.storage.width or default_width(self.origin.kind)  # type: ignore[return-value]  # checked

    @property
    def request(self) -> dict[str, object]:
        """All that the scores follow from."""
        return {
            "teacher": self.origin.teacher["fingerprint"],
            "examples": self.examples.fingerprint,
            # Shards are ranges of positions, so the order that they were written in belongs to what
            # was asked for; who reads them finds rows by key, in whatever order.
            "order": artifacts.fingerprint(self.examples.keys.tolist()),
            **self.origin.request,
            **self._form,
        }

    @property
    def _form(self) -> dict[str, object]:
        return {
            "classes": list(self.origin.classes),
            "kind": self.origin.kind,
            "view": self.view.text,
            "count": self.count,
            "seed": self.seed,
            "width": self.width,
            "shard_rows": self.storage.shard_rows,
        }

    def _run(self, artifact: artifacts.Writing) -> None:
        began = time.monotonic()
        missing = [shard for shard in self._shards() if not is_whole_shard(self.to, shard)]
        if self.origin.sample:  # it made sense, and whoever goes on need not ask for it again
            artifact.begin()
            self.origin.sample.write(self.to)
        with Bar(f"{self.origin.verb} {self.examples.name}", len(missing)) as bar:
            for shard in missing:
                # Answered before anything is written, so that a bad teacher leaves no trace.
                raw = self.origin.raw(shard)
                stored = Dense.of(raw, self.width)
                artifact.begin()
                nats = rounding_nats(raw, stored, self.origin.kind)
                write_shard(self.to, shard, self.examples, stored, nats)
                bar.advance()
        body = self._body(self.origin.seconds + time.monotonic() - began)
        artifact.finish({**body, **self._confidence(body)})

    def _shards(self) -> Iterator[Shard]:
        return planned_shards(len(self.examples), self.count, self.storage.shard_rows)

    def _body(self, seconds: float) -> dict[str, object]:
        """What the manifest says, but for what follows from the scores themselves."""
        written = list(self._shards())
        examples = self.examples
        return {
            "teacher": dict(self.origin.teacher),
            "examples": {
                "name": examples.name,
                "source": examples.source,
                "fingerprint": examples.fingerprint,
                "n": len(examples),
            },
            **self._form,
            **({"sanity": dict(self.origin.sanity)} if self.origin.sanity else {}),
            "rounding_nats": recorded_rounding_nats(self.to, written),
            "files": artifacts.file_entries(self.to, [shard.name for shard in written]),
            "seconds": round(seconds, 1),  # of the call that finished it
            "provenance": artifacts.provenance(),
        }

    def _confidence(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What was held out from the teacher, and how sure it is of which part."""
        held_out = self.origin.held_out
        scores = ScoreSet(self.to, body, self.examples, self.view)
        return {"held_out": held_out.to_json(), "confidence": measured(scores, held_out)}
