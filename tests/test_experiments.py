"""Each experiment's folder is whole, its result has the agreed form, and its script still runs."""

import ast
import importlib
import json
import os
import re
import resource
import statistics
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import limbeck
from experiments import harness, results, spoken
from experiments.__main__ import listing
from experiments.ba2014.bottleneck.__main__ import times_sooner

ROOT = Path(__file__).parents[1]
FOLDERS = results.folders()
RUN = list(results.found())
KEYS = {
    "format",
    "claim",
    "paper",
    "ours",
    "holds",
    "seeds",
    "seconds",
    "machine",
    "versions",
    "commit",
    "command",
}
NAMES = {
    "mnist": {"teacher_errors", "plain_errors", "distilled_errors"},
    "omitted": {
        "no3_errors",
        "no3_errors_on_threes",
        "no3_bias_errors_on_threes",
        "no3_oracle_errors_on_threes",
        "only78_error_rate",
        "only78_bias_error_rate",
        "only78_oracle_error_rate",
    },
    "regulariser": {"hard_accuracy", "soft_accuracy", "all_data_accuracy"},
    "ensembles": {"single", "ensemble", "distilled", "share_of_gain"},
    "specialists": {"generalist", "combined", "distilled"},
    "methods": {"control_accuracy", "soft_accuracy", "dist_accuracy", "dkd_accuracy"},
    "wrong_answers": {
        "true_accuracy",
        "shuffled_accuracy",
        "uniform_accuracy",
        "control_accuracy",
        "true_same_mistakes",
    },
    "cifar": {"teacher_accuracy", "ensemble_accuracy", "mimic_1m", "labels_1m", "gain_1m"},
    "transfer_set": {"teacher_accuracy", "own_confidence", "unseen_confidence"},
    "better_teachers": {"rank_correlation_small", "rank_correlation_large"},
    "label_noise": {"control", "teacher", "mimic"},
    "munge": {"share_of_gain", "speed_ratio", "size_ratio"},
    "same_size": {"deep_labels_accuracy", "shallow_labels_accuracy", "shallow_mimic_accuracy"},
    "what_to_match": {"raw_logits_accuracy", "kl_t1_accuracy", "probabilities_accuracy"},
    "bottleneck": {"adamw_log2_sooner", "sgd_log2_sooner", "absorbed_difference"},
    "one_layer": {"mnist_labels_accuracy", "mnist_mimic_accuracy", "fashion_mimic_accuracy"},
    "few_labels": {
        "teacher_300",
        "control_300",
        "student_300",
        "throughput_ratio",
        "student_bytes",
    },
    "fine_tuned": {f"{name}_300" for name in ("teacher", "control", "student", "kept")},
    "boosted_trees": {"teacher", "fewer_trees", "control", "student", "share_of_gain"},
    "flights": {"teacher", "baseline", "control", "student", "student_less_baseline"},
    "speech": {
        f"{corpus}_{system}"
        for corpus in ("made", "real")
        for system in ("shallow", "dnn", "cnn", "ensemble", "mimic_small", "mimic_large")
    },
    "speech_ensemble": {"single", "ensemble", "distilled", "share_of_gain"},
    "speech_little_data": {"hard", "soft", "all_data"},
    "speech_specialists": {"generalist", "combined", "distilled"},
    "record": {"student_errors", "teacher_errors", "control_errors"},
}
NEEDING_DATA = {"ba2014/cifar", "ba2014/speech"}  # images and digits that no package carries
# How often torch could have been started meanwhile. Seconds of the processor (10 until now) held
# on one machine and not on another with the same commit; the largest takes 4.2 starts.
SMOKE_STARTS = 4.8


