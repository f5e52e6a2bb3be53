"""Every block in the README and the documentation is true: it runs, parses, or names what exists.

`<!-- not run: reason -->` on the line before a block leaves it out.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NOT_RUN = re.compile(r"<!-- not run: \S.* -->\n*")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def blocks(page: Path, *languages: str) -> Iterator[Token]:
    """The page's fenced blocks in one of the languages, less those marked as not run."""
    tokens = MarkdownIt().parse(page.read_text())
    before = [None, *tokens]
    for previous, token in zip(before, tokens, strict=False):
        left_out = previous is not None and NOT_RUN.fullmatch(previous.content)
        if token.type == "fence" and token.info in languages and not left_out:
            yield token


# Pages whose blocks train several nets.
LONG = {"your-own.md", "tables.md", "evidence.md", "index.md", "kinds.md"}
some_slow = pytest.mark.parametrize(
    "page",
    [pytest.param(p, marks=[pytest.mark.slow] * (p.name in LONG), id=p.name) for p in PAGES],
)


@some_slow
def test_the_python_blocks_run_one_after_the_other(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": page.stem}
    for block in blocks(page, "python"):
        assert block.map is not None
        # Empty lines before it give a traceback the page's own line numbers.
        code = "\n" * (block.map[0] + 1) + block.content
        exec(compile(code, str(page), "exec"), namespace)


@each_page
def test_the_toml_blocks_are_toml(page: Path) -> None:
    for block in blocks(page, "toml"):
        assert tomllib.loads(block.content)


@each_page
def test_the_commands_exist(page: Path) -> None:
    for block in blocks(page, "bash", "console", "sh"):
        for words in commands(block):
            check_command(words)


def commands(block: Token) -> Iterator[list[str]]:
    """The words of each command; in a `console` block these are the lines that begin with `$`."""
    lines = block.content.replace("\\\n", " ").splitlines()
    if block.info == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    for line in lines:
        words = line.partition("#")[0].split()
        if words:
            yield words


def check_command(words: list[str]) -> None:
    program, *rest = words
    if program == "limbeck":
        check_limbeck(rest)
    elif program == "make":
        names = [word for word in rest if "=" not in word]
        subprocess.run(["make", "--dry-run", *names], cwd=ROOT, capture_output=True, check=True)
    else:
        assert shutil.which(program) or program == "cd", f"there is no {program}"


def check_limbeck(words: list[str]) -> None:
    command = [word for word in words[:1] if not word.startswith("-")]
    shown = help_of(*command)
    for word in words:
        if word.startswith("--"):
            option = word.partition("=")[0]
            assert option in shown, f"limbeck {' '.join(command)} has no {option}"


@cache
def help_of(*command: str) -> str:
    program = Path(sys.executable).with_name("limbeck")
    done = subprocess.run([program, *command, "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
