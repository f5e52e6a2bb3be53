"""A factory's code is part of what a student is, in a module as in a file."""

import sys
from pathlib import Path

import pytest

from limbeck import students
from limbeck.errors import MismatchError
from limbeck.runtime import own_content

NET = """
from torch import nn
def net(inputs, outputs):
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs[0], 4), nn.{unit}(), nn.Linear(4, outputs))
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "nets_of_mine.py").write_text(NET.format(unit="ReLU"))
    import nets_of_mine  # type: ignore[import-not-found]

    yield nets_of_mine
    del sys.modules["nets_of_mine"]


def test_a_changed_module_is_another_student_and_refused(module, tmp_path: Path) -> None:
    text = students.factory(module.net).sized((3,), 2).text
    assert text.startswith("factory('nets_of_mine:net', content='")
    assert students.from_text(text, trust=True).text == text
    assert students.from_text(text, trust=True).build(0) is not None
    (tmp_path / "nets_of_mine.py").write_text(NET.format(unit="Tanh"))
    with pytest.raises(MismatchError, match="nets_of_mine has changed: net was read from content"):
        students.from_text(text, trust=True).build(0)
    assert students.factory(module.net).sized((3,), 2).text != text


def test_a_text_of_0_1_without_content_is_read(module) -> None:
    old = "factory('nets_of_mine:net', inputs=[3], outputs=2)"
    assert students.from_text(old, trust=True).build(0) is not None


def test_an_installed_package_is_named_without_content() -> None:
    from torch import nn

    assert own_content(nn.Linear) == ""
    assert own_content(len) == ""
