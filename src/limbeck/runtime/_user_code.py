"""Opens what a text such as `mine.py:Focal(gamma=2)` names in a file of yours, if trusted."""

import importlib.util
import inspect
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from limbeck import artifacts
from limbeck.errors import InputError, MismatchError, MissingError, TrustError
from limbeck.runtime._calls import did_you_mean, make

_FORM = re.compile(
    r"(?P<file>[^()]+\.py):(?P<call>(?P<name>[A-Za-z_]\w*)\s*(?:\(.*\))?)"
    r"(?:\s*#\s*(?P<content>[0-9a-f]{16}))?",
    re.DOTALL,
)


@dataclass(frozen=True)
class Named:
    """A call of something in a file: `mine.py:Focal(gamma=2)`, perhaps with `# FINGERPRINT`.

    Attributes:
        file, call, name: the parts of `FILE:NAME(...)`.
        content: the fingerprint that the file's content must have, or "".
    """

    file: str
    call: str
    name: str
    content: str = ""

    @classmethod
    def parse(cls, text: str) -> "Named | None":
        """What the text names; None where it names no file."""
        found = _FORM.fullmatch(text.strip())
        if not found:
            return None
        return cls(found["file"], found["call"], found["name"], found["content"] or "")

    @property
    def text(self) -> str:
        """The call with the file's fingerprint, so that a changed file is another text."""
        return f"{self.file}:{self.call}  # {fingerprint_of(self.file)}"

    def check(self) -> None:
        """Refuses what can be seen to be wrong without running the file.

        Raises:
            MissingError: there is no such file.
            MismatchError: it is not the file that the text means.
        """
        found = fingerprint_of(self.file)
        if self.content and found != self.content:
            raise MismatchError(
                f"{self.file} has changed: {self.name} was read from content {self.content}, "
                f"and now it is {found}; put the old file back, or leave out the fingerprint"
            )

    def check_trusted(self, what: str, *, trust: bool) -> None:
        """Refuses what can be seen to be wrong, and to run the file if nobody said it may be.

        Raises:
            MissingError, MismatchError: as in `check`.
            TrustError: nobody said that its code may be run.
        """
        self.check()
        if not trust:
            raise TrustError(
                f"the {what} {self.file}:{self.name} runs code that this text names: pass --trust "
                "(trust=True) if you know where it comes from"
            )

    def found(self, what: str, *, trust: bool) -> Any:
        """What has that name in the file, and is not called; this runs the file.

        Raises:
            TrustError: nobody said that its code may be run.
            InputError: the file cannot be run, or has no such name.
        """
        self.check_trusted(what, trust=trust)
        module = _loaded(self.file)
        if not hasattr(module, self.name):
            raise self._absent(module)
        return getattr(module, self.name)

    def called(self, what: str, *, trust: bool) -> Any:
        """What the call makes; this runs the file.

        Raises:
            TrustError, InputError: as in `found`, or the name is none of a class or function.
            RecipeError: its arguments are refused.
        """
        maker = self.found(what, trust=trust)
        if not callable(maker):
            raise self._absent(_loaded(self.file))
        return make(self.call, {self.name: maker}, what)

    def _absent(self, module: ModuleType) -> InputError:
        own = [name for name, found in vars(module).items() if _is_own(found, module)]
        known = did_you_mean(self.name, own) if own else "it defines nothing"
        return InputError(f"{self.file} has no class or function {self.name!r}; {known}")


def fingerprint_of(file: str) -> str:
    """16 hexadecimal digits that name a file's content.

    Raises:
        MissingError: there is no such file.
    """
    path = Path(file)
    if not path.is_file():
        raise MissingError(f"there is no file {file}")
    return artifacts.fingerprint(artifacts.checksum(path.read_bytes()))


def _is_own(found: object, module: ModuleType) -> bool:
    is_definition = inspect.isclass(found) or inspect.isfunction(found)
    return is_definition and getattr(found, "__module__", "") == module.__name__


def _loaded(file: str) -> ModuleType:
    """The file as a module; the same content at the same place is run once."""
    path = Path(file).absolute()
    key = f"limbeck_own_{artifacts.fingerprint([str(path), fingerprint_of(file)])}"
    if key in sys.modules:
        return sys.modules[key]
    spec = importlib.util.spec_from_file_location(key, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[key] = module  # dataclasses look their module up while it is being run
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[key]
        raise InputError(f"{file} cannot be run: {type(error).__name__}: {error}") from error
    return module
