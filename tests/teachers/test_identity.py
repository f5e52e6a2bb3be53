"""A teacher is known by the content of its code, never by its name."""

import os

import numpy as np
import pytest
from worlds import CLASSES, blobs

from limbeck import score, teachers
from limbeck.datasets import _decoded
from limbeck.errors import OccupiedError
from limbeck.scoring import Storage

CODE = """
import numpy as np
ASKED = []
def ask(inputs):
    ASKED.append(len(inputs))
    if len(ASKED) > {calls}:
        raise KeyboardInterrupt
    return {sign} * np.stack([inputs[:, 0], inputs[:, 1], inputs.sum(axis=1)], axis=1)
"""


def test_a_file_that_changed_half_way_is_another_teacher(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    points, storage = blobs(600).without_labels(), Storage(shard_rows=100, batch=100)
    (tmp_path / "mine.py").write_text(CODE.format(calls=6, sign=1))
    first = teachers.from_text("mine.py:ask", CLASSES, trust=True)
    with pytest.raises(KeyboardInterrupt):
        score(first, points, to=tmp_path / "s", storage=storage)
    (tmp_path / "mine.py").write_text(CODE.format(calls=999, sign=-1))
    second = teachers.from_text("mine.py:ask", CLASSES, trust=True)
    assert (second.name, second.classes) == (first.name, first.classes)
    assert second.fingerprint != first.fingerprint
    with pytest.raises(OccupiedError, match=r"score set of another request \(other teacher\)"):
        score(second, points, to=tmp_path / "s", storage=storage)
    whole = score(second, points, to=tmp_path / "t", storage=storage)
    rows = np.arange(len(points))
    np.testing.assert_allclose(whole.read(rows, 0 * rows)[:, 0], -points.inputs[:, 0], atol=0.02)


def test_a_file_that_is_as_it_was_is_the_same_teacher(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(CODE.format(calls=999, sign=1))
    names = ("mine.py:ask", f"{tmp_path}/mine.py:ask")
    known = {teachers.from_text(name, CLASSES, trust=True).fingerprint for name in names}
    assert len(known) == 1


def test_other_pixels_of_the_same_name_size_and_time_are_not_those_that_were_decoded(tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(b"1234")
    before, times = _decoded.stamps([file]), file.stat()
    assert _decoded.stamps([file]) == before
    file.write_bytes(b"4321")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert file.stat().st_mtime_ns == times.st_mtime_ns
    assert _decoded.stamps([file]) != before
