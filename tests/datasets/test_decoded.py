"""What is costly to decode is decoded once, and again when its source has changed."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limbeck.datasets import _decoded, _pictures, images
from limbeck.errors import CorruptError, StorageError

SHADES = (10, 90, 200)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIMBECK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_decoded, "MANY", 1)
    return tmp_path / "cache" / "decoded"


def folder_of(path: Path, shades: tuple[int, ...] = SHADES) -> Path:
    for number, shade in enumerate(shades):
        place = path / "ab"[number % 2] / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (5, 4), shade).save(place)
    return path


def refuse(*_: object) -> None:
    raise AssertionError("this was decoded before")


def test_images_of_a_folder_are_decoded_once(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder_of(tmp_path / "images")
    first = images.folder(place)
    monkeypatch.setattr(_pictures, "_decode", refuse)
    again = images.folder(place)
    np.testing.assert_array_equal(np.asarray(again.inputs), np.asarray(first.inputs))
    assert again.fingerprint == first.fingerprint
    assert sorted(np.asarray(again.inputs)[:, 0, 0, 0]) == list(SHADES)


def test_a_changed_image_or_another_size_is_decoded_anew(cache: Path, tmp_path: Path) -> None:
    place = folder_of(tmp_path / "images")
    images.folder(place)
    assert images.folder(place, size=(2, 2)).shape == (1, 2, 2)
    Image.new("L", (5, 4), 77).save(place / "a" / "0.png")
    assert 77 in np.asarray(images.folder(place).inputs)
    assert len(list(cache.iterdir())) == 3


def test_few_images_leave_the_cache_alone(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_decoded, "MANY", 3 * 20 + 1)
    images.folder(folder_of(tmp_path / "images"))
    assert not cache.exists()


def test_a_kept_file_cut_short_is_named_with_what_to_do(cache: Path, tmp_path: Path) -> None:
    place = folder_of(tmp_path / "images")
    images.folder(place)
    kept = next(cache.iterdir())
    kept.write_bytes(kept.read_bytes()[:-5])
    with pytest.raises(
        CorruptError, match=r"cannot be read: .*; remove that file, and it is decode"
    ):
        images.folder(place)


def test_an_image_that_cannot_be_read_leaves_nothing_in_the_cache(
    cache: Path, tmp_path: Path
) -> None:
    place = folder_of(tmp_path / "images")
    (place / "b" / "1.png").write_bytes(b"no image")
    with pytest.raises(CorruptError, match=r"b/1.png is not a readable image"):
        images.folder(place)
    assert not cache.exists() or not list(cache.iterdir())


def test_a_cache_that_cannot_be_written_is_named(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIMBECK_CACHE", "/dev/full")
    with pytest.raises(StorageError, match="cannot write /dev/full/decoded/"):
        images.folder(folder_of(tmp_path / "images"))
