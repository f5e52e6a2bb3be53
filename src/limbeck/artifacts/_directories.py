"""Artifacts: directories with a request, written first, and a manifest, written last.

`request.json` says what was asked for, so that an interrupted job can be told from somebody else's
files; `manifest.json` is written last, so an artifact with a manifest is whole.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limbeck.artifacts._files import PARTIAL, canonical, read_json, sweep, write_json
from limbeck.artifacts._locks import LEFTOVERS, held
from limbeck.errors import CorruptError, MissingError, OccupiedError

FORMAT = 1
REQUEST = "request.json"
MANIFEST = "manifest.json"


def state(directory: Path) -> str:
    """What a directory is to us: "absent", "foreign", "begun" or "whole"."""
    if (directory / MANIFEST).is_file():
        return "whole"
    if (directory / REQUEST).is_file():
        return "begun"
    if not directory.exists() or (directory.is_dir() and _holds_only_leftovers(directory)):
        return "absent"
    return "foreign"


def _holds_only_leftovers(directory: Path) -> bool:
    # A kill between creating a temporary file and renaming it leaves one of these behind, and one
    # before the first file the lock.
    return all(e.name.endswith(PARTIAL) or e.name in LEFTOVERS for e in directory.iterdir())


def check_free(directory: Path, artifact: str, request: Mapping[str, object]) -> bool:
    """Whether this very request is already whole there; raises if the place is taken.

    Writes nothing, so that it can be asked before any costly work.

    Raises:
        OccupiedError: the directory holds something else.
    """
    state_now = state(directory)
    if state_now == "absent":
        return False
    if state_now == "foreign":
        raise OccupiedError(
            f"{directory} already holds something that is not a Limbeck artifact; "
            "nothing was overwritten: choose another directory or empty this one"
        )
    _check_same(directory, artifact, request)
    return state_now == "whole"


def _check_same(directory: Path, artifact: str, request: Mapping[str, object]) -> None:
    stored = read_json(directory / REQUEST)
    expected = json.loads(canonical({"artifact": artifact, **request}))
    if stored == expected:
        return
    if stored.get("artifact") != artifact:
        what = f"a {stored.get('artifact')}, not a {artifact}"
    else:
        changed = sorted(
            k for k in stored.keys() | expected.keys() if stored.get(k) != expected.get(k)
        )
        what = f"a {artifact} of another request (other {', '.join(changed)})"
    raise OccupiedError(
        f"{directory} already holds {what}; nothing was overwritten: "
        "choose another directory or remove this one"
    )


def _begin(directory: Path, artifact: str, request: Mapping[str, object]) -> None:
    """Marks a directory as ours and clears what an interrupted write left behind."""
    if check_free(directory, artifact, request):
        return
    if not (directory / REQUEST).exists():
        write_json(directory / REQUEST, {"artifact": artifact, **request})
    sweep(directory)


def _finish(directory: Path, artifact: str, body: Mapping[str, object]) -> None:
    """Writes the manifest, which makes the artifact whole."""
    write_json(
        directory / MANIFEST, {"format": FORMAT, "artifact": artifact, **without_heading(body)}
    )


def without_heading(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest without what every manifest begins with, its format and kind."""
    return {key: value for key, value in manifest.items() if key not in ("format", "artifact")}


@dataclass(frozen=True)
class Writing:
    """An artifact that is being written: see `writing`.

    Attributes:
        is_whole: whether this very request was whole there already.
    """

    directory: Path
    kind: str
    request: Mapping[str, object]
    is_whole: bool

    def begin(self) -> None:
        """Writes the request, which marks the directory as ours, and clears leftovers.

        To be called before the first file is written, and no sooner than that: work that fails
        before it leaves no trace. Another time it writes nothing.
        """
        _begin(self.directory, self.kind, self.request)

    def finish(self, body: Mapping[str, object]) -> None:
        """Writes the manifest, which makes the artifact whole; of one that is whole, another.

        A body may be an earlier manifest with changes: its heading is written anew.
        """
        # Without a request, a crash before this line would have left files that are nobody's.
        assert (self.directory / REQUEST).is_file(), f"{self.directory} was never begun"
        _finish(self.directory, self.kind, body)


@contextmanager
def writing(directory: Path, kind: str, request: Mapping[str, object]) -> Iterator[Writing]:
    """The life of an artifact in a directory: is it whole? then begin, and finish with a manifest.

    ```
    with writing(directory, "run", request) as artifact:
        if not artifact.is_whole:
            weights = train()    # what fails here leaves no trace
            artifact.begin()
            write_file(directory / name, weights)    # what fails here can be gone on with
            artifact.finish({"files": file_entries(directory, [name])})
    ```

    Where the block raises, no manifest is written and what there is stays for the next call. While
    it lasts no other process may write there: see `held`.

    Raises:
        OccupiedError: the directory holds something else, or another process writes there.
    """
    if check_free(directory, kind, request):
        yield Writing(directory, kind, request, is_whole=True)
        return
    with held(directory):
        # Asked again: another process may have finished it meanwhile.
        yield Writing(directory, kind, request, check_free(directory, kind, request))
    assert state(directory) == "whole", f"the {kind} in {directory} was left without a manifest"


def read_manifest(directory: Path, artifact: str) -> dict[str, Any]:
    """The manifest of a whole artifact of that name.

    Raises:
        MissingError: there is none, or the job that makes it was interrupted.
        CorruptError: it is of another artifact or of a newer format.
    """
    if state(directory) == "begun":
        raise MissingError(
            f"{directory} is not whole: the job that makes it was interrupted; "
            "run the same command again to finish it"
        )
    if not (directory / MANIFEST).is_file():
        raise MissingError(f"there is no {artifact} in {directory}: it has no {MANIFEST}")
    manifest = read_json(directory / MANIFEST)
    if manifest.get("artifact") != artifact:
        raise CorruptError(f"{directory} holds a {manifest.get('artifact')}, not a {artifact}")
    if manifest.get("format") != FORMAT:
        raise CorruptError(
            f"{directory} has format {manifest.get('format')}; this Limbeck reads {FORMAT}"
        )
    return manifest
