"""Images keep their pixels, labels and keys, and a damaged file is named."""

import gzip
import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays
from PIL import Image

import limbeck
from limbeck.artifacts import _files
from limbeck.datasets import _download, images
from limbeck.errors import (
    CorruptError,
    ExamplesError,
    InputError,
    LabelsError,
    MissingError,
    TableWarning,
)
from limbeck.examples import Array, check_disjoint

RANDOM = np.random.default_rng(0)
CIFAR_CLASSES = tuple(f"class {position}" for position in range(10))


def idx_bytes(values: Array) -> bytes:
    head = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return head + values.astype(np.uint8).tobytes()


def pixels(*shape: int) -> Array:
    return RANDOM.integers(0, 256, shape, dtype=np.uint8)


def save(path: Path, image: Array, mode: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(image)
    (picture.convert(mode) if mode else picture).save(path)


def png(image: Array) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "png")
    return buffer.getvalue()


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=3, max_dims=4)))
def test_idx_gives_back_the_pixels(tmp_path_factory: pytest.TempPathFactory, stored: Array) -> None:
    path = tmp_path_factory.mktemp("idx") / "images"
    path.write_bytes(idx_bytes(stored))
    examples = images.idx(path)
    assert examples.inputs.dtype == np.uint8
    expected = stored[:, None] if stored.ndim == 3 else stored
    np.testing.assert_array_equal(examples.inputs, expected)


def test_packed_idx_and_its_labels_read_like_plain_ones(tmp_path: Path) -> None:
    stored = pixels(3, 4, 5)
    (tmp_path / "images.gz").write_bytes(gzip.compress(idx_bytes(stored)))
    (tmp_path / "labels").write_bytes(idx_bytes(np.array([2, 0, 1])))
    examples = images.idx(tmp_path / "images.gz", tmp_path / "labels", classes=("a", "b", "c"))
    assert examples.shape == (1, 4, 5)
    assert examples.labels.tolist() == [2, 0, 1]
    assert examples.classes == ("a", "b", "c")


def cut(content: bytes) -> bytes:
    return content[:-1]


def lengthened(content: bytes) -> bytes:
    return content + b"!"


def cut_in_the_header(content: bytes) -> bytes:
    return content[:9]


def of_another_kind(content: bytes) -> bytes:
    return b"PK" + content[2:]


def emptied(content: bytes) -> bytes:
    return content[:0]


def packed_and_cut(content: bytes) -> bytes:
    return gzip.compress(content)[:-9]


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (cut, "cut short or altered: its header says 2 x 3 x 3 bytes, 17 follow"),
        (lengthened, "its header says 2 x 3 x 3 bytes, more than 18 follow"),
        (cut_in_the_header, "is cut short within its header"),
        (of_another_kind, "is not IDX: it begins with '50 4b 08 03'"),
        (emptied, "is not IDX"),
        (packed_and_cut, "cannot be unpacked"),
    ],
)
def test_a_damaged_idx_file_says_what_is_wrong(
    tmp_path: Path, damaged: Callable[[bytes], bytes], message: str
) -> None:
    path = tmp_path / "images"
    path.write_bytes(damaged(idx_bytes(pixels(2, 3, 3))))
    with pytest.raises(CorruptError) as raised:
        images.idx(path)
    assert str(path) in str(raised.value)
    assert message in str(raised.value)


def test_idx_of_other_numbers_or_of_labels_is_no_images(tmp_path: Path) -> None:
    (tmp_path / "floats").write_bytes(b"\0\0\x0d\x01" + struct.pack(">If", 1, 0.5))
    with pytest.raises(ExamplesError, match="IDX numbers of type 0x0d, not bytes"):
        images.idx(tmp_path / "floats")
    (tmp_path / "labels").write_bytes(idx_bytes(np.arange(4)))
    with pytest.raises(ExamplesError, match=r"numbers of shape \(4,\), not images"):
        images.idx(tmp_path / "labels")


