"""Any other net: a function that returns an `nn.Module`, named so that it can be found again."""

import dataclasses
import importlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from limbeck.errors import InputError, TrustError
from limbeck.runtime import did_you_mean
from limbeck.students._student import Student


@dataclass(frozen=True)
class Factory(Student):
    """A net made by a function of yours, `function(**settings)`.

    It is called once for each seed with torch's, numpy's and Python's generators seeded. If it
    takes `inputs` or `outputs`, it is given the input shape and the number of classes.
    """

    path: str = ""
    settings: tuple[tuple[str, Any], ...] = ()
    is_trusted: bool = False

    @property
    def text(self) -> str:
        """The call that describes this student again; trust is not written down."""
        shown = dict(self.settings) | {"inputs": list(self.inputs), "outputs": self.outputs}
        return f"factory({self.path!r}, " + ", ".join(f"{k}={v!r}" for k, v in shown.items()) + ")"

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
        if not self.is_trusted:
            raise TrustError(
                f"building {self.path} runs code that this text names: pass --trust (trust=True) "
                "if you know where it comes from"
            )
        function = find(self.path)
        if not callable(function):
            raise InputError(f"{self.path} is a {type(function).__name__}, not a function")
        wanted = inspect.signature(function).parameters
        sizes = {"inputs": self.inputs, "outputs": self.outputs}
        made = function(**dict(self.settings), **{k: v for k, v in sizes.items() if k in wanted})
        if not isinstance(made, nn.Module):
            raise InputError(f"{self.path} returned a {type(made).__name__}, not an nn.Module")
        return made


def factory(function: Callable[..., nn.Module] | str, **settings: Any) -> Factory:
    """A student from a function of yours, or from its name `module:function`.

    A function in hand is trusted; a name asks for trust before it is run.

    Raises:
        InputError: the function has no name it could be found by again (a lambda, a closure).
    """
    inputs, outputs = tuple(settings.pop("inputs", ())), settings.pop("outputs", 0)
    kept = tuple(sorted(settings.items()))
    if isinstance(function, str):
        return Factory(function, kept, inputs=inputs, outputs=outputs)
    path = f"{function.__module__}:{function.__qualname__}"
    if "<" in path:
        raise InputError(
            f"{path} cannot be found again by its name: define the function at the top of a module"
        )
    return Factory(path, kept, True, inputs=inputs, outputs=outputs)


def find(path: str) -> Any:
    """Whatever has that name, `module:name`; importing the module runs it.

    Raises:
        InputError: no such module or name.
    """
    module_name, _, name = path.partition(":")
    # A command's own folder is not on the path of an installed script, as it is with `python -m`.
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise InputError(f"cannot import {module_name!r} of {path!r}: {error}") from error
    if not hasattr(module, name):
        raise InputError(f"{module_name} has no {name!r}; {did_you_mean(name, dir(module))}")
    return getattr(module, name)
