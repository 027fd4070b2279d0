"""S10: bodies are refused before they cost memory, by Daphne itself and by the application."""

import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from asgiref.testing import ApplicationCommunicator

from buddy.asgi import application
from buddy.bounds.sizes import FORM, max_body

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

MB = 1024 * 1024
#: How far the memory of the web process may grow.
MAX_GROWTH = 20 * MB
PATHS = [
    "/healthz",
    "/",
    "/api/travel",
    "/api/audio",
    "/api/analysis",
    "/admin/login/",
    "/static/x",
    "/nothing",
]


def memory_of(pid: int) -> int:
    """Return the highest resident memory of a process, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def post(port: int, path: str, megabytes: int, *, chunked: bool) -> int:
    """Send a body without a pause, as far as the server takes it. Return the status of the answer."""
    piece = b"x" * 65536
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        how = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {megabytes * MB}"
        line.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{how}\r\n\r\n".encode())
        try:
            for _ in range(megabytes * MB // len(piece)):
                line.sendall(b"10000\r\n" + piece + b"\r\n" if chunked else piece)
        except OSError:
            pass  # the server has hung up, after its answer
        answer = http.client.HTTPResponse(line)
        answer.begin()
        return answer.status


@pytest.mark.parametrize("megabytes", [30, pytest.param(1000, marks=pytest.mark.slow)])
def test_large_bodies_are_refused_and_take_no_memory(web, megabytes):
    """Each kind of address, with and without a length, and many at once. Daphne would keep all of it."""
    server = web()
    server.get("/")
    before = memory_of(server.process.pid)
    for number, path in enumerate(PATHS):
        assert post(server.port, path, megabytes, chunked=number % 2 > 0) == 413
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(post, server.port, "/api/audio", 26, chunked=True) for _ in range(8)]
        assert {answer.result() for answer in sent} <= {413, 503}
    assert server.get("/healthz")[0] == 200
    assert memory_of(server.process.pid) - before < MAX_GROWTH


def test_server_answers_odd_requests_and_says_nothing_about_itself(web):
    port = web(TEST_ALLOWED_HOSTS="localhost").port
    check_body_longer_than_its_length(port)
    check_two_lengths(port)
    check_expectation(port)
    check_headers(port)
    check_protection(port)


def check_body_longer_than_its_length(port: int) -> None:
    """What follows the declared length is no part of the body."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        head = b"POST /api/nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
        line.sendall(head + b"\r\n{}" + b"x" * 100_000)
        answer = http.client.HTTPResponse(line)
        answer.begin()
        assert answer.status == 404


