"""The results of all experiments, and the README's table of them.

`python -m experiments.results` prints the table and writes it into the README.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BEGIN, END = "<!-- the experiments' table -->", "<!-- its end -->"
HOLDS = {True: "yes", False: "**no**", "undecided": "undecided"}


def folders() -> list[Path]:
    """The folder of each experiment."""
    return sorted(file.parent for file in HERE.glob("*/*/__main__.py"))


def result(folder: Path) -> dict[str, Any]:
    """What its last full run found; empty before the first one."""
    file = folder / "result.json"
    return json.loads(file.read_text()) if file.exists() else {}


def table() -> str:
    """Claim, paper, ours, holds: one line an experiment that has been run."""
    lines = [
        "| experiment | claim | paper | ours, 95 % interval | holds |",
        "|---|---|---|---|---|",
    ]
    found = {folder: result(folder) for folder in folders()}
    return "\n".join(lines + [_line(folder, one) for folder, one in found.items() if one])


def _line(folder: Path, found: Mapping[str, Any]) -> str:
    name = folder.relative_to(HERE).as_posix()
    names = found["more"]["headline"]
    paper = [f"{_words(n)} {found['paper'][n]}" for n in names if n in found["paper"]]
    ours = [f"{_words(n)} {shown(n, found['ours'][n])}" for n in names]
    cells = [
        f"[{name}](experiments/{name}/README.md)",
        found["claim"],
        "; ".join(paper) or found["paper"].get("says", "-"),
        "; ".join(ours),
        HOLDS[found["holds"]],
    ]
    return "| " + " | ".join(cells) + " |"


def _words(name: str) -> str:
    return name.replace("_", " ")


def shown(name: str, entry: Mapping[str, Any]) -> str:
    """`72.4 (60.1 to 84.7)`, with the decimals that suit the name's unit."""
    ends = ["?" if entry[end] is None else number(name, entry[end]) for end in ("low", "high")]
    return f"{number(name, entry['mean'])} ({ends[0]} to {ends[1]})"


def number(name: str, value: float) -> str:
    """A number of errors with one decimal, a ratio or bytes with none, a fraction with four."""
    if name.endswith(("ratio", "bytes")):
        return f"{value:,.0f}"
    return f"{value:.1f}" if "errors" in name else f"{value:.4f}"


def write(readme: Path) -> None:
    """Puts the table into the README, between its two comments."""
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}")


if __name__ == "__main__":
    write(HERE.parent / "README.md")
    print(table())
