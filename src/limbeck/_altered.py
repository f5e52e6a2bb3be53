"""A run's nets copied into another run, the students' stored weights changed on the way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from limbeck import _manifest, runs
from limbeck.runs import Run

Change = Callable[[int, bytes], bytes]
"""A student's seed and stored weights to other stored weights."""


def altered_nets(run: Run, to: Path, change: Change) -> dict[str, dict[str, Any]]:
    """Writes every net of the run and its history below `to`; what a manifest says of them.

    Controls are copied as they are.

    Raises:
        CorruptError: a file is not what the run's manifest says.
    """
    nets: dict[str, dict[str, Any]] = {}
    for role, of_role in run.manifest["nets"].items():
        for seed, entry in of_role.items():
            content = _manifest.read_checked(run.directory, entry["file"], entry)
            if role == "student":
                content = change(int(seed), content)
            history = Path(entry["file"]).parent / runs.HISTORY
            _manifest.write_file(to / history, (run.directory / history).read_bytes())
            _manifest.write_file(to / entry["file"], content)
            nets.setdefault(role, {})[seed] = {**entry, **_manifest.file_entry(content)}
    return nets
