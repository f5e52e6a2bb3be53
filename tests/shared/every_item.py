"""Checks annotations in tests: beartype, and every item where it draws one of a container's.

It draws at random, so that one wrong item of a list fails now and then; of a set or a mapping it
takes the first alone. Its strategy of all items, `BeartypeStrategy.On`, is accepted but not
written yet (0.23).

What a hint demands is worked out once, when a function is decorated: a test session calls millions.
"""

import functools
import inspect
import types
from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, is_typeddict

from beartype import BeartypeConf, beartype
from beartype.door import is_bearable

CONF = BeartypeConf(is_pep484_tower=True)  # an int stands for a float
TOWER = {float: (float, int), complex: (complex, float, int)}
CONTAINERS = (list, tuple, set, frozenset, dict)  # unlike an iterator, none is used up by a look
CHOICES = (Union, types.UnionType)

Allows = Callable[[Any], bool]  # whether a value is what a hint says


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which refuses arguments and results that its annotations do not allow."""
    by_beartype = beartype(conf=CONF)(function)
    signature = inspect.signature(function)
    demands = _demands(list(signature.parameters.values()))
    of_result = signature.return_annotation
    allows_result = allows(of_result) if _has_items(of_result) else None
    if not demands and allows_result is None:
        return by_beartype

    @functools.wraps(function)
    def whole(*args: Any, **kwargs: Any) -> Any:
        for values_of, name, hint, is_allowed in demands:
            for value in values_of(args, kwargs):
                _refuse_unless(is_allowed, value, name, hint)
        result = by_beartype(*args, **kwargs)
        if allows_result is not None:
            _refuse_unless(allows_result, result, "the result", of_result)
        return result

    return whole


def _refuse_unless(is_allowed: Allows, value: Any, name: str, hint: Any) -> None:
    if not is_allowed(value):
        raise TypeError(f"{name} or an item of it is not {hint}: {value!r}")


def _demands(parameters: list[inspect.Parameter]) -> list[tuple[Any, str, Any, Allows]]:
    """Of each parameter that holds items: how to find what was given, and what it has to be."""
    named = {one.name for one in parameters if one.kind is not one.VAR_KEYWORD}

    def others(_: Any, kwargs: dict[str, Any]) -> list[Any]:
        return [value for name, value in kwargs.items() if name not in named]

    return [
        (
            others if one.kind is one.VAR_KEYWORD else functools.partial(_given, at, one),
            one.name,
            one.annotation,
            allows(one.annotation),
        )
        for at, one in enumerate(parameters)
        if _has_items(one.annotation)
    ]


def _given(
    at: int, one: inspect.Parameter, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, ...]:
    if one.kind is one.VAR_POSITIONAL:
        return args[at:]
    if at < len(args) and one.kind is not one.KEYWORD_ONLY:
        return args[at : at + 1]
    return (kwargs[one.name],) if one.name in kwargs else ()


def _has_items(hint: Any) -> bool:
    origin, kinds = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _has_items(kinds[0])
    if origin in CHOICES:
        return any(map(_has_items, kinds))
    return isinstance(origin, type) and any(issubclass(one, origin) for one in CONTAINERS)


def allows(hint: Any) -> Allows:
    """What tells whether a value, and every item of it at every depth, is of the annotated type."""
    origin, kinds = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return allows(kinds[0])
    if origin in CHOICES:
        each = [allows(kind) for kind in kinds]
        return lambda value: any(one(value) for one in each)
    if _has_items(hint):
        return _allows_items(hint, origin, kinds)
    # A type variable's bound may be a name that only beartype finds, in the function's module.
    if hint is Any or isinstance(hint, TypeVar):
        return lambda _: True
    classes = _classes(hint)
    if classes:
        return lambda value: isinstance(value, classes)
    return lambda value: is_bearable(value, hint, conf=CONF)


def _classes(hint: Any) -> tuple[type, ...]:
    """The classes that a plain class stands for; none of what is more than one, as a protocol."""
    if not isinstance(hint, type) or get_origin(hint) or is_typeddict(hint):
        return ()
    if getattr(hint, "_is_protocol", False):
        return ()
    is_plain = hint.__module__ == "builtins" or hint.__module__.startswith("limbeck")
    return TOWER.get(hint, (hint,)) if is_plain else ()


def _allows_items(hint: Any, origin: type, kinds: tuple[Any, ...]) -> Allows:
    if origin is tuple and kinds[-1:] != (Ellipsis,):
        each = [allows(kind) for kind in kinds]  # their number is beartype's affair
        return lambda value: (
            isinstance(value, tuple)
            and all(one(item) for one, item in zip(each, value, strict=False))
        )
    if len(kinds) == 2 and Ellipsis not in kinds:
        of_keys, of_values = (_all_of(kind) for kind in kinds)
        return lambda value: (
            isinstance(value, origin)
            and (not isinstance(value, dict) or (of_keys(value) and of_values(value.values())))
        )
    of_items = _all_of(kinds[0]) if kinds else lambda _: True
    return lambda value: (
        isinstance(value, origin) and (not isinstance(value, CONTAINERS) or of_items(value))
    )


def _all_of(kind: Any) -> Callable[[Iterable[Any]], bool]:
    """Whether all of some values are of a type; of a plain class a look at each class will do."""
    classes = _classes(kind)
    if classes:
        return lambda values: all(issubclass(one, classes) for one in set(map(type, values)))
    is_allowed = allows(kind)
    return lambda values: all(map(is_allowed, values))
