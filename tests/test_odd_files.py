"""Odd files at every door: a sentence of ours, soon, and never another exception or a hang."""

import gzip
import io
import os
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deadlines import soon
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import limbeck
from limbeck import teachers
from limbeck.errors import CorruptError, InputError, LimbeckError, MissingError
from limbeck.recipes import read_recipe


def header(shape: object, kind: str = "<f4", version: tuple[int, int] = (1, 0)) -> bytes:
    """The header of a `.npy` file that promises such an array."""
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape!r}, }}"
    text += " " * (64 - (10 + len(text) + 1) % 64) + "\n"
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H", len(text)) + text.encode()


WHOLE = header((2, 2)) + np.ones(4, "<f4").tobytes()


def archive(**members: bytes) -> bytes:
    """An archive of those arrays."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, member in members.items():
            file.writestr(f"{name}.npy", member)
    return content.getvalue()


def encrypted() -> bytes:
    content = bytearray(archive(inputs=WHOLE))
    content[6] |= 1
    content[content.rfind(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def of_method_99() -> bytes:
    content = bytearray(archive(inputs=WHOLE))
    content[8] = content[content.rfind(b"PK\x01\x02") + 10] = 99
    return bytes(content)


SIDES = b"\0\0\0\1"
READ: dict[str, tuple[bytes, str]] = {
    "lying.npy": (header((10**12,)) + b"x", r"4,000,000,000,000 bytes are promised, 1 follow"),
    "negative.npy": (header((-5,)) + b"x", "cannot be read|cut short"),
    "objects.npy": (header((2,), "|O") + b"x" * 16, "holds Python objects"),
    "version.npy": (header((2,), version=(9, 0)) + b"x" * 8, "cannot be read"),
    "cut.npy": (WHOLE[:20], "cannot be read"),
    "nothing.npy": (b"", "cannot be read"),
    "lying.npz": (archive(inputs=header((10**11,)) + b"x"), "400,000,000,000 bytes are promised"),
    "unused.npz": (archive(inputs=WHOLE, other=header((10**10,)) + b"x"), "other.npy of .* cut sh"),
    "encrypted.npz": (encrypted(), "is encrypted: save it without a password"),
    "method.npz": (of_method_99(), "cannot be read: .*compression"),
    "groups.npz": (
        archive(inputs=WHOLE, groups=header((), "<i8") + b"\0" * 8),
        r"groups are one for each example, not of the shape \(\)",
    ),
    "keys.npz": (
        archive(inputs=WHOLE, keys=header((2, 2), "<i8") + b"\0" * 32),
        "keys are one for",
    ),
    "classes.npz": (
        archive(inputs=WHOLE, classes=header((), "<i8") + b"\0" * 8),
        "are a list of names",
    ),
    "a-idx3-ubyte": (b"\0\0\x08\xff" + SIDES * 255 + b"x", "has 255 dimensions, of at most 4"),
    "b-idx3-ubyte": (b"\0\0\x08\x03" + b"\xff" * 12 + b"x", "is cut short or altered"),
    "c-idx3-ubyte.gz": (
        gzip.compress(b"\0\0\x08\x03" + SIDES * 3 + b"\0" * 10**7),
        "1 x 1 x 1 bytes, more than 1 follow",
    ),
    "d-idx3-ubyte.gz": (gzip.compress(b"\0\0\x08\x03")[:15], "cannot be unpacked|cut short"),
    "a.csv": (b"", "cannot be read"),
    "b.csv": (b"\0" * 1000, "cannot be read|has no name|no column"),
    "c.csv": (b'a,label\n"1,0\n2,1\n', "cannot be read|no examples|holds string|has no rows"),
    "d.csv": (b"a,label\n1,999999999999999999999\n2,1\n", "no longer told from its neighbours"),
    "a.jsonl": (b'{"text":' * 100_000, "nested too deeply|not JSON|is no JSON"),
    "b.jsonl": (b"\xff\xfe", "UTF-8|JSON"),
    "a.parquet": (b"PAR1" + b"x" * 100 + b"PAR1", "cannot be read|not readable"),
}


@pytest.mark.parametrize("name", READ)
def test_an_odd_file_of_examples_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    content, sentence = READ[name]
    (tmp_path / name).write_bytes(content)
    with soon(), pytest.raises(LimbeckError, match=sentence) as caught:
        limbeck.read(tmp_path / name)
    assert name in str(caught.value) or "for each example" in str(caught.value)


def test_a_pipe_or_a_device_is_no_file_and_is_not_waited_for(tmp_path: Path) -> None:
    for name in ("a.csv", "a.npy", "a.toml", "a.onnx"):
        os.mkfifo(tmp_path / name)
    with soon():
        for name in ("a.csv", "a.npy"):
            with pytest.raises(LimbeckError):
                limbeck.read(tmp_path / name)
        for recipe in (tmp_path / "a.toml", "/dev/zero", "/dev/null"):
            with pytest.raises(MissingError, match="there is no recipe"):
                read_recipe(recipe)
        for teacher in (str(tmp_path / "a.onnx"), f"onnx:{tmp_path / 'a.onnx'}", "/dev/zero"):
            with pytest.raises(LimbeckError):
                teachers.from_text(teacher, ("a", "b"))


DOORS: dict[str, Callable[[str], Any]] = {
    "the source": limbeck.read,
    "the teacher": lambda text: teachers.from_text(text, ("a", "b")),
    "the recipe": read_recipe,
    "the artifact": limbeck.show,
}


@pytest.mark.parametrize("what", DOORS)
def test_names_that_no_file_has_are_refused(what: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{what} a\0b has a zero byte in its name"):
        DOORS[what]("a\0b")
    with pytest.raises(LimbeckError):
        DOORS[what]("x" * 5000)
    with pytest.raises(InputError, match=r"caf\\udce9.csv has a name that is not UTF-8") as caught:
        DOORS[what](str(tmp_path / "caf\udce9.csv"))
    str(caught.value).encode()  # can be printed


def test_a_slip_in_the_call_is_no_fault_of_a_file() -> None:
    with pytest.raises(TypeError, match="labell"):
        limbeck.read("digits:test", labell="y")  # type: ignore[call-arg]
    with pytest.raises(InputError, match=r"size is \(height, width\) in pixels, not \(3,\)"):
        limbeck.read("digits:test", size=(3,))


def test_recipes_have_a_bound(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b'a="' + b"x" * 2**20 + b'"')
    with pytest.raises(CorruptError, match="a recipe has at most 1,048,576"):
        read_recipe(tmp_path / "a.toml")
    for content in (b"a=" + b"[" * 100_000, b"a=" + b"{b=" * 5000, b"\xff\xfe"):
        (tmp_path / "a.toml").write_bytes(content)
        with soon(), pytest.raises(LimbeckError, match=r"recipe|TOML"):
            read_recipe(tmp_path / "a.toml")


def test_a_table_of_many_columns_is_read_in_time(tmp_path: Path) -> None:
    names = [f"c{at}" for at in range(20_000)]
    (tmp_path / "a.csv").write_text(",".join(names) + "\n" + ",".join("1" * 20_000) + "\n")
    with soon():
        assert limbeck.read(tmp_path / "a.csv").shape == (20_000,)


def test_a_configuration_of_endless_layers_is_refused_before_anything_is_built(
    tmp_path: Path,
) -> None:
    (tmp_path / "config.json").write_text('{"num_hidden_layers": 100000000}')
    with (
        soon(),
        pytest.raises(LimbeckError, match="num_hidden_layers = 100,000,000: a model has"),
    ):
        teachers.from_text(str(tmp_path), ("a", "b"))


ENDINGS = [
    ".npy",
    ".npz",
    ".csv",
    ".parquet",
    ".jsonl",
    ".toml",
    ".onnx",
    ".json",
    ".txt",
    ".skops",
]
ENDINGS += [".pt2", "-ubyte", "-ubyte.gz", ".joblib"]
BEGINNINGS = [b"", b"\x93NUMPY\x01\0", b"PK\x03\x04", b"PAR1", b"{", b"tree\n", b"\0\0\x08\x03"]
BEGINNINGS += [
    b"\x1f\x8b\x08\0",
    b"a,label\n",
    b'{"text": "a"}\n',
    b"\x08\x07\x12",
    WHOLE,
    WHOLE[:90],
]
BEGINNINGS += [archive(inputs=WHOLE)]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    ending=st.sampled_from(ENDINGS),
    start=st.sampled_from(BEGINNINGS),
    rest=st.binary(max_size=200),
    door=st.sampled_from(sorted(DOORS)),
    at=st.integers(0, 400),
)
def test_whatever_lies_in_a_file_is_read_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory,
    ending: str,
    start: bytes,
    rest: bytes,
    door: str,
    at: int,
) -> None:
    content = bytearray(start + rest)
    if content:
        content[at % len(content)] ^= 1 << at % 8
    file = tmp_path_factory.mktemp("odd") / f"a{ending}"
    file.write_bytes(content)
    with soon(), suppress(LimbeckError):  # anything else fails the test
        DOORS[door](str(file))
