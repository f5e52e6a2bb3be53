"""What is printed is shown by a terminal, and never obeyed."""

import pytest

from limbeck import cli
from limbeck.cli._output import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Kb", "a\\x1b[2Kb"),
        ("a\rb\x07", "a\\rb\\x07"),
        ("a\u202eb\u200b", "a\\u202eb\\u200b"),
        ("Größe, 大, é\n\tline", "Größe, 大, é\n\tline"),
    ],
)
def test_control_characters_are_escaped_and_letters_are_not(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize("command", [("show", "no\x1b[31mwhere"), ("run", "no\x1b[2Kwhere.toml")])
def test_a_name_with_control_characters_is_shown(command, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(command)
    _, err = capsys.readouterr()
    assert left.value.code == 2
    assert "\\x1b[" in err
    assert "\x1b" not in err
