"""Files are whole or absent, directories ours or left alone."""

import errno
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limbeck.artifacts import _directories, _files, _provenance
from limbeck.errors import CorruptError, MissingError, OccupiedError, StorageError

REQUEST = {"seed": 1, "classes": ["a", "b"]}


def test_a_crash_while_writing_leaves_the_old_content(tmp_path, monkeypatch):
    file = tmp_path / "f"
    _files.write_file(file, b"old")

    def crash(handle):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(KeyboardInterrupt):
        _files.write_file(file, b"new and longer")
    assert file.read_bytes() == b"old"
    assert [f.name for f in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_is_said_in_words(code, tmp_path, monkeypatch):
    def refuse(handle):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(
        StorageError, match=f"cannot write .*: {os.strerror(code)}; what was finished"
    ):
        _files.write_file(tmp_path / "f", b"content")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_goes_from_absent_to_begun_to_whole(tmp_path):
    place = tmp_path / "artefact"
    assert _directories.state(place) == "absent"
    assert not _directories.check_free(place, "run", REQUEST)
    assert not place.exists()
    _directories.begin(place, "run", REQUEST)
    assert _directories.state(place) == "begun"
    with pytest.raises(MissingError, match="is not whole: the job that makes it was interrupted"):
        _directories.read_manifest(place, "run")
    _directories.finish(place, "run", {"n": 3})
    assert _directories.check_free(place, "run", REQUEST)
    assert _directories.read_manifest(place, "run")["n"] == 3


def test_what_a_kill_left_behind_is_cleared_and_does_not_occupy(tmp_path):
    place = tmp_path / "artefact"
    place.mkdir()
    leftover = place / f".request.json.x7{_files.PARTIAL}"
    leftover.write_bytes(b"{")
    assert _directories.state(place) == "absent"
    _directories.begin(place, "run", REQUEST)
    assert not leftover.exists()


def test_another_request_another_artefact_and_foreign_files_are_refused(tmp_path):
    _directories.begin(tmp_path / "a", "run", REQUEST)
    with pytest.raises(OccupiedError, match=r"a run of another request \(other seed\)"):
        _directories.begin(tmp_path / "a", "run", {**REQUEST, "seed": 2})
    with pytest.raises(OccupiedError, match="already holds a run, not a report"):
        _directories.begin(tmp_path / "a", "report", REQUEST)
    (tmp_path / "b").write_text("a file")
    with pytest.raises(OccupiedError, match="is not a Limbeck artefact; nothing was overwritten"):
        _directories.begin(tmp_path / "b", "run", REQUEST)


def test_newer_formats_and_other_artefacts_are_not_guessed_at(tmp_path):
    _directories.begin(tmp_path, "run", REQUEST)
    _directories.finish(tmp_path, "run", {})
    with pytest.raises(CorruptError, match="holds a run, not a report"):
        _directories.read_manifest(tmp_path, "report")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "format": 2}))
    with pytest.raises(CorruptError, match="has format 2; this Limbeck reads 1"):
        _directories.read_manifest(tmp_path, "run")
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(CorruptError, match="is not readable JSON"):
        _directories.read_manifest(tmp_path, "run")


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=5))
def test_equal_values_have_equal_fingerprints_in_any_order(value):
    turned = dict(reversed(value.items()))
    assert _files.fingerprint(value) == _files.fingerprint(turned)
    assert _files.fingerprint(value) != _files.fingerprint({**value, "further": 1.5})


def test_provenance_says_what_made_it():
    made = _provenance.provenance()
    assert made.keys() == {"limbeck", "torch", "numpy", "python", "machine", "commit", "command"}
    assert all(isinstance(value, str) for value in made.values())
    assert "cores" in made["machine"]
