"""The results of all experiments, and the README's table of them.

`python -m experiments.results` prints the table and writes it into the README.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BEGIN, END = "<!-- the experiments' table -->", "<!-- its end -->"
LARGE = "-large"  # how the names of a large run's files end
HOLDS = {True: "yes", False: "**no**", "undecided": "undecided"}


def folders() -> list[Path]:
    """The folder of each experiment."""
    return sorted(file.parent for file in HERE.glob("*/*/__main__.py"))


def result(folder: Path, ending: str = "") -> dict[str, Any]:
    """What its last full run found, or its last large one; empty before the first one."""
    file = folder / f"result{ending}.json"
    return json.loads(file.read_text()) if file.exists() else {}


def found() -> dict[tuple[Path, str], dict[str, Any]]:
    """The results that there are, by folder and ending."""
    all_of_them = {
        (folder, ending): result(folder, ending) for folder in folders() for ending in ("", LARGE)
    }
    return {place: one for place, one in all_of_them.items() if one}


def table() -> str:
    """Claim, paper, ours, holds: one line an experiment that has been run."""
    lines = [
        "| experiment | claim | paper | ours, 95 % interval | holds |",
        "|---|---|---|---|---|",
    ]
    return "\n".join(lines + [_line(*place, one) for place, one in found().items()])


def _line(folder: Path, ending: str, one: Mapping[str, Any]) -> str:
    name = folder.relative_to(HERE).as_posix()
    names = one["more"]["headline"]
    paper = [f"{_words(n)} {one['paper'][n]}" for n in names if n in one["paper"]]
    ours = [f"{_words(n)} {shown(n, one['ours'][n])}" for n in names]
    cells = [
        f"[{name}{ending.replace('-', ', ')}](experiments/{name}/README.md)",
        one["claim"],
        "; ".join(paper) or one["paper"].get("says", "-"),
        "; ".join(ours),
        HOLDS[one["holds"]],
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
