"""Artifacts: directories with request and manifest, durable files, checksums, provenance.

Files:
    _directories: Artifacts: directories with a request, written first, and a manifest, written
        last.
    _documents: Documents of rows that are artifacts of their own: JSON is the truth, Markdown a
        view of it.
    _files: Files that a crash leaves whole or absent, JSON of one text, and checksums.
    _provenance: What made an artifact: versions, machine, commit and command.
    _records: Records: what a manifest holds, as a typed value that is checked when it is read.
"""

from limbeck.artifacts._directories import (
    FORMAT,
    MANIFEST,
    REQUEST,
    Writing,
    check_free,
    read_manifest,
    state,
    without_heading,
    writing,
)
from limbeck.artifacts._documents import Documented, DocumentRecord, Form
from limbeck.artifacts._files import (
    cache_of,
    checksum,
    embedded,
    file_entries,
    file_entry,
    fingerprint,
    read_checked,
    read_json,
    write_file,
    write_json,
)
from limbeck.artifacts._provenance import provenance
from limbeck.artifacts._records import (
    ExamplesEntry,
    FileEntry,
    NamedFileEntry,
    read_record,
    record_of,
)

__all__ = [
    "FORMAT",
    "MANIFEST",
    "REQUEST",
    "DocumentRecord",
    "Documented",
    "ExamplesEntry",
    "FileEntry",
    "Form",
    "NamedFileEntry",
    "Writing",
    "cache_of",
    "check_free",
    "checksum",
    "embedded",
    "file_entries",
    "file_entry",
    "fingerprint",
    "provenance",
    "read_checked",
    "read_json",
    "read_manifest",
    "read_record",
    "record_of",
    "state",
    "without_heading",
    "write_file",
    "write_json",
    "writing",
]
