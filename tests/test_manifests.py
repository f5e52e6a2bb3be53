"""What is made today has the manifest that the golden artifacts have: its keys, in their order."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import limbeck
from limbeck import Examples, Plan, artifacts, deployment, load, objectives, show, students
from limbeck.errors import CorruptError

GOLDEN = Path(__file__).parent / "golden"
SETS = json.loads((GOLDEN / "expected.json").read_bytes())["sets"]
ARRAYS = load_file(GOLDEN / "expected.safetensors")

# What the clock, the machine and the order of additions decide, and where the maker wrote.
VARIES = {"seconds", "provenance", "sha256", "fingerprint", "held_out_loss"}
VARIES |= {"bytes", "score_set", "generalist", "of", "biases"}


def as_written(place: Path) -> str:
    """The text of a manifest, without what another run of the same call may say otherwise."""
    text = (place / "manifest.json").read_text()
    manifest = json.loads(text)
    assert text == json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    manifest.pop("sanity", None)  # these came later
    manifest.pop("digest", None)
    return json.dumps(_without_what_varies(artifacts.respelt(manifest)), indent=1)


def _without_what_varies(value: object, *, varies: bool = False) -> object:
    if isinstance(value, dict):
        came_later = {"fingerprint"} if "held_out_loss" in value else set()
        return {
            key: _without_what_varies(one, varies=varies or key in VARIES)
            for key, one in value.items()
            if key not in came_later
        }
    if isinstance(value, list):
        return [_without_what_varies(one, varies=varies) for one in value]
    return None if varies else value


def examples(name: str) -> Examples:
    inputs = ARRAYS[f"inputs {name}"]
    keys = [f"{name}-{row}" for row in range(len(inputs))]
    labels, classes = ARRAYS.get(f"labels {name}"), SETS[name]["classes"]
    return Examples.of(inputs, labels, keys=keys, classes=classes, name=name)


def halves(inputs: np.ndarray) -> np.ndarray:
    """How bright each half of a picture is: the teacher of `scores-views`."""
    grey = inputs.astype(np.int64)[:, 0]
    left, right = grey[:, :, :4].sum(axis=(1, 2)), grey[:, :, 4:].sum(axis=(1, 2))
    return np.stack([left, right], axis=1).astype(np.float32) / 1024


def written_again(name: str, to: Path) -> None:
    """Makes one of the artifacts anew."""
    points = examples("points")
    if name == "scores-views":
        jitter = limbeck.examples.views.jitter(1)
        limbeck.score(halves, examples("pictures"), to=to, views=jitter, count=3, seed=4)
    elif name == "run":
        scores = load(GOLDEN / "scores", examples=points)
        plan = Plan(epochs=5, batch=16, learning_rate=0.02)
        objective = objectives.SoftTargets(2.0)
        limbeck.train(students.mlp([6]), scores, objective, to=to, plan=plan, seeds=2)
    elif name == "run-corrected":
        run = load(GOLDEN / "run")
        limbeck.correct(run, examples("held"), classes=["star"], how="held-out", to=to)
    elif name == "run-tempered":
        deployment.tempered(load(GOLDEN / "run"), 1.5, "toys", to)
    else:
        subsets = [("round", "square"), ("square", "star")]
        plan = Plan(epochs=2, batch=16, learning_rate=0.01)
        limbeck.specialists.train(load(GOLDEN / "generalist"), points, subsets, to=to, plan=plan)


@pytest.mark.parametrize(
    "name", ["scores-views", "run", "run-corrected", "run-tempered", "specialists"]
)
def test_a_manifest_is_written_with_the_same_keys_in_the_same_order(tmp_path, name):
    written_again(name, tmp_path / name)
    assert as_written(tmp_path / name) == as_written(GOLDEN / name)


# What lacks an entry.


def without(name: str, key: str, to: Path) -> Path:
    """A copy of a golden artifact whose manifest lacks an entry."""
    shutil.copytree(GOLDEN / name, to)
    manifest = json.loads((to / "manifest.json").read_bytes())
    entry = manifest
    *way, last = key.split(".")
    for part in way:
        entry = entry[int(part)] if isinstance(entry, list) else entry[part]
    del entry[last]
    (to / "manifest.json").write_text(json.dumps(manifest))
    return to


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("scores", "teacher"),
        ("scores", "examples.fingerprint"),
        ("run", "nets"),
        ("run", "nets.control.1.sha256"),
        ("run", "seen.file"),
        ("specialists", "specialists"),
        ("specialists", "specialists.1.fingerprint"),
        ("comparison", "files"),
    ],
)
def test_a_manifest_that_lacks_an_entry_is_corrupt_and_says_which(tmp_path, name, key):
    place = without(name, key, tmp_path / name)
    with pytest.raises(CorruptError, match=rf"{name}/manifest.json lacks {key}$"):
        load(place, examples=examples("points"))
    assert show(place)["whole"].endswith(f"manifest.json lacks {key}")


def test_an_entry_that_earlier_versions_lacked_has_its_default(tmp_path):
    for key in ("held_out", "confidence", "seconds"):
        place = without("scores", key, tmp_path / key)
        record = load(place, examples=examples("points")).record
        default = {"held_out": {"answer": "unknown", "by": ""}, "confidence": {}, "seconds": 0.0}
        assert getattr(record, key) == default[key]
        assert show(place)["whole"] == "yes"
    counted = load(GOLDEN / "run").parameters
    run = load(without("run", "parameters", tmp_path / "run"))
    assert (run.parameters, run.kind, run.record.correction) == (counted, "logits", {})
    assert show(tmp_path / "held_out")["held_out"] == limbeck.scoring.HeldOut().to_json()
    assert counted > 0


@pytest.mark.parametrize("key", ["chosen_by", "rows.1.against"])
def test_a_document_that_lacks_a_part_says_which(tmp_path, key):
    place = tmp_path / "comparison"
    shutil.copytree(GOLDEN / "comparison", place)
    document = json.loads((place / "comparison.json").read_bytes())
    of = document["rows"][1] if key.startswith("rows") else document
    del of[key.split(".")[-1]]
    content = json.dumps(document).encode()
    (place / "comparison.json").write_bytes(content)
    manifest = json.loads((place / "manifest.json").read_bytes())
    manifest["files"]["comparison.json"] = artifacts.file_entry(content)
    (place / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CorruptError, match=rf"comparison.json is no comparison: it lacks {key}$"):
        load(place)
