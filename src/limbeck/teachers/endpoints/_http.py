"""Teachers behind an HTTP endpoint: batched JSON, several requests in flight."""

import itertools
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from limbeck.artifacts import fingerprint as name_by_content
from limbeck.errors import TeacherError
from limbeck.examples import Array
from limbeck.scores import Kind, check_answer, check_kind
from limbeck.teachers._teacher import Teacher
from limbeck.teachers.endpoints._endpoint import Client, Endpoint, Request

# What an answer may be long: numbers printed with room for indentation, and all else it says.
BYTES_A_SCORE = 64
BYTES_AROUND = 4 * 2**20
LONGEST_SHOWN = 1000  # characters of a list in an error


def http(
    url: str,
    classes: Sequence[str] = (),
    *,
    kind: str = "logits",
    name: str = "",
    how: Endpoint = Endpoint(),
) -> Teacher:
    """The teacher behind an address: JSON is posted there, `{"inputs": [...]}`, one entry a row.

    It answers `{"scores": [[...], ...]}`, a row of numbers for each entry in the same order, and
    may add its `classes`, `kind` and `version`, which are compared with what is known. Classes
    that it names in another order are found by name, in each answer anew; where it does not name
    them, its scores are taken in the order of `classes`. A missing value among the inputs is sent
    as null. Without `classes` it is asked for them once, by a request with no rows.

    Requests go to this address alone: by no proxy, and by no redirect to another host. What a
    model behind an address computes cannot be read off it, so the fingerprint is the address and
    `how.version`: change the version when the answers change. Until it is given, a version that
    the endpoint names must at least not change while this teacher lives.

    Connection errors, time-outs and status 429, 500, 502, 503 and 504 are asked again; everything
    else is an error at once, also while it answers.

    Raises:
        InputError: an address that holds or would give away a secret, or is none; no such kind; a
            token that is not there.
        TeacherError: two classes of one name; or the endpoint, asked for its classes, does not say.
        NeedsPackageError: httpx is not installed.
    """
    client = Client(url, how, name)
    checked_kind = check_kind(kind)
    class_names = tuple(str(one) for one in classes)
    names = class_names or _classes_of(client)
    return HttpTeacher(
        name=client.name,
        classes=names,
        kind=checked_kind,
        fingerprint=name_by_content([str(client.address), how.version]),
        source=_text(url, class_names, {"kind": kind, "name": name, **asdict(how)}),
        speaker=_Speaker(client, names, checked_kind),
    )


def http_from_text(
    url: str,
    classes: Sequence[str] = (),
    *,
    kind: str = "logits",
    name: str = "",
    batch: int = Endpoint.batch,
    in_flight: int = Endpoint.in_flight,
    timeout: float = Endpoint.timeout,
    retries: int = Endpoint.retries,
    most_requests: int = Endpoint.most_requests,
    token: str = Endpoint.token,
    version: str = Endpoint.version,
) -> Teacher:
    """`http`, with the endpoint's numbers as keywords: what a teacher's `source` calls."""
    how = Endpoint(batch, in_flight, timeout, retries, most_requests, token, version)
    return http(url, classes, kind=kind, name=name, how=how)


def _text(url: str, classes: tuple[str, ...], options: dict[str, Any]) -> str:
    usual = {"kind": "logits", "name": "", **asdict(Endpoint())}
    shown = [repr(url), *([repr(list(classes))] if classes else [])]
    shown += [f"{name}={value!r}" for name, value in options.items() if value != usual[name]]
    return f"http({', '.join(shown)})"


@dataclass(frozen=True, eq=False)
class _Part:
    """The rows of one request among those that are asked about together."""

    number: int
    rows: slice
    inputs: Array

    @property
    def name(self) -> str:
        """What errors call the request."""
        first, last = self.rows.start, self.rows.stop - 1
        return f"request {self.number} (rows {first} to {last} of {len(self.inputs)})"

    def request(self, columns: int) -> Request:
        """What is sent, and how much may come back for so many classes."""
        count = self.rows.stop - self.rows.start
        most_bytes = BYTES_AROUND + count * columns * BYTES_A_SCORE
        return Request(self.name, _json(self.inputs[self.rows]), count, most_bytes)


