"""Lists the experiments with their cost and last result: `python -m experiments`."""

import importlib

from experiments import results


def listing() -> str:
    """Three lines an experiment: what it asks, what it costs, what was found last."""
    parts = []
    for folder in results.folders():
        module = ".".join(folder.relative_to(results.HERE.parent).parts)
        experiment = importlib.import_module(f"{module}.__main__").EXPERIMENT
        large = f"; --large: {experiment.large_cost}" if experiment.large_cost else ""
        lines = [
            f"{experiment.name}  {experiment.claim}",
            f"    cost: {experiment.cost}{large}",
            f"    last: {_last(results.result(folder))}",
        ]
        parts.append("\n".join(lines))
    how = "Run one: make experiment NAME=hinton2015/mnist (OPTIONS=--smoke for seconds)"
    return "\n\n".join([*parts, how])


def _last(found: dict) -> str:
    if not found:
        return "not run yet"
    names = found["more"]["headline"]
    numbers = ", ".join(f"{name} {results.shown(name, found['ours'][name])}" for name in names)
    holds = {True: "holds", False: "does not hold"}.get(found["holds"], "undecided")
    return f"{holds}; {numbers}; {found['seconds'] / 60:.0f} minutes, commit {found['commit']}"


if __name__ == "__main__":
    print(listing())
