"""Artefacts made at commit 87c6b24 open, are whole, and answer as they did then."""

import json
import shutil
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file

import limbeck
from limbeck import Examples, Plan, load, objectives, show, students
from limbeck.evaluation import dark_knowledge
from limbeck.selection import by_size

HERE = Path(__file__).parent / "golden"
SAID = json.loads((HERE / "expected.json").read_bytes())
EXPECTED = load_file(HERE / "expected.safetensors")

WHOLE = sorted(str(file.parent.relative_to(HERE)) for file in HERE.rglob("manifest.json"))
KINDS = {
    "score set": 14,
    "run": 37,
    "specialists": 1,
    "report": 1,
    "comparison": 1,
    "rivals": 1,
    "speech-corpus": 1,
    "alignments": 1,
}
NOT_CHECKED = ("manifest.json", "request.json", "history.json")  # these have no checksum

# Another processor adds in another order.
NEARLY = {"rtol": 1e-5, "atol": 1e-5}

PLAN = Plan(epochs=5, batch=16, learning_rate=0.02)


def digests(place: Path) -> dict[str, str]:
    files = sorted(file for file in place.rglob("*") if file.is_file())
    return {str(f.relative_to(place)): sha256(f.read_bytes()).hexdigest() for f in files}


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of everything, in which opening changes nothing."""
    place = tmp_path_factory.mktemp("golden") / "copy"
    shutil.copytree(HERE, place)
    before = digests(place)
    yield place
    assert digests(place) == before


def examples(name: str) -> Examples:
    """A set of examples as the artifacts were made from it."""
    about = SAID["sets"][name]
    inputs = about["texts"] if "texts" in about else EXPECTED[f"inputs {name}"]
    return Examples.of(
        inputs,
        EXPECTED.get(f"labels {name}"),
        keys=[f"{name}-{row}" for row in range(len(inputs))],
        classes=about["classes"],
        name=name,
    )


def answers(model: torch.nn.Module, name: str) -> np.ndarray:
    """What a model answers to a set of examples, whose texts are bytes."""
    given = EXPECTED.get(f"inputs {name}", EXPECTED.get(f"bytes {name}"))
    with torch.no_grad():
        return model.cpu()(torch.from_numpy(given)).numpy()


def halves(inputs: np.ndarray) -> np.ndarray:
    """The teacher of `scores-views`: how bright each half of a picture is."""
    grey = inputs.astype(np.int64)[:, 0]
    left, right = grey[:, :, :4].sum(axis=(1, 2)), grey[:, :, 4:].sum(axis=(1, 2))
    return np.stack([left, right], axis=1).astype(np.float32) / 1024


# Whole.


def test_every_kind_of_artifact_is_here():
    artifacts = [json.loads((HERE / name / "manifest.json").read_bytes()) for name in WHOLE]
    kinds = [manifest["artefact"] for manifest in artifacts]
    assert {kind: kinds.count(kind) for kind in KINDS} == KINDS
    assert len(kinds) == sum(KINDS.values())
    assert all(
        manifest["provenance"]["commit"] == "87c6b24ec6af"
        for manifest in artifacts
        if "provenance" in manifest
    )


@pytest.mark.parametrize("name", [*WHOLE, *SAID["exports"]])
def test_an_artifact_is_whole(golden, name):
    shown = show(golden / name)
    assert shown["whole"] == "yes"
    if (golden / name).is_dir():
        manifest = json.loads((golden / name / "manifest.json").read_bytes())
        assert shown["artifact"] == manifest["artefact"]


@pytest.mark.parametrize("name", WHOLE)
def test_an_altered_file_is_noticed(tmp_path, name):
    altered = tmp_path / name
    shutil.copytree(HERE / name, altered)
    held = [
        file
        for file in altered.rglob("*.*")
        if file.name not in NOT_CHECKED and _home(file) == altered
    ]
    assert held or name == "specialists"
    for file in held:
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert file.name in show(altered)["whole"]
        file.write_bytes(content)


def _home(file: Path) -> Path:
    """The artifact that a file is of."""
    return next(folder for folder in file.parents if (folder / "manifest.json").exists())


# Score sets.


@pytest.mark.parametrize("name", SAID["scores"])
def test_a_score_set_holds_the_same_scores(golden, name):
    said = SAID["scores"][name]
    remembers = said["examples"] == "digits:test"
    scores = load(golden / name, examples=None if remembers else examples(said["examples"]))
    expected = EXPECTED[f"scores {name}"]
    assert (scores.kind, scores.held_out) == (said["kind"], said["held_out"])
    assert (scores.count, len(scores), len(scores.classes)) == expected.shape
    rows = np.arange(len(scores))
    for view in range(scores.count):
        found = scores.read(rows, np.full(len(rows), view))
        np.testing.assert_array_equal(found, expected[view])


def test_what_a_teacher_confuses_is_told_alike(golden):
    scores = load(golden / "scores", examples=examples("points"))
    run = load(golden / "run")
    told = dark_knowledge(scores, examples=["points-0"], student=run)
    assert str(told).removeprefix(told.name) == SAID["dark"]


# Models.


@pytest.mark.parametrize("name", SAID["runs"])
def test_a_run_answers_as_it_did(golden, name):
    said = SAID["runs"][name]
    run = load(golden / name, trust=True)
    roles = [run, run.control] if run.control else [run]
    assert run.student.text == said["student"]
    assert [one.role for one in roles] == said["roles"]
    assert [one.shipped for one in roles] == said["shipped"]
    for one in roles:
        assert one.seeds == said["seeds"]
        for seed in one.seeds:
            found = answers(one.model(seed), said["examples"])
            np.testing.assert_allclose(found, EXPECTED[f"run {name} {one.role} {seed}"], **NEARLY)


def test_a_generalist_and_its_specialists_answer_as_they_did(golden):
    made = load(golden / "specialists")
    assert [list(subset) for subset in made.subsets] == SAID["specialists"]["subsets"]
    assert list(made.corrections) == SAID["specialists"]["corrections"]
    found = np.asarray(made.combined().predict(EXPECTED["inputs points"]))
    np.testing.assert_allclose(found, EXPECTED["specialists"], **NEARLY)


@pytest.mark.parametrize("path", SAID["exports"])
def test_an_exported_file_answers_as_it_did(golden, path):
    name = SAID["exports"][path]["examples"]
    if path.endswith(".onnx"):
        onnxruntime = pytest.importorskip("onnxruntime", reason="needs limbeck[export]")
        session = onnxruntime.InferenceSession(golden / path, providers=["CPUExecutionProvider"])
        inputs = EXPECTED[f"inputs {name}"].astype(np.float32)
        found = session.run(["scores"], {"inputs": inputs})[0]
    else:
        found = answers(load(golden / path), name)
    np.testing.assert_allclose(found, EXPECTED[f"export {path}"], **NEARLY)


# Documents.


def cells(page: str) -> list[list[str]]:
    """The cells of all tables but headings and titles, whose words may become better ones."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    body = [line for line, below in pairwise([*lines, ""]) if "---" not in line + below]
    assert body
    return [[cell.strip() for cell in line.split("|")[2:-1]] for line in body]


