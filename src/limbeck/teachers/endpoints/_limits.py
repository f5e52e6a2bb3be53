"""One deadline and one bound on bytes over a whole HTTP request, however it drips in."""

import threading
import time
import zlib
from math import inf
from typing import Any

from limbeck.errors import TeacherError
from limbeck.runtime import needs

# Bytes beside those of the answer: status lines, headers, 1xx, the frames of chunks.
OVERHEAD = 2**20


class TooLongError(TeacherError):
    """More bytes came than an answer may have."""


class Limits(threading.local):
    """What is left of the request that this thread makes; a connection makes one at a time."""

    ends = inf  # on the clock of time.monotonic
    bytes_left = 0

    def begin(self, seconds: float, most_bytes: int) -> None:
        """Begins a request of so many seconds that reads so many bytes, framing aside."""
        self.ends, self.bytes_left = time.monotonic() + seconds, most_bytes + OVERHEAD

    def seconds(self, timeout: float | None) -> float:
        """The seconds that the next step of it may take.

        Raises:
            httpcore.ReadTimeout: none are left.
        """
        left = self.ends - time.monotonic()
        if left <= 0:
            raise needs("httpcore").ReadTimeout("no time is left")
        return left if timeout is None else min(left, timeout)

    def count(self, content: bytes) -> bytes:
        """What was read, counted.

        Raises:
            TooLongError: it was more than there may be.
        """
        self.bytes_left -= len(content)
        if self.bytes_left < 0:
            raise TooLongError
        return content


class Backend:
    """httpcore's network backend, with the limits of the request at every step of its sockets.

    httpx has a timeout for each read alone, which a server that drips never meets.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits, self._inner = limits, needs("httpcore").SyncBackend()

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **how: Any) -> Any:
        """A connection."""
        seconds = self._limits.seconds(timeout)
        return Stream(self._inner.connect_tcp(host, port, timeout=seconds, **how), self._limits)

    def sleep(self, seconds: float) -> None:
        """Waits."""
        self._inner.sleep(seconds)


class Stream:
    """A connection's bytes, in time and no more than there may be."""

    def __init__(self, inner: Any, limits: Limits) -> None:
        self._inner, self._limits = inner, limits

    def read(self, most: int, timeout: float | None = None) -> bytes:
        """At most so many bytes, none at the end."""
        return self._limits.count(self._inner.read(most, timeout=self._limits.seconds(timeout)))

    def write(self, content: bytes, timeout: float | None = None) -> None:
        """Writes all of them."""
        self._inner.write(content, timeout=self._limits.seconds(timeout))

    def start_tls(self, timeout: float | None = None, **how: Any) -> Any:
        """The same connection, encrypted."""
        seconds = self._limits.seconds(timeout)
        return Stream(self._inner.start_tls(timeout=seconds, **how), self._limits)

    def close(self) -> None:
        """Closes it."""
        self._inner.close()

    def get_extra_info(self, what: str) -> Any:
        """What httpcore asks of it, such as whether there is something to be read."""
        return self._inner.get_extra_info(what)


def transport(limits: Limits, trusted: Any, most: int, idle: float) -> Any:
    """Httpx's transport over a pool of so many connections that keep the limits."""
    made = needs("httpx").HTTPTransport(verify=trusted, trust_env=False)
    made._pool.close()
    # httpx has no argument for it; without it a server's drip has no deadline.
    made._pool = needs("httpcore").ConnectionPool(
        ssl_context=trusted,
        max_connections=most,
        keepalive_expiry=idle,
        network_backend=Backend(limits),
    )
    return made


class Unpacker:
    """Takes the parts of a body out of the encoding that its header names."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding.strip().lower() or "identity"
        self._gzip = zlib.decompressobj(31) if self.encoding == "gzip" else None

    @property
    def is_known(self) -> bool:
        """Whether it is one; gzip within gzip is none, nor what nobody asked for."""
        return self.encoding in ("identity", "gzip")

    def unpack(self, part: bytes, most: int) -> bytes:
        """The content of the next part, of at most so many bytes: what is cut off is too long.

        Raises:
            zlib.error: it is not gzip.
        """
        return self._gzip.decompress(part, most) if self._gzip else part
