"""CIFAR-10 in a lossy copy (JPEG), which the user brings: a folder named by LIMBECK_DATA."""

import os
from functools import cache
from pathlib import Path

import numpy as np

import limbeck
from experiments.harness import SMOKE_EXAMPLES, Setting
from limbeck.errors import MissingError

CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
FOLDER = "cifar10-jpeg"


def cifar(setting: Setting, part: str) -> limbeck.Examples:
    """The "train" (50,000) or "test" (10,000) images, uint8 `(n, 3, 32, 32)`.

    A smoke run takes both from the test file, which is the shorter one to decode.

    Raises:
        MissingError: LIMBECK_DATA names no folder that holds them.
    """
    if not setting.smoke:
        return _read(part)
    # The file is sorted by class: a stride takes some of each.
    starts = {"train": 0, "test": 1}
    count = SMOKE_EXAMPLES[part]
    return _read("test").take(np.arange(starts[part], 10_000, 10_000 // count)[:count])


@cache
def _read(part: str) -> limbeck.Examples:
    place = Path(os.environ.get("LIMBECK_DATA", "data")) / FOLDER / f"{part}.parquet"
    if not place.is_file():
        raise MissingError(
            f"there is no {place}: set LIMBECK_DATA to a folder with {FOLDER}/train.parquet and "
            "test.parquet (columns image, label)"
        )
    made = limbeck.datasets.images.parquet(place, classes=CLASSES)
    return made.named(f"CIFAR-10 (JPEG copy):{part}", str(place))
