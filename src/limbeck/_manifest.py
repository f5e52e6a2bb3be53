"""The JSON beside every artefact: format number, provenance, checksums.

An artefact is a directory. `request.json` is written first and says what was asked for, so that
an interrupted job can be told from somebody else's files; `manifest.json` is written last, so an
artefact with a manifest is whole.
"""

import errno
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from limbeck.errors import CorruptError, MissingError, OccupiedError, StorageError

FORMAT = 1
REQUEST = "request.json"
MANIFEST = "manifest.json"
PARTIAL = ".partial"  # the ending of a file that is still being written

_STORAGE_ERRORS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
}


def canonical(value: object) -> bytes:
    """The one JSON text of a value: sorted keys, no spaces; equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def fingerprint(value: object) -> str:
    """16 hexadecimal digits that name a JSON value by its content."""
    return hashlib.blake2b(canonical(value), digest_size=8).hexdigest()


def checksum(content: bytes) -> str:
    """The sha256 of some bytes, as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def storage_error(path: Path, error: OSError) -> StorageError:
    """The error to raise when the disk refuses: full, read-only or not ours."""
    reason = error.strerror or str(error)
    return StorageError(
        f"cannot write {path}: {reason}; what was finished before is kept, "
        "so free some room or choose another place and run the same command again"
    )


def write_file(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Writes a file so that a crash leaves the old content or the new, never half of it.

    Content that comes in parts is written as it comes.

    Raises:
        StorageError: the disk is full, read-only, or not ours to write.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_durably(path, content)
    except OSError as error:
        if error.errno in _STORAGE_ERRORS:
            raise storage_error(path, error) from error
        raise


def _write_durably(path: Path, content: bytes | Iterable[bytes]) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PARTIAL)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # Windows cannot open a folder, and does not need to.
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_json(path: Path, value: object) -> None:
    """Writes a value as readable JSON, atomically."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    write_file(path, text.encode() + b"\n")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        MissingError: no such file.
        CorruptError: not a JSON object.
    """
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingError(f"there is no {path}") from error
    except ValueError as error:
        raise CorruptError(f"{path} is not readable JSON: {error}") from error
    if not isinstance(value, dict):
        raise CorruptError(f"{path} holds no JSON object")
    return value


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
    # A kill between creating a temporary file and renaming it leaves one of these behind.
    return all(entry.name.endswith(PARTIAL) for entry in directory.iterdir())


def check_free(directory: Path, artefact: str, request: Mapping[str, object]) -> bool:
    """Whether this very request is already whole there; raises if the place is taken.

    Writes nothing, so that it can be asked before any costly work.

    Raises:
        OccupiedError: the directory holds something else.
    """
    found = state(directory)
    if found == "absent":
        return False
    if found == "foreign":
        raise OccupiedError(
            f"{directory} already holds something that is not a Limbeck artefact; "
            "nothing was overwritten: choose another directory or empty this one"
        )
    _check_same(directory, artefact, request)
    return found == "whole"


def _check_same(directory: Path, artefact: str, request: Mapping[str, object]) -> None:
    held = read_json(directory / REQUEST)
    wanted = json.loads(canonical({"artefact": artefact, **request}))
    if held == wanted:
        return
    if held.get("artefact") != artefact:
        what = f"a {held.get('artefact')}, not a {artefact}"
    else:
        changed = sorted(k for k in held.keys() | wanted.keys() if held.get(k) != wanted.get(k))
        what = f"a {artefact} of another request (other {', '.join(changed)})"
    raise OccupiedError(
        f"{directory} already holds {what}; nothing was overwritten: "
        "choose another directory or remove this one"
    )


def begin(directory: Path, artefact: str, request: Mapping[str, object]) -> None:
    """Marks a directory as ours and clears what an interrupted write left behind."""
    if check_free(directory, artefact, request):
        return
    if not (directory / REQUEST).exists():
        write_json(directory / REQUEST, {"artefact": artefact, **request})
    for leftover in directory.rglob(f".*{PARTIAL}"):
        leftover.unlink(missing_ok=True)


def finish(directory: Path, artefact: str, body: Mapping[str, object]) -> None:
    """Writes the manifest, which makes the artefact whole."""
    write_json(directory / MANIFEST, {"format": FORMAT, "artefact": artefact, **body})


