"""Signal 9 at any moment costs time and nothing else."""

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


def start(folder: Path, to: str) -> subprocess.Popen:
    """`limbeck run`, with a checkpoint after every tenth of a second."""
    program = (
        "from limbeck import _fit, cli; _fit.CHECKPOINT_SECONDS = 0.1; "
        f"cli.main(['run', 'kill.toml', '--to', '{to}'])"
    )
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", program], cwd=folder, text=True, **silent)


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
    assert start(tmp_path, "whole").wait() == 0
    seconds = time.monotonic() - began
    drawn = random.Random(20150309)
    kills = 0
    while kills < 10:
        process = start(tmp_path, "killed")
        try:
            process.wait(drawn.uniform(0.25, 0.75) * seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        else:  # it came through: the rest of the kills fall on a fresh one
            assert process.returncode == 0, process.stderr.read()
            assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
            (tmp_path / "killed").rename(tmp_path / f"done-{kills}")
    last = start(tmp_path, "killed")
    assert last.wait() == 0, last.stderr.read()
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    assert len(contents(tmp_path / "whole")) > 100
    assert (tmp_path / "killed" / "student.onnx").exists()
