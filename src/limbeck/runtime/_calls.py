"""Reads a call written as text, `mlp([800, 800])`, into the object it makes; runs no other code."""

import ast
import dataclasses
import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

from limbeck.errors import RecipeError

Makers = Mapping[str, Callable[..., Any]]


@runtime_checkable
class Described(Protocol):
    """What a call written as text makes again."""

    @property
    def text(self) -> str:
        """The call."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of an error about an unknown name: the nearest known one, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"


def make(text: str, makers: Makers, what: str) -> Any:
    """What the call in the text makes; arguments are literals or calls of the same makers.

    Raises:
        RecipeError: not a call, an unknown name or keyword, or arguments the maker refuses.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        example = f"{next(iter(makers))}(...)"
        raise RecipeError(f"{what} {text!r} cannot be read; write a call like {example}") from error
    return _evaluate(tree, text, makers, what)


def _evaluate(tree: ast.expr, text: str, makers: Makers, what: str) -> Any:
    if isinstance(tree, ast.Name):
        tree = ast.Call(tree, [], [])
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise RecipeError(f"{what} {text!r} is not a call like {next(iter(makers))}(...)")
    name = tree.func.id
    if name not in makers:
        raise RecipeError(f"there is no {what} {name!r}; {did_you_mean(name, makers)}")
    positional = [_argument(node, text, makers, what) for node in tree.args]
    keywords = {k.arg or "**": _argument(k.value, text, makers, what) for k in tree.keywords}
    _check_arguments(name, makers[name], positional, keywords)
    return makers[name](*positional, **keywords)


def _argument(node: ast.expr, text: str, makers: Makers, what: str) -> Any:
    if isinstance(node, ast.Call):
        return _evaluate(node, text, makers, what)
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise RecipeError(
            f"{what} {text!r}: {ast.unparse(node)!r} is neither a number, a text, a list nor a call"
        ) from error


def _check_arguments(
    name: str, maker: Callable[..., Any], positional: list[Any], keywords: dict[str, Any]
) -> None:
    signature = inspect.signature(maker)
    open_ended = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    for keyword in keywords:
        if keyword not in signature.parameters and not open_ended:
            hint = did_you_mean(keyword, signature.parameters)
            raise RecipeError(f"{name}() has no keyword {keyword!r}; {hint}")
    try:
        signature.bind(*positional, **keywords)
    except TypeError as error:
        raise RecipeError(f"{name}(): {error}; it is {name}{signature}") from error


def text_of(name: str, spec: Any) -> str:
    """The call that makes a frozen dataclass again, independent of today's defaults.

    Left out is only what is at its default and means "none": 0, an empty list, no inner view.
    """
    shown = []
    for field in dataclasses.fields(spec):
        value = getattr(spec, field.name)
        if value != field.default or (value and not isinstance(value, Described)):
            shown.append(f"{field.name}={_literal(value)}")
    return f"{name}({', '.join(shown)})"


def _literal(value: Any) -> str:
    if isinstance(value, Described):
        return value.text
    return repr(list(value)) if isinstance(value, tuple) else repr(value)
