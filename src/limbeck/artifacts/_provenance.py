"""What made an artifact: versions, machine, commit and command."""

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def provenance() -> dict[str, str]:
    """What makes an artifact now: versions, machine, commit and command, each as text.

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
    return f"{model}, {os.cpu_count()} cores, {platform.system()}{_gpu()}"


def _gpu() -> str:
    # Nothing was computed on a GPU by a process that never loaded torch, and this package never
    # does: a file that answers without torch is read through it.
    torch = sys.modules.get("torch")
    is_there = torch is not None and torch.cuda.is_available()
    return f", {torch.cuda.get_device_name()}" if torch is not None and is_there else ""


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
