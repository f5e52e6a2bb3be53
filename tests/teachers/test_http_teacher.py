"""A teacher behind an address: every row once, nothing wrong kept, no secret told."""

import json
import logging
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from worlds import CLASSES, blobs, pictures, rule

from limbeck import cli, score
from limbeck.errors import InputError, MismatchError, NeedsPackageError, RecipeError, TeacherError
from limbeck.runtime import _calls
from limbeck.scores import Dense
from limbeck.scoring import Storage
from limbeck.scoring._sample import chosen_rows
from limbeck.teachers import Endpoint, Teacher, from_text, http, http_from_text
from limbeck.teachers.endpoints import _address, _endpoint

SECRET = "hf_Zq83kLmN0pWx-77"
QUICK = Endpoint(batch=8, timeout=5.0, retries=3)


class Handler(BaseHTTPRequestHandler):
    """Answers with the rule of the blobs, unless its served thing behaves otherwise."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        self.server.served.gets += 1
        self.say(405, {})

    def do_POST(self) -> None:
        served = self.server.served
        body = self.rfile.read(int(self.headers["Content-Length"]))
        rows = json.loads(body)["inputs"]
        with served.entered(self, rows) as number:
            if not served.behave(self, number, rows):
                self.answer(rows)

    def answer(self, rows: list, **words: object) -> None:
        served = self.server.served
        with served.lock:
            served.answered.update(map(str, rows))
        self.say(200, {"scores": served.scores(rows), **words})

    def say(self, status: int, said: object, **headers: str) -> None:
        content = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        kind = "text/plain" if isinstance(said, bytes) else "application/json"
        for name, value in {"Content_Type": kind, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(content)
            self.wfile.flush()


class Listening(ThreadingHTTPServer):
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Clients that hang up are no news."""

    def process_request(self, request, client_address) -> None:
        self.served.connections += 1
        self.served.open.append(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request) -> None:
        self.served.open.remove(request)
        super().shutdown_request(request)


