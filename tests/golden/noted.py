"""What the artefacts of `make.py` are about and who teaches; what they say is noted for the test.

A record like `make.py`, of Limbeck at commit 87c6b24: no test runs it.
"""

from collections.abc import Callable

import folders
import numpy as np
import torch
import worlds
from worlds import rule

import limbeck
from limbeck import Examples, Run, teachers
from limbeck.examples import numbers, tensor

TENSORS: dict[str, np.ndarray] = {}
SAID: dict[str, dict] = {"sets": {}, "scores": {}, "runs": {}, "documents": {}, "exports": {}}


# Examples: the inputs are kept, and the keys are the set's name and the row.


def kept(examples: Examples) -> Examples:
    """The examples, after noting them for the test."""
    name = examples.name
    assert examples.keys.tolist() == [f"{name}-{row}" for row in range(len(examples))]
    if examples.is_text:
        SAID["sets"][name] = {"texts": examples.texts}
        TENSORS[f"bytes {name}"] = numbers(examples.inputs)
    else:
        SAID["sets"][name] = {}
        TENSORS[f"inputs {name}"] = np.ascontiguousarray(examples.inputs)
    SAID["sets"][name]["classes"] = list(examples.classes)
    if examples.is_labelled.any():
        TENSORS[f"labels {name}"] = examples.labels
    return examples


def drawn(name: str, inputs: object, labels: object, classes: tuple[str, ...] = ()) -> Examples:
    keys = [f"{name}-{row}" for row in range(len(inputs))]
    return kept(Examples.of(inputs, labels, keys=keys, classes=classes, name=name))


def colours(n: int = 12) -> Examples:
    """Noise of three channels of which one is brighter."""
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 3, n)
    inputs = generator.integers(0, 120, (n, 3, 12, 12)).astype(np.uint8)
    inputs[np.arange(n), labels] += 100
    return drawn("colours", inputs, labels, ("red", "green", "blue"))


def frames(n: int = 24) -> Examples:
    """Windows as of speech: five bands with their differences, three frames."""
    generator = np.random.default_rng(4)
    labels = generator.integers(0, 2, n)
    inputs = generator.normal(labels[:, None, None], 1.0, (n, 15, 3)).astype(np.float32)
    return drawn("frames", inputs, labels, ("low", "high"))


def reviews(n: int = 24) -> Examples:
    """Texts of a vocabulary of ten words of which the last decides."""
    generator = np.random.default_rng(5)
    last = generator.integers(0, 4, n)
    words = ["good", "fine", "bad", "dull"]
    texts = [" ".join([*generator.choice(folders.WORDS[5:10], 3), words[one]]) for one in last]
    texts = [f"{text} {'é' * (row % 3)}".strip() for row, text in enumerate(texts)]
    return drawn("reviews", texts, (last >= 2).astype(int), ("positive", "negative"))


# Teachers: each of exact arithmetic, so that every machine gives the same.


def halves(inputs: np.ndarray) -> np.ndarray:
    """How bright each half of a picture is."""
    grey = inputs.astype(np.int64)[:, 0]
    left, right = grey[:, :, :4].sum(axis=(1, 2)), grey[:, :, 4:].sum(axis=(1, 2))
    return np.stack([left, right], axis=1).astype(np.float32) / 1024


def shares(inputs: np.ndarray) -> np.ndarray:
    """The rule as probabilities."""
    powers = np.exp(rule(inputs) - rule(inputs).max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def teacher(name: str, answer: Callable, kind: str = "logits", classes: object = worlds.CLASSES):
    return teachers.function(answer, classes, kind=kind, name=name)


# What each artefact says.


def scores_say(scores: limbeck.ScoreSet, of: str) -> limbeck.ScoreSet:
    name = str(scores.directory)
    rows = np.arange(len(scores))
    views_of_it = [scores.read(rows, np.full(len(rows), view)) for view in range(scores.count)]
    TENSORS[f"scores {name}"] = np.stack(views_of_it)
    SAID["scores"][name] = {"examples": of, "kind": scores.kind, "held_out": scores.held_out}
    return scores


def asked(model: torch.nn.Module, examples: Examples) -> np.ndarray:
    with torch.no_grad():
        return model.cpu()(tensor(examples.inputs)).numpy()


def run_says(run: Run, examples: Examples) -> Run:
    name = str(run.directory)
    roles = [run] if run.control is None else [run, run.control]
    for one in roles:
        for seed in one.seeds:
            TENSORS[f"run {name} {one.role} {seed}"] = asked(one.model(seed), examples)
    SAID["runs"][name] = {
        "examples": examples.name,
        "student": run.manifest["student"],
        "seeds": run.seeds,
        "roles": [one.role for one in roles],
        "shipped": [one.shipped for one in roles],
    }
    return run
