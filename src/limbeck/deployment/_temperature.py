"""One temperature for a run's answers: found against a teacher's probabilities, kept in the run."""

import math
from pathlib import Path

from safetensors.torch import load, save
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from limbeck import artifacts, students
from limbeck.examples import Array
from limbeck.students import Run, altered_nets

WIDEST = 3.0  # the temperature lies between e^-3 and e^3


def temperature_of(logits: Array, probabilities: Array) -> float:
    """The temperature at which logits `(rows, classes)` are closest to the probabilities.

    It minimises the cross-entropy, which is convex in 1/T; where no other is better it is 1.
    Guo et al. 2017, arXiv:1706.04599, with soft labels.
    """

    def cost(log_temperature: float) -> float:
        q = log_softmax(logits / math.exp(log_temperature), axis=1)
        return float(-(probabilities * q).sum(axis=1).mean())

    optimum = minimize_scalar(cost, bounds=(-WIDEST, WIDEST), method="bounded")
    return math.exp(optimum.x) if optimum.fun < cost(0.0) else 1.0


def tempered(run: Run, temperature: float, on: str, to: Path) -> Run:
    """The run with the logits of its students divided by the temperature, in a new directory.

    The control and everything else stays as it is; `on` says what the temperature was found on.
    """
    request = {"of": run.fingerprint, "temperature": temperature}
    with artifacts.writing(to, students.ARTIFACT, request) as artifact:
        if not artifact.is_whole:
            artifact.begin()
            nets = altered_nets(run, to, lambda _, content: _divided(content, temperature))
            seen = run.record.seen["file"]
            artifacts.write_file(to / seen, (run.directory / seen).read_bytes())
            note = f"its logits are divided by {temperature:.3g}, the temperature found on {on}"
            notes = {**run.record.notes, "student": [*run.notes, note]}
            artifact.finish({**run.manifest, "nets": nets, "notes": notes, "calibration": request})
    return Run.open(to, trust=run.is_trusted)


def _divided(content: bytes, temperature: float) -> bytes:
    tensors = load(content)
    for name in ("scale", "shift"):
        tensors[name] = (tensors[name].double() / temperature).to(tensors[name].dtype)
    return save(tensors)