def test_labels_of_another_count_or_class_are_refused(tmp_path: Path) -> None:
    (tmp_path / "images").write_bytes(idx_bytes(pixels(2, 3, 3)))
    (tmp_path / "labels").write_bytes(idx_bytes(np.array([0, 1, 2])))
    with pytest.raises(LabelsError, match=r"labels has shape \(3,\), .*images has 2 images"):
        images.idx(tmp_path / "images", tmp_path / "labels")
    (tmp_path / "labels").write_bytes(idx_bytes(np.array([0, 7])))
    with pytest.raises(LabelsError, match="label 7 of row 1 is outside the 2 classes"):
        images.idx(tmp_path / "images", tmp_path / "labels", classes=("no", "yes"))


def test_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    for read in (images.idx, images.parquet, images.image_column):
        with pytest.raises(MissingError, match=f"there is no file {tmp_path / 'gone'}"):
            read(tmp_path / "gone")
    with pytest.raises(MissingError, match="there is no folder"):
        images.folder(tmp_path / "gone")


def test_subfolders_are_classes_and_loose_images_have_no_label(tmp_path: Path) -> None:
    cat, dog, loose = pixels(3, 4, 3), pixels(3, 4, 3), pixels(3, 4, 3)
    save(tmp_path / "dog" / "a.png", dog)
    save(tmp_path / "cat" / "deep" / "b.png", cat)
    save(tmp_path / "c.png", loose)
    save(tmp_path / ".hidden" / "d.png", loose)
    (tmp_path / "notes.txt").write_text("no image")
    examples = images.folder(tmp_path)
    assert examples.classes == ("cat", "dog")
    assert dict(zip(examples.keys.tolist(), examples.labels.tolist(), strict=True)) == {
        "c.png": -1,
        "cat/deep/b.png": 0,
        "dog/a.png": 1,
    }
    expected = np.stack([loose, cat, dog]).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(examples.inputs, expected)


def test_the_first_image_that_differs_is_named(tmp_path: Path) -> None:
    save(tmp_path / "a.png", pixels(3, 4))
    save(tmp_path / "b.png", pixels(3, 4))
    save(tmp_path / "c.png", pixels(4, 4))
    with pytest.raises(ExamplesError) as raised:
        images.folder(tmp_path)
    assert "c.png is 4 x 4 with 1 channel, a.png is 3 x 4 with 1 channel" in str(raised.value)
    assert images.folder(tmp_path, size=(5, 6)).shape == (1, 5, 6)
    save(tmp_path / "b.png", pixels(3, 4, 3))
    assert images.folder(tmp_path, size=(5, 6)).shape == (3, 5, 6)


def test_a_palette_becomes_colours_and_bits_become_grey(tmp_path: Path) -> None:
    save(tmp_path / "palette" / "a.png", np.full((2, 2, 3), 255, np.uint8), "P")
    save(tmp_path / "bits" / "a.png", np.full((2, 2), 255, np.uint8), "1")
    assert images.folder(tmp_path / "palette").shape == (3, 2, 2)
    bits = images.folder(tmp_path / "bits")
    assert bits.shape == (1, 2, 2)
    assert (bits.inputs == 255).all()


def test_a_picture_taken_sideways_stands_upright(tmp_path: Path) -> None:
    picture = Image.fromarray(pixels(2, 3))
    exif = Image.Exif()
    exif[0x0112] = 6  # the orientation: turn by 90 degrees to see it as it was
    picture.save(tmp_path / "a.png", exif=exif)
    assert images.folder(tmp_path).shape == (1, 3, 2)


