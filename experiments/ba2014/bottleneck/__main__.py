"""Does a linear bottleneck make a wide net learn sooner, in steps and in seconds?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.figure import Figure

import limbeck
from experiments import harness
from experiments.ba2014.shared import fashion_scores
from experiments.harness import Entry, Experiment, Outcome, Setting
from limbeck import objectives, students

MATCH = objectives.MatchLogits("centered")
NETS = {
    "direct": students.shallow(8000),
    "bottleneck": students.shallow(8000, bottleneck=250),
}
SMOKE_NETS = {"direct": students.shallow(60), "bottleneck": students.shallow(60, bottleneck=8)}
# A constant rate, so that where a curve stands does not hang on how long it goes on.
ADAMW = limbeck.Plan(
    epochs=10,
    batch=512,
    schedule="constant",
    warmup=0.02,
    precision="bfloat16",
    held_out=1 / 12,
)
PLANS = {
    "adamw": ADAMW,
    "sgd": replace(ADAMW, optimizer="sgd", clip_norm=10.0),  # the paper's
}
RATES = {"adamw": (1e-4, 3e-4, 1e-3), "sgd": (1e-4, 3e-4, 1e-3, 3e-3)}
SEEDS = 3
TUNING_SEED = 100

Runs = Mapping[str, Mapping[int, limbeck.Run]]


def work(setting: Setting) -> Outcome:
    """With both optimizers: rates chosen for each net, seeds in turns, curves, the absorbed net."""
    ours: dict[str, Entry] = {}
    curves, rates = {}, {}
    for optimizer in PLANS:
        rates[optimizer] = {name: _best_rate(setting, optimizer, name) for name in NETS}
        runs = _in_turns(setting, optimizer, rates[optimizer])
        ours |= {f"{optimizer}_{name}": found for name, found in _speed(runs).items()}
        curves[optimizer] = {
            name: {str(seed): _curve(run, seed) for seed, run in of.items()}
            for name, of in runs.items()
        }
    absorbed, absorbed_float64 = _absorbed(setting, runs["bottleneck"])
    ours |= {"absorbed_difference": absorbed, "absorbed_difference_float64": absorbed_float64}
    return Outcome(
        ours,
        holds=answer([ours[f"{optimizer}_log2_sooner"] for optimizer in PLANS], absorbed),
        seeds=len(runs["direct"]),
        headline=[f"{o}_log2_{what}" for o in PLANS for what in ("sooner", "fewer_steps")],
        more={
            "rates": rates,
            "curves": curves,
            "parameters": {name: run[0].parameters for name, run in runs.items()},
        },
    )


def _trained(setting: Setting, optimizer: str, name: str, rate: float, seed: int) -> limbeck.Run:
    nets = setting.pick(NETS, smoke=SMOKE_NETS)
    return limbeck.train(
        nets[name],
        fashion_scores(setting),
        MATCH,
        to=setting.place / optimizer / f"{name}-{rate:g}-{seed}",
        plan=replace(setting.plan(PLANS[optimizer]), learning_rate=rate),
        seeds=[seed],
        control=False,
    )


def _best_rate(setting: Setting, optimizer: str, name: str) -> float:
    """The rate with the lowest held-out loss at the end, by a seed that is not measured."""
    rates = RATES[optimizer][: setting.pick(len(RATES[optimizer]), smoke=1)]
    losses = [_last_loss(_tried(setting, optimizer, name, rate)) for rate in rates]
    return rates[int(np.argmin(losses))]


def _tried(setting: Setting, optimizer: str, name: str, rate: float) -> limbeck.Run | None:
    try:
        return _trained(setting, optimizer, name, rate, TUNING_SEED)
    except limbeck.errors.InputError:  # the loss is no longer a number: the rate is too high
        return None


def _last_loss(run: limbeck.Run | None) -> float:
    return run.history(TUNING_SEED)[-1]["held_out"] if run else math.inf


def _in_turns(setting: Setting, optimizer: str, rates: Mapping[str, float]) -> Runs:
    """Both nets of a seed, then those of the next: a busy hour of the machine falls on both."""
    runs: dict[str, dict[int, limbeck.Run]] = {name: {} for name in NETS}
    for seed in range(setting.pick(SEEDS, smoke=2)):
        for name in NETS:
            runs[name][seed] = _trained(setting, optimizer, name, rates[name], seed)
    return runs


def _curve(run: limbeck.Run, seed: int) -> dict[str, list[float]]:
    history = run.history(seed)
    return {
        "steps": [record["step"] for record in history],
        "seconds": run.seconds(seed),
        "held_out": [record["held_out"] for record in history],
    }


def _speed(runs: Runs) -> dict[str, Entry]:
    """How many times sooner the bottleneck reaches the loss that both reach, seed by seed."""
    ratios: dict[str, list[float]] = {"steps": [], "seconds": []}
    for seed in runs["direct"]:
        curves = {name: _curve(of[seed], seed) for name, of in runs.items()}
        for axis, found in ratios.items():
            found.append(times_sooner(curves["direct"], curves["bottleneck"], axis))
    losses = {
        f"{name}_loss": harness.entry([of[seed].history(seed)[-1]["held_out"] for seed in of])
        for name, of in runs.items()
    }
    # The mean of logarithms, so that twice as soon and half as soon cancel.
    return {
        "log2_sooner": _geometric(ratios["seconds"]),
        "log2_fewer_steps": _geometric(ratios["steps"]),
        **losses,
    }


def times_sooner(
    direct: Mapping[str, Sequence[float]], other: Mapping[str, Sequence[float]], axis: str
) -> float:
    """The first's steps or seconds over the other's, to the lowest held-out loss both reach."""
    loss = max(min(direct["held_out"]), min(other["held_out"]))
    return _reaches(direct, loss, axis) / _reaches(other, loss, axis)


def _reaches(curve: Mapping[str, Sequence[float]], loss: float, axis: str) -> float:
    """Where a curve first reaches a loss, straight between its records."""
    at = next(i for i, value in enumerate(curve["held_out"]) if value <= loss)
    if at == 0:
        return curve[axis][0]
    before, after = curve["held_out"][at - 1], curve["held_out"][at]
    share = (before - loss) / (before - after)
    return curve[axis][at - 1] + share * (curve[axis][at] - curve[axis][at - 1])


def _geometric(ratios: Sequence[float]) -> Entry:
    """Values are logarithms of base 2: 1 is twice as soon, 0 is as soon."""
    return harness.entry(np.log2(ratios))


def _absorbed(setting: Setting, runs: Mapping[int, limbeck.Run]) -> tuple[Entry, Entry]:
    """The largest difference of a test image's logit once the bottleneck is multiplied out."""
    test = setting.examples("fashion-mnist:test")
    single, double = [], []
    for seed, run in runs.items():
        single.append(_difference(run, seed, test, is_double=False))
        double.append(_difference(run, seed, test, is_double=True))
    return harness.entry(single), harness.entry(double)


