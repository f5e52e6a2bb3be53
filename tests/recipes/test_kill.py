"""Signal 9 at any moment costs time and nothing else."""

import math
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

RECIPE = """
[examples]
train = "digits:train"
test = "digits:test"

[[train]]
to = "teacher"
student = "convnet('tiny')"
on = "train"
objective = "Labels()"
views = "jitter(1)"
epochs = 6

[score]
teacher = "teacher"
examples = "train"
views = "jitter(1)"
count = 6
shard_rows = 64

[[train]]
to = "student"
student = "mlp([16], dropout=0.1)"
on = "scores"
objective = "SoftTargets(temperature=4, hard_weight=0.1)"
seeds = 2
epochs = 25
batch = 32
average = 0.99

[evaluate]
models = { teacher = "teacher", student = "student" }
examples = "test"
reference = "teacher"

[export]
run = "student"
check = "test"
"""


def run(folder: Path, to: str, *, dies_after: float = math.inf) -> bool:
    """`limbeck run` with a checkpoint every tenth of a second; whether signal 9 cut it short."""
    program = (
        "from limbeck import cli; from limbeck.training import _loop; "
        "_loop.CHECKPOINT_SECONDS = 0.1; _loop.CHECKPOINT_SHARE = 1; "
        f"cli.main(['run', 'kill.toml', '--to', '{to}'])"
    )
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", program], cwd=folder, stdout=log, stderr=log
        )
        try:
            process.wait(min(dies_after, 600))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return True
    assert process.returncode == 0, (folder / "log").read_text()
    return False


def contents(folder: Path) -> dict[str, bytes]:
    """Everything that a seed decides: shards and weights."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*.safetensors"))
    }


@pytest.mark.slow
def test_ten_kills_at_random_moments_leave_the_identical_shards_and_students(tmp_path):
    (tmp_path / "kill.toml").write_text(RECIPE)
    began = time.monotonic()
    run(tmp_path, "whole")
    seconds = time.monotonic() - began
    whole = contents(tmp_path / "whole")
    drawn = random.Random(20150309)
    kills, finished = 0, 0
    while kills < 10:
        if run(tmp_path, "killed", dies_after=drawn.uniform(0.25, 0.75) * seconds):
            kills += 1
        else:  # it came through: the rest of the kills fall on a fresh one
            finished += 1
            assert contents(tmp_path / "killed") == whole
            (tmp_path / "killed").rename(tmp_path / f"finished-{finished}")
    run(tmp_path, "killed")
    assert contents(tmp_path / "killed") == whole
    assert len(whole) > 100
    assert (tmp_path / "killed" / "student.onnx").exists()
