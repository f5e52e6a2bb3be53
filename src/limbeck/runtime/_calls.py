"""Reads a call written as text, `mlp([800, 800])`, into the object it makes; runs no other code."""

import ast
import dataclasses
import difflib
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, get_type_hints

import lazy_loader

from limbeck.errors import LimbeckError, RecipeError

pydantic = lazy_loader.load("pydantic")

LONGEST = 1_000_000  # characters of a call
DEEPEST = 20  # calls within calls

Makers = Mapping[str, Callable[..., Any]]


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
    example = f"{next(iter(makers))}(...)"
    if len(text) > LONGEST:
        raise RecipeError(f"{what} {text[:40]!r}... has {len(text):,} characters, of {LONGEST:,}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise RecipeError(f"{what} {text!r} cannot be read; write a call like {example}") from error
    return _evaluate(tree, text, makers, what)


def _evaluate(tree: ast.expr, text: str, makers: Makers, what: str, depth: int = 1) -> Any:
    if depth > DEEPEST:
        raise RecipeError(f"{what} {text[:60]!r}... has more than {DEEPEST} calls within calls")
    if isinstance(tree, ast.Name):
        tree = ast.Call(tree, [], [])
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise RecipeError(f"{what} {text!r} is not a call like {next(iter(makers))}(...)")
    name = tree.func.id
    if name not in makers:
        raise RecipeError(f"there is no {what} {name!r}; {did_you_mean(name, makers)}")
    arguments = partial(_argument, text=text, makers=makers, what=what, depth=depth)
    positional = [arguments(node) for node in tree.args]
    keywords = {k.arg or "**": arguments(k.value) for k in tree.keywords}
    _check_arguments(name, makers[name], positional, keywords)
    _check_types(name, makers[name], positional, keywords)
    try:
        return makers[name](*positional, **keywords)
    except (LimbeckError, ImportError, OSError):
        raise
    except Exception as error:  # a maker of somebody's own may raise anything
        given = [*map(repr, positional), *(f"{key}={value!r}" for key, value in keywords.items())]
        raise RecipeError(
            f"{what} {name}({', '.join(given)}) cannot be made: {type(error).__name__}: {error}; "
            f"it is {name}{inspect.signature(makers[name])}"
        ) from error


def _argument(node: ast.expr, text: str, makers: Makers, what: str, depth: int) -> Any:
    if isinstance(node, ast.Call):
        return _evaluate(node, text, makers, what, depth + 1)
    try:
        return ast.literal_eval(_divided(node))
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        raise RecipeError(
            f"{what} {text!r}: {ast.unparse(node)!r} is neither a number, a text, a list nor a call"
        ) from error


def _divided(node: ast.expr) -> ast.expr:
    """A quotient of two numbers, such as 1/255, as the number that it is; else what was given."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
        return node
    sides = [side.value for side in (node.left, node.right) if isinstance(side, ast.Constant)]
    numbers = [side for side in sides if isinstance(side, int | float)]
    return ast.Constant(numbers[0] / numbers[1]) if len(numbers) == 2 and numbers[1] else node


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


def _check_types(
    name: str, maker: Callable[..., Any], positional: list[Any], keywords: dict[str, Any]
) -> None:
    """Refuses literals of other types than the annotations of a maker of ours say."""
    signature, hints = inspect.signature(maker), _hints(maker)
    for key, value in signature.bind(*positional, **keywords).arguments.items():
        if key not in hints or signature.parameters[key].kind is inspect.Parameter.VAR_KEYWORD:
            continue
        try:
            hints[key].validate_python(value, strict=True)
        except pydantic.ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Input should be ")
            raise RecipeError(
                f"{name}(): {key} is {value!r} and should be {reason}; it is {name}{signature}"
            ) from error


@functools.cache
def _hints(maker: Callable[..., Any]) -> dict[str, Any]:
    """What checks each argument of a maker of ours; of somebody else's we know no convention."""
    if not maker.__module__.startswith("limbeck."):
        return {}
    annotated = maker.__init__ if isinstance(maker, type) else maker  # type: ignore[misc]
    config = pydantic.ConfigDict(arbitrary_types_allowed=True, allow_inf_nan=False)
    hints = get_type_hints(annotated)
    hints.pop("return", None)
    return {key: pydantic.TypeAdapter(hint, config=config) for key, hint in hints.items()}


def text_of(name: str, spec: Any) -> str:
    """The call that makes a frozen dataclass again, independent of today's defaults.

    Left out is only what is at its default and means "none": 0, an empty list, no inner view.
    """
    shown = []
    for field in dataclasses.fields(spec):
        value = getattr(spec, field.name)
        if value != field.default or (value and not _is_described(value)):
            shown.append(f"{field.name}={_literal(value)}")
    return f"{name}({', '.join(shown)})"


def _is_described(value: object) -> bool:
    # Without asking for the text: that of views within views would be made twice at every level.
    return inspect.getattr_static(value, "text", None) is not None


def _literal(value: Any) -> str:
    if _is_described(value):
        return str(value.text)
    return repr(list(value)) if isinstance(value, tuple) else repr(value)