class Served:
    """An endpoint on loopback, and what it was asked."""

    def __init__(self, behave: Callable[[Handler, int, list], bool]) -> None:
        self.behave = behave
        self.lock = threading.Lock()
        self.release = threading.Event()  # of those that hang
        self.requests: list[list] = []
        self.headers: list = []
        self.answered: Counter[str] = Counter()
        self.now = self.most_at_once = self.connections = self.gets = self.port = 0
        self.open: list = []
        self.tls: ssl.SSLContext | None = None

    def start(self) -> "Served":
        self.server = Listening(("127.0.0.1", self.port), Handler)
        self.server.served = self
        self.port = self.server.server_port
        if self.tls:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def die(self) -> None:
        """No more connections, and those there are end in the middle of what they say."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        for connection in list(self.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def entered(self, handler: Handler, rows: list) -> "Served._Inside":
        return Served._Inside(self, handler, rows)

    class _Inside:
        def __init__(self, served: "Served", handler: Handler, rows: list) -> None:
            self.served, self.handler, self.rows = served, handler, rows

        def __enter__(self) -> int:
            with self.served.lock:
                self.served.requests.append(self.rows)
                self.served.headers.append(self.handler.headers)
                self.served.now += 1
                self.served.most_at_once = max(self.served.most_at_once, self.served.now)
                return len(self.served.requests)

        def __exit__(self, *_: object) -> None:
            with self.served.lock:
                self.served.now -= 1

    @staticmethod
    def scores(rows: list) -> list:
        return rule(np.asarray(rows, np.float32).reshape(-1, 2)).astype(float).tolist()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/score"

    @property
    def asked(self) -> Counter[str]:
        return Counter(str(row) for rows in self.requests for row in rows)


def as_it_should(handler: Handler, number: int, rows: list) -> bool:
    return False


Serve = Callable[..., Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    started = []

    def start(behave: Callable[[Handler, int, list], bool] = as_it_should) -> Served:
        started.append(Served(behave).start())
        return started[-1]

    yield start
    for served in started:
        served.release.set()
        served.die()


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_endpoint, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(_endpoint, "IDLE_SECONDS", 0.2)


def refused(teacher: Teacher, n: int = 24) -> str:
    """What the error says, whole: the sentence and all that is chained to it."""
    with pytest.raises(TeacherError) as caught:
        teacher.predict(blobs(n).inputs)
    return everything_told(caught.value)


def everything_told(error: BaseException | None) -> str:
    told = []
    while error is not None:
        told += [*traceback.format_exception(error, chain=False), repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return "\n".join(told)


def sentence(teacher: Teacher, n: int = 24) -> str:
    with pytest.raises(TeacherError) as caught:
        teacher.predict(blobs(n).inputs)
    return str(caught.value)


def test_every_row_is_asked_once_and_answers_are_put_where_they_belong(serve):
    def the_first_is_the_slowest(handler, number, rows):
        time.sleep(0.2 if number == 1 else 0.01)
        return False

    served = serve(the_first_is_the_slowest)
    points = blobs(101)
    scores = http(served.url, CLASSES, how=QUICK).predict(points.inputs)
    np.testing.assert_array_equal(scores, rule(points.inputs))
    assert set(served.asked.values()) == {1}
    assert len(served.asked) == 101
    assert [len(rows) for rows in served.requests].count(8) == 12
    assert served.gets == 0


def test_requests_are_in_flight_together_over_as_many_connections_and_no_more(serve, monkeypatch):
    monkeypatch.setattr(_endpoint, "IDLE_SECONDS", 5.0)
    meeting = threading.Barrier(3, timeout=5)

    def together(handler, number, rows):
        meeting.wait()
        return False

    served = serve(together)
    teacher = http(served.url, CLASSES, how=Endpoint(batch=2, in_flight=3))
    for _ in range(3):
        teacher.predict(blobs(18).inputs)
    assert served.most_at_once == 3
    assert served.connections == 3  # kept from one batch to the next


def test_an_idle_client_is_closed_and_opens_again(serve):
    served = serve()
    teacher = http(served.url, CLASSES, how=QUICK)
    for _ in range(2):
        teacher.predict(blobs(24).inputs)
        deadline = time.monotonic() + 10
        while served.open and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not served.open


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64", "float16", "bool"])
def test_inputs_of_any_shape_and_type_arrive_as_they_are(serve, dtype):
    served = serve(lambda handler, number, rows: handler.say(200, {"scores": [[0, 1]] * len(rows)})
                   or True)  # fmt: skip
    inputs = (np.random.default_rng(0).normal(size=(5, 1, 3, 2)) * 50).astype(dtype)
    http(served.url, ["a", "b"]).predict(inputs)
    np.testing.assert_array_equal(np.array(served.requests[0], dtype), inputs)


def test_texts_are_sent_as_texts_and_missing_values_as_null(serve):
    served = serve(lambda handler, number, rows: handler.say(200, {"scores": [[0, 1]] * len(rows)})
                   or True)  # fmt: skip
    teacher = http(served.url, ["a", "b"])
    teacher.predict(np.array(["good", "schlecht \u00fc"]))
    teacher.predict(np.array([[1.0, np.nan]]))
    assert served.requests == [["good", "schlecht \u00fc"], [[1.0, None]]]
    with pytest.raises(TeacherError, match=r"cannot answer inputs of shape .*JSON has no infinity"):
        teacher.ask(np.array([[np.inf]]), np.array(["k"]), "it")
    assert teacher.predict(np.empty((0, 2))).shape == (0, 2)
    assert len(served.requests) == 2


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_only_the_request_that_failed_is_asked_again(serve, status):
    def the_second_fails_twice(handler, number, rows):
        fails = number in (2, 3)
        return fails and (handler.say(status, b"later") or True)

    served = serve(the_second_fails_twice)
    points = blobs(24)
    teacher = http(served.url, CLASSES, how=Endpoint(batch=8, in_flight=1))
    np.testing.assert_array_equal(teacher.predict(points.inputs), rule(points.inputs))
    assert sorted(served.asked.values()) == [1] * 16 + [3] * 8


def test_hanging_and_broken_connections_are_asked_again(serve):
    def breaks(handler, number, rows):
        if number == 1:
            handler.server.served.release.wait(10)
        elif number == 2:
            handler.connection.shutdown(socket.SHUT_RDWR)
        elif number == 3:  # half an answer
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b'{"scores": [[')
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)
        return number <= 3

    served = serve(breaks)
    points = blobs(40)
    how = Endpoint(batch=8, timeout=1.0, retries=3)
    np.testing.assert_array_equal(
        http(served.url, CLASSES, how=how).predict(points.inputs), rule(points.inputs)
    )
    assert len(served.requests) >= 5 + 3


def test_an_answer_that_trickles_in_is_given_up(serve):
    def trickles(handler, number, rows):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        with suppress(OSError):
            while not handler.server.served.release.wait(0.05):
                handler.wfile.write(b" ")
                handler.wfile.flush()
        return True

    teacher = http(serve(trickles).url, CLASSES, how=Endpoint(timeout=0.3, retries=1))
    assert "no answer within 0.3 seconds (the last of 2 tries)" in sentence(teacher)


def test_retry_after_is_honoured_up_to_its_bound(serve, monkeypatch):
    monkeypatch.setattr(_endpoint, "LONGEST_WAIT", 0.5)
    moments = []

    def wait(handler, number, rows):
        moments.append(time.monotonic())
        return number == 1 and (handler.say(429, b"", Retry_After="86400") or True)

    teacher = http(serve(wait).url, CLASSES)
    teacher.predict(blobs(4).inputs)
    assert 0.5 <= moments[1] - moments[0] < 5


def test_a_retry_after_is_seconds_or_a_date():
    soon = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 100))
    assert _endpoint._seconds("120") == 120
    assert 90 < _endpoint._seconds(soon) <= 100
    assert _endpoint._seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert [_endpoint._seconds(said) for said in ("", "soon", "-5", "1e9", "\u0663")] == [0] * 5


def test_waits_double_with_a_random_part_and_have_an_end(monkeypatch):
    monkeypatch.setattr(_endpoint, "FIRST_WAIT", 0.25)
    for tries, longest in ((1, 0.25), (2, 0.5), (5, 4.0), (9, 60.0), (5000, 60.0)):
        drawn = {_endpoint._back_off(tries) for _ in range(20)}
        assert len(drawn) > 1
        assert longest / 2 <= min(drawn) <= max(drawn) <= longest


@pytest.mark.parametrize("status", [400, 401, 404, 422, 501, 204])
def test_other_refusals_are_told_at_once(serve, status):
    served = serve(lambda handler, number, rows: handler.say(status, b"") or True)
    told = sentence(http(served.url, CLASSES), 8)
    assert told == (f"the teacher {served.url}, request 1 (rows 0 to 7 of 8): status {status}")
    assert len(served.requests) == 1


def test_a_refusal_shows_the_start_of_its_text_and_no_other_content(serve):
    long = ("no such\n\n model: " + "x" * 15 + " ") * 100
    served = serve(lambda handler, number, rows: handler.say(404, long.encode()) or True)
    told = sentence(http(served.url, CLASSES), 8)
    assert told.endswith("status 404: " + " ".join(long.split())[:200])
    picture = serve(
        lambda handler, number, rows: handler.say(404, b"\x89", Content_Type="image/png") or True
    )
    assert sentence(http(picture.url, CLASSES), 8).endswith("status 404")


def test_an_endpoint_that_stays_bad_is_given_up_after_the_retries(serve):
    served = serve(lambda handler, number, rows: handler.say(503, b"overloaded") or True)
    told = sentence(http(served.url, CLASSES, how=Endpoint(retries=2)), 8)
    assert told.endswith("status 503: overloaded (the last of 3 tries)")
    assert len(served.requests) == 3


def test_an_unreachable_endpoint_says_so(serve):
    served = serve()
    served.die()
    told = sentence(http(served.url, CLASSES, name="far away", how=Endpoint(retries=1)), 8)
    assert told.startswith("the teacher far away, request 1 (rows 0 to 7 of 8): ConnectError: ")
    assert told.endswith("Connection refused (the last of 2 tries)")
    served.start()


LIES = [
    ({"scores": [[0, 1]] * 8}, r"\), answered 8 examples with shape \(8, 2\); 3 classes need"),
    ({"scores": [[0, 1, 2]] * 7}, r"\), answered 8 examples with shape \(7, 3\)"),
    ({"scores": []}, r"\), answered 8 examples with shape \(0,\)"),
    ({"scores": [[[0, 1, 2]]] * 8}, r"\), answered 8 examples with shape \(8, 1, 3\)"),
    (b'{"scores": [%s]}' % b",".join([b"[0, 1, NaN]"] * 8), "answered NaN or infinity for 8 of 8"),
    (b'{"scores": [%s]}' % b",".join([b"[0, 1, 1e99]"] * 8), "NaN or infinity .* is 'row 8'"),
    ({"scores": [[0, 1, None]] * 8}, "its scores are not rows of equally many numbers"),
    ({"scores": [["0", "1", "2"]] * 8}, "its scores are not rows of equally many numbers"),
    ({"scores": [[0, 1, 2]] * 7 + [[0]]}, "its scores are not rows of equally many numbers"),
    ({"scores": {"a": 1}}, "its scores are not rows of equally many numbers"),
    ({"answer": 1}, r'the answer is not JSON with "scores", it begins .{"answer": 1}.'),
    ([1], r'the answer is not JSON with "scores", it begins .\[1\].'),
    (b"<html>Hello", 'the answer is not JSON with "scores", it begins .<html>Hello.'),
    (b"[" * 200000, 'the answer is not JSON with "scores", it begins'),
    (b"\xff\xfe", 'the answer is not JSON with "scores", it begins'),
]


@pytest.mark.parametrize(("lie", "told"), LIES)
def test_a_lie_half_way_stops_at_once_and_names_the_request(serve, lie, told):
    served = serve(lambda handler, number, rows: number == 2 and (handler.say(200, lie) or True))
    teacher = http(served.url, CLASSES, how=Endpoint(batch=8, in_flight=1))
    with pytest.raises(TeacherError, match=told) as caught:
        teacher.predict(blobs(24).inputs)
    assert str(caught.value).startswith(f"the teacher {served.url}, request 2 (rows 8 to 15 of 24)")
    assert len(served.requests) <= 3  # the next one may have been under way


def test_an_endless_answer_is_cut_off(serve, monkeypatch):
    monkeypatch.setattr("limbeck.teachers.endpoints._http.BYTES_AROUND", 1000)
    served = serve(lambda handler, number, rows: handler.say(200, b" " * 5000) or True)
    assert sentence(http(served.url, CLASSES), 8).endswith("answered with more than 2536 bytes")


def says(**words: object) -> Callable[[Handler, int, list], bool]:
    return lambda handler, number, rows: handler.answer(rows, **words) or True


def test_what_an_endpoint_says_of_itself_must_be_what_is_known(serve):
    right = says(classes=list(CLASSES), kind="logits", version="3")
    http(serve(right).url, CLASSES, how=Endpoint(version="3")).predict(blobs(8).inputs)
    other = http(serve(says(classes=["round", "star", "cube"])).url, CLASSES)
    assert sentence(other).endswith(
        "its classes are ['round', 'star', 'cube'], and those asked for are "
        "['round', 'square', 'star']: they must be the same names, in whatever order"
    )
    fewer = http(serve(says(classes=["round", "round", "star"])).url, CLASSES)
    assert "its classes are ['round', 'round', 'star'], and those asked" in sentence(fewer)
    none = http(serve(says(classes={"round": 0})).url, CLASSES)
    assert "its classes are {'round': 0}, and those asked for are" in sentence(none)
    kind = http(serve(says(kind="probabilities")).url, CLASSES)
    assert sentence(kind).endswith("its kind is 'probabilities', where 'logits' is right")
    version = http(serve(says(version="4")).url, CLASSES, how=Endpoint(version="3"))
    assert sentence(version).endswith("its version is '4', where '3' is right")
    long = http(serve(says(classes=["x" * 5000])).url, CLASSES)
    assert len(sentence(long)) < 1300


ORDERS = [[1, 2, 0], [2, 0, 1], [0, 1, 2]]


def in_its_own_order(handler: Handler, number: int, rows: list) -> bool:
    """Every answer names the classes in an order of its own."""
    order = ORDERS[number % 3]
    scores = rule(np.asarray(rows, np.float32).reshape(-1, 2))[:, order]
    named = [CLASSES[column] for column in order]
    handler.say(200, {"scores": scores.astype(float).tolist(), "classes": named})
    return True


def test_classes_of_an_answer_are_found_by_name(serve):
    points = blobs(50)
    teacher = http(serve(in_its_own_order).url, CLASSES, how=QUICK)
    np.testing.assert_array_equal(teacher.predict(points.inputs), rule(points.inputs))


def test_examples_that_name_the_classes_in_another_order_are_scored_by_name(serve, tmp_path):
    points = replace(blobs(50).without_labels(), classes=("star", "round", "square"))
    right = Dense.of(rule(points.inputs)[:, [2, 0, 1]], "float32").raw()
    served = serve(in_its_own_order)
    for number, teacher in enumerate(
        (
            http(served.url, how=QUICK),  # who is asked for its classes
            http(served.url, CLASSES, how=QUICK),
            from_text(served.url, points.classes),  # as on a command line
        )
    ):
        scores = score(teacher, points, to=tmp_path / str(number), storage=STORED)
        assert scores.classes == points.classes
        np.testing.assert_array_equal(scores.read(np.arange(50), np.zeros(50, int)), right)
    others = replace(points, classes=("star", "round", "cube"))
    asked = len(served.requests)
    with pytest.raises(
        MismatchError, match=r"\(star, round, cube\), .* names \(round, square, sta"
    ):
        score(http(served.url, CLASSES), others, to=tmp_path / "others")
    assert len(served.requests) == asked
    with pytest.raises(TeacherError, match=r"\['star', 'round', 'cube'\]: they must be the same"):
        score(from_text(served.url, others.classes), others, to=tmp_path / "others")
    assert not (tmp_path / "others").exists()


def test_a_version_must_not_change_half_way(serve):
    served = serve(lambda handler, number, rows: handler.answer(rows, version=str(number)) or True)
    teacher = http(served.url, CLASSES, how=Endpoint(batch=8, in_flight=1))
    assert sentence(teacher).endswith("its version is '2', where '1' is right")


def test_without_classes_it_is_asked_for_them_once_with_no_rows(serve):
    served = serve(says(classes=list(CLASSES)))
    teacher = http(served.url)
    assert teacher.classes == CLASSES
    assert served.requests == [[]]
    silent = serve()
    with pytest.raises(TeacherError, match=r"the request for its class names \(none is sent"):
        http(silent.url)
    http(silent.url, CLASSES)
    assert silent.requests == [[]]


def test_the_bound_on_requests_counts_repetitions_and_tells_how_far_it_came(serve):
    served = serve(lambda handler, number, rows: number == 1 and (handler.say(503, b"") or True))
    how = Endpoint(batch=8, in_flight=1, most_requests=4)
    teacher = http(served.url, CLASSES, how=how)
    teacher.predict(blobs(16).inputs)
    told = sentence(teacher, 16)
    assert "request 4 (rows 8 to 15 of 16): it would be one more than the most_requests=4" in told
    assert "of this teacher's life; 24 rows were answered, and what was finished is kept" in told
    assert len(served.requests) == 4


# Where it goes.


def redirects(to: str, status: int = 307) -> Callable[[Handler, int, list], bool]:
    def behave(handler: Handler, number: int, rows: list) -> bool:
        if handler.path == "/score":
            handler.say(status, b"", Location=to)
        return handler.path == "/score"

    return behave


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_within_the_origin_is_followed(serve, status):
    served = serve(redirects("/v2/score", status))
    points = blobs(8)
    np.testing.assert_array_equal(
        http(served.url, CLASSES).predict(points.inputs), rule(points.inputs)
    )
    assert len(served.requests) == 2


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_would_become_a_get_is_refused(serve, status):
    served = serve(redirects("/v2/score", status))
    told = sentence(http(served.url, CLASSES))
    assert f"status {status} redirects from {served.url} to {served.url[:-6]}/v2/score" in told
    assert served.gets == 0
    assert len(served.requests) == 1


@pytest.mark.parametrize(
    "place",
    [
        "http://localhost:{port}/s",
        "https://127.0.0.1:{port}/s",
        "http://127.0.0.1:{other}/s",
        "//localhost:{port}/s",
    ],
)
def test_a_redirect_to_another_origin_is_refused_with_both_addresses(serve, place):
    other = serve()
    served = serve()
    served.behave = redirects(place.format(port=served.port, other=other.port))
    told = sentence(http(served.url, CLASSES))
    to = place.format(port=served.port, other=other.port)
    assert f"from {served.url} to {to if ':/' in to else 'http:' + to}, which is not" in told
    assert len(served.requests) == 1
    assert not other.requests


@pytest.mark.parametrize("to", ["/s?token=abcdefgh", "http://u:p@127.0.0.1:{port}/s", "http://["])
def test_a_redirect_that_holds_a_secret_or_is_none_is_refused(serve, to):
    served = serve()
    served.behave = redirects(to.format(port=served.port))
    told = refused(http(served.url, CLASSES, how=Endpoint(retries=0)))
    assert "abcdefgh" not in told
    assert "u:p" not in told
    assert len(served.requests) == 1


def test_redirects_come_to_an_end(serve):
    served = serve(lambda handler, number, rows: handler.say(307, b"", Location="/score") or True)
    assert "only 3 redirects by 307 or 308" in sentence(http(served.url, CLASSES))
    assert len(served.requests) == 4


def test_proxies_and_netrc_of_the_environment_are_not_used(serve, monkeypatch, tmp_path):
    proxy, served = serve(), serve()
    (tmp_path / "netrc").write_text("default login somebody password something\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    http(served.url, CLASSES).predict(blobs(8).inputs)
    assert not proxy.requests
    assert "Authorization" not in served.headers[0]


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself, and its key."""
    name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "own.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    try:
        subprocess.run([*command, *name, *files], check=True, capture_output=True)
    except OSError:
        pytest.skip("there is no openssl to make a certificate with")
    return folder / "own.pem", folder / "key.pem"


