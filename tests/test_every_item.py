"""The checker of annotations sees each item of a container, every time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import pytest
from beartype.roar import BeartypeCallHintReturnViolation
from every_item import allows, checked

MANY = list(range(100))


@pytest.mark.parametrize(
    ("hint", "good", "wrong"),
    [
        (Sequence[int], MANY, [*MANY, np.int64(3)]),
        (list[float], MANY, [*MANY, np.float32(3)]),
        (tuple[int, ...], tuple(MANY), (*MANY, "3")),
        (tuple[int, list[str]], (3, ["a"]), (3, ["a", 3])),
        (set[int], set(MANY), {*MANY, "3"}),
        (Mapping[str, int], {"a": 1, "b": 2}, {"a": 1, "b": "2"}),
        (dict[str, list[int]], {"a": [1], "b": MANY}, {"a": [1], "b": [*MANY, None]}),
        (Iterable[str], {"a": 1, "b": 2}, {"a": 1, 2: 2}),
        (list[int] | None, None, [*MANY, None]),
        (Annotated[list[int], "a note"], MANY, [*MANY, "3"]),
    ],
)
def test_one_wrong_item_among_many_is_seen(hint: Any, good: Any, wrong: Any):
    assert allows(hint)(good)
    assert not allows(hint)(wrong)


def test_arguments_and_results_are_checked():
    @checked
    def total(*each: list[int], more: Sequence[int] = (), **named: list[int]) -> list[float]:
        return [*map(sum, each), *more] if not named else [0.0, "a"]

    assert total([1, 2], MANY, more=[3]) == [3, sum(MANY), 3]
    with pytest.raises(TypeError, match=r"each or an item of it is not list\[int\]"):
        total([1], [*MANY, "3"])
    with pytest.raises(TypeError, match="more or an item of it"):
        total(more=[*MANY, "3"])
    with pytest.raises(TypeError, match="named or an item of it"):
        total(other=[*MANY, "3"])
    with pytest.raises((TypeError, BeartypeCallHintReturnViolation)):
        total(other=MANY)


def test_an_iterator_is_not_used_up():
    @checked
    def first(numbers: Iterator[int], more: Iterable[int]) -> list[int]:
        return [next(numbers), next(iter(more))]

    assert first(iter(MANY), iter(MANY)) == [0, 0]
