"""A terminal for tests: what a command writes to it, and what somebody sees there in the end."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from dataclasses import dataclass
from pathlib import Path

COLUMNS, LINES = 120, 40
PLAIN = {"PATH", "HOME", "PYTHONPATH", "OMP_NUM_THREADS", "LIMBECK_DATA"}  # no FORCE_COLOR or so
SEQUENCE = re.compile(r"\x1b\[\??([\d;]*)([A-Za-z])")


@dataclass(frozen=True)
class Shown:
    """What came out of a command that ran in a terminal.

    Attributes:
        status: the command's.
        written: everything that it wrote, with the control sequences.
    """

    status: int
    written: str

    @property
    def has_cursor(self) -> bool:
        """Whether the cursor is to be seen in the end."""
        return self.written.rfind("\x1b[?25l") <= self.written.rfind("\x1b[?25h")

    @property
    def screen(self) -> str:
        """What stands there in the end, without the empty lines below."""
        lines, row, column = [""], 0, 0
        for part in re.split(r"(\x1b\[\??[\d;]*[A-Za-z]|\r|\n)", self.written):
            sequence = SEQUENCE.fullmatch(part)
            if part == "\r":
                column = 0
            elif part == "\n":
                row += 1
                lines += [""] * (row + 1 - len(lines))
            elif sequence and sequence[2] == "A":
                row -= int(sequence[1] or 1)
            elif sequence and sequence[2] == "K":
                lines[row] = ""
            elif not sequence:
                kept = lines[row].ljust(column)
                lines[row] = kept[:column] + part + kept[column + len(part) :]
                column += len(part)
        return "\n".join(lines).rstrip()


def in_terminal(command: list[str], folder: Path) -> Shown:
    """Runs a command whose input, output and errors are all one terminal."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name in PLAIN}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=kept | {"TERM": "xterm-256color"},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    written = _all_of(ours)
    return Shown(process.wait(), written)


def _all_of(terminal: int) -> str:
    parts = []
    with open(terminal, "rb", buffering=0) as reading:
        while part := _next(reading.fileno()):
            parts.append(part)
    return b"".join(parts).decode()


def _next(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # so Linux says that nobody has the other end open any more
        return b""
