"""Opens the teacher that a text names: `onnx:model.onnx`, a call, a path, or code of yours."""

import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from importlib.machinery import PathFinder
from os.path import exists  # unlike Path's, not put out by a text that is too long for a path
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from limbeck import artifacts
from limbeck.errors import InputError, MissingError, RecipeError, TrustError
from limbeck.examples import Examples
from limbeck.runtime import Named, at_the_door, did_you_mean, make
from limbeck.students import Run
from limbeck.teachers._ensemble import ensemble
from limbeck.teachers._function import as_teacher
from limbeck.teachers._specialists import SPECIALISTS, Specialists
from limbeck.teachers._teacher import Teacher
from limbeck.teachers.transformers import is_head
from limbeck.teachers.wrapped import OPTIONS, preprocessed


def saved(path: str | Path, classes: Sequence[str] = (), *, trust: bool = False) -> Run | Teacher:
    """The run in a directory, or the combined model of the specialists there.

    They know their own classes; `classes` are not looked at.

    Raises:
        MissingError: there is neither, or it is not whole.
        CorruptError: there is something else, or it is damaged.
        TrustError: building a net runs code, and `trust` is not given.
    """
    directory = Path(path)
    if _artifact(directory) == SPECIALISTS:
        return Specialists.open(directory, trust=trust).combined()
    return Run.open(directory, trust=trust)


def _artifact(directory: Path) -> str:
    if artifacts.state(directory) != "whole":
        return ""
    return str(artifacts.read_json(directory / artifacts.MANIFEST)["artifact"])


_CALL = re.compile(r"\s*(?P<name>[A-Za-z_]\w*)\s*\(.*\)\s*", re.DOTALL)
_ADDRESS = re.compile(r"https?://")
_BEGINNING = 4096  # bytes of a file that are looked at to see what it is


def _nothing(path: Path) -> bool:
    return False


def _ending(*endings: str) -> Callable[[Path], bool]:
    return lambda path: path.is_file() and path.suffix.lower() in endings


def _is_ours(path: Path) -> bool:
    return path.is_dir() and artifacts.state(path) not in ("absent", "foreign")


def _is_transformer(path: Path) -> bool:
    return (path / "config.json").is_file()


def _is_lightgbm(path: Path) -> bool:
    return _ending(".txt")(path) and _beginning(path).startswith(b"tree")


def _is_xgboost(path: Path) -> bool:
    if not _ending(".json")(path):
        return _ending(".ubj")(path)
    beginning = _beginning(path).lstrip()
    return beginning.startswith(b"{") and b'"learner"' in beginning


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_BEGINNING)


@dataclass(frozen=True)
class Door:
    """One way in: a prefix, and what opens what stands after it.

    Attributes:
        name: the prefix, and the name of the call.
        maker: the function of `limbeck.teachers` that opens it: a path and `classes` to a teacher.
        says: whether a path shows by itself that this door is meant.
        opens: what stands after the prefix, as an error says it is missing; or "address".
        takes_trust: whether the maker has to be told if code may be run.
        takes_images: whether its call has the keywords of `teachers.preprocessed` too.
    """

    name: str
    maker: str
    says: Callable[[Path], bool] = _nothing
    opens: str = "file"
    takes_trust: bool = False
    takes_images: bool = False

    @property
    def is_address(self) -> bool:
        """Whether what stands after the prefix is no path."""
        return self.opens == "address"

    def make(self) -> Callable[..., Run | Teacher]:
        """What opens it."""
        # By name and not imported: the package imports this module, and not the other way round.
        maker: Callable[..., Run | Teacher] = getattr(sys.modules[__package__], self.maker)
        return maker


# The order in which a path is asked what it is.
DOORS: Mapping[str, Door] = {
    door.name: door
    for door in (
        Door("run", "saved", _is_ours, "run in", takes_trust=True),
        Door("onnx", "onnx", _ending(".onnx"), takes_images=True),
        Door("exported", "exported", _ending(".pt2"), takes_trust=True, takes_images=True),
        Door("sklearn", "sklearn", _ending(".skops", ".joblib", ".pkl"), takes_trust=True),
        Door("lightgbm", "lightgbm", _is_lightgbm),
        Door("xgboost", "xgboost", _is_xgboost),
        Door("scores", "scores", _ending(".parquet", ".csv", ".npy", ".npz")),
        Door("hf", "huggingface", _is_transformer, "folder"),
        Door("head", "head", is_head),
        Door("http", "http_from_text", opens="address"),
        Door("https", "http_from_text", opens="address"),
    )
}
_CALLS = {**DOORS, "huggingface": DOORS["hf"]}


