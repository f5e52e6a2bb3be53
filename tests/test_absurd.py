"""Absurd texts, numbers and plans are refused in a sentence, quickly, whatever the type."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

import pytest
from deadlines import soon
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck import cli, objectives, students, views
from limbeck.errors import LimbeckError
from limbeck.recipes._parse import parse

STUDENTS = [
    "mlp(8)",
    "mlp([1.5])",
    "mlp('x')",
    "mlp([8],dropout='x')",
    "mlp([8],dropout=2)",
    "mlp([-1])",
    "mlp([0])",
    "mlp([10**9])",
    "mlp([True])",
    "mlp(None)",
    "mlp([[8]])",
    "mlp({})",
    "mlp([8],activation='zzz')",
    "mlp([8],activation=3)",
    "shallow('x')",
    "shallow(-3)",
    "shallow(1.5)",
    "shallow(10,bottleneck='x')",
    "convnet('huge')",
    "convnet(3)",
    "convnet(['a'])",
    "conv_pool('x',hidden=3)",
    "conv_pool([1.5],hidden=2)",
    "conv_pool([8],hidden='x')",
    "fastnet('x')",
    "fastnet(width='x')",
    "frequency_conv('x')",
    "frequency_conv(1.5,hidden=[3])",
    "ngrams('x')",
    "ngrams(2,buckets='x')",
    "ngrams(2,buckets=-1)",
    "ngrams(0)",
    "ngrams(2,characters='x')",
    "ngrams(2,dimensions=1.5)",
    "static_embeddings(3)",
    "static_embeddings('nowhere')",
    "of_size('mlp1','x')",
    "of_size('mlp1',-1)",
    "of_size('mlp1',1.5)",
    "of_size(3,3)",
    "factory(3)",
    "mlp(*[8])",
    "mlp(**{})",
    "mlp([8]",
    "mlp(mlp(mlp(8)))",
    "(lambda:1)()",
    "__import__('os')",
    "mlp([8])\0",
    "",
    "x" * 20000,
    "mlp(" + "[" * 5000 + "]" * 5000 + ")",
    "mlp(9**9**9)",
    "mlp([8],dropout=float('nan'))",
    "mlp([8],dropout=1e999)",
]
OBJECTIVES = [
    "SoftTargets('2')",
    "SoftTargets(None)",
    "SoftTargets(1e999)",
    "SoftTargets(0)",
    "SoftTargets(temperature=[1])",
    "SoftTargets(hard_weight='x')",
    "SoftTargets(hard_weight=-1)",
    "SoftTargets(hard_weight=1e999)",
    "MatchLogits(3)",
    "MatchLogits(['raw'])",
    "MatchEmbeddings(3)",
    "MatchEmbeddings('x')",
    "DKD('a')",
    "DKD(beta=None)",
    "DKD(warmup='x')",
    "DIST('x')",
    "DIST(beta='x')",
    "LogitStandardization('x')",
    "LogitStandardization(None)",
    "Labels(3)",
    "Labels([])",
    "Votes(3)",
]
VIEWS = [
    "jitter('x')",
    "jitter(1.5)",
    "jitter(-1)",
    "jitter(None)",
    "crop('x')",
    "crop(-1)",
    "crop(1e999)",
    "flip(3)",
    "flip(of=3)",
    "flip(of='x')",
    "affine('x')",
    "affine(1e999)",
    "affine(None)",
    "elastic('x')",
    "elastic(-1)",
    "mixup('x')",
    "mixup(0)",
    "mixup(1e999)",
    "mixup(None)",
    "flip(of=" * 25 + "plain()" + ")" * 25,
    "flip(of=" * 400 + "plain()" + ")" * 400,
]

NESTED = "flip(of=" * 15 + "plain()" + ")" * 15


def refused(make: Callable[..., object], *arguments: object, **keywords: object) -> str:
    with soon(), pytest.raises(LimbeckError) as error:
        make(*arguments, **keywords)
    return str(error.value)


@pytest.mark.parametrize("text", STUDENTS)
def test_a_student_that_is_none_is_refused_in_a_sentence(text):
    assert len(refused(students.from_text, text)) < 25_000


@pytest.mark.parametrize("text", OBJECTIVES)
def test_an_objective_that_is_none_is_refused_in_a_sentence(text):
    assert refused(objectives.from_text, text)


@pytest.mark.parametrize("text", VIEWS)
def test_a_view_that_is_none_is_refused_in_a_sentence(text):
    assert refused(views.from_text, text)


WRONG_PLANS = """
from limbeck import Plan
from limbeck.errors import InputError
inf, nan = float("inf"), float("nan")
wrong = [{"epochs": "3"}, {"epochs": 1.5}, {"epochs": True}, {"learning_rate": inf},
         {"learning_rate": "x"}, {"batch": None}, {"momentum": nan}, {"patience": inf},
         {"optimizer": 3}, {"held_out": "x"}, {"schedule": []}]