def test_images_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExamplesError, match="there are no images in"):
        images.folder(tmp_path)
    with pytest.raises(InputError, match=r"size is \(height, width\) in pixels, not \(8,\)"):
        images.folder(tmp_path, size=(8,))
    Image.fromarray(np.ones((2, 2), np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(ExamplesError, match=r"deep\.png has mode I;16: images have 8 bits"):
        images.folder(tmp_path)
    (tmp_path / "deep.png").write_bytes(png(pixels(64, 64))[:-200])
    with pytest.raises(CorruptError, match=r"deep\.png is not a readable image"):
        images.folder(tmp_path)


def write_parquet(path: Path, cells: list[object], labels: list[object]) -> Path:
    pq.write_table(pa.table({"image": cells, "label": labels}), path)
    return path


@pytest.mark.parametrize("is_struct", [False, True])
def test_encoded_images_of_a_parquet_column_are_decoded(tmp_path: Path, is_struct: bool) -> None:
    stored = [pixels(3, 4, 3), pixels(3, 4, 3)]
    contents = [png(image) for image in stored]
    cells = [{"bytes": c, "path": "x"} if is_struct else c for c in contents]
    path = write_parquet(tmp_path / "a.parquet", cells, ["dog", None])
    examples = images.parquet(path, classes=("cat", "dog"))
    np.testing.assert_array_equal(examples.inputs, np.stack(stored).transpose(0, 3, 1, 2))
    assert examples.labels.tolist() == [1, -1]
    assert images.image_column(path) == "image"


def test_faults_of_a_parquet_file_of_images_are_named(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", [png(pixels(2, 2)), None], [0, 1])
    with pytest.raises(ExamplesError, match=r"row 1 of .* holds no image: the cell is empty"):
        images.parquet(path)
    with pytest.raises(ExamplesError, match=r"no column 'imagge'; did you mean 'image'\?"):
        images.parquet(path, image="imagge")
    with pytest.raises(ExamplesError, match=r"no column 'labels'; did you mean 'label'\?"):
        images.parquet(path, label="labels")
    with pytest.raises(ExamplesError, match=r"column 'label' of .* holds no encoded images"):
        images.parquet(path, image="label")
    write_parquet(path, [png(pixels(2, 2)), b"text"], [0, 1])
    with pytest.raises(CorruptError, match=r"row 1 of .* is not a readable image"):
        images.parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CorruptError, match=r"a\.parquet is not readable Parquet"):
        images.parquet(path)


def test_a_table_of_numbers_has_no_column_of_images(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1.0], "b": ["text"]}), tmp_path / "a.parquet")
    assert images.image_column(tmp_path / "a.parquet") == ""


def test_digits_are_split_the_same_way_every_time() -> None:
    train, test = images.digits()
    again, _ = images.digits()
    assert (len(train), len(test)) == (1198, 599)
    assert train.inputs.dtype == np.uint8
    assert train.shape == (1, 8, 8)
    assert train.inputs.max() == 16
    assert train.classes == tuple("0123456789")
    assert train.fingerprint == again.fingerprint
    assert (train.source, test.source) == ("digits:train", "digits:test")
    check_disjoint({"train": train, "test": test})


def test_a_part_that_does_not_exist_is_refused_before_anything_is_obtained() -> None:
    with pytest.raises(InputError, match="parts of mnist are 'train' and 'test', not 'valid'"):
        images.mnist("valid")


def test_a_folder_that_is_not_the_set_is_refused(tmp_path: Path) -> None:
    (tmp_path / _download.TRAIN_IMAGES).write_bytes(idx_bytes(pixels(2, 28, 28)))
    with pytest.raises(CorruptError, match=f"{_download.TRAIN_IMAGES} of .* has md5"):
        images.fashion_mnist("train", tmp_path)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_known_sets_are_whole_and_share_no_image(name: str) -> None:
    cache = _files.cache_of(name)
    if not (cache / _download.TEST_LABELS).is_file():
        pytest.skip(f"{name} is not in the cache: `limbeck data {name}` puts it there")
    read = {"mnist": images.mnist, "fashion-mnist": images.fashion_mnist}[name]
    train, test = read("train"), read("test")
    assert (len(train), len(test)) == (60_000, 10_000)
    assert train.inputs.shape == (60_000, 1, 28, 28)
    assert train.inputs.dtype == np.uint8
    assert (train.keys[0], test.keys[-1]) == ("train-00000", "test-09999")
    assert (train.name, train.source) == (f"{name}:train", f"{name}:train")
    assert train.is_labelled.all()
    check_disjoint({"train": train, "test": test})


def test_the_names_of_garments_follow_their_labels() -> None:
    assert images.GARMENTS[0] == "T-shirt/top"
    assert images.GARMENTS[9] == "Ankle boot"
    assert len(set(images.GARMENTS)) == 10