class _Speaker:
    """What is asked of an endpoint, and how its answers are checked."""

    def __init__(self, client: Client, classes: tuple[str, ...], kind: Kind) -> None:
        self.client = client
        self.classes = classes
        self.kind = kind
        self.version = client.how.version
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def answer(self, inputs: Array) -> Array:
        """The scores `(batch, classes)` of raw inputs, each put at the rows it was asked for."""
        scores = np.empty((len(inputs), len(self.classes)), dtype=np.float32)
        stop = threading.Event()
        with self.client.connected(), ThreadPoolExecutor(self.client.how.in_flight) as threads:
            futures = {
                threads.submit(self._asked, part, stop): part.rows for part in self._parts(inputs)
            }
            try:
                for done in as_completed(futures):
                    scores[futures[done]] = done.result()
            finally:
                # After a failure nobody waits to ask again, and what was not asked never is.
                stop.set()
                threads.shutdown(wait=False, cancel_futures=True)
        return scores

    def _parts(self, inputs: Array) -> list[_Part]:
        batch = self.client.how.batch
        starts = range(0, len(inputs), batch)
        each = [slice(start, min(start + batch, len(inputs))) for start in starts]
        return [_Part(next(self._numbers), rows, inputs) for rows in each]

    def _asked(self, part: _Part, stop: threading.Event) -> Array:
        request = part.request(len(self.classes))
        reply = _read(self.client, request, stop)
        self._check_words(reply, request)
        columns = self._columns(reply, request)
        return np.ascontiguousarray(self._scores(reply, part)[:, columns])

    def _columns(self, reply: dict[str, Any], request: Request) -> list[int]:
        """Where each class stands in an answer, which may name them in an order of its own."""
        own, expected = reply.get("classes"), list(self.classes)
        if own is None or own == expected:
            return list(range(len(expected)))
        is_names = isinstance(own, list) and all(isinstance(one, str) for one in own)
        if not is_names or sorted(own) != sorted(expected):
            raise self.client.wrong(
                request,
                f"its classes are {_brief(own)}, and those asked for are {_brief(expected)}: they "
                "must be the same names, in whatever order",
            )
        return [own.index(name) for name in expected]

    def _check_words(self, reply: dict[str, Any], request: Request) -> None:
        with self._lock:
            self.version = self.version or str(reply.get("version") or "")
        expected = {"kind": self.kind, "version": self.version}
        for word, right in expected.items():
            if reply.get(word) not in (None, right):
                raise self.client.wrong(
                    request, f"its {word} is {_brief(reply[word])}, where {_brief(right)} is right"
                )

    def _scores(self, reply: dict[str, Any], part: _Part) -> Array:
        try:
            scores = np.asarray(reply["scores"])
        except ValueError:  # numpy's word for ragged
            scores = np.empty(0, dtype=object)
        if scores.dtype.kind not in "iuf":
            raise TeacherError(
                f"{self.client.whose}, {part.name}: its scores are not rows of equally many "
                "numbers (null is none)"
            )
        with np.errstate(over="ignore"):
            narrow = scores.astype(np.float32)
        keys = np.array([f"row {row}" for row in range(part.rows.start, part.rows.stop)])
        whose = f"{self.client.whose}, {part.name},"
        return check_answer(narrow, keys, self.classes, self.kind, whose)


@dataclass(frozen=True, eq=False, kw_only=True)
class HttpTeacher(Teacher):
    """A model behind an address; `http` makes one."""

    speaker: _Speaker = field(repr=False)

    def predict(self, inputs: Array) -> Array:
        """What the endpoint answers."""
        return self.speaker.answer(inputs)


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def _json(inputs: Array) -> bytes:
    """The request about these rows; NaN, a missing value, becomes null."""
    listed = inputs.tolist()
    if inputs.dtype.kind == "f" and not np.isfinite(inputs).all():
        if np.isinf(inputs).any():
            raise ValueError("JSON has no infinity")
        holed = inputs.astype(object)
        holed[np.isnan(inputs)] = None
        listed = holed.tolist()
    return json.dumps({"inputs": listed}, separators=(",", ":"), allow_nan=False).encode()


def _read(client: Client, request: Request, stop: threading.Event) -> dict[str, Any]:
    """The JSON object that answers a request, with its scores still unchecked."""
    body = client.post(request, stop)
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        reply = None
    if not isinstance(reply, dict) or "scores" not in reply:
        raise client.wrong(
            request, f'the answer is not JSON with "scores", it begins {client.excerpt(body)!r}'
        )
    return reply


def _classes_of(client: Client) -> tuple[str, ...]:
    name = "the request for its class names (none is sent where classes are given)"
    request = Request(name, b'{"inputs":[]}', 0, BYTES_AROUND)
    with client.connected():
        names = _read(client, request, threading.Event()).get("classes")
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise client.wrong(request, f"its classes are {_brief(names)}, not a list of names")
    return tuple(names)
