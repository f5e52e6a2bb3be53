"""Folders of Hugging Face models, opened without network, pickle or code of their makers."""

import contextlib
import hashlib
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limbeck.artifacts import fingerprint as name_by_content
from limbeck.artifacts import read_json
from limbeck.errors import CorruptError, LimbeckError, MissingError, TeacherError
from limbeck.examples import Array
from limbeck.runtime import needs

CONFIG = "config.json"
MOST_LAYERS = 10_000  # that a configuration may ask for before anything is built
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "adapter_model.bin")
TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")  # any one is enough
ENDINGS = (".json", ".jinja", ".model", ".safetensors", ".txt")  # of the files that are read

# Keys that let transformers read other files, or fetch code that computes; and harmless values.
ELSEWHERE = ("attn_implementation", "_attn_implementation", "transformers_weights")
HERE = (None, "", "eager", "sdpa", WEIGHTS, INDEX)


@dataclass(frozen=True)
class Folder:
    """A folder that was looked at and can be opened.

    Attributes:
        place: absolute and behind any link.
        config: what its config.json says; empty where a sentence encoder has none.
        fingerprint: names it by the content of its files, wherever it lies.
    """

    place: Path
    config: Mapping[str, Any]
    fingerprint: str

    @classmethod
    def of(cls, folder: str | Path) -> "Folder":
        """The folder of one model and its tokenizer.

        Raises:
            MissingError: no such folder, or it lacks its configuration, tokenizer or weights.
            TeacherError: its weights are a pickle, lie elsewhere, or are an adapter's.
            CorruptError: a file in it is damaged.
        """
        place = present_folder(folder)
        return cls(place, checked_config(place), folder_fingerprint(place, [""]))


def present_folder(folder: str | Path) -> Path:
    """The folder itself, absolute and behind any link.

    Raises:
        MissingError: there is none. Nothing is looked for by that name elsewhere.
    """
    place = Path(folder).expanduser().resolve()
    if not place.is_dir():
        raise MissingError(f"there is no folder {folder}: a model is opened from a local folder")
    return place


def checked_config(place: Path) -> dict[str, Any]:
    """The configuration of a folder in which all that a model needs is there and safe to open."""
    if not (place / CONFIG).is_file():
        raise MissingError(f"{place} has no {CONFIG}: it is no folder of a model of transformers")
    config = read_json(place / CONFIG)
    for key in ELSEWHERE:
        if config.get(key) not in HERE:
            raise TeacherError(
                f"{place / CONFIG} says {key} = {config[key]!r}, which can name files or code "
                "elsewhere, and was not opened: take the key out"
            )
    for key, value in config.items():
        if key.endswith("layers") and isinstance(value, int) and value > MOST_LAYERS:
            raise TeacherError(
                f"{place / CONFIG} says {key} = {value:,}: a model has at most {MOST_LAYERS:,}"
            )
    if not any(list(place.glob(name)) for name in TOKENIZERS):
        raise MissingError(
            f"{place} has no tokenizer ({', '.join(TOKENIZERS[:2])}, ...): write it there with "
            "tokenizer.save_pretrained(folder)"
        )
    check_weights(place)
    if not any((place / name).is_file() for name in (WEIGHTS, INDEX)):
        raise MissingError(f"{place} has no {WEIGHTS}: write it with model.save_pretrained(folder)")
    return config


def check_weights(place: Path) -> None:
    """Refuses weights that are a pickle, an adapter, or lie outside the folder.

    Raises:
        TeacherError: they are.
    """
    pickles = [name for name in PICKLES if (place / name).is_file()]
    if pickles and not any(place.glob("*.safetensors")):
        raise TeacherError(
            f"{place} keeps its weights in {pickles[0]}, which is a pickle and is never opened: "
            "write them as safetensors with model.save_pretrained(folder)"
        )
    if (place / "adapter_config.json").is_file():
        raise TeacherError(
            f"{place} holds an adapter, whose model lies elsewhere: write both as one with "
            "model.merge_and_unload().save_pretrained(folder)"
        )
    if (place / INDEX).is_file():
        _check_index(place)


def _check_index(place: Path) -> None:
    files = read_json(place / INDEX).get("weight_map")
    if not isinstance(files, dict) or not files:
        raise CorruptError(f"{place / INDEX} is damaged: it has no weight_map")
    for name in sorted({str(one) for one in files.values()}):
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise TeacherError(
                f"{place / INDEX} keeps weights in {name!r}, which is not a safetensors file in "
                "its own folder, and was not opened"
            )
        if not (place / name).is_file():
            raise MissingError(f"{INDEX} keeps weights in {name!r}, which is not in {place}")


def folder_fingerprint(place: Path, parts: Sequence[str]) -> str:
    """Names the files of a folder, and of those of its parts, by their names and contents."""
    sums = {}
    for part in parts:
        for file in sorted((place / part).iterdir()):
            if file.suffix in ENDINGS and file.is_file():
                with file.open("rb") as content:
                    digest = hashlib.file_digest(content, "sha256").hexdigest()
                sums[f"{part}/{file.name}"] = digest
    return name_by_content(sums)


@contextlib.contextmanager
def opening(place: Path) -> Iterator[None]:
    """A block in which a library opens the folder: quietly, and what it refuses is one sentence.

    Raises:
        CorruptError: the weights are damaged.
        TeacherError: whatever else the library says.
    """
    try:
        with silenced():
            yield
    except LimbeckError:
        raise
    except Exception as error:  # the libraries raise whatever comes to hand
        reason = next(
            (line for line in str(error).split("\n") if line.strip()), type(error).__name__
        )
        if "Safetensor" in type(error).__name__:
            raise CorruptError(f"the weights in {place} are damaged: {reason}") from error
        raise TeacherError(f"{place} cannot be opened by transformers: {reason}") from error


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """A block in which the libraries log nothing, draw no bars and warn of nothing."""
    ours = needs("transformers").utils.logging
    loggers = [logging.getLogger(name) for name in ("transformers", "sentence_transformers")]
    levels, drew = [one.level for one in loggers], ours.is_progress_bar_enabled()
    for one in loggers:
        one.setLevel(logging.CRITICAL)
    ours.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
        if drew:
            ours.enable_progress_bar()


def texts_in(inputs: Array, whose: str) -> list[str]:
    """Raw inputs as texts, one for each example.

    Raises:
        TeacherError: they are something else.
    """
    is_list = inputs.ndim == 1 and inputs.dtype.kind in "TUO"
    texts = [one for one in inputs.tolist() if isinstance(one, str)] if is_list else []
    if len(texts) < len(inputs):
        shape = ", ".join(["batch", *(str(side) for side in inputs.shape[1:])])
        raise TeacherError(
            f"{whose} reads texts, one for each example, and these inputs are {inputs.dtype} of "
            f"shape ({shape})"
        )
    return texts