def test_cifar_is_read_from_parquet(data: Path) -> None:
    path = data / "cifar10-jpeg" / "test.parquet"
    if not path.is_file():
        pytest.skip(f"there is no {path}")
    examples = images.parquet(path, classes=CIFAR_CLASSES)
    assert examples.inputs.shape == (10_000, 3, 32, 32)
    assert np.bincount(examples.labels).tolist() == [1000] * 10
    assert len(np.unique(examples.content_hashes)) == 10_000


# Folders as people have them.


def test_the_parts_of_a_split_and_a_folder_around_the_classes_are_no_classes(
    tmp_path: Path,
) -> None:
    for part in ("train", "val"):
        for name in ("cat", "dog"):
            save(tmp_path / "pets" / part / name / "a.png", pixels(3, 4))
    with pytest.raises(ExamplesError, match=r"holds the parts of a split \(train, val\), not") as e:
        images.folder(tmp_path / "pets")
    assert str(e.value).endswith(str(tmp_path / "pets" / "train"))
    assert images.folder(tmp_path / "pets" / "train").classes == ("cat", "dog")
    save(tmp_path / "flowers" / "photos" / "rose" / "a.png", pixels(3, 4))
    save(tmp_path / "flowers" / "photos" / "tulip" / "a.png", pixels(3, 4))
    with pytest.raises(ExamplesError, match=r"one folder, 'photos', .*\(rose, tulip\): if these"):
        images.folder(tmp_path / "flowers")


def test_an_empty_folder_is_a_class_without_an_example(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "a.png", pixels(3, 4))
    save(tmp_path / "eel" / "a.png", pixels(3, 4))
    (tmp_path / "dog").mkdir()
    with pytest.warns(TableWarning, match="has no images in 'dog', which are classes without"):
        examples = images.folder(tmp_path)
    assert (examples.classes, examples.labels.tolist()) == (("cat", "dog", "eel"), [0, 2])


def test_classes_of_a_folder_may_be_given(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "a.png", pixels(3, 4))
    examples = limbeck.read(tmp_path, classes=["dog", "cat"])
    assert (examples.classes, examples.labels.tolist()) == (("dog", "cat"), [1])
    assert limbeck.read(examples.source).classes == ("dog", "cat")
    with pytest.raises(LabelsError, match="label 'cat' is outside the 1 classes"):
        images.folder(tmp_path, classes=["dog"])
    save(tmp_path / "loose" / "a.png", pixels(3, 4))
    assert limbeck.read(tmp_path / "loose", classes=["no", "yes"]).classes == ("no", "yes")


def test_photographs_of_several_sizes_are_resized_by_text(tmp_path: Path) -> None:
    for side in (3, 5):
        save(tmp_path / "cat" / f"{side}.png", pixels(side, 4, 3))
    with pytest.raises(ExamplesError, match=r"as a text read\('FOLDER', size=\(height, width\)\)"):
        limbeck.read(tmp_path)
    examples = limbeck.read(f"read({str(tmp_path)!r}, size=(6, 8))")
    assert examples.shape == (3, 6, 8)
    assert limbeck.read(examples.source).fingerprint == examples.fingerprint


def test_grey_among_colours_and_alpha_lose_nothing(tmp_path: Path) -> None:
    grey, colour = pixels(3, 4), pixels(3, 4, 3)
    save(tmp_path / "a.png", grey)
    save(tmp_path / "b.png", colour)
    examples = images.folder(tmp_path)
    np.testing.assert_array_equal(examples.inputs[0], np.stack([grey] * 3))
    np.testing.assert_array_equal(examples.inputs[1], colour.transpose(2, 0, 1))
    save(tmp_path / "c.png", pixels(3, 4, 4))
    alpha = images.folder(tmp_path)
    assert alpha.shape == (4, 3, 4)
    assert (alpha.inputs[0, 3] == 255).all()


def test_inks_are_refused_for_what_they_are(tmp_path: Path) -> None:
    Image.fromarray(pixels(3, 4, 3)).convert("CMYK").save(tmp_path / "a.jpg")
    with pytest.raises(ExamplesError, match=r"has mode CMYK: inks and not light, .*convert it to"):
        images.folder(tmp_path)