def check_two_lengths(port: int) -> None:
    """ASVS 4.2.1: a body whose end is said twice is refused, so no second request hides in it."""
    twice = (
        "Content-Length: 40\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 40",
        "Content-Length: 40\r\nContent-Length: 5",
        "Transfer-Encoding: xchunked",
        "Content-Length: +5",
        "Content-Length: 5, 40",
    )
    for how in twice:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
            head = f"POST /nothing HTTP/1.1\r\nHost: localhost\r\n{how}\r\n\r\n"
            line.sendall(f"{head}0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            line.settimeout(5)
            answers = b""
            with suppress(TimeoutError):
                while piece := line.recv(65536):
                    answers += piece
        assert answers.startswith(b"HTTP/1.1 400 "), (how, answers)
        assert answers.count(b"HTTP/1.1") == 1, (how, answers)


def check_protection(port: int) -> None:
    """ASVS 3.4.3 to 3.4.6: also what Django never sees, or refuses first, says how browsers may use it."""
    large = {"Content-Length": str(10**9)}
    for path, headers, status in (
        ("/nothing", {}, 404),
        ("/static/nothing.js", {}, 404),
        ("/healthz", {}, 200),
        ("/", {"Host": "evil.example"}, 400),
        ("/healthz", large, 413),
        ("/api/travel", {"Content-Length": "5", "Content-Encoding": "gzip"}, 422),
    ):
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        method = "POST" if "Content-Length" in headers else "GET"
        line.request(method, path, headers={"Host": "localhost"} | headers)
        if headers.get("Content-Length") == "5":
            line.send(b"12345")
        answer = line.getresponse()
        assert answer.status == status, (path, headers)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", (path, status)
        assert answer.headers["Referrer-Policy"] == "same-origin", (path, status)
        for directive in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert directive in answer.headers["Content-Security-Policy"], (path, status)


def check_expectation(port: int) -> None:
    """`Expect: 100-continue` asks before sending: the answer is the refusal alone."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        length = f"Content-Length: {FORM + 1}\r\nExpect: 100-continue"
        line.sendall(f"POST /healthz HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n".encode())
        answer = line.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "too_large"


def check_headers(port: int) -> None:
    """S21: neither the name nor the version of the server."""
    for path, upgrade in (("/", {}), ("/ws/", {"Upgrade": "websocket", "Connection": "Upgrade"})):
        line = http.client.HTTPConnection("127.0.0.1", port)
        line.request("GET", path, headers=upgrade)
        answer = line.getresponse()
        said = f"{answer.getheaders()}{answer.read()!r}".lower()
        assert [name for name in ("daphne", "twisted", "autobahn", "python") if name in said] == []


async def answer_of(path: str, pieces: list[bytes], *headers: tuple[bytes, bytes]) -> tuple[int, bytes]:
    """Return status and body of the application's answer to a POST, without a server."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
        "client": ("127.0.0.1", 1),
    }
    call = ApplicationCommunicator(application, scope)
    for number, piece in enumerate(pieces, 1):
        await call.send_input({"type": "http.request", "body": piece, "more_body": number < len(pieces)})
    start, body = await call.receive_output(10), await call.receive_output(10)
    await call.wait(10)
    return start["status"], body["body"]


@pytest.mark.parametrize("path", PATHS)
async def test_application_refuses_large_bodies_with_any_server(path):
    """By the length that the client declares, and by what comes, whatever it declared."""
    most = max_body(path)
    declared = (b"content-length", str(most + 1).encode())
    assert (await answer_of(path, [b""], declared))[0] == 413
    pieces = [b"x" * MB] * (most // MB + 2)
    for lie in ((), ((b"content-length", b"10"),), ((b"transfer-encoding", b"chunked"),)):
        status, body = await answer_of(path, pieces, *lie)
        assert (status, json.loads(body)["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("path", "body", "content_type", "status"),
    [
        ("/api/travel", b"[" * 100_000 + b"]" * 100_000, b"application/json", 400),
        ("/api/travel", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b"application/json", 400),
        ("/api/travel", b'{"message": ' + b"9" * 100_000 + b"}", b"application/json", 400),
        ("/api/travel", b'{"message": 1e999999}', b"application/json", 422),
        ("/api/travel", b"\x1f\x8b\x08" + b"\x00" * 1000, b"application/json", 400),
        ("/api/analysis", b"[" * 100_000 + b"]" * 100_000, b"application/json", 400),
        ("/api/analysis", b"", b"multipart/form-data; boundary=b", 422),
        ("/account/sign-in/", b"", b"multipart/form-data; boundary=b", 403),
    ],
)
async def test_odd_bodies_are_refused_without_an_error_of_the_server(path, body, content_type, status):
    """Deep and long JSON, numbers without end, compressed bodies, forms of 10,000 fields."""
    if content_type.startswith(b"multipart"):
        field = b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\nx\r\n'
        body = b"".join(field % number for number in range(900 if path.startswith("/account") else 10_000))
        body += b"--b--\r\n"
    headers = [
        (b"content-type", content_type),
        (b"content-encoding", b"gzip" if body[:1] == b"\x1f" else b""),
    ]
    assert (await answer_of(path, [body], *headers))[0] == status


async def test_last_of_duplicate_keys_counts():
    """As every JSON parser does: no second parser of this site takes the first."""
    body = b'{"message": "first", "message": 1}'
    assert (await answer_of("/api/travel", [body], (b"content-type", b"application/json")))[0] == 422
