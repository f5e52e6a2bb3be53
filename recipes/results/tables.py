"""Prints the README's tables from the reports beside this file."""

import json
from pathlib import Path

HERE = Path(__file__).parent
ROWS = {
    "teacher": "teacher",
    "student": "**student**",
    "control": "control (labels, same views and steps)",
    "plain": "plain net (labels, no views)",
}


def interval(found: dict, digits: int, scale: float = 1.0) -> str:
    """`56.0 (44.0 to 71.3)`."""
    mean, low, high = (f"{scale * found[end]:.{digits}f}" for end in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def line(row: dict) -> str:
    """One model's line of the table."""
    measured = row["metrics"]
    cells = [
        ROWS[row["name"]],
        interval(measured["errors"], 1),
        interval(measured["accuracy"], 2, 100),
        interval(measured["agreement"], 2, 100),
        interval(measured["kl_nats"], 4),
        f"{row['parameters']:,}",
        f"{row['operations']:,}",
    ]
    return "| " + " | ".join(cells) + " |"


def table(name: str) -> str:
    """The table of a recipe's report, its verdict, and what made it."""
    report = json.loads((HERE / f"{name}.json").read_text())
    verdict, made = report["verdict"], report["provenance"]
    points = {end: 100 * verdict[end] for end in ("difference", "low", "high")}
    lines = [
        f"| | errors of {report['examples']['n']:,} | accuracy, % | agreement with teacher, % "
        "| KL from teacher, nats | parameters | multiply-adds |",
        "|---|--:|--:|--:|--:|--:|--:|",
        *[
            line(row)
            for row in sorted(report["rows"], key=lambda row: list(ROWS).index(row["name"]))
        ],
        "",
        f"Did distillation help? **{verdict['answer'].capitalize()}**: student minus control "
        f"{points['difference']:+.2f} points ({points['low']:+.2f} to {points['high']:+.2f}), "
        "paired over examples and seeds.",
        "",
        f"n = {report['examples']['n']:,} test examples; {len(report['seeds'])} seeds of student "
        "and control; means with 95 % intervals over examples and seeds; "
        f"{made['seconds']:.0f} s of scoring, training and evaluating on {made['machine']}; "
        f"Limbeck {made['limbeck']}, torch {made['torch']}, commit {made['commit']}; "
        f"`limbeck run recipes/{name}.toml`.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    for file in sorted(HERE.glob("*.json")):
        print(table(file.stem), end="\n\n")
