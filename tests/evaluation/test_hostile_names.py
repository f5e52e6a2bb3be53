"""Names come from files and servers: what they hold is shown, and never obeyed."""

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from worlds import blobs, rule

import limbeck
from limbeck import Examples, Plan, objectives, students, teachers

HOSTILE = (
    "<script>alert(1)</script>",
    "# heading\n- [x](http://y)",
    "nul\0 esc\x1b[2K $\\frac$ `a`",
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place, points = tmp_path_factory.mktemp("hostile"), blobs(60)
    named = Examples.of(
        points.inputs, points.labels, classes=HOSTILE, name=HOSTILE[2], kind="logits"
    )
    scores = limbeck.score(teachers.function(rule, HOSTILE), named, to=place / "scores")
    run = limbeck.train(
        students.mlp([4]), scores, objectives.SoftTargets(2), to=place / "run", plan=Plan(epochs=1)
    )
    test = Examples.of(blobs(40, seed=1).inputs, blobs(40, seed=1).labels, classes=HOSTILE)
    report = limbeck.evaluate({HOSTILE[0]: run, "student": run}, test, to=place / "report")
    limbeck.export(run, to=place / "a.safetensors", check=test, report=report)
    return place


def test_the_card_and_the_pages_show_names_as_text(place: Path) -> None:
    card = (place / "a.safetensors.md").read_text()
    page = (place / "report" / "report.html").read_text()
    markdown = (place / "report" / "report.md").read_text()
    for text in (card, page, markdown):
        assert "<script>alert" not in text.replace("\\<", "&lt;")
        assert "\0" not in text
        assert "\x1b" not in text
        assert "\n# heading" not in text
    assert "\\x00" in card


def test_a_figure_of_such_names_is_a_whole_svg(tmp_path: Path) -> None:
    from limbeck.evaluation import _figures
    from limbeck.evaluation._figures import Confusion, Shown

    soft = np.array([[0.5, 0.3, 0.2], [0.4, 0.3, 0.3]])
    shown = [Shown(key=HOSTILE[2], label=HOSTILE[0], inputs=np.zeros(2), soft=soft)]
    confused = [Confusion(answer=HOSTILE[2], other=HOSTILE[1], probability=0.3, n=5)]
    _figures.write(tmp_path / "a.svg", HOSTILE, [1.0, 4.0], shown, confused, [])
    assert "\0" not in (tmp_path / "a.svg").read_text()
    ET.parse(tmp_path / "a.svg")