@at_the_door("the teacher")
def from_text(text: str, classes: Sequence[str] = (), *, trust: bool = False) -> Run | Teacher:
    """The teacher that a text names, with `classes` for one that does not name its own.

    - `PREFIX:PATH`, with a prefix of `DOORS`: `onnx:model.onnx`, `run:runs/teacher`, `hf:folder`;
      or `http://...`, `https://...`.
    - A path alone, where the file or folder says what it is: its ending, its first bytes, the
      manifest of a run or of specialists, a transformer's config.json, an encoder's head.
    - A call, `onnx('model.onnx', kind='probabilities', classes=['a', 'b'])`, with the keywords of
      the function in `limbeck.teachers`, all of them literals; of `onnx` and `exported` those of
      `teachers.preprocessed` too, `scale=1/255`.
    - With `trust`, code of yours: `file.py:name` or `module:name`, or a call of it, which is
      a teacher, a module, a function that scores a batch, or a function without arguments that
      returns one of these.

    A run answers with its shipped seed, in an ensemble with each of them. The `source` of any
    other teacher is text that opens it again from whatever directory.

    Raises:
        MissingError: there is no such file or folder.
        InputError: no such prefix, or a path that does not say what it is.
        RecipeError: a call with an unknown name or keyword.
        TrustError: it names code, and `trust` is not given.
        Whatever the function raises that opens it.
    """
    meant = _meant(text)
    if isinstance(meant, Named):
        return _from_code(meant, text, classes, trust)
    if isinstance(meant, Place):
        return _open_through(meant.door, (meant.text,), {}, classes, trust)
    makers = {name: _caller(door, classes, trust) for name, door in _CALLS.items()}
    called: Run | Teacher = make(meant, makers, "teacher")
    return called


def check_text(text: str, *, trust: bool = False) -> None:
    """Refuses what can be seen to be wrong with a text before anything is opened.

    Raises:
        InputError, RecipeError: it names no way in.
        TrustError: it names code, and `trust` is not given.
        MissingError: it names a file that is not there.
    """
    meant = _meant(text)
    if isinstance(meant, Named):
        meant.check_trusted("teacher", trust=trust)


@dataclass(frozen=True)
class Place:
    """A path or an address, and the door that opens it."""

    door: Door
    text: str


def _meant(text: str) -> Place | Named | str:
    """What a text means: a place, code of yours, or (as it is) a call.

    Raises:
        InputError, RecipeError: none of them.
        MissingError: a file that is not there.
    """
    if not text:
        raise InputError("a teacher is named by a path, a prefix and a path, a call or code")
    if exists(text):
        return Place(_door_of(Path(text)), text)
    if _ADDRESS.match(text):
        return Place(DOORS[text.partition(":")[0]], text)
    named = Named.parse(text)
    if named and named.place not in DOORS:
        if not named.is_file:
            _check_prefix(named.place)
        return named
    if call := _CALL.fullmatch(text):
        if call["name"] not in _CALLS:
            raise RecipeError(
                f"there is no teacher {call['name']!r}; {did_you_mean(call['name'], _CALLS)}"
            )
        return text
    return _at(text)


def _check_prefix(module: str) -> None:
    """Refuses a module that is rather a prefix with a slip in it."""
    if get_close_matches(module, DOORS, n=1) and not _is_importable(module):
        raise _unknown(module)


def _is_importable(module: str) -> bool:
    top = module.partition(".")[0]
    # Looks for it and does not run it.
    return top in sys.modules or bool(PathFinder.find_spec(top, [str(Path.cwd()), *sys.path]))


def _from_code(named: Named, text: str, classes: Sequence[str], trust: bool) -> Teacher:
    if named.is_call:
        value = named.make("teacher", trust=trust)
    else:
        value = _answering(named.load("teacher", trust=trust))
    source, teacher = text, as_teacher(value, classes)
    if named.is_file:
        source = replace(named, place=str(Path(named.place).absolute())).text
    # The same name in a changed file is another teacher, whatever version it gives itself.
    code = artifacts.fingerprint([teacher.fingerprint, named.code()])
    return replace(teacher, source=source, is_trusted=trust, fingerprint=code)


def _answering(value: Any) -> Any:
    """What was named, or what it returns if it is a function without arguments."""
    return value() if not isinstance(value, Teacher) and _takes_nothing(value) else value


def _takes_nothing(value: Any) -> bool:
    code = getattr(value, "__code__", None)
    return isinstance(value, type) or (code is not None and code.co_argcount == 0)


