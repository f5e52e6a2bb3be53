"""Opens frames of a corpus of speech, with the states of their phones as labels, by a call."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from limbeck import speech
from limbeck.errors import InputError
from limbeck.examples import Examples
from limbeck.runtime import did_you_mean

# What each argument has to be, and how a sentence says so. True is an int, but no rate.
_FORMS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "path": ((str,), "a text"),
    "part": ((str,), "a text"),
    "silence": ((str,), "a text"),
    "held_out": ((str,), "a text"),
    "folder": ((str,), "a text"),
    "phones": ((list, tuple), "a list of texts"),
    "rate": ((int,), "a whole number"),
    "seed": ((int,), "a whole number"),
    "voices": ((int,), "a whole number"),
    "hours": ((int, float), "a number"),
    "skip_bad": ((bool,), "True or False"),
    "partial_copy": ((bool,), "True or False"),
}


def _speech(
    path: Any,
    part: Any,
    *,
    silence: Any,
    phones: Any = (),
    rate: Any = 16_000,
    skip_bad: Any = False,
) -> Examples:
    options = {"silence": silence, "phones": phones, "rate": rate, "skip_bad": skip_bad}
    return _open("speech", speech.folder, part, options, path=path)


def _timit(path: Any, part: Any, *, partial_copy: Any = False, skip_bad: Any = False) -> Examples:
    options = {"partial_copy": partial_copy, "skip_bad": skip_bad}
    return _open("timit", speech.timit, part, options, path=path)


def _spoken_set(
    part: Any, *, hours: Any = 1.0, seed: Any = 0, voices: Any = 64, folder: Any = ""
) -> Examples:
    options = {"hours": hours, "seed": seed, "voices": voices, "folder": folder}
    return _open("spoken", speech.spoken, part, options)


def _spoken_digits(
    path: Any, part: Any, *, held_out: Any, folder: Any = "", skip_bad: Any = False
) -> Examples:
    options = {"held_out": held_out, "folder": folder, "skip_bad": skip_bad}
    return _open("spoken_digits", speech.digits, part, options, path=path)


CORPORA: Mapping[str, Callable[..., Examples]] = {
    "speech": _speech,
    "timit": _timit,
    "spoken": _spoken_set,
    "spoken_digits": _spoken_digits,
}


def _open(
    name: str,
    read: Callable[..., speech.Corpus],
    part: Any,
    options: Mapping[str, Any],
    **where: Any,
) -> Examples:
    """Frames of that part, whose source opens them again from whatever directory.

    Raises:
        InputError: there is no such part, or an argument is of another kind than it has to be.
    """
    _check(name, {**where, "part": part, **options})
    places = [_absolute(path) for path in where.values()]
    absolute = {
        key: _absolute(value) if key == "folder" else value for key, value in options.items()
    }
    corpus = read(*places, **absolute)
    # Only what means "nothing" is left out, so that the text does not depend on today's defaults.
    arguments = [f"{key}={value!r}" for key, value in absolute.items() if value]
    text = f"{name}({', '.join([*map(repr, [*places, part]), *arguments])})"
    label = Path(places[0]).stem if places else name
    return _frames(getattr(corpus, part), corpus.phones).named(f"{label}:{part}", text)


def _check(name: str, given: Mapping[str, Any]) -> None:
    for key, value in given.items():
        kinds, form = _FORMS[key]
        is_right = type(value) in kinds
        if key == "phones" and is_right:
            is_right = all(isinstance(one, str) for one in value)
        if not is_right:
            raise InputError(f"{name}() takes {form} for {key}, not {value!r}")
    if given["part"] not in speech.SETS:
        raise InputError(
            f"{name}() has no part {given['part']!r}; {did_you_mean(given['part'], speech.SETS)}"
        )


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute()) if path else ""


def _frames(utterances: tuple[speech.Utterance, ...], phones: tuple[str, ...]) -> Examples:
    banks = speech.FilterBanks()
    labels = [speech.states(one, phones, banks.count(one)) for one in utterances]
    return speech.frames(utterances, labels, classes=speech.state_names(phones), banks=banks)
