"""What every experiment shares: its options, its numbers, its result, its figure.

An experiment is a folder `experiments/<paper>/<claim>/` whose `__main__.py` ends with

    EXPERIMENT = Experiment(
        Path(__file__).parent, claim=..., paper=..., cost=..., work=..., draw=...
    )

    if __name__ == "__main__":
        main(EXPERIMENT)

`work` gets a `Setting` and gives an `Outcome`; `draw` makes a figure of a result alone. A full run
writes `result.json` and `figure.svg` beside the script, a `--large` run `result-large.json` and
`figure-large.svg`; a `--smoke` run, and one with `--to`, writes them where its artifacts lie.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from scipy import stats

import limbeck
from experiments.results import LARGE, shown
from limbeck import metrics, teachers
from limbeck.artifacts import provenance

FORMAT = 1
HERE = Path(__file__).parent
BUILD = HERE.parent / "build" / "experiments"
SMOKE_EXAMPLES = {"train": 600, "test": 300}
NOBODY = np.zeros((0, 0))  # the reference of a metric that has none

Entry = dict[str, Any]
"""One number of `ours`: mean, low, high, n and the n values, one a seed."""


@dataclass(frozen=True)
class Setting:
    """How large a run is, and where its resumable artifacts lie.

    Attributes:
        name: the claim's folder, such as `mnist`.
        root: where the artifacts of all experiments of this size lie.
        place: where this one's lie.
        size: "smoke" for seconds, "full" for the size of the README, "large" beyond it.
    """

    name: str
    root: Path
    place: Path
    size: Literal["smoke", "full", "large"] = "full"

    @property
    def smoke(self) -> bool:
        """Whether this only shows that the script runs."""
        return self.size == "smoke"

    @property
    def large(self) -> bool:
        """Whether this is the larger size."""
        return self.size == "large"

    def pick(self, full: Any, smoke: Any, large: Any = None) -> Any:
        """The value for this size; without a larger one, the full one."""
        sizes = {"smoke": smoke, "full": full, "large": full if large is None else large}
        return sizes[self.size]

    def of(self, name: str) -> Path:
        """Where another experiment's artifacts of this size lie, so that both can use them."""
        return self.place if name == self.name else self.root / (name + "-smoke" * self.smoke)

    def examples(self, source: str) -> limbeck.Examples:
        """A known set such as `mnist:train`; in a smoke run the first few of it."""
        return _examples(source, self.smoke)

    def plan(self, plan: limbeck.Plan) -> limbeck.Plan:
        """The plan; in a smoke run two epochs of it, in float32.

        A processor without instructions for bfloat16 takes several times as long in it.
        """
        few = replace(plan, epochs=min(plan.epochs, 2), precision="float32")
        return few if self.smoke else plan


@cache
def _examples(source: str, is_smoke: bool) -> limbeck.Examples:
    examples = limbeck.read(source)
    if not is_smoke:
        return examples
    return examples.take(np.arange(SMOKE_EXAMPLES[source.partition(":")[2]]))


@dataclass(frozen=True)
class Outcome:
    """What an experiment found.

    Attributes:
        ours: the numbers by name; fractions of one, unless the name ends in `errors`.
        holds: whether the claim does, by a rule that was fixed beforehand.
        seeds: how many of the small nets were trained.
        headline: the names that the tables show; without them those the paper has too.
        more: further tables and curves, as JSON.
    """

    ours: Mapping[str, Entry]
    holds: bool | Literal["undecided"]
    seeds: int
    headline: Sequence[str] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """A claim of a paper and how to measure it.

    Attributes:
        folder: where the script lies.
        claim: one sentence that can be true or false.
        paper: the paper's numbers, by the names of ours where they are the same, and `where`.
        cost: what a full run takes, such as "40 minutes on two cores".
        work: measures it.
        draw: the figure of a result (the content of `result.json`).
        large_cost: what the larger size takes; empty where there is none.
    """

    folder: Path
    claim: str
    paper: Mapping[str, Any]
    cost: str
    work: Callable[[Setting], Outcome]
    draw: Callable[[Mapping[str, Any]], Figure]
    large_cost: str = ""

    @property
    def name(self) -> str:
        """The folder below `experiments/`, such as `hinton2015/mnist`."""
        return self.folder.resolve().relative_to(HERE.resolve()).as_posix()


def main(experiment: Experiment, arguments: Sequence[str] | None = None) -> None:
    """Runs it as its options say, writes result and figure, and prints them."""
    options = _options(experiment).parse_args(arguments)
    setting = _setting(experiment, options)
    with _clock(setting.place):
        outcome = experiment.work(setting)
    result = _result(experiment, setting, outcome, options)
    is_published = options.to is None and not setting.smoke
    folder = experiment.folder if is_published else setting.place
    file = published(experiment, result, folder, ending=LARGE * setting.large)
    print(json.dumps(result, indent=1) if options.json else _summary(result, file))