def test_a_certificate_is_always_verified(serve, tmp_path, monkeypatch):
    own, key = certificate(tmp_path)
    served = serve()
    served.die()
    served.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.tls.load_cert_chain(own, key)
    served.start()
    url = served.url.replace("http:", "https:")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    told = sentence(http(url, CLASSES), 8)
    assert "CERTIFICATE_VERIFY_FAILED" in told
    assert "is named by SSL_CERT_FILE" in told
    assert "tries" not in told
    assert not served.requests
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    monkeypatch.setenv("OUR_TOKEN", SECRET)
    points = blobs(8)
    trusting = http(url, CLASSES, how=Endpoint(token="OUR_TOKEN"))
    np.testing.assert_array_equal(trusting.predict(points.inputs), rule(points.inputs))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(InputError, match="that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read"):
        http(url, CLASSES).predict(points.inputs)


# What it never tells.

BAD_ADDRESSES = [
    (f"http://somebody:{SECRET}@127.0.0.1/score", "comes with a user or a password: leave them"),
    (f"http://{SECRET}@127.0.0.1/score", "comes with a user or a password"),
    (f"http://somebody:{SECRET}@127.0.0.1:port/score", "what was given is something else"),
    (f"ftp://127.0.0.1/{SECRET}", "what was given is something else"),
    (f"{SECRET}@127.0.0.1/score", "what was given is something else"),
    (f"http:///{SECRET}", "what was given is something else"),
    (f"http://127.0.0.1/score?a=1&api_key={SECRET}", "in its query whose name holds 'key'"),
    (f"http://127.0.0.1/score?X-Amz-Signature={SECRET}", "in its query whose name holds 'sig'"),
    (f"http://127.0.0.1/score?%74oken={SECRET}", "in its query whose name holds 'token'"),
    (f"http://127.0.0.1/score?{SECRET}key", "in its query whose name holds 'key'"),
    (f"http://127.0.0.1/{SECRET}", "repeats the token"),
    (f"http://127.0.0.1/score?q={SECRET}", "repeats the token"),
    ("http://127.0.0.1/score#part", "has a part after #, which is never sent"),
    ("http://example.org/score", "which would send the token in clear: use https"),
    ("http://127.0.0.1.example.org/score", "which would send the token in clear: use https"),
    ("http://2130706433/score", "which would send the token in clear: use https"),
]


