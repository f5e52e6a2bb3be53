"""An endpoint that drips or swells: one deadline and one bound over the whole request."""

import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np
import pytest
from worlds import CLASSES, blobs, rule

from limbeck.errors import TeacherError
from limbeck.teachers import Endpoint, http

BODY = json.dumps({"scores": rule(blobs(8).inputs).tolist()}).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Talk = Callable[[socket.socket, threading.Event], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Talk], str]]:
    """Starts a server that talks as it likes once it has read a request; its address."""
    over, open_ones = threading.Event(), []

    def start(talk: Talk) -> str:
        listening = socket.create_server(("127.0.0.1", 0))
        open_ones.append(listening)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(
                        target=answer, args=listening.accept()[:1], daemon=True
                    ).start()

        def answer(one: socket.socket) -> None:
            with suppress(OSError), one:
                while b"\r\n\r\n" not in one.recv(2**16):
                    pass
                talk(one, over)

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield start
    over.set()
    for one in open_ones:
        one.close()


def dripping(first: bytes, drop: bytes) -> Talk:
    """Sends something, and then the same drop again and again."""

    def talk(one: socket.socket, over: threading.Event) -> None:
        one.sendall(first)
        while not over.wait(0.05):
            one.sendall(drop)

    return talk


def chunk(content: bytes) -> bytes:
    return f"{len(content):x}\r\n".encode() + content + b"\r\n"


EMPTY_BLOCK = zlib.compressobj(wbits=-15).flush(zlib.Z_SYNC_FLUSH)
GZIP_HEAD = gzip.compress(b"")[:10]
DRIPS = {
    "nothing": dripping(b"", b""),
    "a status line": dripping(b"HTTP/1.1 200 ", b"O"),
    "headers": dripping(HEAD, b"X: y\r\n"),
    "informational answers": dripping(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "the name of a chunk": dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;a=", b"b"),
    "a body": dripping(HEAD + b"Content-Length: 5000\r\n\r\n", b" "),
    "blocks of deflate that hold nothing": dripping(
        HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(GZIP_HEAD),
        chunk(EMPTY_BLOCK),
    ),
}


@pytest.mark.parametrize("drip", DRIPS)
def test_whatever_drips_is_given_up_at_the_deadline(serve, drip: str) -> None:
    teacher = http(serve(DRIPS[drip]), CLASSES, how=Endpoint(timeout=0.4, retries=0))
    began = time.monotonic()
    with pytest.raises(TeacherError, match=r"no answer within 0\.4 seconds"):
        teacher.predict(blobs(8).inputs)
    assert time.monotonic() - began < 3


def whole(body: bytes, *headers: bytes) -> Talk:
    head = HEAD + b"".join(header + b"\r\n" for header in headers)

    def talk(one: socket.socket, over: threading.Event) -> None:
        one.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    return talk


def test_gzip_is_read(serve) -> None:
    teacher = http(serve(whole(gzip.compress(BODY), b"Content-Encoding: gzip")), CLASSES)
    np.testing.assert_allclose(teacher.predict(blobs(8).inputs), rule(blobs(8).inputs))


BOMB = gzip.compress(b" " * 200_000_000)


@pytest.mark.parametrize(
    ("body", "encoding", "told"),
    [
        (BOMB, b"gzip", r"answered with more than \d+ bytes"),
        (gzip.compress(BOMB), b"gzip, gzip", r"in the encoding 'gzip, gzip', which was not asked"),
        (BODY, b"br", r"in the encoding 'br', which was not asked for: gzip or none is"),
        (BODY, b"gzip", r"answered with what is not gzip: "),
    ],
    ids=["a bomb", "a bomb in a bomb", "another encoding", "no gzip"],
)
def test_what_swells_is_cut_off_before_it_does(serve, body: bytes, encoding: bytes, told) -> None:
    talk = whole(body, b"Content-Encoding: " + encoding)
    teacher = http(serve(talk), CLASSES, how=Endpoint(retries=0))
    with pytest.raises(TeacherError, match=told):
        teacher.predict(blobs(8).inputs)


CUT_OFF = r"RemoteProtocolError: .*too l(arge|ong)|more than \d+ bytes"
ENDLESS = {
    "headers": (
        b"X: " + b"y" * 3_000_000,
        CUT_OFF,
    ),
    "frames": (
        b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 3_000_000,
        CUT_OFF,
    ),
}


@pytest.mark.parametrize("endless", ENDLESS)
def test_endless_headers_and_frames_are_cut_off(serve, endless: str) -> None:
    sent, told = ENDLESS[endless]

    def talk(one: socket.socket, over: threading.Event) -> None:
        one.sendall(HEAD + sent)
        over.wait()

    teacher = http(serve(talk), CLASSES, how=Endpoint(timeout=20, retries=0))
    with pytest.raises(TeacherError, match=told):
        teacher.predict(blobs(8).inputs)
