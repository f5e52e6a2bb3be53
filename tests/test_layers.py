"""Imports point one way: a module sees only modules of a lower rank."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "limbeck"

# Low to high. Modules of one rank do not see each other.
RANKS = """
errors _lazy
_manifest _optional _engine _calls _formulas _labels _verdicts _groups
_value_formulas _embedding_formulas
_own
_inputs
_ragged
examples intervals
_statistics
_votes
encodings scores _pixels _bias _columns _pretrained
_column_formulas _fitted
students._spec
students._bottleneck students._conv_pool students._convnet students._factory students._fastnet
students._frequency_conv
students._mlp students._ngrams students._shallow_conv
students._of_size students._static
losses metrics views optim students _means _fusion _soft
_figure _rows _kinds
_successors
_fetch
_decoded
images _arrow _store _naive_bayes _one_hot
_table_file
tables text
speech._utterance speech._phones speech._viterbi
speech._audio speech._features speech._transcript speech._windows
speech._frames speech._reading
speech._folder speech._timit
speech._states speech._grammar speech._error_rate
speech._decode
speech._sentences speech._espeak
speech._mnemonics speech._forced
speech._stored
speech._spoken speech._digits
speech
_corpora
runs sources synthetic _confidence
objectives transfer _report _require _shards _altered
teachers._teacher teachers._file teachers._address teachers._ubj
teachers._whole teachers._others
teachers._function teachers._torch teachers._onnx teachers._exported teachers._endpoint
teachers._reader teachers._kept teachers._head teachers._head_file
teachers._huggingface teachers._encoder
teachers._lightgbm teachers._sklearn teachers._xgboost
teachers._scores
teachers._ensemble teachers._given teachers._specialists teachers._http
teachers._saved
teachers._read
teachers _stack
_net _seen _steady
_task
_fit _cost _flat_trees
_job _answers
_score _combine _live _train _evaluate _export _correct _dark
_documents
sweeps _compared _tune _temper _cheaper _shipping _rivalry
_tabular
_estimator
_compare _by_size _rivals
_load _distill _specialise sklearn
specialists
_recipe_tables
recipe
_steps
__init__
cli._words
cli._transfer
cli._looking cli._making cli._combine cli._comparing cli._correcting cli._specialists cli._sweeping
cli._rivals
cli._munging cli._speech
cli
cli.__main__
"""
RANK = {name: rank for rank, line in enumerate(RANKS.split("\n")) for name in line.split()}

FORBIDDEN_NAMES = {"utils", "util", "helper", "helpers", "manager", "info", "data", "target"}


def module_name(path: Path) -> str:
    """`students._mlp` for students/_mlp.py, `students` for its __init__.py."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[1:] and parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for path in sorted(SOURCE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text()) for name, path in FILES.items()}


def imported(node: ast.AST) -> Iterator[str]:
    """The limbeck modules that one import statement names, without `limbeck.`."""
    if isinstance(node, ast.Import):
        paths = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        # `from limbeck import losses` names a module, `from limbeck.errors import X` does not.
        inside = [f"{node.module}.{alias.name}" for alias in node.names]
        paths = [p if p.removeprefix("limbeck.") in FILES else str(node.module) for p in inside]
    else:
        paths = []
    for path in paths:
        if path.split(".")[0] == "limbeck":
            yield path.removeprefix("limbeck").removeprefix(".") or "__init__"


def imports_of(tree: ast.AST) -> set[str]:
    return {name for node in ast.walk(tree) for name in imported(node)}


def package_of(name: str) -> str:
    return name.rpartition(".")[0] or name


def test_every_module_has_a_rank_and_every_rank_a_module() -> None:
    assert sorted(RANK) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_module_imports_only_lower_ranks(name: str) -> None:
    for other in imports_of(TREES[name]):
        assert RANK[other] < RANK[name], f"{name} must not import {other}"


@pytest.mark.parametrize("name", FILES)
def test_the_files_of_a_package_are_imported_by_that_package_alone(name: str) -> None:
    inner = {other for other in imports_of(TREES[name]) if "." in other}
    strangers = {other for other in inner if package_of(other) != package_of(name)}
    assert not strangers, f"{name} imports {strangers}: import the package"


def may_import(name: str, function: str) -> bool:
    # The command line starts quickly because commands load what they need when they are run.
    return package_of(name) == "cli" or (name == "__init__" and function == "__getattr__")


@pytest.mark.parametrize("name", FILES)
def test_no_function_imports(name: str) -> None:
    functions = [n for n in ast.walk(TREES[name]) if isinstance(n, ast.FunctionDef)]
    for function in functions:
        inner = [n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)]
        assert not inner or may_import(name, function.name), f"{name}.{function.name} imports"


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_at_most_400_lines(name: str) -> None:
    assert len(FILES[name].read_text().splitlines()) <= 400


def names_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_called_by_a_name_that_says_nothing(name: str) -> None:
    names = {n.lower().strip("_") for n in names_in(TREES[name])} | set(name.split("."))
    allowed = {"data"} if package_of(name) == "cli" else set()  # the command `limbeck data`
    assert not names & FORBIDDEN_NAMES - allowed
