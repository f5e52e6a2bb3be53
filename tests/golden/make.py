"""Makes every kind of artefact, and what each answers: a record of what was done at 87c6b24.

It calls Limbeck as it was at commit 87c6b24, so no test runs it and later code need not suit it.
To run it again, from an empty folder, with this file and noted.py copied beside the folder:

    git clone LIMBECK clone && git -C clone checkout 87c6b24
    mkdir golden && cd golden
    OMP_NUM_THREADS=1 PYTHONPATH=../clone/src:../clone/tests python ../make.py

The tree of the clone stays as it is, else the manifests record a changed commit. Every path is
relative, but for the model of the run of static embeddings, whose folder is told absolute: it
lies in /golden while that run is made, and no more afterwards.
"""

import io
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import folders
import numpy as np
import onnxruntime
import pyarrow
import pyarrow.parquet
import pytest
import torch
import worlds
from noted import (
    SAID,
    TENSORS,
    asked,
    colours,
    drawn,
    frames,
    halves,
    kept,
    reviews,
    run_says,
    scores_say,
    shares,
    teacher,
)
from safetensors.numpy import save_file
from scipy.io import wavfile
from scipy.signal import resample_poly
from worlds import killed_at, rule

import limbeck
from limbeck import Examples, Plan, Run, Storage, speech, students, views
from limbeck.deployment import _temperature
from limbeck.evaluation import _cost
from limbeck.objectives import Labels, MatchEmbeddings, MatchLogits, SoftTargets, Votes
from limbeck.speech.corpora import _spoken
from limbeck.speech.corpora._espeak import Manner, speaking
from limbeck.training import _loop

PLAN = Plan(epochs=5, batch=16, learning_rate=0.02)
SHORT = Plan(epochs=2, batch=16, learning_rate=0.01)
MODEL = Path("/golden/model")


@contextmanager
def interrupted() -> Iterator[None]:
    """A block that ends as by Ctrl-C."""
    with pytest.raises(KeyboardInterrupt):
        yield


def dies(answer: Callable, at: int) -> Callable:
    """The same answers, and an interruption when it is asked so many times."""
    asked = []

    def answered(inputs: np.ndarray) -> np.ndarray:
        asked.append(1)
        if len(asked) == at:
            raise KeyboardInterrupt
        return answer(inputs)

    return answered


# Score sets.


def score_sets(points: Examples, pictures: Examples) -> dict[str, limbeck.ScoreSet]:
    def says(name: str, by: object, examples: Examples, **how: object) -> limbeck.ScoreSet:
        return scores_say(limbeck.score(by, examples, to=name, **how), examples.name)

    made = {
        "scores": says("scores", rule, points, storage=Storage(shard_rows=16)),
        "other": says("scores-other", teacher("half", lambda x: rule(x) / 2), points),
        "sure": says("scores-float32", rule, points, storage=Storage(width="float32")),
        "shown": says("scores-views", halves, pictures, views=views.jitter(1), count=3, seed=4),
        "mixed": says("scores-mixed", halves, pictures, views=views.mixup(0.5), count=2),
    }
    says("scores-probabilities", teacher("shares", shares, "probabilities"), points, held_out=True)
    logs = teacher("logs", lambda x: np.log(shares(x)), "log-probabilities")
    says("scores-log-probabilities", logs, points)
    votes = teacher("votes", lambda x: rule(x).argmax(axis=1), "votes")
    made["votes"] = says("scores-votes", votes, points)
    columns = teacher("columns", lambda x: x, "independent-logits", ("right", "above"))
    blank = drawn("blank", points.inputs, (points.inputs > 0).astype(np.int8), ("right", "above"))
    made["columns"] = says("scores-columns", columns, blank)
    sums = teacher("sums", lambda x: x.sum(axis=1, keepdims=True), "values", ("sum",))
    values = drawn(
        "values", points.inputs, points.inputs.sum(axis=1).round().astype(float), ("sum",)
    )
    made["values"] = says("scores-values", sums, values)
    places = teacher("places", lambda x: np.hstack([x, 1 + x, 2 * x]), "embeddings", 6)
    bare = drawn("bare", points.inputs, None)
    made["embeddings"] = says("scores-embeddings", places, bare)
    both = limbeck.combine([made["scores"], made["other"]], to="scores-combined")
    made["combined"] = scores_say(both, "points")
    digits = limbeck.read("digits:test")
    lines = teacher("lines", lambda x: x.reshape(len(x), -1)[:, 20:30], classes=digits.classes)
    made["digits"] = says("scores-digits", lines, digits)
    return made


def begun_scores(pictures: Examples) -> None:
    """The set `scores-views` as it is after two of its three views."""
    # Three times before the work starts, then once a view.
    with interrupted():
        by = teacher("halves", dies(halves, 5), classes=pictures.classes)
        limbeck.score(by, pictures, to="begun-scores", views=views.jitter(1), count=3, seed=4)


# Runs.


