"""Opens examples from a path, the name of a known set, or a call that says how."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from limbeck.datasets import images, tables
from limbeck.datasets._arrow import GROUP, KEY, LABEL
from limbeck.datasets._speech import CORPORA
from limbeck.datasets.text import TEXT, imdb, read_texts
from limbeck.errors import InputError, MissingError
from limbeck.examples import Examples, check_size
from limbeck.runtime import at_the_door, did_you_mean, make

KNOWN: Mapping[str, Callable[[], Examples]] = {
    "digits:train": lambda: images.digits()[0],
    "digits:test": lambda: images.digits()[1],
    "mnist:train": partial(images.mnist, "train"),
    "mnist:test": partial(images.mnist, "test"),
    "fashion-mnist:train": partial(images.fashion_mnist, "train"),
    "fashion-mnist:test": partial(images.fashion_mnist, "test"),
    "imdb:train": partial(imdb, "train"),
    "imdb:test": partial(imdb, "test"),
}
KINDS = (".npy", ".npz", ".csv", ".parquet", ".jsonl")

_CALL = re.compile(rf"\s*({'|'.join(('read', *CORPORA))})\(.*\)\s*", re.DOTALL)
_ANY_CALL = re.compile(r"\w+\(.*\)", re.DOTALL)
_IDX = re.compile(r"(-ubyte|\.idx|\.idx[13])(\.gz)?$")


@at_the_door("the source")
def read(
    source: str | Path,
    *,
    label: str | Sequence[str] = LABEL,
    key: str = KEY,
    group: str = GROUP,
    columns: Sequence[str] = (),
    classes: Sequence[str] = (),
    kind: str = "",
    text: str = "",
    size: Sequence[int] = (),
) -> Examples:
    """Examples from a known name, a table, texts, IDX or Parquet images, or a folder of images.

    Names are `digits`, `mnist`, `fashion-mnist` and `imdb`, each with `:train` or `:test`. A path
    is a folder of images, a file that `tables.read_table` takes, a Parquet file of encoded images,
    or an IDX file, whose labels are read too if they lie beside it under the usual name; with a
    column of texts, or of `.jsonl`, what `text.read_texts` takes. `label` and `kind`, for a column
    of real values, several columns of labels or both, are as `tables.read_table` says. Images are
    resized to `size=(height, width)`; for a folder of them see `images.folder`.

    Frames of speech with the states of their phones as labels are opened by a call, written as
    text: `timit('FOLDER', 'train')`, `speech('FOLDER', 'train', silence='sil')`,
    `spoken('train', hours=1, seed=0)` or `spoken_digits('FILE', 'train', held_out='george')`. The
    part may be `development` or `test` too; other keywords are those of `speech.timit`,
    `speech.folder`, `speech.spoken` and `speech.digits`.

    The result's `source` is text that `read` opens again to the same examples, from whatever
    directory: a name, an absolute path, or a call such as `read('/a/b.csv', label='y')`.

    Raises:
        InputError: no such name, a file of another kind, or an option that its kind lacks.
        MissingError: no such file.
        CorruptError, ExamplesError, LabelsError, RecipeError: as the file's or call's fault is.
    """
    named = str(source)
    if not named:
        raise InputError("examples are named by a known set, a file or a folder, not by nothing")
    check_size(size)
    options = _options(label, key, group, columns, classes, kind, text, size)
    if _CALL.fullmatch(named):
        _refuse(named, options, ())
        return _reopened(named)
    if named in KNOWN:
        _refuse(named, options, ())
        return KNOWN[named]().named(named, named)
    path = Path(named).expanduser().absolute()
    if not path.exists():
        raise _absent(named, path)
    return _open(path, options).named(path.name, _text_of(path, options))


def _options(
    label: str | Sequence[str],
    key: str,
    group: str,
    columns: Sequence[str],
    classes: Sequence[str],
    kind: str,
    text: str,
    size: Sequence[int],
) -> dict[str, Any]:
    """What was asked for beyond the defaults, as literals."""
    options: dict[str, Any] = {
        "label": label if isinstance(label, str) else [str(name) for name in label],
        "key": key,
        "group": group,
        "columns": [str(name) for name in columns],
        "classes": [str(name) for name in classes],
        "kind": kind,
        "text": text,
        "size": [int(side) for side in size],
    }
    usual = {"text": "", "kind": "", "label": LABEL, "key": KEY, "group": GROUP}
    return {name: value for name, value in options.items() if value != usual.get(name, [])}


def _text_of(path: Path, options: Mapping[str, Any]) -> str:
    if not options:
        return str(path)
    arguments = [repr(str(path)), *(f"{name}={value!r}" for name, value in options.items())]
    return f"read({', '.join(arguments)})"


def _reopened(text: str) -> Examples:
    # Only literals are evaluated, and the only calls are this module's read and the corpora.
    examples: Examples = make(text, {"read": _read_literal, **CORPORA}, "source")
    return examples


def _read_literal(
    source: Any,
    *,
    label: Any = LABEL,
    key: Any = KEY,
    group: Any = GROUP,
    columns: Any = (),
    classes: Any = (),
    kind: Any = "",
    text: Any = "",
    size: Any = (),
) -> Examples:
    labels = [label] if isinstance(label, str) else label
    are_lists = all(isinstance(names, list | tuple) for names in (labels, columns, classes))
    texts = (source, key, group, kind, text, *labels, *columns, *classes) if are_lists else ()
    is_size = isinstance(size, list | tuple) and all(type(side) is int for side in size)
    if not texts or not all(isinstance(text, str) for text in texts) or not is_size:
        raise InputError(
            "read() takes texts, lists of texts for labels, columns and classes, and two whole "
            "numbers for the size: read('a.csv', label='kind', columns=['day'])"
        )
    return read(
        source,
        label=label,
        key=key,
        group=group,
        columns=columns,
        classes=classes,
        kind=kind,
        text=text,
        size=size,
    )


def _absent(text: str, path: Path) -> InputError | MissingError:
    if _ANY_CALL.fullmatch(text.strip()):
        name = text.strip().partition("(")[0]
        return InputError(f"there is no source {name!r}; {did_you_mean(name, ('read', *CORPORA))}")
    looks_like_a_path = path.suffix or os.sep in text or "/" in text
    if looks_like_a_path:
        return MissingError(f"there is no file or folder {path}")
    return InputError(
        f"{text!r} is no file, no folder and no known set; {did_you_mean(text, KNOWN)}"
    )


def _open(path: Path, options: Mapping[str, Any]) -> Examples:
    if path.is_dir():
        _refuse(str(path), options, ("classes", "size"))
        return images.folder(path, **options)
    if _IDX.search(path.name):
        _refuse(str(path), options, ("classes",))
        return images.idx(path, _labels_beside(path), **options)
    if path.suffix.lower() == ".jsonl" or "text" in options:
        return read_texts(path, **{"text": TEXT, **options})
    if path.suffix.lower() not in KINDS:
        raise InputError(
            f"{path} is of no kind that is read: {', '.join(KINDS)}, IDX (-ubyte or .idx, also "
            ".gz), or a folder of images"
        )
    return _open_table(path, options)


def _open_table(path: Path, options: Mapping[str, Any]) -> Examples:
    image = images.image_column(path) if path.suffix.lower() == ".parquet" else ""
    if not image or image in options.get("columns", ()):
        _refuse(str(path), {"size": 0} if "size" in options else {}, ())
        return tables.read_table(path, **options)
    _refuse(str(path), options, ("label", "classes", "size"))
    if not isinstance(options.get("label", ""), str):
        raise InputError(f"{path} holds images, which have one column of labels, not several")
    return images.parquet(path, image=image, **options)


def _refuse(source: str, options: Mapping[str, Any], known: Sequence[str]) -> None:
    unknown = [name for name in options if name not in known]
    if unknown:
        listed = " and ".join([", ".join(known[:-1]), *known[-1:]]) if known[1:] else "".join(known)
        allowed = f"only {listed}" if known else "nothing else"
        raise InputError(f"{source} takes {allowed}, not {', '.join(unknown)}")


def _labels_beside(path: Path) -> str | Path:
    """The labels file that goes with an IDX file of images; "" if there is none."""
    plain = path.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
    if plain == path.name.removesuffix(".gz"):
        return ""
    beside = (path.with_name(plain), path.with_name(f"{plain}.gz"))
    return next((candidate for candidate in beside if candidate.is_file()), "")
