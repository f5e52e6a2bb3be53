"""Opens code of yours that a text names, `mine.py:Focal(gamma=2)` or `module:name`, if trusted."""

import importlib
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
from limbeck.runtime._calls import Makers, did_you_mean, make

_CALL = r"(?P<call>(?P<name>[A-Za-z_]\w*)(?:\s*\(.*\))?)"
_IN_FILE = re.compile(
    rf"(?P<place>[^()]+\.py):{_CALL}(?:\s*#\s*(?P<content>[0-9a-f]{{16}}))?", re.DOTALL
)
_IN_MODULE = re.compile(rf"(?P<place>[\w.-]+):{_CALL}", re.DOTALL)
_NONE: Makers = {}


@dataclass(frozen=True)
class Named:
    """Code of yours as a text names it, for students, objectives, teachers and views alike.

    `FILE.py:NAME` or `MODULE:NAME`, with or without a call's arguments; behind what lies in a file
    there may be `# FINGERPRINT`. A module is one that Python finds, the current directory first.

    Attributes:
        place: the file, or the module.
        call, name: the parts of `PLACE:NAME(...)`.
        content: the fingerprint that the file's content must have, or "".
    """

    place: str
    call: str
    name: str
    content: str = ""

    @classmethod
    def parse(cls, text: str) -> "Named | None":
        """What the text names; None where it names no code."""
        match = _IN_FILE.fullmatch(text.strip()) or _IN_MODULE.fullmatch(text.strip())
        if not match:
            return None
        content = match.groupdict().get("content") or ""
        return cls(match["place"], match["call"], match["name"], content)

    @property
    def is_file(self) -> bool:
        """Whether it lies in a file that is named by its path."""
        return self.place.endswith(".py")

    @property
    def is_call(self) -> bool:
        """Whether arguments are given, be it none."""
        return "(" in self.call

    @property
    def text(self) -> str:
        """The call, with the file's fingerprint, so that a changed file is another text."""
        named = f"{self.place}:{self.call}"
        return f"{named}  # {fingerprint_of(self.place)}" if self.is_file else named

    def check(self) -> None:
        """Refuses what can be seen to be wrong without running anything.

        Raises:
            MissingError: there is no such file.
            MismatchError: it is not the file that the text means.
        """
        if not self.is_file:
            return
        self._check_content(fingerprint_of(self.place))

    def _check_content(self, content: str) -> None:
        if self.content and content != self.content:
            raise MismatchError(
                f"{self.place} has changed: {self.name} was read from content {self.content}, "
                f"and now it is {content}; put the old file back, or leave out the fingerprint"
            )

    def code(self) -> str:
        """Names the content of the file, or of the loaded module's file; "" where it has none."""
        if self.is_file:
            return fingerprint_of(self.place)
        file = getattr(sys.modules.get(self.place), "__file__", None)
        return fingerprint_of(file) if file else ""

    def check_trusted(self, what: str, *, trust: bool) -> None:
        """Refuses what can be seen to be wrong, and to run the code if nobody said it may be.

        Raises:
            MissingError, MismatchError: as in `check`.
            TrustError: nobody said that it may be run.
        """
        self.check()
        if not trust:
            raise TrustError(
                f"the {what} {self.place}:{self.name} runs code that this text names: pass --trust "
                "(trust=True) if you know where it comes from"
            )

    def load(self, what: str, *, trust: bool) -> Any:
        """What has that name, and is not called; this runs the file or imports the module.

        Raises:
            TrustError: nobody said that its code may be run.
            InputError: it cannot be run or imported, or has no such name.
        """
        self.check_trusted(what, trust=trust)
        module = _loaded(self.place) if self.is_file else _imported(self.place, self.name)
        if not self.is_file:
            self._check_content(self.code())
        if not hasattr(module, self.name):
            raise self._absent(module)
        return getattr(module, self.name)

    def make(self, what: str, *, trust: bool, makers: Makers = _NONE) -> Any:
        """What the call makes; this runs the code. Its arguments may be calls of the makers.

        Raises:
            TrustError, InputError: as in `load`, or the name is none of a class or function.
            RecipeError: its arguments are refused.
        """
        maker = self.load(what, trust=trust)
        if not callable(maker):
            raise self._absent(_loaded(self.place) if self.is_file else sys.modules[self.place])
        return make(self.call, {**makers, self.name: maker}, what)

    def _absent(self, module: ModuleType) -> InputError:
        if not self.is_file:
            hint = did_you_mean(self.name, dir(module))
            return InputError(f"{self.place} has no {self.name!r}; {hint}")
        own = [name for name, value in vars(module).items() if _is_own(value, module)]
        hint = did_you_mean(self.name, own) if own else "it defines nothing"
        return InputError(f"{self.place} has no class or function {self.name!r}; {hint}")


def fingerprint_of(file: str) -> str:
    """16 hexadecimal digits that name a file's content.

    Raises:
        MissingError: there is no such file.
    """
    path = Path(file)
    if not path.is_file():
        raise MissingError(f"there is no file {file}")
    return artifacts.fingerprint(artifacts.checksum(path.read_bytes()))


def own_content(function: object) -> str:
    """The fingerprint of the file in which a function of yours is defined.

    "" where it has none, as what was typed, and for an installed package: that has versions, and a
    newer one may well do the same.
    """
    try:
        file = inspect.getsourcefile(function)  # type: ignore[arg-type]  # it raises
    except TypeError:
        return ""
    if not file or not Path(file).is_file() or _INSTALLED & set(Path(file).parts):
        return ""
    return fingerprint_of(file)


_INSTALLED = {"site-packages", "dist-packages"}


def _is_own(found: object, module: ModuleType) -> bool:
    is_definition = inspect.isclass(found) or inspect.isfunction(found)
    return is_definition and getattr(found, "__module__", "") == module.__name__


def _imported(module: str, name: str) -> ModuleType:
    # A command's own folder is not on the path of an installed script, as it is with `python -m`.
    here = str(Path.cwd())
    is_new = here not in sys.path
    sys.path[:0] = [here] * is_new
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"cannot import {module!r} of '{module}:{name}': {error}") from error
    finally:
        if is_new and here in sys.path:
            sys.path.remove(here)


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