def runs_of_each_student(sets: dict[str, Examples]) -> None:
    folders.save(MODEL, "BertModel")
    each = {
        "mlp": ("points", students.mlp([4, 3], dropout=0.1, input_dropout=0.1)),
        "shallow": ("points", students.shallow(12, bottleneck=2)),
        "of-size": ("points", students.of_size("mlp2", 101)),
        "factory": ("points", students.factory(worlds.tilted)),
        "convnet": ("colours", students.convnet([3, 4])),
        "fastnet": ("colours", students.fastnet([3, 4, 4], mirrored=True)),
        "conv-pool": ("colours", students.conv_pool([2, 3], hidden=4)),
        "shallow-conv": ("colours", students.shallow_conv(2, bottleneck=3, hidden=5)),
        "frequency-conv": ("frames", students.frequency_conv(2, [4], width=2, pool=2)),
        "ngrams": ("reviews", students.ngrams(2, characters=[3], buckets=256, dimensions=4)),
        "static": ("reviews", students.static_embeddings(MODEL, dimensions=4, hidden=3)),
    }
    for name, (of, student) in each.items():
        run = limbeck.train(student, sets[of], Labels(), to=f"run-{name}", plan=SHORT)
        run_says(run, sets[of])
    shutil.rmtree(MODEL.parent)


def soft_run(scores: limbeck.ScoreSet, to: str) -> Run:
    return limbeck.train(students.mlp([6]), scores, SoftTargets(2.0), to=to, plan=PLAN, seeds=2)


@contextmanager
def slowly_killed_at(step: int) -> Iterator[None]:
    """Training that dies before that step, with steps so slow that their seconds tell them."""
    real = _loop._step

    def slow(*given: object) -> object:
        time.sleep(0.1)
        return real(*given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_loop, "_step", slow)
        with killed_at(step, patched):
            yield


def begun_run(scores: limbeck.ScoreSet) -> None:
    """The run `run` after the nets of its first seed and half of the second's student."""
    steps = 4 * PLAN.epochs
    with slowly_killed_at(2 * steps + 11):
        soft_run(scores, "begun-run")
    assert {p.name for p in Path("begun-run").iterdir()} == {
        "request.json", "student-0", "control-0", "student-1"
    }  # fmt: skip


SWEPT = {"t1": SoftTargets(1.0), "t4": SoftTargets(4.0, hard_weight=0.1)}


def swept(scores: limbeck.ScoreSet, to: str) -> dict[str, Run]:
    return limbeck.sweep(students.mlp([4]), scores, SWEPT, to=to, plan=PLAN, seeds=2)


def begun_sweep(scores: limbeck.ScoreSet) -> None:
    with slowly_killed_at(11):
        swept(scores, "begun-sweep")


def other_runs(made: dict[str, limbeck.ScoreSet], points: Examples, held: Examples) -> Run:
    run = run_says(soft_run(made["scores"], "run"), points)
    for other in swept(made["scores"], "sweep").values():
        run_says(other, points)
    objectives = {
        "views": ("shown", SoftTargets(4.0, hard_weight=0.5)),
        "mixed": ("mixed", SoftTargets(2.0)),
        "votes": ("votes", Votes()),
        "columns": ("columns", SoftTargets(1.0)),
        "values": ("values", MatchLogits()),
        "embeddings": ("embeddings", MatchEmbeddings()),
        "combined": ("combined", MatchLogits()),
    }
    for name, (of, objective) in objectives.items():
        student = students.mlp([4])
        one = limbeck.train(student, made[of], objective, to=f"run-{name}", plan=SHORT)
        run_says(one, made[of].examples)
    corrected = limbeck.correct(run, held, classes=["star"], how="held-out", to="run-corrected")
    run_says(corrected, points)
    run_says(_temperature.tempered(run, 1.5, "toys", Path("run-tempered")), points)
    scores_say(limbeck.score(run, points, to="scores-of-run"), "points")
    return run


def sizes(made: dict[str, limbeck.ScoreSet], test: Examples) -> None:
    soft = {"soft": SoftTargets(2.0)}
    runs = limbeck.sweep(
        students.mlp([4]), made["scores"], soft, to="sizes", plan=SHORT, sizes=(20, 40)
    )
    for run in runs.values():
        run_says(run, test)
    limbeck.by_size(runs, test).write("sizes")


def experts(points: Examples) -> None:
    generalist = limbeck.train(students.mlp([6]), points, Labels(), to="generalist", plan=PLAN)
    run_says(generalist, points)
    subsets = [("round", "square"), ("square", "star")]
    made = limbeck.specialists.train(generalist, points, subsets, to="specialists", plan=SHORT)
    for member in made.members:
        run_says(member, points)
    TENSORS["specialists"] = np.asarray(made.combined().predict(points.inputs))
    SAID["specialists"] = {"corrections": made.corrections, "subsets": made.subsets}


# Documents and files.


def document(name: str, said: object, page: str, file: str) -> None:
    SAID["documents"][name] = {"page": page, "file": file, "summary": str(said)}


