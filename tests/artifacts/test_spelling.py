"""What 0.1 stored under other names is read, and is the same request."""

import json

import pytest

from limbeck import artifacts, objectives
from limbeck.artifacts._spelling import respelt
from limbeck.errors import OccupiedError

OLD = {
    "artefact": "run",
    "objective": "MatchLogits('standardised')",
    "plan": {"optimiser": "sgd", "epochs": 3},
    "candidates": [["MatchLogits(form='centred')", "LogitStandardisation(temperature=4.0)"]],
}
NEW = {
    "objective": "MatchLogits('standardized')",
    "plan": {"optimizer": "sgd", "epochs": 3},
    "candidates": [["MatchLogits(form='centered')", "LogitStandardization(temperature=4.0)"]],
}


def test_names_of_before_are_read_as_those_of_today():
    assert respelt(OLD) == {"artifact": "run", **NEW}
    assert respelt(respelt(OLD)) == respelt(OLD)


@pytest.mark.parametrize(
    "own",
    ["standardised", "centred", "an optimiser", "MatchLogits", "mine.py:MatchLogits2('centred')"],
)
def test_a_users_own_words_are_left_alone(own):
    assert respelt({"name": own, own: [own]}) == {"name": own, own: [own]}


@pytest.mark.parametrize("text", [OLD["objective"], *OLD["candidates"][0]])
def test_a_stored_objective_is_one_of_today(text):
    objective = objectives.from_text(text)
    assert objective.text == objectives.from_text(objective.text).text
    assert "ised" not in objective.text


def test_a_request_of_before_is_the_same_request(tmp_path):
    place = tmp_path / "run"
    place.mkdir()
    (place / "request.json").write_text(json.dumps(OLD))
    assert not artifacts.check_free(place, "run", NEW)
    with pytest.raises(OccupiedError, match=r"another request \(other plan\)"):
        artifacts.check_free(place, "run", {**NEW, "plan": {"optimizer": "sgd", "epochs": 4}})


def test_what_is_written_has_the_names_of_today(tmp_path):
    with artifacts.writing(tmp_path / "run", "run", NEW) as artifact:
        artifact.begin()
        artifact.finish({})
    for name in ("request.json", "manifest.json"):
        assert json.loads((tmp_path / "run" / name).read_bytes())["artifact"] == "run"