def _at(text: str) -> Place:
    """What a text means that begins with a prefix, or is the path of something of ours."""
    prefix, colon, rest = text.partition(":")
    if colon and prefix not in DOORS:
        raise _unknown(prefix)
    if colon:
        return Place(DOORS[prefix], rest)
    if Path(text).suffix:
        raise MissingError(f"there is no file {text}")
    return Place(DOORS["run"], text)


def _unknown(prefix: str) -> InputError:
    return InputError(f"no teacher begins with {prefix + ':'!r}; {did_you_mean(prefix, DOORS)}")


def _door_of(path: Path) -> Door:
    first = next((door for door in DOORS.values() if door.says(path)), None)
    if first is None:
        prefixes = ", ".join(f"{name}:" for name, door in DOORS.items() if not door.is_address)
        raise InputError(
            f"{path} does not say what kind of teacher it is; write one of {prefixes} before it"
        )
    return first


def _caller(door: Door, classes: Sequence[str], trust: bool) -> Callable[..., Run | Teacher]:
    def called(*arguments: Any, **options: Any) -> Run | Teacher:
        return _open_through(door, arguments, options, classes, trust)

    # What keywords there are, for the one who checks the call.
    called.__signature__ = _signature(door)  # type: ignore[attr-defined]  # it may
    return called


def _signature(door: Door) -> inspect.Signature:
    own = inspect.signature(door.make())
    if not door.takes_images:
        return own
    more = [inspect.signature(preprocessed).parameters[name] for name in OPTIONS]
    return own.replace(parameters=[*own.parameters.values(), *more])


def _open_through(
    door: Door,
    arguments: Sequence[Any],
    options: Mapping[str, Any],
    classes: Sequence[str],
    trust: bool,
) -> Run | Teacher:
    """What the maker behind a door makes of a call's arguments, and how it is opened again."""
    place = _place(door, arguments, options)
    if "trust" in options:
        raise TrustError(
            f"{door.name}(...) asks for trust itself; whoever opens it gives that: pass --trust "
            "(trust=True) if you know where it comes from"
        )
    keywords: dict[str, Any] = {} if len(arguments) > 1 else {"classes": tuple(classes)}
    keywords |= {"trust": trust} if door.takes_trust else {}
    pixels = {name: options[name] for name in OPTIONS if door.takes_images and name in options}
    own = {name: value for name, value in options.items() if name not in pixels}
    teacher = door.make()(place, *arguments[1:], **{**keywords, **own})
    if pixels and not isinstance(teacher, Run):
        shown = preprocessed(teacher, **pixels)
        return replace(shown, source=_source(door, place, arguments[1:], options))
    if isinstance(teacher, Run) or teacher.source:
        return teacher
    return replace(teacher, source=_source(door, place, arguments[1:], options))


def _place(door: Door, arguments: Sequence[Any], options: Mapping[str, Any]) -> str:
    """The path or address that a call begins with.

    Raises:
        RecipeError: it begins with something else.
        MissingError: nothing is there.
    """
    if not arguments or not isinstance(arguments[0], str) or not arguments[0]:
        raise RecipeError(f"{door.name}() begins with a path or address, a text in quotes")
    if any(isinstance(one, Run | Teacher) for one in (*arguments, *options.values())):
        raise RecipeError(f"{door.name}() takes texts, numbers and lists, not another teacher")
    place = arguments[0] if door.is_address else str(Path(arguments[0]).expanduser())
    if not door.is_address and not exists(place):
        raise MissingError(f"there is no {door.opens} {place}")
    if door.is_address and not _ADDRESS.match(place):
        raise InputError("an address begins with http:// or https://")  # which may hold a secret
    return place


def _source(door: Door, place: str, arguments: Sequence[Any], options: Mapping[str, Any]) -> str:
    """The text that opens it again, from any directory; empty where that would hold a secret."""
    where = place if door.is_address else str(Path(place).absolute())
    if door.is_address and (urlsplit(where).query or "@" in urlsplit(where).netloc):
        return ""
    if not arguments and not options:
        return where if door.is_address else f"{door.name}:{where}"
    parts = [repr(one) for one in (where, *arguments)]
    parts += [f"{name}={value!r}" for name, value in options.items()]
    return f"{door.name}({', '.join(parts)})"


def open_teachers(
    names: Sequence[str], examples: Examples, *, mean: str = "", trust: bool = False
) -> Run | Teacher:
    """The teacher of that name; of several names, or with a mean, the ensemble of them all.

    In an ensemble a run answers with each of its seeds, alone with the one it ships.

    Raises:
        Whatever `teachers.from_text` and `teachers.ensemble` raise.
    """
    opened = [from_text(name, examples.classes, trust=trust) for name in names]
    if len(opened) == 1 and not mean:
        return opened[0]
    return ensemble(opened, mean=mean or "geometric")
