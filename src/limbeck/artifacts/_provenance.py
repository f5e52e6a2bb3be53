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
    """The processor, what its numbers depend on, the operating system and the GPU if any, in words.

    Sums are rounded by the order of their terms, which the widest instructions and the threads
    that torch computes with decide.
    """
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    parts = [model, f"{os.cpu_count()} cores", *_instructions(), *_threads(), platform.system()]
    return f"{', '.join(parts)}{_gpu()}"


def _instructions() -> list[str]:
    """The widest instructions that the processor has; none where the system does not say."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.is_file() else ""
    widths = {"avx512f": "AVX-512", "avx2": "AVX2", "asimd": "NEON"}
    return [name for flag, name in widths.items() if f" {flag} " in text][:1]


def _threads() -> list[str]:
    torch = sys.modules.get("torch")
    count = torch.get_num_threads() if torch is not None else 0
    return [f"{count} {'thread' if count == 1 else 'threads'}"] * bool(count)


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