@pytest.mark.parametrize("name", SAID["documents"])
def test_a_document_has_the_same_rows_and_cells(golden, name):
    said = SAID["documents"][name]
    found = load(golden / name)
    stored = json.loads((golden / name / said["file"]).read_bytes())
    assert found.rows == stored["rows"]
    assert found.row("student" if name != "comparison" else "soft") in stored["rows"]
    assert cells(found.to_markdown()) == cells((golden / name / said["page"]).read_text())
    assert cells(str(found)) == cells(said["summary"])


def test_rivals_say_the_same_sentence(golden):
    assert load(golden / "rivals").sentence == SAID["sentence"]


def test_a_comparison_opens_the_run_of_a_method(golden):
    run = load(golden / "comparison").run("soft")
    assert str(run.directory.relative_to(golden)) in SAID["runs"]


def test_the_runs_of_each_size_give_the_table_that_is_stored(golden):
    runs = {
        f"{size}/{name}": load(golden / "sizes" / str(size) / name)
        for size in (20, 40)
        for name in ("soft", "control")
    }
    table = by_size(runs, examples("test"))
    assert f"{table}\n" == (golden / "sizes" / "sizes.md").read_text()
    stored = json.loads((golden / "sizes" / "sizes.json").read_bytes())
    assert [row["name"] for row in table.rows] == [row["name"] for row in stored["rows"]]
    for row, kept in zip(table.rows, stored["rows"], strict=True):
        assert row["metrics"]["nll_nats"] == pytest.approx(kept["metrics"]["nll_nats"], rel=1e-4)


# Speech.


def utterances(corpus) -> list[dict]:
    return [
        {
            "part": part,
            "key": one.key,
            "text": one.text,
            "samples": len(one.samples),
            "segments": [[s.first, s.end, s.phone] for s in one.segments],
        }
        for part in ("train", "development", "test")
        for one in getattr(corpus, part)
    ]


def test_a_corpus_of_speech_is_read_as_it_was_made(golden):
    corpus = limbeck.speech.spoken(0.0001, voices=3, folder=golden / "corpus")
    heard = b"".join(one.samples.tobytes() for one in (*corpus.train, *corpus.test))
    said = SAID["corpus"]
    assert (corpus.name, list(corpus.phones)) == (said["name"], said["phones"])
    assert utterances(corpus) == said["utterances"]
    assert sha256(heard).hexdigest() == said["sha256"]