def timed(command: list[str]) -> tuple[subprocess.CompletedProcess, float]:
    """What a command did, and the processor's seconds it took: neighbours do not count.

    With one thread, because a thread that waits for another counts too.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    one = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=one)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def start_seconds() -> float:
    """What it takes here and now to start torch, with all that its optimizers load."""
    command = [sys.executable, "-c", "import torch, torch._dynamo"]
    return statistics.median(timed(command)[1] for _ in range(3))


usual_start_seconds = cache(start_seconds)


def name_of(folder: Path) -> str:
    return folder.relative_to(ROOT / "experiments").as_posix()


def check_result(result: dict, name: str) -> None:
    assert KEYS <= result.keys() <= KEYS | {"more"}
    assert result["format"] == 1
    assert result["holds"] in (True, False, "undecided")
    assert result["command"].startswith(f"python -m experiments.{name.replace('/', '.')}")
    assert {"limbeck", "torch", "numpy", "python"} <= result["versions"].keys()
    assert result["machine"]
    assert result["commit"]
    assert result["seconds"] > 0
    assert set(result["more"]["headline"]) <= result["ours"].keys()
    for key, found in result["ours"].items():
        check_entry(key, found)


def check_names(result: dict, name: str) -> None:
    assert NAMES.get(name.split("/")[1], set()) <= result["ours"].keys()


def check_entry(key: str, found: dict) -> None:
    assert found["n"] == len(found["values"]) > 0
    assert np.isclose(found["mean"], np.mean(found["values"]), rtol=1e-6, atol=1e-9), key
    if found["low"] is None or found["high"] is None:
        assert found["n"] == 1, f"{key} has {found['n']} values and no interval"
    else:
        assert found["low"] <= found["mean"] <= found["high"], key
    if key.endswith(("accuracy", "agreement", "error_rate")):
        assert 0 <= min(found["values"]) <= max(found["values"]) <= 1, key


HOUSE = {"runtime", "cli"}  # what serves the packages and no user


def limbeck_names(file: Path) -> set[str]:
    """What a file imports from limbeck or its packages, or asks of limbeck by a dot."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "limbeck":
            inner = (node.module or "").split(".")[1:]
            found |= {".".join([*inner, alias.name]) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.partition(".")[2] for a in node.names if a.name.startswith("limbeck.")}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found |= {node.attr} if node.value.id == "limbeck" else set()
    return found


def is_public(name: str) -> bool:
    """Whether it is of the face, or what a package shows at its door."""
    package, _, inner = name.rpartition(".")
    if not package:
        return name in limbeck.__all__
    is_served = package.split(".")[0] not in HOUSE
    module = importlib.import_module(f"limbeck.{package}")
    return is_served and inner in getattr(module, "__all__", dir(module))


@pytest.mark.parametrize("folder", ["experiments", "benchmarks"])
def test_only_public_names_are_used(folder):
    for file in (ROOT / folder).rglob("*.py"):
        strangers = {name for name in limbeck_names(file) if not is_public(name)}
        assert not strangers, f"{file.relative_to(ROOT)} uses {strangers}"


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_an_experiment_says_what_it_measures(folder):
    module = ".".join(folder.relative_to(ROOT).parts)
    experiment = importlib.import_module(f"{module}.__main__").EXPERIMENT
    assert experiment.name == name_of(folder)
    assert experiment.claim.endswith(".")
    assert experiment.cost
    assert (folder / "README.md").exists()
    if experiment.large_cost:
        assert "--large" in (folder / "README.md").read_text()


@pytest.mark.parametrize(("folder", "ending"), RUN, ids=str)
def test_a_result_has_the_agreed_form_and_its_figure(folder, ending):
    found = results.result(folder, ending)
    check_result(found, name_of(folder))
    assert found["command"].endswith("--large" if ending else name_of(folder).split("/")[1])
    if not ending:
        check_names(found, name_of(folder))
    figure = (folder / f"figure{ending}.svg").read_bytes()
    assert b"<svg" in figure
    assert len(figure) < 300_000


@pytest.mark.parametrize(("folder", "ending"), RUN, ids=str)
@pytest.mark.slow
def test_a_figure_is_drawn_from_its_result_alone(folder, ending, tmp_path):
    module = ".".join(folder.relative_to(ROOT).parts)
    experiment = importlib.import_module(f"{module}.__main__").EXPERIMENT
    for place in ("once", "again"):
        harness.published(experiment, results.result(folder, ending), tmp_path / place)
    drawn = [(tmp_path / place / "figure.svg").read_bytes() for place in ("once", "again")]
    assert drawn[0] == drawn[1]


def test_the_readme_holds_the_table_of_all_results():
    assert results.table() in (ROOT / "README.md").read_text()