def _options(experiment: Experiment) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_command(experiment), description=f"{experiment.claim} Takes {experiment.cost}."
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--smoke", action="store_true", help="run all of it, tiny, in seconds")
    if experiment.large_cost:
        size.add_argument("--large", action="store_true", help=f"{experiment.large_cost}")
    parser.add_argument("--to", type=Path, help="where artifacts, result and figure go")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _setting(experiment: Experiment, options: argparse.Namespace) -> Setting:
    is_large = getattr(options, "large", False)
    size = "smoke" if options.smoke else "large" if is_large else "full"
    paper, claim = experiment.name.split("/")
    root = options.to or BUILD / paper
    place = options.to or root / (claim + f"-{size}" * (size != "full"))
    return Setting(claim, root, place, size)


def published(
    experiment: Experiment, result: Mapping[str, Any], folder: Path, *, ending: str = ""
) -> Path:
    """Writes `result.json` and `figure.svg` into the folder, their names with that ending."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False)
    file = folder / f"result{ending}.json"
    file.write_text(text + "\n")
    # The salt and the missing date make the same result the same file.
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": experiment.name}):
        figure = experiment.draw(result)
        figure.savefig(folder / f"figure{ending}.svg", metadata={"Date": None})
    return file


@contextmanager
def _clock(place: Path) -> Iterator[None]:
    """Adds this call's seconds to those of earlier calls in the same place."""
    began = time.monotonic()
    try:
        yield
    finally:
        place.mkdir(parents=True, exist_ok=True)
        log = place / "seconds.json"
        calls = json.loads(log.read_text()) if log.exists() else []
        log.write_text(json.dumps([*calls, round(time.monotonic() - began, 1)]))


def seconds(place: Path) -> float:
    """The time it took: of all calls, or of the artifacts there if that is more.

    A call that was killed logs nothing, but the artifacts it had finished keep their time.
    """
    calls = sum(json.loads((place / "seconds.json").read_text()))
    manifests = [json.loads(file.read_text()) for file in place.rglob("manifest.json")]
    return round(max(calls, sum(manifest.get("seconds", 0.0) for manifest in manifests)), 1)


def _result(
    experiment: Experiment, setting: Setting, outcome: Outcome, options: argparse.Namespace
) -> dict[str, Any]:
    made = provenance()
    shared = [name for name in outcome.ours if name in experiment.paper]
    headline = list(outcome.headline) or shared or list(outcome.ours)[:3]
    return {
        "format": FORMAT,
        "claim": experiment.claim,
        "paper": dict(experiment.paper),
        "ours": dict(outcome.ours),
        "holds": outcome.holds,
        "seeds": outcome.seeds,
        "seconds": seconds(setting.place),
        "machine": made["machine"],
        "versions": {name: made[name] for name in ("limbeck", "torch", "numpy", "python")},
        "commit": made["commit"],
        "command": _command(experiment) + f" --{setting.size}" * (setting.size != "full"),
        "more": {"headline": headline, **outcome.more},
    }


def _command(experiment: Experiment) -> str:
    return f"python -m experiments.{experiment.name.replace('/', '.')}"


def _summary(result: Mapping[str, Any], file: Path) -> str:
    lines = [f"{name:32} {shown(name, entry)}" for name, entry in result["ours"].items()]
    holds = {True: "holds", False: "does not hold"}.get(result["holds"], "undecided")
    return "\n".join([result["claim"], *lines, f"{holds}; {file}"])


def answers(model: limbeck.Run | teachers.Teacher, examples: limbeck.Examples) -> np.ndarray:
    """What a run's seeds or a teacher say of plain examples, `(seeds, examples, classes)`."""
    if isinstance(model, limbeck.Run):
        asked = [teachers.run(model, seed) for seed in model.seeds]
    else:
        asked = [model]
    return np.stack([_answers(teacher, examples) for teacher in asked])


def _answers(teacher: teachers.Teacher, examples: limbeck.Examples, batch: int = 500) -> np.ndarray:
    parts = [
        teacher.ask(
            examples.inputs[start : start + batch],
            examples.keys[start : start + batch],
            teacher.name,
        )
        for start in range(0, len(examples), batch)
    ]
    return np.concatenate(parts)


def entry_of(
    metric: str, logits: np.ndarray, labels: np.ndarray, reference: np.ndarray = NOBODY
) -> Entry:
    """A metric of `limbeck.metrics.STANDARD`, with an interval over examples and seeds.

    Logits are `(seeds, examples, classes)`; with one seed the interval is over examples alone.
    """
    measured = metrics.STANDARD[metric]
    whole = metrics.measure(measured, logits, labels, reference)
    each = [metrics.measure(measured, one[None], labels, reference) for one in logits]
    if whole is None or None in each:
        raise ValueError(f"{metric} cannot be measured on these {len(labels)} examples")
    # Errors are n times a share: what rounding leaves behind a whole number is cut off.
    values = [round(estimate.mean, 9) for estimate in each if estimate is not None]
    return {**whole.to_json(), "n": len(values), "values": values}