@pytest.mark.parametrize(("url", "told"), BAD_ADDRESSES)
def test_an_address_that_would_give_a_secret_away_is_refused(url, told, monkeypatch):
    monkeypatch.setenv("OUR_TOKEN", SECRET)
    with pytest.raises(InputError, match=told) as caught:
        http(url, CLASSES, how=Endpoint(token="OUR_TOKEN"))
    assert SECRET not in "\n".join(
        line for line in everything_told(caught.value).splitlines() if "http(url" not in line
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "[::1]", "localhost"])
def test_a_token_may_go_to_this_machine_in_clear(host, monkeypatch):
    monkeypatch.setenv("OUR_TOKEN", SECRET)
    assert http(f"http://{host}:1/score", CLASSES, how=Endpoint(token="OUR_TOKEN"))
    assert http("http://example.org/score?size=3", CLASSES)


def test_a_token_that_is_not_there_or_is_the_token_itself_is_refused_unrepeated(monkeypatch):
    monkeypatch.delenv("OUR_TOKEN", raising=False)
    for given in ("OUR_TOKEN", "hf_abcdefgh"):
        with pytest.raises(InputError, match="names is not set or empty") as caught:
            http("http://localhost/", CLASSES, how=Endpoint(token=given))
        assert given not in str(caught.value)
    with pytest.raises(InputError, match="not the token itself") as caught:
        Endpoint(token=SECRET)
    assert SECRET not in str(caught.value)
    monkeypatch.setenv("OUR_TOKEN", f"{SECRET} {SECRET}")
    with pytest.raises(InputError, match="holds a space or what is no ASCII") as caught:
        http("http://localhost/", CLASSES, how=Endpoint(token="OUR_TOKEN"))
    assert SECRET not in everything_told(caught.value)


