"""A client of one HTTP endpoint: what it asks again, how long it waits, and when it stops."""

import atexit
import logging
import os
import random
import re
import ssl
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

from limbeck.errors import InputError, TeacherError
from limbeck.runtime import needs
from limbeck.teachers.endpoints._address import (
    checked,
    excerpt,
    fault_of,
    origin,
    parsed,
    shown,
    without,
)
from limbeck.teachers.endpoints._limits import Limits, TooLongError, Unpacker, transport

RETRIED = (429, 500, 502, 503, 504)
FOLLOWED = (307, 308)  # the redirects that keep a POST a POST
REDIRECTS = 3
FIRST_WAIT = 0.25  # seconds before the first repetition, doubled before each further one
LONGEST_WAIT = 60.0  # seconds, also where Retry-After asks for more
IDLE_SECONDS = 2.0  # below the 5 seconds after which servers close connections themselves
SHOWN = 200  # characters of a refusal
ERROR_BYTES = 65536
LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11")


@dataclass(frozen=True)
class Endpoint:
    """How an HTTP endpoint is asked.

    Attributes:
        batch: rows a request.
        in_flight: requests that are under way at once.
        timeout: seconds a request may take, from the connection to the last byte.
        retries: how often a request is asked again, after 0.25 seconds, then twice as long each
            time (less a random part, up to a half), at most 60; or after what Retry-After asks
            for, at most 60 too.
        most_requests: how many requests are sent in the teacher's life, repeated ones counted; 0
            for no bound.
        token: the name of an environment variable that holds what follows `Authorization: Bearer`;
            "" for none.
        version: a part of the fingerprint: change it when the model behind the address does.
    """

    batch: int = 64
    in_flight: int = 4
    timeout: float = 30.0
    retries: int = 5
    most_requests: int = 0
    token: str = field(default="", repr=False)  # somebody will put the token itself here
    version: str = ""

    def __post_init__(self) -> None:
        for name in ("batch", "in_flight"):
            _check(name, getattr(self, name), int, 1)
        for name in ("retries", "most_requests"):
            _check(name, getattr(self, name), int, 0)
        _check("timeout", self.timeout, (int, float), 0.001)
        if not _is_text(self.token, r"([A-Za-z_]\w*)?"):
            raise InputError(
                "an endpoint's token is the name of an environment variable, not the token itself; "
                "what was given is no such name, and is not repeated here"
            )
        if not _is_text(self.version, r"(?s:.*)"):
            raise InputError(f"an endpoint's version is a text, not {self.version!r}")

    def secret(self) -> str:
        """What the environment variable holds; "" if none is named.

        Raises:
            InputError: it is not set, or holds what cannot be sent. Neither is repeated.
        """
        secret = os.environ.get(self.token, "").strip() if self.token else ""
        if self.token and not secret:
            raise InputError(
                "the environment variable that Endpoint(token=...) names is not set or empty: set "
                "it to what follows 'Authorization: Bearer'"
            )
        if not re.fullmatch(r"[!-~]*", secret):
            raise InputError(
                "the environment variable that Endpoint(token=...) names holds a space or what is "
                "no ASCII character: a header cannot carry it"
            )
        return secret


def _is_text(value: object, pattern: str) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _check(name: str, value: Any, kinds: Any, lowest: float) -> None:
    right = isinstance(value, kinds) and not isinstance(value, bool)
    if not right or not lowest <= value < float("inf"):
        raise InputError(f"an endpoint's {name} is {lowest} or more, not {value!r}")


@dataclass(frozen=True, eq=False)
class Request:
    """What is asked in one request, again and again if need be.

    Attributes:
        name: what errors call it.
        content: the JSON.
        rows: how many rows it asks about.
        most_bytes: an answer that is longer is no answer.
    """

    name: str
    content: bytes
    rows: int
    most_bytes: int


@dataclass(frozen=True, eq=False)
class _Reply:
    """What came back: a body, a redirect, or trouble that may pass or not."""

    body: bytes = b""
    status: int = 200
    location: str = ""
    trouble: str = ""
    is_passing: bool = False
    wait: float = 0.0


