"""Checks annotations in tests: beartype, and every item where it draws one of a container's.

It draws at random, so that one wrong item of a list fails now and then; of a set or a mapping it
takes the first alone. Its strategy of all items, `BeartypeStrategy.On`, is accepted but not
written yet (0.23).
"""

import functools
import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from beartype import BeartypeConf, beartype
from beartype.door import is_bearable

CONF = BeartypeConf(is_pep484_tower=True)  # an int stands for a float
CONTAINERS = (list, tuple, set, frozenset, dict)  # unlike an iterator, none is used up by a look
CHOICES = (Union, types.UnionType)


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which refuses arguments and results that its annotations do not allow."""
    signature = inspect.signature(function)
    by_beartype = beartype(conf=CONF)(function)
    hints = [one.annotation for one in signature.parameters.values()]
    if not any(map(_has_items, [*hints, signature.return_annotation])):
        return by_beartype

    @functools.wraps(function)
    def whole(*args: Any, **kwargs: Any) -> Any:
        _check_arguments(signature, signature.bind(*args, **kwargs).arguments)
        result = by_beartype(*args, **kwargs)
        _check("the result", result, signature.return_annotation)
        return result

    return whole


def _check_arguments(signature: inspect.Signature, arguments: Mapping[str, Any]) -> None:
    for name, value in arguments.items():
        parameter = signature.parameters[name]
        each = [value]
        if parameter.kind is parameter.VAR_POSITIONAL:
            each = list(value)
        elif parameter.kind is parameter.VAR_KEYWORD:
            each = list(value.values())
        for one in each:
            _check(name, one, parameter.annotation)


def _check(name: str, value: Any, hint: Any) -> None:
    if _has_items(hint) and not allows(hint, value):
        raise TypeError(f"{name} or an item of it is not {hint}: {value!r}")


def _has_items(hint: Any) -> bool:
    origin, kinds = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _has_items(kinds[0])
    if origin in CHOICES:
        return any(map(_has_items, kinds))
    return isinstance(origin, type) and any(issubclass(one, origin) for one in CONTAINERS)


def allows(hint: Any, value: Any) -> bool:
    """Whether the value, and every item of it at every depth, is of the annotated type."""
    origin, kinds = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return allows(kinds[0], value)
    if origin in CHOICES:
        return any(allows(one, value) for one in kinds)
    if _has_items(hint):
        return isinstance(value, origin) and all(allows(*pair) for pair in _items(hint, value))
    # A type variable's bound may be a name that only beartype finds, in the function's module.
    return isinstance(hint, TypeVar) or is_bearable(value, hint, conf=CONF)


def _items(hint: Any, value: Any) -> Iterator[tuple[Any, Any]]:
    """What each item should be, and the item."""
    kinds = get_args(hint)
    if get_origin(hint) is tuple and kinds[-1:] != (Ellipsis,):
        # Their number is beartype's affair.
        yield from zip(kinds, value, strict=False)
    elif isinstance(value, dict) and len(kinds) == 2:
        for entry in value.items():
            yield from zip(kinds, entry, strict=True)
    elif isinstance(value, CONTAINERS) and kinds:
        yield from ((kinds[0], item) for item in value)
