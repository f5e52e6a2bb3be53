"""Files are whole or absent, directories ours or left alone."""

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limbeck import artifacts
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
    place = tmp_path / "artifact"
    assert _directories.state(place) == "absent"
    assert not _directories.check_free(place, "run", REQUEST)
    assert not place.exists()
    _directories._begin(place, "run", REQUEST)
    assert _directories.state(place) == "begun"
    with pytest.raises(MissingError, match="is not whole: the job that makes it was interrupted"):
        _directories.read_manifest(place, "run")
    _directories._finish(place, "run", {"n": 3})
    assert _directories.check_free(place, "run", REQUEST)
    assert _directories.read_manifest(place, "run")["n"] == 3


def test_what_a_kill_left_behind_is_cleared_and_does_not_occupy(tmp_path):
    place = tmp_path / "artifact"
    place.mkdir()
    leftover = place / f".request.json.x7{_files.PARTIAL}"
    leftover.write_bytes(b"{")
    assert _directories.state(place) == "absent"
    _directories._begin(place, "run", REQUEST)
    assert not leftover.exists()


def test_another_request_another_artifact_and_foreign_files_are_refused(tmp_path):
    _directories._begin(tmp_path / "a", "run", REQUEST)
    with pytest.raises(OccupiedError, match=r"a run of another request \(other seed\)"):
        _directories._begin(tmp_path / "a", "run", {**REQUEST, "seed": 2})
    with pytest.raises(OccupiedError, match="already holds a run, not a report"):
        _directories._begin(tmp_path / "a", "report", REQUEST)
    (tmp_path / "b").write_text("a file")
    with pytest.raises(OccupiedError, match="is not a Limbeck artifact; nothing was overwritten"):
        _directories._begin(tmp_path / "b", "run", REQUEST)


def test_newer_formats_and_other_artifacts_are_not_guessed_at(tmp_path):
    _directories._begin(tmp_path, "run", REQUEST)
    _directories._finish(tmp_path, "run", {})
    with pytest.raises(CorruptError, match="holds a run, not a report"):
        _directories.read_manifest(tmp_path, "report")
    manifest = artifacts.read_json(tmp_path / "manifest.json")
    artifacts.write_json(tmp_path / "manifest.json", {**manifest, "format": 2})
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


def test_an_artifact_is_marked_when_it_begins_and_whole_when_it_is_finished(tmp_path):
    place = tmp_path / "run"
    with artifacts.writing(place, "run", REQUEST) as artifact:
        assert not artifact.is_whole
        assert artifacts.state(place) == "absent"
        artifact.begin()
        assert artifacts.state(place) == "begun"
        artifact.begin()
        artifact.finish({"n": 3})
    assert artifacts.read_manifest(place, "run") == {"format": 1, "artifact": "run", "n": 3}
    before = {file: file.stat().st_mtime_ns for file in place.iterdir()}
    with artifacts.writing(place, "run", REQUEST) as artifact:
        assert artifact.is_whole
    assert {file: file.stat().st_mtime_ns for file in place.iterdir()} == before


def _write_a_part_and_fail(artifact):
    artifact.begin()
    (artifact.directory / "part").write_text("kept")
    artifact.finish({"n": 1 / 0})


def test_a_block_that_raises_leaves_no_manifest_and_is_gone_on_with(tmp_path):
    place = tmp_path / "run"
    with (
        pytest.raises(ZeroDivisionError),
        artifacts.writing(place, "run", REQUEST) as artifact,
    ):
        _write_a_part_and_fail(artifact)
    assert sorted(file.name for file in place.iterdir()) == ["part", "request.json"]
    leftover = place / f".part.x7{_files.PARTIAL}"
    leftover.write_text("{")
    with artifacts.writing(place, "run", REQUEST) as artifact:
        assert not artifact.is_whole
        artifact.begin()
        assert not leftover.exists()
        artifact.finish({})
    assert (place / "part").read_text() == "kept"


def test_what_fails_before_an_artifact_begins_leaves_no_trace(tmp_path):
    with (
        pytest.raises(ZeroDivisionError),
        artifacts.writing(tmp_path / "run", "run", REQUEST),
    ):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_taken_is_refused_before_the_block(tmp_path):
    with artifacts.writing(tmp_path, "run", REQUEST) as artifact:
        artifact.begin()
        artifact.finish({})
    for kind, request, why in (
        ("run", {**REQUEST, "seed": 2}, r"a run of another request \(other seed\)"),
        ("report", REQUEST, "already holds a run, not a report"),
    ):
        with (
            pytest.raises(OccupiedError, match=why),
            artifacts.writing(tmp_path, kind, request),
        ):
            raise AssertionError("the block was entered")


def test_an_artifact_that_is_not_finished_or_was_never_begun_is_a_fault(tmp_path):
    with (
        pytest.raises(AssertionError, match=r"the run in .* was left without a manifest"),
        artifacts.writing(tmp_path / "a", "run", REQUEST) as artifact,
    ):
        artifact.begin()
    with (
        pytest.raises(AssertionError, match="was never begun"),
        artifacts.writing(tmp_path / "b", "run", REQUEST) as artifact,
    ):
        artifact.finish({})
    assert not (tmp_path / "b").exists()


def test_an_earlier_manifest_with_changes_keeps_its_order_and_one_heading(tmp_path):
    with artifacts.writing(tmp_path, "run", REQUEST) as artifact:
        artifact.begin()
        artifact.finish({"b": 1, "a": 2})
        manifest = artifacts.read_manifest(tmp_path, "run")
        assert artifacts.without_heading(manifest) == {"b": 1, "a": 2}
        artifact.finish({**manifest, "artifact": "another", "b": 3, "c": 4})
    digest = _files.fingerprint({"format": 1, "artifact": "run", "b": 3, "a": 2, "c": 4})
    assert (tmp_path / "manifest.json").read_text() == (
        '{\n "format": 1,\n "artifact": "run",\n "b": 3,\n "a": 2,\n "c": 4,\n'
        f' "digest": "{digest}"\n}}\n'
    )