def leaks(how: str) -> Callable[[Handler, int, list], bool]:
    """A server that repeats its token in whatever it says."""

    def behave(handler: Handler, number: int, rows: list) -> bool:
        sent = handler.headers["Authorization"]
        token = sent.split()[1]
        if how == "text":
            handler.say(401, f"no access with '{sent}', {token[:-2]} or {token[2:12]}".encode())
        elif how == "retried":
            handler.say(503, {"detail": {"header": sent}}, Set_Cookie=f"a={token}")
        elif how == "json":
            handler.say(200, {"told": sent, "other": token.upper()})
        elif how == "classes":
            handler.answer(rows, classes=[token, sent], kind=token)
        elif how == "redirect":
            handler.say(307, b"", Location=f"http://localhost/{token}?a={token}")
        else:
            handler.connection.sendall(f"{sent} is no HTTP\r\n\r\n".encode())
            handler.connection.shutdown(socket.SHUT_RDWR)
        return True

    return behave


@pytest.mark.parametrize("how", ["text", "retried", "json", "classes", "redirect", "garbage"])
def test_a_token_is_sent_and_never_told(serve, how, monkeypatch, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OUR_TOKEN", SECRET)
    served = serve(leaks(how))
    teacher = http(served.url, CLASSES, how=Endpoint(token="OUR_TOKEN", retries=1))
    told = refused(teacher, 8) + repr(teacher) + str(teacher.source) + teacher.fingerprint
    with pytest.raises(TeacherError) as caught:
        score(teacher, blobs(8), to=tmp_path / "s")
    told += everything_told(caught.value)
    assert served.headers[0]["Authorization"] == f"Bearer {SECRET}"
    logged = "\n".join(line.getMessage() for line in caplog.records)
    assert "***" in logged or how not in ("retried", "redirect", "garbage")
    for start in range(len(SECRET) - 8):
        assert SECRET[start : start + 8].lower() not in (told + logged).lower()


def test_no_file_of_a_score_set_holds_the_token(serve, monkeypatch, tmp_path):
    monkeypatch.setenv("OUR_TOKEN", SECRET)
    teacher = http(serve().url, CLASSES, how=Endpoint(token="OUR_TOKEN"))
    scores = score(teacher, blobs(20), to=tmp_path / "s")
    files = [file.read_bytes() for file in (tmp_path / "s").iterdir()]
    assert len(files) >= 3
    assert not any(SECRET.encode() in content for content in files)
    assert SECRET not in repr(scores) + repr(teacher) + json.dumps(teacher.to_json())
    assert teacher.source == f"http({teacher.name!r}, {list(CLASSES)}, token='OUR_TOKEN')"


def test_hiding_leaves_the_rest_of_a_text():
    said = "Bearer a/b+c!defgh: a%2Fb%2Bc%21defgh, ok (status 5)"
    assert _address.without(said, "a/b+c!defgh") == "Bearer ***: ***, ok (status 5)"
    assert _address.without(said, "") == said
    encoded = "aGZfWnE4M2tMbU4wcFd4LTc3aGZfWnE4M2tMbU4wcFd4LTc3"
    assert _address.excerpt(f"not {encoded}".encode(), SECRET, 200) == "not ***"


# What opens it again.


def test_its_source_opens_it_again(serve):
    served = serve(says(classes=list(CLASSES)))
    how = Endpoint(batch=32, timeout=5, token="", version="7", most_requests=9)
    first = http(served.url, kind="probabilities", how=how)
    assert first.source == (
        f"http('{served.url}', kind='probabilities', batch=32, timeout=5, most_requests=9, "
        "version='7')"
    )
    again = _calls.make(str(first.source), {"http": http_from_text}, "teacher")
    assert (again.fingerprint, again.source) == (first.fingerprint, first.source)
    assert (again.classes, again.kind, again.name) == (first.classes, first.kind, first.name)
    named = http(served.url, [np.str_(one) for one in CLASSES], name="mine")
    assert named.source == f"http('{served.url}', {list(CLASSES)}, name='mine')"
    with pytest.raises(RecipeError, match="no keyword 'in_fligth'; did you mean 'in_flight'"):
        _calls.make("http('http://localhost/', in_fligth=2)", {"http": http_from_text}, "teacher")


def test_the_fingerprint_is_the_address_and_the_version():
    def of(url: str, **how: object) -> str:
        return http(url, CLASSES, how=Endpoint(**how)).fingerprint

    plain = of("http://localhost/a")
    assert of("http://localhost/a", batch=3, in_flight=1, retries=0) == plain
    assert len({plain, of("http://localhost/b"), of("http://localhost/a", version="2")}) == 3


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"batch": 0}, "an endpoint's batch is 1 or more, not 0"),
        ({"in_flight": 0}, "an endpoint's in_flight is 1 or more, not 0"),
        ({"retries": -1}, "an endpoint's retries is 0 or more, not -1"),
        ({"most_requests": -1}, "an endpoint's most_requests is 0 or more, not -1"),
        ({"timeout": 0.0}, "an endpoint's timeout is 0.001 or more, not 0.0"),
        ({"timeout": float("nan")}, "an endpoint's timeout is 0.001 or more, not nan"),
        ({"timeout": float("inf")}, "an endpoint's timeout is 0.001 or more, not inf"),
    ],
)
def test_numbers_out_of_range_are_refused(how, told):
    with pytest.raises(InputError, match=told):
        Endpoint(**how)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("batch", "32", "an endpoint's batch is 1 or more, not '32'"),
        ("batch", True, "an endpoint's batch is 1 or more, not True"),
        ("retries", 0.5, "an endpoint's retries is 0 or more, not 0.5"),
        ("token", 3, "an endpoint's token is the name of an environment variable"),
        ("version", 3, "an endpoint's version is a text, not 3"),
    ],
)
def test_what_is_no_number_or_text_is_refused(name, value, told):
    how = Endpoint()
    object.__setattr__(how, name, value)  # the tests' own check of types would be first
    with pytest.raises(InputError, match=told):
        how.__post_init__()


