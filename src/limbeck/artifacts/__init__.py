"""Artifacts: directories with request and manifest, durable files, checksums, provenance.

Files:
    _directories: Artifacts: directories with a request, written first, and a manifest, written
        last.
    _documents: Documents of rows that are artifacts of their own: JSON is the truth, Markdown a
        view of it.
    _files: Files that a crash leaves whole or absent, JSON of one text, and checksums.
    _locks: Locks: one process at a time writes an artifact, and says who it is.
    _provenance: What made an artifact: versions, machine, commit and command.
    _records: Records: what a manifest holds, as a typed value that is checked when it is read.
    _spelling: The names that 0.1 stored, read as those of torch and scikit-learn, which are stored
        since.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