def read_manifest(directory: Path, artefact: str) -> dict[str, Any]:
    """The manifest of a whole artefact of that name.

    Raises:
        MissingError: there is none, or the job that makes it was interrupted.
        CorruptError: it is of another artefact or of a newer format.
    """
    if state(directory) == "begun":
        raise MissingError(
            f"{directory} is not whole: the job that makes it was interrupted; "
            "run the same command again to finish it"
        )
    if not (directory / MANIFEST).is_file():
        raise MissingError(f"there is no {artefact} in {directory}: it has no {MANIFEST}")
    manifest = read_json(directory / MANIFEST)
    if manifest.get("artefact") != artefact:
        raise CorruptError(f"{directory} holds a {manifest.get('artefact')}, not a {artefact}")
    if manifest.get("format") != FORMAT:
        raise CorruptError(
            f"{directory} has format {manifest.get('format')}; this Limbeck reads {FORMAT}"
        )
    return manifest


def file_entries(directory: Path, names: Iterable[str]) -> dict[str, dict[str, object]]:
    """Size and sha256 of files, for a manifest."""
    return {name: file_entry((directory / name).read_bytes()) for name in names}


def file_entry(content: bytes) -> dict[str, object]:
    """Size and sha256 of some bytes."""
    return {"bytes": len(content), "sha256": checksum(content)}


def read_checked(directory: Path, name: str, entry: Mapping[str, object]) -> bytes:
    """The bytes of a file, after comparing them with the manifest's entry for it.

    Raises:
        MissingError: the file is gone.
        CorruptError: it was truncated or altered.
    """
    path = directory / name
    if not path.is_file():
        raise MissingError(f"{path} is missing, though the manifest names it")
    content = path.read_bytes()
    if len(content) != entry["bytes"]:
        raise CorruptError(f"{path} has {len(content)} bytes, not {entry['bytes']}: truncated")
    if checksum(content) != entry["sha256"]:
        raise CorruptError(f"{path} was altered: its sha256 is not {entry['sha256']}")
    return content


def embedded(content: bytes) -> dict[str, Any]:
    """The JSON object under "limbeck" in the header of a safetensors file.

    Raises:
        CorruptError: there is no such header.
    """
    try:
        size = int.from_bytes(content[:8], "little")
        head = json.loads(content[8 : 8 + size])["__metadata__"]["limbeck"]
        return dict(json.loads(head))
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptError("the file has no readable header") from error


def provenance() -> dict[str, str]:
    """What makes an artefact now: versions, machine, commit and command, each as text.

    The keys are limbeck, torch, numpy, python (versions), machine, commit and command.
    """
    return {
        "limbeck": version("limbeck"),
        "torch": _version("torch"),
        "numpy": _version("numpy"),
        "python": platform.python_version(),
        "machine": machine(),
        "commit": commit(),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def machine() -> str:
    """The processor, its logical cores, the operating system and the GPU if any, in words."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{model}, {os.cpu_count()} cores, {platform.system()}{gpu}"


def commit() -> str:
    """The commit of the Limbeck checkout that runs, "+" if changed; "" for an installed wheel."""
    here = Path(__file__).parent
    if "site-packages" in here.parts:
        return ""
    try:
        head = _git(here, "rev-parse", "--short=12", "HEAD")
        changed = _git(here, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head + ("+" if changed else "")


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def read_document(
    directory: Path, artefact: str, name: str, needed: Sequence[str], number: int = 1
) -> dict[str, Any]:
    """The JSON document of an artefact, with all the parts that are needed of it.

    Raises:
        MissingError: there is none, or it is not whole.
        CorruptError: it is damaged, of another format than `number`, or lacks a part.
    """
    manifest = read_manifest(directory, artefact)
    read_checked(directory, name, manifest["files"][name])
    document = read_json(directory / name)
    if (found := document.get("format", "none")) != number:
        raise CorruptError(f"{directory / name} has format {found}; this Limbeck reads {number}")
    lacking = [key for key in needed if key not in document]
    if lacking:
        raise CorruptError(f"{directory / name} is no {artefact}: it lacks {', '.join(lacking)}")
    return document
