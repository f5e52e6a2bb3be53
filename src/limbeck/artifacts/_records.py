"""Records: what a manifest holds, as a typed value that is checked when it is read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from typing import Any, TypedDict, TypeVar, get_args, get_origin, get_type_hints, is_typeddict

from limbeck.artifacts._directories import MANIFEST, read_manifest
from limbeck.errors import CorruptError

R = TypeVar("R")


class FileEntry(TypedDict):
    """What a manifest says of a file."""

    bytes: int
    sha256: str


class NamedFileEntry(FileEntry):
    """The same, where the entry itself names the file, as a path below the directory."""

    file: str


class ExamplesEntry(TypedDict):
    """What a manifest says of examples; `source` is empty for those that were in memory."""

    name: str
    source: str
    fingerprint: str
    n: int


def read_record(record: type[R], directory: Path, kind: str) -> R:
    """The record of that type in the manifest of a whole artifact.

    Raises:
        MissingError, CorruptError: as `read_manifest` and `record_of`.
    """
    return record_of(record, read_manifest(directory, kind), directory / MANIFEST)


def record_of(record: type[R], manifest: Mapping[str, Any], file: Path) -> R:
    """The record of that type in a manifest, which may hold more.

    `record` is a frozen dataclass with a field for each entry that is read. One with a default may
    be absent: earlier versions did not write it. A field that is a `TypedDict`, or a mapping or
    sequence of them, has its own keys checked. `file` is what an error names.

    Raises:
        CorruptError: the manifest lacks an entry.
    """
    if missing := lacking(record, manifest):
        raise CorruptError(f"{file} lacks {', '.join(missing)}")
    names = [field.name for field in fields(record)]  # type: ignore[arg-type]  # a dataclass
    return record(**{name: manifest[name] for name in names if name in manifest})


def lacking(record: type, manifest: Mapping[str, Any]) -> list[str]:
    """The entries without which there is no record of that type, each with the way to it."""
    missing: list[str] = []
    for field in fields(record):
        if field.name in manifest:
            hint = _hints(record)[field.name]
            missing += _lacking(hint, manifest[field.name], field.name)
        elif field.default is MISSING and field.default_factory is MISSING:
            missing.append(field.name)
    return missing


def _lacking(hint: Any, value: Any, path: str) -> Iterator[str]:
    for key, of_key, item in _items(hint, value):
        if item is MISSING:
            yield f"{path}.{key}"
        else:
            yield from _lacking(of_key, item, f"{path}.{key}")


def _items(hint: Any, value: Any) -> Iterator[tuple[object, Any, Any]]:
    """Key, type and value of what lies in a value; MISSING for what its type demands in vain."""
    if is_typeddict(hint):
        entries = value if isinstance(value, dict) else {}
        for key, of_key in _hints(hint).items():
            if key in entries or key in hint.__required_keys__:
                yield key, of_key, entries.get(key, MISSING)
    elif get_origin(hint) is Mapping and isinstance(value, dict):
        yield from ((key, get_args(hint)[1], item) for key, item in value.items())
    elif get_origin(hint) is Sequence and isinstance(value, list):
        yield from ((at, get_args(hint)[0], item) for at, item in enumerate(value))


@cache  # a score set has an entry of the same type for each of its files
def _hints(of: type) -> dict[str, Any]:
    return get_type_hints(of)
