"""Two writers of one place, and what killed ones leave: nothing is damaged, somebody says why."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from limbeck import artifacts
from limbeck.artifacts import _files, _locks
from limbeck.errors import OccupiedError

REQUEST = {"of": "numbers"}
HOLDS = """
import sys
from pathlib import Path
from limbeck import artifacts
with artifacts.held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def other_process(tmp_path):
    """Another process that holds `tmp_path / "run"` until it is let go or killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def write(place: Path) -> None:
    """An artifact of one file."""
    with artifacts.writing(place, "run", REQUEST) as artifact:
        artifact.begin()
        artifact.finish({"n": 1})


def test_a_place_that_another_process_writes_is_refused_by_name(tmp_path, other_process):
    held = f"run is being written by process {other_process.pid} .* since .*; nothing was changed"
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OccupiedError, match=held):
        write(tmp_path / "run")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_killed_holder_holds_nobody_up_and_leaves_no_artifact(tmp_path, other_process):
    other_process.kill()
    other_process.wait()
    assert (tmp_path / "run" / _locks.LOCK).exists()
    assert artifacts.state(tmp_path / "run") == "absent"
    write(tmp_path / "run")
    assert sorted(file.name for file in (tmp_path / "run").iterdir()) == [
        "manifest.json",
        "request.json",
    ]


def test_another_thread_is_another_writer(tmp_path):
    raised = []

    def other() -> None:
        try:
            write(tmp_path / "run")
        except OccupiedError as error:
            raised.append(error)

    with artifacts.writing(tmp_path / "run", "run", REQUEST) as artifact:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        artifact.begin()
        artifact.finish({"n": 1})
    assert f"process {os.getpid()} (" in str(raised[0])


def test_a_block_that_fails_leaves_no_folder_behind(tmp_path):
    with pytest.raises(ZeroDivisionError), artifacts.held(tmp_path / "a" / "b"):
        1 / 0  # noqa: B018  # it is to fail
    assert list(tmp_path.iterdir()) == []


def test_a_place_where_nothing_can_be_locked_is_written_even_so(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(_locks.FileLock, "acquire", refuse)
    write(tmp_path / "run")
    assert artifacts.state(tmp_path / "run") == "whole"


def test_files_that_are_being_written_are_not_swept_and_leftovers_are(tmp_path):
    leftover = tmp_path / f".a.npy.x7{_files.PARTIAL}"
    leftover.write_bytes(b"half")
    live = []

    def parts():
        yield b"first"
        artifacts.sweep(tmp_path)
        live.extend(file.name for file in tmp_path.iterdir())
        yield b"second"

    artifacts.write_file(tmp_path / "b.npy", parts())
    assert len(live) == 1
    assert live[0].startswith(".b.npy.")
    assert (tmp_path / "b.npy").read_bytes() == b"firstsecond"
    assert [file.name for file in tmp_path.iterdir()] == ["b.npy"]


def test_temporary_folders_of_killed_processes_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "limbeck-scratch-old").mkdir()
    (tmp_path / "limbeck-scratch-old" / "whole.onnx").write_bytes(b"left")
    with artifacts.scratch() as mine, artifacts.scratch() as second:
        assert sorted(tmp_path.iterdir()) == sorted([mine, second])
    assert list(tmp_path.iterdir()) == []