for numbers in wrong:
    try:
        print("made", Plan(**numbers))
    except InputError as error:
        [name] = numbers
        print("refused" if name in str(error) else error)
"""


def test_a_plan_that_is_none_is_refused_in_a_sentence():
    """In a process of its own, because here the types are checked before the plan looks at them."""
    run = [sys.executable, "-c", WRONG_PLANS]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["refused"] * 11


def test_views_within_views_are_made_and_named_without_doubling():
    with soon():
        assert views.from_text(NESTED).text.count("flip(chance=0.5") == 15


LITERALS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["1e999", "plain()", "mlp([3])", "float('nan')"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=4,
)
NAMES = ["mlp", "shallow", "convnet", "conv_pool", "fastnet", "frequency_conv", "ngrams", "of_size"]
NAMES += ["SoftTargets", "MatchLogits", "DKD", "DIST", "Labels", "jitter", "crop", "flip", "mixup"]
KEYS = st.sampled_from(["hidden", "dropout", "of", "temperature", "channels", "zzz", ""])


def written(value: object) -> str:
    return value if value in ("1e999", "plain()", "mlp([3])", "float('nan')") else repr(value)


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    positional=st.lists(LITERALS, max_size=2),
    keywords=st.dictionaries(KEYS, LITERALS, max_size=2),
)
def test_any_call_is_made_or_refused_in_a_sentence(name, positional, keywords):
    arguments = [*map(written, positional), *(f"{k}={written(v)}" for k, v in keywords.items())]
    text = f"{name}({', '.join(arguments)})"
    for from_text in (students.from_text, objectives.from_text, views.from_text):
        with soon(), suppress(LimbeckError):
            from_text(text)


TABLES = st.dictionaries(
    st.sampled_from(["name", "examples", "score", "train", "evaluate", "export", "zzz"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["to", "teacher", "on", "epochs", "views"]), inner)
        ),
        max_leaves=6,
    ),
    max_size=4,
)


@settings(max_examples=200, deadline=None)
@given(tables=TABLES)
def test_any_recipe_is_read_or_refused_in_a_sentence(tables):
    with soon(), suppress(LimbeckError):
        parse(tables, "absurd")


def test_what_no_door_foresaw_is_one_sentence_and_a_traceback_only_on_request(monkeypatch, capsys):
    def breaks(*_: object) -> None:
        raise KeyError("no such\nthing")

    monkeypatch.setattr("limbeck.recipes.read_recipe", breaks)
    with pytest.raises(SystemExit) as left:
        cli.main(["run", "a.toml"])
    _, err = capsys.readouterr()
    assert left.value.code == 2
    assert err.startswith("limbeck: run stopped with KeyError: ")
    assert err.count("\n") == 1
    with pytest.raises(KeyError):
        cli.main(["run", "a.toml", "--debug"])