def test_alignments_are_found_again(golden):
    pytest.importorskip("pyarrow", reason="needs limbeck[parquet]")
    place = golden / "alignments"
    corpus = limbeck.speech.digits(golden / "three.parquet", "ann", folder=place)
    said = SAID["alignments"]
    assert (corpus.name, list(corpus.phones)) == (said["name"], said["phones"])
    assert utterances(corpus) == said["utterances"]


# Begun.


def copied(tmp_path: Path, name: str) -> tuple[Path, dict[str, int]]:
    """A copy of what was interrupted, and when each of its tensors was written."""
    place = tmp_path / name
    shutil.copytree(HERE / name, place)
    assert show(place)["whole"].startswith("no: interrupted")
    return place, written(place)


def written(place: Path) -> dict[str, int]:
    files = [*place.rglob("view-*.safetensors"), *place.rglob("model.safetensors")]
    return {str(file.relative_to(place)): file.stat().st_mtime_ns for file in files}


def logged(checkpoint: Path) -> list[dict]:
    """What a checkpoint knows of its nets."""
    with safe_open(checkpoint, framework="numpy") as file:
        return json.loads(file.metadata()["limbeck"])["logs"]


def check_weights(place: Path, whole: Path) -> None:
    """The nets in a folder are those of another."""
    models = [file.relative_to(whole) for file in whole.rglob("model.safetensors")]
    assert models
    for model in models:
        found, expected = load_file(place / model), load_file(whole / model)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, **NEARLY)


def test_scores_that_were_begun_are_finished_by_the_same_call(tmp_path):
    place, before = copied(tmp_path, "begun-scores")
    assert len(before) == 2
    pictures = examples("pictures")
    limbeck.score(
        halves, pictures, to=place, views=limbeck.examples.views.jitter(1), count=3, seed=4
    )
    assert show(place)["whole"] == "yes"
    assert before.items() <= written(place).items()
    whole = HERE / "scores-views"
    assert len(written(place)) == len(written(whole)) == 3
    for shard in written(whole):
        found, expected = load_file(place / shard), load_file(whole / shard)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name], value)


def test_a_run_that_was_begun_is_finished_by_the_same_call(tmp_path):
    place, before = copied(tmp_path, "begun-run")
    [log] = logged(place / "student-1" / "checkpoint.safetensors")
    assert (len(before), len(log["seconds"])) == (2, 2)
    scores = load(HERE / "scores", examples=examples("points"))
    objective = objectives.SoftTargets(2.0)
    run = limbeck.train(students.mlp([6]), scores, objective, to=place, plan=PLAN, seeds=2)
    assert show(place)["whole"] == "yes"
    assert before.items() <= written(place).items()
    # The seconds of the first epochs are the maker's, who was slow: the net went on where it was.
    assert run.seconds(1)[:2] == pytest.approx(log["seconds"], abs=1e-3)
    assert log["seconds"][0] > 0.4
    check_weights(place, HERE / "run")
    assert not list(place.rglob("checkpoint*"))


def test_a_sweep_that_was_begun_is_finished_by_the_same_call(tmp_path):
    place = tmp_path / "sweep"
    shutil.copytree(HERE / "begun-sweep", place)
    assert show(place / "t1")["whole"].startswith("no: interrupted")
    logs = [log for file in place.glob("checkpoint-*") for log in logged(file)]
    assert len(logs) == 6
    asked = {"t1": objectives.SoftTargets(1.0)}
    asked["t4"] = objectives.SoftTargets(4.0, hard_weight=0.1)
    scores = load(HERE / "scores", examples=examples("points"))
    runs = limbeck.sweep(students.mlp([4]), scores, asked, to=place, plan=PLAN, seeds=2)
    for run in runs.values():
        assert show(run.directory)["whole"] == "yes"
        each = [seconds / len(logs) for seconds in logs[0]["seconds"]]  # the nets share the time
        assert run.seconds(0)[:2] == pytest.approx(each, abs=1e-3)
        assert each[0] > 0.05
    check_weights(place, HERE / "sweep")
    assert not list(place.rglob("checkpoint*"))


def test_what_is_whole_is_returned_at_once_by_the_same_call(golden):
    scores = limbeck.score(
        halves,
        examples("pictures"),
        to=golden / "scores-views",
        views=limbeck.examples.views.jitter(1),
        count=3,
        seed=4,
    )
    assert scores.count == 3
    points = load(golden / "scores", examples=examples("points"))
    objective = objectives.SoftTargets(2.0)
    run = limbeck.train(students.mlp([6]), points, objective, to=golden / "run", plan=PLAN, seeds=2)
    assert run.seeds == [0, 1]