def test_bad_words_are_refused_before_anything_is_sent(serve):
    served = serve()
    with pytest.raises(InputError, match="there is no kind of scores 'logit'"):
        http(served.url, kind="logit")
    with pytest.raises(TeacherError, match="needs the names of its classes, each once"):
        http(served.url, ["a", "a"])
    assert not served.requests


# Scoring.

STORED = Storage("float32", shard_rows=40, batch=20)


def check_scores(scores, points) -> None:
    right = Dense.of(rule(points.inputs), "float32").raw()
    at = scores.positions(points)
    assert sorted(at) == list(range(len(scores))) == list(range(len(points)))
    np.testing.assert_array_equal(scores.read(at, np.zeros_like(at)), right)


def test_pictures_are_scored_as_by_a_function(serve, tmp_path):
    images = pictures(30)
    served = serve()
    served.scores = lambda rows: np.asarray(rows, float).reshape(len(rows), -1)[:, :2].tolist()
    scores = score(http(served.url, images.classes, how=QUICK), images, to=tmp_path / "s")
    at = np.arange(30)
    np.testing.assert_array_equal(
        scores.read(at, at * 0), images.inputs.reshape(30, -1)[:, :2].astype(np.float32)
    )


def beyond_sample(asked, points):
    """How often each row was asked for, less those of the sample that is asked about first."""
    sample = {str(row) for row in points.inputs[chosen_rows(points)].tolist()}
    return Counter({row: count for row, count in asked.items() if row not in sample})