def entry(values: Sequence[float] | np.ndarray) -> Entry:
    """One value a seed, with a t interval over seeds; a single value has no interval (null)."""
    numbers = [float(value) for value in values]
    mean, n = float(np.mean(numbers)), len(numbers)
    if n == 1:
        return {"mean": mean, "low": None, "high": None, "n": 1, "values": numbers}
    half = float(stats.t.ppf(0.975, n - 1) * np.std(numbers, ddof=1) / np.sqrt(n))
    return {"mean": mean, "low": mean - half, "high": mean + half, "n": n, "values": numbers}


def one_less(given: Entry) -> Entry:
    """One minus it: the error rate of an accuracy."""
    ends = {"mean": 1 - given["mean"], "low": 1 - given["high"], "high": 1 - given["low"]}
    return {**ends, "n": given["n"], "values": [1 - value for value in given["values"]]}


# --- figures: one style, small files -----------------------------------------------------------

OURS, CONTROL, PAPER, TEACHER = "#1f5fa8", "#8a8a8a", "#c2452d", "#2b8a57"
STYLE = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "svg.fonttype": "none",
}


def chart(title: str, across: str, up: str, *, size: tuple[float, float] = (6.0, 3.6)) -> Figure:
    """An empty figure of one panel, `figure.axes[0]`, with its title and the axes' names."""
    figure = Figure(figsize=size)
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=across, ylabel=up)
    return figure


def bars(result: Mapping[str, Any], names: Mapping[str, str], title: str, up: str) -> Figure:
    """Our numbers as points with intervals and single seeds; the paper's as red lines.

    `names` says what each of `ours` is called under its place.
    """
    figure = chart(title, "", up)
    axes = figure.axes[0]
    for at, name in enumerate(names):
        found = result["ours"][name]
        point(axes, at, found, color=OURS, label="ours, 95 % interval")
        jitter = np.linspace(-0.12, 0.12, found["n"]) if found["n"] > 1 else [0.12]
        axes.plot(at + np.asarray(jitter), found["values"], ".", color=OURS, alpha=0.35)
        if isinstance(result["paper"].get(name), int | float):
            axes.hlines(result["paper"][name], at - 0.3, at + 0.3, color=PAPER, label="the paper")
    axes.set_xticks(range(len(names)), list(names.values()))
    legend(axes)
    return figure


def gaps(compared: Mapping[str, Any], baseline: str, against: str, height: float) -> Figure:
    """Each method's accuracy less the baseline's, with intervals that hold together.

    `compared` is the document of `limbeck.compare`; `against` is what the axis calls the baseline.
    """
    rows = [row for row in reversed(compared["rows"]) if baseline in row["against"]]
    title = f"Tuned alike, {compared['comparisons']} comparisons at once"
    figure = chart(title, f"accuracy less that of {against}, points", "", size=(6.0, height))
    axes = figure.axes[0]
    for at, row in enumerate(rows):
        gap = {key: 100 * row["against"][baseline][key] for key in ("difference", "low", "high")}
        reach = [[gap["difference"] - gap["low"]], [gap["high"] - gap["difference"]]]
        axes.errorbar([gap["difference"]], [at], xerr=reach, fmt="o", capsize=3, color=OURS)
    axes.axvline(0, color=CONTROL)
    axes.set_yticks(range(len(rows)), [row["name"].replace("_", " ") for row in rows])
    return figure


def point(axes: Any, at: float, found: Mapping[str, Any], **how: Any) -> None:
    """A mean with its interval."""
    low = found["mean"] if found["low"] is None else found["low"]
    high = found["mean"] if found["high"] is None else found["high"]
    reach = [[found["mean"] - low], [high - found["mean"]]]
    axes.errorbar([at], [found["mean"]], yerr=reach, fmt="o", capsize=3, **how)


def curve(axes: Any, at: Sequence[float], found: Sequence[Mapping[str, Any]], **how: Any) -> None:
    """Means over a number, joined, with their intervals as a band; a single one as a point."""
    if len(at) == 1:
        point(axes, at[0], found[0], **{**how, "linestyle": "none"})
        return
    low = [f["mean"] if f["low"] is None else f["low"] for f in found]
    high = [f["mean"] if f["high"] is None else f["high"] for f in found]
    axes.plot(at, [f["mean"] for f in found], marker=".", **how)
    axes.fill_between(at, low, high, color=how.get("color"), alpha=0.15, linewidth=0)


def level(axes: Any, found: Mapping[str, Any], **how: Any) -> None:
    """A mean as a line across the panel, with its interval as a band."""
    axes.axhline(found["mean"], linestyle="--", **how)
    if found["low"] is not None:
        axes.axhspan(found["low"], found["high"], color=how.get("color"), alpha=0.1, linewidth=0)


def legend(axes: Any, *, is_beside: bool = False) -> None:
    """The legend, each label once; beside the axes where they are full."""
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    where = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)} if is_beside else {}
    if once:
        axes.legend(once.values(), once.keys(), **where)
