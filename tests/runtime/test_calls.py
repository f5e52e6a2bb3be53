"""Calls written as text make objects and run nothing else."""

import pytest

from limbeck.errors import RecipeError
from limbeck.runtime import did_you_mean, make


def pair(one: int, *, other: object = 0) -> tuple:
    return one, other


MAKERS = {"pair": pair, "nothing": lambda: None}


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("pair(1)", (1, 0)),
        ("pair(-1, other=[2, 3])", (-1, [2, 3])),
        ("pair(1, other=pair(2))", (1, (2, 0))),
        (" pair(one='x', other=(1.5, True)) ", ("x", (1.5, True))),
        ("nothing", None),
        ("nothing()", None),
    ],
)
def test_a_call_makes_what_python_would(text, made):
    assert make(text, MAKERS, "thing") == made


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("pear(1)", "there is no thing 'pear'; did you mean 'pair'?"),
        ("pair(1, othr=2)", r"pair\(\) has no keyword 'othr'; did you mean 'other'?"),
        ("pair()", r"pair\(\): missing a required argument: 'one'; it is pair\("),
        ("pair(1, 2)", r"pair\(\): too many positional arguments"),
        ("pair(name)", "'name' is neither a number, a text, a list nor a call"),
        ("pair(1 + open('x'))", "is neither a number"),
        ("pair(open('x'))", "there is no thing 'open'"),
        ("a.b(1)", "is not a call like"),
        ("pair(1", "cannot be read; write a call like"),
    ],
)
def test_anything_else_is_refused_in_words(text, sentence):
    with pytest.raises(RecipeError, match=sentence):
        make(text, MAKERS, "thing")


def test_far_names_are_answered_with_all_that_are_known():
    assert did_you_mean("zebra", ["mlp", "convnet"]) == "known are convnet, mlp"