def test_a_lie_half_way_leaves_the_finished_shards_and_scoring_goes_on(serve, tmp_path):
    served = serve(lambda handler, number, rows: number == 60
                   and (handler.say(200, {"scores": [[0, 1]] * len(rows)}) or True))  # fmt: skip
    points = blobs(600)
    teacher = http(served.url, CLASSES, how=QUICK)
    with pytest.raises(TeacherError, match=r"request \d+ .*3 classes need \(\d, 3\)"):
        score(teacher, points, to=tmp_path / "s", storage=STORED)
    scores = score(teacher, points, to=tmp_path / "s", storage=STORED)
    check_scores(scores, points)
    asked = beyond_sample(served.asked, points)
    assert max(asked.values()) == 2
    assert sum(count - 1 for count in asked.values()) <= STORED.shard_rows


def test_a_server_that_dies_costs_at_most_the_shard_in_flight(serve, tmp_path):
    def dies(handler, number, rows):
        if number == 60:
            threading.Thread(target=handler.server.served.die).start()
            handler.server.served.release.wait(10)
        return number == 60

    served = serve(dies)
    points = blobs(600)
    how = Endpoint(batch=8, timeout=2.0, retries=1)
    with pytest.raises(TeacherError, match=r"request \d\d .*\(the last of 2 tries\)"):
        score(http(served.url, CLASSES, how=how), points, to=tmp_path / "s", storage=STORED)
    assert not (tmp_path / "s" / "manifest.json").exists()
    kept = len(list((tmp_path / "s").glob("*.safetensors")))
    assert kept >= 1
    before = beyond_sample(served.asked, points)
    served.start()
    scores = score(http(served.url, CLASSES, how=how), points, to=tmp_path / "s", storage=STORED)
    check_scores(scores, points)
    later = beyond_sample(served.asked, points) - before
    again = [row for row, count in later.items() if row in before]
    assert len(again) <= STORED.shard_rows
    first = {str(row) for row in points.inputs[: kept * STORED.shard_rows].tolist()}
    assert not first & set(again)


