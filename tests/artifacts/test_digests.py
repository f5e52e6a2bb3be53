"""Every JSON file carries a digest of what it holds: no flipped byte passes for another value."""

import json
import random
from pathlib import Path

import pytest
from worlds import CLASSES, blobs, rule

import limbeck
from limbeck import Plan, artifacts, objectives, students, teachers
from limbeck.errors import CorruptError, LimbeckError

FLIPS = 150  # in each file


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One artifact of each kind that is JSON."""
    place, points = tmp_path_factory.mktemp("digests"), blobs(80)
    scores = limbeck.score(teachers.function(rule, CLASSES), points, to=place / "scores")
    run = limbeck.train(
        students.mlp([4]),
        scores,
        objectives.SoftTargets(2),
        to=place / "run",
        plan=Plan(epochs=1),
        seeds=1,
    )
    test = blobs(40, seed=1, name="test")
    limbeck.evaluate({"student": run}, test, to=place / "report")
    limbeck.export(run, to=place / "export" / "a.safetensors", check=test)
    return place


def files(place: Path) -> list[Path]:
    return sorted(place.rglob("*.json"))


def test_a_flipped_bit_is_refused_or_changes_no_value(place: Path, tmp_path: Path) -> None:
    drawn, silent, refused = random.Random(0), 0, 0
    assert len(files(place)) >= 8
    for file in files(place):
        content, value = file.read_bytes(), artifacts.read_json(file)
        assert json.loads(content).keys() - value.keys() == {"digest"}
        for _ in range(FLIPS):
            altered = bytearray(content)
            altered[drawn.randrange(len(content))] ^= 1 << drawn.randrange(8)
            (tmp_path / "a.json").write_bytes(altered)
            try:
                assert artifacts.read_json(tmp_path / "a.json") == value, altered
                silent += 1  # a blank that became a tab, or the e of a number
            except CorruptError:
                refused += 1
    assert refused > 10 * silent


DOORS = {
    "scores/manifest.json": lambda file: limbeck.ScoreSet.open(file.parent, blobs(80)),
    "run/manifest.json": lambda file: limbeck.Run.open(file.parent),
    "run/student-0/history.json": lambda file: limbeck.Run.open(file.parents[1]).history(0),
    "report/report.json": lambda file: limbeck.Report.read(file.parent),
    "export/a.safetensors.json": lambda file: limbeck.load(file.with_suffix("")),
}


@pytest.mark.parametrize("name", DOORS)
def test_every_door_refuses_altered_json_in_a_sentence(place: Path, name: str) -> None:
    file = place / name
    content = file.read_bytes()
    DOORS[name](file)
    keys = [key for key in artifacts.read_json(file) if key not in ("format", "artifact")]
    for key in keys:
        file.write_bytes(content.replace(f'"{key}"'.encode(), f'"{key}x"'.encode(), 1))
        with pytest.raises(LimbeckError, match="was altered: it does not hold what its digest is"):
            DOORS[name](file)
    file.write_bytes(content)


def test_json_of_0_1_has_no_digest_and_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"format": 1, "optimiser": "adam"}')
    assert artifacts.read_json(tmp_path / "a.json") == {"format": 1, "optimizer": "adam"}


def test_deep_json_is_refused_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[" * 10**6)
    with pytest.raises(CorruptError, match=r"a\.json is not readable JSON"):
        artifacts.read_json(tmp_path / "a.json")