def test_the_table_is_written_between_its_comments_alone(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{results.BEGIN}\nold\n{results.END}\nafter\n")
    for _ in range(2):
        results.write(readme)
        expected = f"before\n{results.BEGIN}\n{results.table()}\n{results.END}\nafter\n"
        assert readme.read_text() == expected


def test_the_listing_names_each_experiment_with_cost_and_last_result():
    text = listing()
    for folder in FOLDERS:
        assert f"{name_of(folder)}  " in text
    assert text.count("cost: ") == text.count("last: ") == len(FOLDERS)


def test_a_number_has_the_decimals_of_its_unit():
    assert results.number("speed_ratio", 1234.5) == "1,234"
    assert results.number("errors", 12.34) == "12.3"
    assert results.number("accuracy", 0.98765) == "0.9877"


def test_one_value_has_no_interval_and_several_have_a_t_interval():
    alone = harness.entry([0.5])
    assert (alone["low"], alone["high"], alone["n"]) == (None, None, 1)
    three = harness.entry([1.0, 2.0, 3.0])
    assert three["mean"] == 2.0
    assert three["high"] == pytest.approx(2 + 4.302653 / np.sqrt(3))


def test_errors_are_counted_a_seed_and_their_interval_covers_examples():
    labels = np.arange(100) % 2
    logits = np.eye(2)[np.stack([labels, np.where(np.arange(100) < 10, 1 - labels, labels)])]
    found = harness.entry_of("errors", logits, labels)
    assert found["values"] == [0.0, 10.0]
    assert found["low"] < found["mean"] == 5.0 < found["high"]
    check_entry("some_errors", found)
    accuracy = harness.entry_of("accuracy", logits, labels)
    rate = harness.one_less(accuracy)
    assert rate["values"] == pytest.approx([0.0, 0.1])
    check_entry("error_rate", rate)


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_an_experiment_runs_small_in_seconds(folder, tmp_path, request):
    if name_of(folder) in NEEDING_DATA:
        request.getfixturevalue("data")  # skips where there is none
    module = ".".join(folder.relative_to(ROOT).parts)
    command = [sys.executable, "-m", module, "--smoke", "--to", str(tmp_path)]
    done, took = timed(command)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads((tmp_path / "result.json").read_text())
    check_result(result, name_of(folder))
    check_names(result, name_of(folder))
    assert (tmp_path / "figure.svg").exists()
    if took >= SMOKE_STARTS * usual_start_seconds():
        # A neighbour may have halved the machine's speed since: both again, beside each other.
        took = timed([*command[:-1], str(tmp_path / "again")])[1]
        assert took < SMOKE_STARTS * start_seconds()


def test_what_is_reached_sooner_is_read_between_the_records_of_two_curves():
    slow = {"steps": [10, 20, 30], "held_out": [3.0, 2.0, 1.0]}
    quick = {"steps": [10, 20, 30], "held_out": [1.5, 0.9, 0.4]}
    # Both reach 1: the slow one at 30, the quick one at 5/6 between 10 and 20.
    assert times_sooner(slow, quick, "steps") == pytest.approx(30 / (10 + 10 * 5 / 6))
    assert times_sooner(quick, slow, "steps") == pytest.approx((10 + 10 * 5 / 6) / 30)
    assert times_sooner(slow, slow, "steps") == 1


def test_the_log_shows_its_form_first_and_then_the_newest_entries() -> None:
    heads = re.findall(r"^## (\S+)  ", (ROOT / "experiments/LOG.md").read_text(), re.MULTILINE)
    assert heads[0] == "YYYY-MM-DD"
    assert heads[1:] == sorted(heads[1:], reverse=True)


def test_unlabelled_speech_has_no_voice_of_the_held_out_sets(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader", reason="needs limbeck[speech]")
    setting = harness.Setting("speech", tmp_path, tmp_path / "speech", "smoke")
    sets, heard = spoken.made(setting), spoken.more_voices(setting)
    count = len(sets.train.frames)
    np.testing.assert_array_equal(heard.inputs.read(np.arange(count)), sets.train.frames.inputs[:])
    assert not heard.is_labelled.any()
    more = {key.split("/")[1].split("-", 1)[1] for key in heard.keys[count:].tolist()}
    held_out = {
        speaker.split("-", 1)[1]
        for part in (sets.development, sets.test)
        for speaker in part.frames.columns["speaker"].tolist()
    }
    assert len(more) > 1
    assert len(held_out) > 1
    assert not more & held_out