class _Quiet(logging.Filter):
    """Takes a secret out of what httpx logs: at DEBUG, whatever a server repeats in its headers."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._secret = secret
        for name in LOGGERS if secret else ():
            logging.getLogger(name).addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = without(record.getMessage(), self._secret), ()
        return True

    def stop(self) -> None:
        for name in LOGGERS:
            logging.getLogger(name).removeFilter(self)


class Client:
    """Posts requests to one address, and to no other; its connections are closed when idle."""

    def __init__(self, url: str, how: Endpoint, name: str = "") -> None:
        self.how = how
        self._secret = how.secret()
        self.address = checked(url, self._secret)
        self.name = name or shown(self.address)
        self.whose = f"the teacher {self.name}"
        self.sent = 0
        self.rows = 0
        self._lock = threading.Lock()
        self._users = 0
        self._open: Any = None
        self._limits = Limits()
        self._timer: threading.Timer | None = None

    def wrong(self, request: Request, what: str) -> TeacherError:
        """The error about an answer; what an endpoint says goes through here, to lose secrets."""
        return TeacherError(without(f"{self.whose}, {request.name}: {what}", self._secret))

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Keeps connections for the requests of the block, and for a while longer."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
            if self._open is None:
                self._open = self._client()
                self._quiet = _Quiet(self._secret)
                atexit.register(self._close)
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                self._timer = threading.Timer(IDLE_SECONDS, self._close)
                self._timer.daemon = True
                self._timer.start()

    def _close(self) -> None:
        with self._lock:
            if self._open is not None and not self._users:
                self._open.close()
                self._open = None
                self._quiet.stop()
                atexit.unregister(self._close)

    def _client(self) -> Any:
        httpx = needs("httpx")
        most = self.how.in_flight
        return httpx.Client(
            transport=transport(self._limits, self._trusted, most, IDLE_SECONDS),
            # Neither proxies nor a .netrc of the environment: it goes where the user pointed.
            trust_env=False,
            timeout=httpx.Timeout(self.how.timeout, pool=None),
            headers=self._headers,
        )

    @cached_property
    def _trusted(self) -> Any:
        # Own authorities by SSL_CERT_FILE or SSL_CERT_DIR, which trust_env=False would ignore.
        try:
            return needs("httpx").create_ssl_context(trust_env=True)
        except OSError as error:
            raise InputError(
                f"the authorities that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read: {error}"
            ) from error

    @property
    def _headers(self) -> dict[str, str]:
        own = {"Content-Type": "application/json", "Accept": "application/json"}
        bearer = {"Authorization": f"Bearer {self._secret}"} if self._secret else {}
        return {**own, **bearer, "User-Agent": "limbeck", "Accept-Encoding": "gzip"}

    def excerpt(self, body: bytes) -> str:
        """The start of a body, for an error."""
        return excerpt(body, self._secret, SHOWN)

    def post(self, request: Request, stop: threading.Event) -> bytes:
        """The body of the answer with status 200, asked for again where the trouble may pass.

        Raises:
            TeacherError: the trouble does not pass, or the bound on requests is reached.
        """
        tries = 0
        while True:
            reply = self._followed(request)
            tries += 1
            if not reply.trouble:
                self._count_rows(request)
                return reply.body
            is_last = not reply.is_passing or tries > self.how.retries
            if is_last or stop.wait(max(_back_off(tries), reply.wait)):
                break
        repeated = f" (the last of {tries} tries)" if tries > 1 else ""
        raise self.wrong(request, reply.trouble + repeated)

    def _count_rows(self, request: Request) -> None:
        with self._lock:
            self.rows += request.rows

    def _count(self, request: Request) -> None:
        with self._lock:
            most = self.how.most_requests
            if most and self.sent >= most:
                raise TeacherError(
                    f"{self.whose}, {request.name}: it would be one more than the "
                    f"most_requests={most} of this teacher's life; {self.rows} rows were answered, "
                    "and what was finished is kept: allow more, and make the same call again"
                )
            self.sent += 1

    def _followed(self, request: Request) -> _Reply:
        """The reply after at most so many redirects within the same scheme, host and port."""
        at = self.address
        for _ in range(REDIRECTS + 1):
            reply = self._sent(at, request)
            if not reply.location:
                return reply
            to = parsed(str(reply.location)) and at.join(reply.location)
            if not self._may_follow(reply, to):
                break
            at = to
        named = shown(to) if to else "what is no address"
        return _Reply(
            trouble=f"status {reply.status} redirects from {shown(at)} to {named}, which is not "
            f"followed: only {REDIRECTS} redirects by {FOLLOWED[0]} or {FOLLOWED[1]} to the same "
            "scheme, host and port are"
        )

    def _may_follow(self, reply: _Reply, to: Any) -> bool:
        if to is None or reply.status not in FOLLOWED:
            return False
        return origin(to) == origin(self.address) and not fault_of(to, self._secret)

    def _sent(self, at: Any, request: Request) -> _Reply:
        self._count(request)
        httpx = needs("httpx")
        self._limits.begin(self.how.timeout, request.most_bytes)
        try:
            with self._open.stream("POST", at, content=request.content) as response:
                return self._read(response, request)
        except httpx.TimeoutException:
            trouble = f"no answer within {self.how.timeout:g} seconds"
            return _Reply(trouble=trouble, is_passing=True)
        except TooLongError:
            return _too_long(request)
        except zlib.error as error:
            return _Reply(trouble=f"answered with what is not gzip: {error}", is_passing=True)
        except httpx.RequestError as error:
            return _Reply(trouble=_reason(error), is_passing=_is_passing(error))

    def _read(self, response: Any, request: Request) -> _Reply:
        status = response.status_code
        if response.has_redirect_location:
            return _Reply(status=status, location=response.headers["location"])
        unpacker = Unpacker(response.headers.get("content-encoding", ""))
        if not unpacker.is_known:
            return _Reply(
                trouble=f"status {status} in the encoding {unpacker.encoding[:SHOWN]!r}, which "
                "was not asked for: gzip or none is"
            )
        body = bytearray()
        most = request.most_bytes if status == 200 else ERROR_BYTES
        for part in response.iter_raw():
            body += unpacker.unpack(part, most + 1)
            if len(body) > most:
                break
        if status == 200 and len(body) > most:
            return _too_long(request)
        return _Reply(bytes(body)) if status == 200 else self._refusal(response, bytes(body))

    def _refusal(self, response: Any, body: bytes) -> _Reply:
        status = response.status_code
        kind = response.headers.get("content-type", "text/plain")
        quoted = self.excerpt(body) if kind.startswith("text/") or "json" in kind else ""
        wait = min(_seconds(response.headers.get("retry-after", "")), LONGEST_WAIT)
        trouble = f"status {status}" + (f": {quoted}" if quoted else "")
        return _Reply(trouble=trouble, is_passing=status in RETRIED, wait=wait)


def _too_long(request: Request) -> _Reply:
    return _Reply(trouble=f"answered with more than {request.most_bytes} bytes")


def _back_off(tries: int) -> float:
    wait = FIRST_WAIT * 2.0 ** min(tries - 1, 30)
    # Not the generator that seeds govern: scoring must not change what is drawn after it.
    return min(wait, LONGEST_WAIT) * random.SystemRandom().uniform(0.5, 1.0)


def _seconds(text: str) -> float:
    """The seconds that a Retry-After asks for, as a number or a date; 0 for anything else."""
    if re.fullmatch(r"[0-9]{1,9}", text.strip()):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return 0.0
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max((aware - datetime.now(UTC)).total_seconds(), 0.0)


def _is_passing(error: Exception) -> bool:
    httpx = needs("httpx")
    may_pass = isinstance(error, (httpx.NetworkError, httpx.RemoteProtocolError))
    return may_pass and not _is_untrusted(error)


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _reason(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [""])[0]
    trouble = f"{type(error).__name__}: {first}" if first else type(error).__name__
    if _is_untrusted(error):
        return f"{trouble}; an authority of your own is named by SSL_CERT_FILE"
    return trouble
