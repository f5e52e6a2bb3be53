"""Any other net: a function that returns an `nn.Module`, named so that it can be found again."""

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from limbeck.errors import InputError
from limbeck.runtime import Named, fingerprint_of, own_content
from limbeck.students._student import Student


@dataclass(frozen=True)
class Factory(Student):
    """A net made by a function of yours, `function(**settings)`.

    It is called once for each seed with torch's, numpy's and Python's generators seeded. If it
    takes `inputs` or `outputs`, it is given the input shape and the number of classes.

    Attributes:
        path: `module:function` or `file.py:function`.
        content: the fingerprint that the file must have, or the module's; empty for an installed
            package.
    """

    path: str = ""
    settings: tuple[tuple[str, Any], ...] = ()
    is_trusted: bool = False
    content: str = ""

    @property
    def text(self) -> str:
        """The call that describes this student again; trust is not written down."""
        shown = dict(self.settings) | {"inputs": list(self.inputs), "outputs": self.outputs}
        written = ", ".join(f"{k}={v!r}" for k, v in shown.items())
        if self.content and not _is_file(self.path):
            written = f"content={self.content!r}, {written}"
        elif self.content:
            return f"{self.path}({written})  # {self.content}"
        return f"factory({self.path!r}, {written})"

    def trusted(self) -> "Factory":
        """The same student, allowed to run the code it names."""
        return dataclasses.replace(self, is_trusted=True)

    def outline(self) -> nn.Module:
        """The net itself: what a function of yours does need not work without weights."""
        return self.build(seed=0)

    def __str__(self) -> str:
        """The call that describes it: to be printed runs no code of yours."""
        return self.text

    def _body(self) -> nn.Module:
        named = Named.parse(self.path)
        if named is None or named.is_call:
            raise InputError(f"{self.path!r} names no function: write module:function")
        named = dataclasses.replace(named, content=self.content)
        function = named.load("student", trust=self.is_trusted)
        if not callable(function):
            raise InputError(f"{self.path} is a {type(function).__name__}, not a function")
        parameters = inspect.signature(function).parameters
        sizes = {"inputs": self.inputs, "outputs": self.outputs}
        net = function(**dict(self.settings), **{k: v for k, v in sizes.items() if k in parameters})
        if not isinstance(net, nn.Module):
            raise InputError(f"{self.path} returned a {type(net).__name__}, not an nn.Module")
        return net


def factory(function: Callable[..., nn.Module] | str, **settings: Any) -> Factory:
    """A student from a function of yours, or its name: `module:function` or `file.py:function`.

    A function in hand is trusted; a name asks for trust before it is run.

    Raises:
        InputError: the function has no name it could be found by again (a lambda, a closure).
        MissingError: there is no such file.
    """
    inputs, outputs = tuple(settings.pop("inputs", ())), settings.pop("outputs", 0)
    content = str(settings.pop("content", ""))  # as the text of a student has it
    kept = tuple(sorted(settings.items()))
    if isinstance(function, str):
        named = Named.parse(function)
        path = function
        if named and named.is_file:
            path = f"{named.place}:{named.call}"
            content = named.content or fingerprint_of(named.place)
        return Factory(path, kept, content=content, inputs=inputs, outputs=outputs)
    path = f"{function.__module__}:{function.__qualname__}"
    if "<" in path:
        raise InputError(
            f"{path} cannot be found again by its name: define the function at the top of a module"
        )
    content = own_content(function)
    return Factory(path, kept, True, content, inputs=inputs, outputs=outputs)


def _is_file(path: str) -> bool:
    named = Named.parse(path)
    return named is not None and named.is_file