def documents(
    run: Run, made: dict[str, limbeck.ScoreSet], test: Examples, labelled: Examples
) -> None:
    report = limbeck.evaluate(
        {"teacher": teacher("rule", rule), "student": run},
        replace(test, columns={"side": np.where(test.inputs[:, 0] > 0, "right", "left")}),
        reference="teacher",
        to="report",
        require=["agreement>=0.5", "verdict=yes"],
        comparison=limbeck.Comparison(slices=("side",)),
    )
    document("report", report, "report.md", "report.json")
    budget = limbeck.Budget(trials=2, learning_rates=(1e-2, 1e-1), held_out=0.25)
    methods = {"soft": [SoftTargets(1.0), SoftTargets(4.0)]}
    compared = limbeck.compare(
        students.mlp([4]), made["scores"], methods, test=test, to="comparison", plan=SHORT,
        budget=budget, seeds=2,
    )  # fmt: skip
    document("comparison", compared, "comparison.md", "comparison.json")
    run_says(compared.run("soft"), test)
    beside = limbeck.rivals(
        run, test, teacher=teacher("rule", rule), labelled=labelled, to="rivals", budget_ms=40.0
    )
    document("rivals", beside, "rivals.md", "rivals.json")
    SAID["sentence"] = beside.sentence
    dark = limbeck.dark_knowledge(made["scores"], examples=["points-0"], student=run)
    SAID["dark"] = str(dark).removeprefix(dark.name)


def exports(run: Run, test: Examples, colours_of: Examples) -> None:
    narrow = Run.open(Path("run-shallow"))
    convnet = Run.open(Path("run-convnet"))
    for name, one, examples in (
        ("student.safetensors", run, test),
        ("student.onnx", run, test),
        ("narrow.safetensors", narrow, test),
        ("convnet.onnx", convnet, colours_of),
    ):
        path = f"exported/{name}"
        absorb = one is narrow
        limbeck.export(one, to=path, check=examples, absorb=absorb)
        if name.endswith(".onnx"):
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            inputs = {"inputs": examples.inputs.astype(np.float32)}
            TENSORS[f"export {path}"] = session.run(["scores"], inputs)[0]
        else:
            TENSORS[f"export {path}"] = asked(limbeck.load(path), examples)
        SAID["exports"][path] = {"examples": examples.name}


# Speech.


def utterances(corpus: speech.Corpus) -> list[dict]:
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


def spoken() -> None:
    """A corpus whose sentences are a word each, so that it is small."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_spoken, "sentences", lambda _: iter(("no", "yes", "up")))
        corpus = speech.spoken(0.0001, voices=3, folder="corpus")
    SAID["corpus"] = {
        "name": corpus.name,
        "phones": corpus.phones,
        "utterances": utterances(corpus),
    }
    heard = b"".join(one.samples.tobytes() for one in (*corpus.train, *corpus.test))
    SAID["corpus"]["sha256"] = sha256(heard).hexdigest()


def aligned() -> None:
    """One synthetic voice says "three" as three speakers, and each is aligned."""
    rows = []
    with speaking() as say:
        for at, speaker in enumerate(("ann", "bob", "cid")):
            sound = say("three", Manner("gmw/en-US+m1", 150, 40 + 10 * at, 50))
            samples = resample_poly(sound.samples.astype(float), 8000, sound.rate)
            content = io.BytesIO()
            wavfile.write(content, 8000, (samples / np.abs(samples).max() * 8000).astype(np.int16))
            audio = {"bytes": content.getvalue(), "path": f"3_{speaker}_0.wav"}
            rows.append({"audio": audio, "label": 3, "speaker": speaker, "index": 0})
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), "three.parquet")
    corpus = speech.digits("three.parquet", "ann", folder="alignments")
    SAID["alignments"] = {
        "name": corpus.name,
        "phones": corpus.phones,
        "utterances": utterances(corpus),
    }


def main() -> None:
    torch.set_num_threads(1)
    _cost.SECONDS, _cost.LONGEST = 0.01, 0.3
    sets = {
        "points": kept(worlds.blobs(60, name="points")),
        "test": kept(worlds.blobs(80, seed=2, name="test")),
        "held": kept(worlds.blobs(60, seed=5, name="held")),
        "colours": colours(),
        "frames": frames(),
        "reviews": reviews(),
    }
    grey = worlds.pictures(24)
    sets["pictures"] = drawn("pictures", grey.inputs, grey.labels, grey.classes)
    made = score_sets(sets["points"], sets["pictures"])
    begun_scores(sets["pictures"])
    run = other_runs(made, sets["points"], sets["held"])
    begun_run(made["scores"])
    begun_sweep(made["scores"])
    runs_of_each_student(sets)
    sizes(made, sets["test"])
    experts(sets["points"])
    documents(run, made, sets["test"], worlds.blobs(100, seed=1, name="labelled"))
    exports(run, sets["test"], sets["colours"])
    spoken()
    aligned()
    save_file(TENSORS, "expected.safetensors")
    Path("expected.json").write_text(json.dumps(SAID, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    assert not os.listdir(), "run this in an empty folder"
    main()
