"""The public face: which names there are, what importing them loads, and the tree in the README."""

import ast
import importlib
import inspect
import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import limbeck

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "limbeck"
DOORS = sorted(SOURCE.glob("*/**/__init__.py"))

PUBLIC = [
    "Examples",
    "LimbeckError",
    "Plan",
    "Report",
    "Run",
    "ScoreSet",
    "TransferSet",
    "combine",
    "compare",
    "correct",
    "datasets",
    "distill",
    "errors",
    "evaluate",
    "export",
    "live",
    "load",
    "metrics",
    "objectives",
    "read",
    "rivals",
    "score",
    "show",
    "sklearn",
    "specialists",
    "speech",
    "students",
    "sweep",
    "teachers",
    "train",
    "views",
]

HEAVY = {"torch", "numpy", "scipy", "sklearn", "torchmetrics", "pydantic", "jinja2", "safetensors"}
OPTIONAL = {"onnx", "onnxscript", "onnxruntime", "pyarrow", "PIL", "matplotlib", "httpx"}
OPTIONAL |= {"transformers", "sentence_transformers", "tokenizers"}
OPTIONAL |= {"rapidfuzz"}
OPTIONAL |= {"lightgbm", "xgboost", "skops", "pandas"}
OPTIONAL |= {"kaldi_native_fbank", "soundfile", "espeakng_loader", "pocketsphinx"}


def loaded_by(code: str) -> set[str]:
    """The top-level packages that a fresh Python has loaded after running the code."""
    show = "import json, sys; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    command = [sys.executable, "-c", f"{code}\n{show}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_limbeck_loads_nothing_heavy_and_nothing_optional() -> None:
    assert not loaded_by("import limbeck") & (HEAVY | OPTIONAL)


def test_metrics_load_torchmetrics_and_with_it_transformers_only_where_one_needs_them() -> None:
    assert not loaded_by("import limbeck.metrics") & {"torchmetrics", "transformers"}


ASK_FOR_HELP = """
import contextlib, io, sys
from limbeck.cli import main
sys.argv = ["limbeck", "--help"]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main()
"""


def test_help_does_not_load_torch() -> None:
    assert not loaded_by(ASK_FOR_HELP) & (OPTIONAL | {"torch"})


def processor_seconds_of(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_takes_less_than_half_a_second() -> None:
    # The processor's time and the best of five: neighbours on the machine do not count.
    command = [str(Path(sys.executable).with_name("limbeck")), "--help"]
    assert min(processor_seconds_of(command) for _ in range(5)) < 0.5


def test_the_public_names_are_these() -> None:
    assert sorted(limbeck.__all__) == PUBLIC


def test_dir_shows_the_public_names() -> None:
    assert set(PUBLIC) <= set(dir(limbeck))


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_has_a_docstring(name: str) -> None:
    assert inspect.getdoc(getattr(limbeck, name))


def test_there_is_no_name_that_is_not_public() -> None:
    with pytest.raises(AttributeError, match="No limbeck attribute destill"):
        limbeck.__getattr__("destill")


def first_line(path: Path) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0]


def readme_tree() -> dict[str, str]:
    """What the package's tree in README.md says of each file; CONTRIBUTING.md gives its format."""
    blocks = re.findall(
        r"^```\w*\n(src/limbeck/\n.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S
    )
    assert len(blocks) == 1, "README.md has one fenced block that begins with src/limbeck/"
    lines = re.findall(r"^ +(\w+(?:\.py|/)) +(\S.*)$", blocks[0], re.M)
    return {name: text.strip() for name, text in lines}


def test_the_readme_tree_says_of_each_package_what_its_docstring_says() -> None:
    files = {path.name: first_line(path) for path in SOURCE.glob("[!_]*.py")}
    packages = {f"{p.parent.name}/": first_line(p) for p in SOURCE.glob("*/__init__.py")}
    assert readme_tree() == files | packages


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.parent.name)
def test_a_package_says_of_each_of_its_files_what_the_file_says(door: Path) -> None:
    text = ast.get_docstring(ast.parse(door.read_text())) or ""
    listed = dict(re.findall(r"^    (\w+/?): (.*(?:\n        .*)*)", text, re.M))
    files = {p.stem: first_line(p) for p in door.parent.glob("*.py") if p.stem[:2] != "__"}
    packages = {f"{p.parent.name}/": first_line(p) for p in door.parent.glob("*/__init__.py")}
    assert {name: " ".join(said.split()) for name, said in listed.items()} == files | packages


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.parent.name)
def test_every_name_at_a_door_is_there(door: Path) -> None:
    # A door asks for nothing before it is asked, so a name that is gone would be found out late.
    package = ".".join(("limbeck", *door.parent.relative_to(SOURCE).parts))
    opened = importlib.import_module(package)
    assert all(hasattr(opened, name) for name in getattr(opened, "__all__", ()))