def test_a_server_that_fails_hangs_and_dies_has_every_example_scored_once(serve, tmp_path):
    """One request in ten fails, one in a hundred hangs, and once all of it is gone for a while."""
    drawn = np.random.default_rng(5)
    fates = drawn.choice(["fails", "hangs", ""], p=[0.1, 0.01, 0.89], size=5000)
    happened: Counter[str] = Counter()

    def dies() -> bool:
        served.die()
        time.sleep(0.15)
        served.start()
        return True

    def torture(handler, number, rows):
        if number == 300:
            happened["dies"] += 1
            return dies()
        fate = str(fates[number])
        happened[fate] += 1
        if fate == "hangs":
            handler.server.served.release.wait(20)
        elif fate == "fails" and number % 2:
            handler.connection.shutdown(socket.SHUT_RDWR)
        elif fate == "fails":
            handler.say([429, 500, 502, 503, 504][number % 5], b"later", Retry_After="0")
        return bool(fate)

    served = serve(torture)
    points = blobs(4000)
    how = Endpoint(batch=8, timeout=1.0, retries=8)
    began = time.monotonic()
    storage = Storage("float32", shard_rows=400, batch=200)
    scores = score(http(served.url, CLASSES, how=how), points, to=tmp_path / "s", storage=storage)
    seconds = time.monotonic() - began
    check_scores(scores, points)
    assert happened["dies"] == 1
    assert happened["hangs"] >= 3
    assert happened["fails"] >= 40
    lost = len(served.requests) - 500 - 3  # three for the sample
    # No more is asked again than failed, hung or was under way at the death.
    trouble = happened["hangs"] + happened["fails"]
    assert trouble + 1 <= lost <= trouble + how.in_flight + 20  # a busy machine is late at times
    assert len(served.answered) == 4000
    print(f"{len(served.requests)} requests for 500, {dict(happened)}, {seconds:.1f} s")


# By command: status 2, one sentence, nothing whole left behind.


def hangs(handler: Handler, number: int, rows: list) -> bool:
    return handler.server.served.release.wait(10)


def wrong_from(first: int, lie: object) -> Callable[[Handler, int, list], bool]:
    return lambda handler, number, rows: number >= first and (handler.say(200, lie) or True)


@pytest.mark.parametrize(
    ("behave", "told"),
    [
        (None, r"request 1 \(rows 0 to 15 of 16\): ConnectError: .*Connection refused$"),
        (hangs, r"request 1 \(rows 0 to 15 of 16\): no answer within 0.3 seconds$"),
        (wrong_from(1, {"scores": [[0, 1]] * 16}), r"answered 16 examples with shape \(16, 2\); 3"),
        (wrong_from(1, b'{"scores": [[0, 1, NaN]]}'), r"answered 16 examples with shape \(1, 3\)"),
        (
            wrong_from(1, b'{"scores": [%s]}' % b",".join([b"[0, 1, NaN]"] * 16)),
            "answered NaN or infinity for 16 of 16",
        ),
        (wrong_from(2, {"scores": [[0, 1, 2, 3]] * 8}), r"request 2 .*shape \(8, 4\); 3 classes"),
        (wrong_from(2, {"scores": [], "classes": ["a"]}), r"its classes are \['a'\], and those as"),
        (wrong_from(1, b"<html>Hello"), "the answer is not JSON with \"scores\", it begins '<html"),
    ],
    ids=["unreachable", "slow", "shape", "rows", "NaN", "half-way", "names", "page"],
)  # fmt: skip
def test_a_command_says_what_is_wrong_with_an_endpoint(serve, behave, told, tmp_path, capsys):
    served = serve(behave or as_it_should)
    if behave is None:
        served.die()
    points = blobs(16)  # as many as the sample that is asked about first
    np.savez(tmp_path / "points.npz", inputs=points.inputs, classes=np.array(CLASSES))
    teacher = f"http('{served.url}', retries=0, timeout=0.3)"
    given = ("--teacher", teacher, "--examples", tmp_path / "points.npz", "--to", tmp_path / "s")
    with pytest.raises(SystemExit) as left:
        cli.main(["score", *map(str, given)])
    out, err = capsys.readouterr()
    assert (left.value.code, out, err.count("\n")) == (2, "", 1)
    assert re.match(rf"limbeck: the teacher {served.url}, .*{told}", err)
    assert not (tmp_path / "s" / "manifest.json").exists()
    if behave is None:
        served.start()


def test_without_httpx_the_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(NeedsPackageError, match=r"needs httpx: pip install 'limbeck\[http\]'"):
        http("http://localhost/", CLASSES)


LEAVES = """
import sys
from limbeck import teachers
import numpy as np
teachers.http(sys.argv[1], ["a", "b", "c"]).predict(np.zeros((5, 2)))
"""


@pytest.mark.slow
def test_a_program_that_ends_leaves_no_connection_behind(serve):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LEAVES, serve().url], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