def _difference(run: limbeck.Run, seed: int, test: limbeck.Examples, *, is_double: bool) -> float:
    model = run.model(seed).cpu()
    body = model.body.double() if is_double else model.body
    student = run.student
    assert isinstance(student, students.Shallow)
    _, absorbed = student.absorbed(body)
    largest = 0.0
    for start in range(0, len(test), 500):
        inputs = encoded(model, test.inputs[start : start + 500])
        inputs = inputs.double() if is_double else inputs
        largest = max(largest, float((body(inputs) - absorbed(inputs)).detach().abs().max()))
    return largest


def encoded(model: Any, inputs: np.ndarray) -> Any:
    """Raw images as the net's body reads them."""
    return model.encoding(model.shift.new_tensor(inputs))


def answer(sooner: Sequence[Entry], absorbed: Entry) -> bool | Literal["undecided"]:
    """Whether the bottleneck is sooner in seconds with both optimizers, and is absorbed."""
    if max(absorbed["values"]) > 1e-3 or any(found["high"] < 0 for found in sooner):
        return False
    return True if all(found["low"] > 0 for found in sooner) else "undecided"


def draw(result: Mapping[str, Any]) -> Figure:
    """Held-out loss against steps and against seconds, a row an optimizer."""
    figure = Figure(figsize=(8.0, 5.6))
    colors = {"direct": harness.CONTROL, "bottleneck": harness.OURS}
    panels = figure.subplots(len(PLANS), 2, sharey="row")
    for row, optimizer in zip(panels, PLANS, strict=True):
        for axes, across in zip(row, ("steps", "seconds"), strict=True):
            for name, of_seed in result["more"]["curves"][optimizer].items():
                for curve in of_seed.values():
                    axes.plot(
                        curve[across], curve["held_out"], ".-", color=colors[name], label=name
                    )
            axes.set(xlabel=across, yscale="log", title=optimizer)
            harness.legend(axes)
        row[0].set_ylabel("held-out loss")
    return figure


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="A wide net with a linear bottleneck reaches the same loss in less time than without, "
    "and answers alike once the bottleneck is multiplied out.",
    paper={
        "says": "convergence is much faster: weeks without it become hours",
        "where": "section 2.2",
    },
    cost="20 minutes on two cores, beside the ensemble of `same_size` (15)",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
