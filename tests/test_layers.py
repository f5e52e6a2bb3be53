"""The house: packages in one order, each with one door, imports one way and no cycle."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "limbeck"

# Low to high: a package imports only those before it.
ORDER = """
errors < artifacts < runtime < examples < scores < students < objectives < metrics < speech
       < datasets < teachers < scoring < training < evaluation < deployment < selection < sklearn
       < recipes < cli
"""
PLACE = {name: place for place, name in enumerate(ORDER.replace("<", " ").split())}

MOST_MODULES = 14  # in a folder, its door included: beyond, look for the second idea in it
MOST_LINES = 400
FORBIDDEN_NAMES = {"utils", "util", "helper", "helpers", "manager", "info", "data", "target"}


def module_name(path: Path) -> str:
    """`students._run` for students/_run.py, `students` for its __init__.py, "" for the face."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for path in sorted(SOURCE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text()) for name, path in FILES.items()}
PACKAGES = {name for name, path in FILES.items() if path.name == "__init__.py"}


def imported(node: ast.AST) -> Iterator[str]:
    """The limbeck modules that one import statement names, without `limbeck.`; "" is the face."""
    if isinstance(node, ast.Import):
        paths = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        # `from limbeck.objectives import losses` names a module, `from limbeck.errors import X`
        # does not.
        inside = [f"{node.module}.{alias.name}" for alias in node.names]
        paths = [p if p.removeprefix("limbeck.") in FILES else str(node.module) for p in inside]
    else:
        paths = []
    for path in paths:
        if path.split(".")[0] == "limbeck":
            yield path.removeprefix("limbeck").removeprefix(".")


IMPORTS = {
    name: {other for node in ast.walk(tree) for other in imported(node)}
    for name, tree in TREES.items()
}


def package_of(name: str) -> str:
    """The package a module lies in; a package lies in itself."""
    return name if name in PACKAGES else name.rpartition(".")[0]


def is_beside_or_above(other: str, name: str) -> bool:
    """Whether the other lies in a package that `name` lies in too."""
    return f"{package_of(name)}.".startswith(f"{package_of(other)}.")


def is_door(other: str, name: str) -> bool:
    """Whether the other is a package, or a public module of one, that a stranger may enter by."""
    is_public = not other.split(".")[-1].startswith("_")
    return other.count(".") == 0 or is_public or is_beside_or_above(package_of(other), name)


def test_every_package_has_its_place_in_the_order_and_every_place_a_package() -> None:
    assert sorted(PLACE) == sorted({name.split(".")[0] for name in FILES} - {""})


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_module_imports_only_packages_before_its_own(name: str) -> None:
    own = name.split(".")[0]
    for other in IMPORTS[name] - {""}:
        package = other.split(".")[0]
        assert package == own or PLACE[package] < PLACE[own], f"{name} must not import {other}"


@pytest.mark.parametrize("name", sorted(set(FILES) - {""}))
def test_only_commands_import_the_face(name: str) -> None:
    assert "" not in IMPORTS[name] or package_of(name) == "cli"


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_package_is_entered_by_its_door_alone(name: str) -> None:
    strangers = {other for other in IMPORTS[name] if not is_door(other, name)}
    assert not strangers, f"{name} imports {strangers}: import the package"


def test_no_module_imports_itself_by_a_detour() -> None:
    # A package's door stands for all that it opens, so that a cycle through it is one.
    graph = {name: others - {""} for name, others in IMPORTS.items()}
    TopologicalSorter(graph).prepare()


def may_import(name: str) -> bool:
    # The command line starts quickly because commands load what they need when they are run.
    return package_of(name) == "cli"


@pytest.mark.parametrize("name", sorted(FILES))
def test_no_function_imports(name: str) -> None:
    functions = [n for n in ast.walk(TREES[name]) if isinstance(n, ast.FunctionDef)]
    for function in functions:
        inner = [n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)]
        assert not inner or may_import(name), f"{name}.{function.name} imports"


def test_artifacts_load_no_torch() -> None:
    # A file that answers without torch is read through them.
    loaded = {
        alias.name if isinstance(node, ast.Import) else str(node.module)
        for name in FILES
        if name.split(".")[0] in {"artifacts", "errors"}
        for node in ast.walk(TREES[name])
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert not {name for name in loaded if name.split(".")[0] in {"torch", "safetensors"}}


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_has_at_most_400_lines(name: str) -> None:
    assert len(FILES[name].read_text().splitlines()) <= MOST_LINES


# The command line has a file for each command, and no second idea in it.
@pytest.mark.parametrize("package", sorted(PACKAGES - {"", "cli"}))
def test_a_package_has_at_most_about_a_dozen_modules(package: str) -> None:
    assert len(list(FILES[package].parent.glob("*.py"))) <= MOST_MODULES


def names_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name


@pytest.mark.parametrize("name", sorted(FILES))
def test_nothing_is_called_by_a_name_that_says_nothing(name: str) -> None:
    names = {n.lower().strip("_") for n in names_in(TREES[name])}
    names |= {part.strip("_") for part in name.split(".")}
    allowed = {"data"} if package_of(name) == "cli" else set()  # the command `limbeck data`
    assert not names & FORBIDDEN_NAMES - allowed
