"""Files that a crash leaves whole or absent, JSON of one text, and checksums."""

import errno
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from limbeck.artifacts._spelling import respelt
from limbeck.errors import CorruptError, MissingError, StorageError

IS_WINDOWS = sys.platform == "win32"  # which cannot rename or remove a file that is open
if not IS_WINDOWS:
    import fcntl

PARTIAL = ".partial"  # the ending of a file that is still being written

DIGEST = "digest"  # the key of a JSON object's own

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
    # The new content is on the disk before the name points to it, and the name is on the disk
    # before anyone is told: without the two syncs a power cut can leave an empty file by that name.
    handle, name = _temporary(path)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
            os.chmod(name, 0o644)
            if not IS_WINDOWS:  # still locked, so that nobody sweeps it
                os.replace(name, path)
        if IS_WINDOWS:
            os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _temporary(path: Path) -> tuple[int, str]:
    """A new file beside that path, locked while it is open: see `sweep`."""
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PARTIAL)
        if not IS_WINDOWS:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:  # else it was swept before it was locked
            return handle, name
        os.close(handle)


def sweep(directory: Path, names: str = "**/.*") -> None:
    """Removes the files that an interrupted write left behind, and none that is being written."""
    for leftover in directory.glob(f"{names}{PARTIAL}"):
        lock = FileLock(leftover, timeout=0, is_singleton=False)
        with suppress(OSError, Timeout), lock:
            leftover.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    # Windows cannot open a folder, and does not need to.
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes an object as readable JSON, atomically, with a digest of what it holds."""
    plain = json.loads(json.dumps(value, ensure_ascii=False, allow_nan=False))
    text = json.dumps({**plain, DIGEST: fingerprint(plain)}, indent=1, ensure_ascii=False)
    write_file(path, text.encode() + b"\n")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file, without its digest; one that 0.1 wrote has today's names.

    Raises:
        MissingError: no such file.
        CorruptError: not a JSON object, or its digest does not hold. One of 0.1 has none.
    """
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingError(f"there is no {path}") from error
    except (ValueError, RecursionError) as error:
        raise CorruptError(f"{path} is not readable JSON: {error}") from error
    if not isinstance(value, dict):
        raise CorruptError(f"{path} holds no JSON object")
    if not _is_as_written(value):
        raise CorruptError(f"{path} was altered: it does not hold what its digest is of")
    return dict(respelt(_without(value, DIGEST)))


def _is_as_written(value: Mapping[str, Any]) -> bool:
    if DIGEST in value:
        return bool(value[DIGEST] == fingerprint(_without(value, DIGEST)))
    # 0.1 wrote no digests. An entry that is the digest of the others has only lost its name.
    words = [name for name, entry in value.items() if isinstance(entry, str) and len(entry) == 16]
    return not any(value[name] == fingerprint(_without(value, name)) for name in words)


def _without(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: entry for key, entry in value.items() if key != name}


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
    """The JSON object under "limbeck" in the header of a safetensors file, with today's names.

    Raises:
        CorruptError: there is no such header.
    """
    try:
        size = int.from_bytes(content[:8], "little")
        head = json.loads(content[8 : 8 + size])["__metadata__"]["limbeck"]
        return dict(respelt(json.loads(head)))
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptError("the file has no readable header") from error


def cache_of(name: str) -> Path:
    """The folder in which a set of that name is kept."""
    return Path(os.environ.get("LIMBECK_CACHE") or Path.home() / ".cache" / "limbeck") / name
