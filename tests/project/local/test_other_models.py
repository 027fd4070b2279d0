"""O8: a model server that already runs on this computer is named, with the line that uses it."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from deploy.local import other_models
from tests.support.valkey import free_port


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[int]:
    """Answer every GET of `/v1/models` with `body`, and yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/v1/models"
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def models(*names: str, owner: str = "library") -> bytes:
    return json.dumps({"object": "list", "data": [{"id": n, "owned_by": owner} for n in names]}).encode()


def test_ollama_that_answers_is_named_with_the_line_that_uses_it():
    with answering(models("nomic-embed-text:latest", "llama3.2:3b", "qwen3:8b")) as port:
        assert other_models.advice([free_port(), port]) == [
            "Ollama answers on this computer. To use it instead of the demo model: "
            f"make run OPENAI_BASE_URL=http://127.0.0.1:{port}/v1 OPENAI_MODEL=llama3.2:3b"
        ]


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("llamacpp", "llama.cpp"),
        ("organization_owner", "LM Studio"),
        ("vllm", "vLLM"),
        ("", "A model server"),
    ],
)
def test_server_is_named_by_the_owner_of_its_models(owner: str, name: str):
    with answering(models("Qwen/Qwen3-8B", owner=owner)) as port:
        (line,) = other_models.advice([port])
    assert line.startswith(f"{name} answers")
    assert line.endswith("OPENAI_MODEL=Qwen/Qwen3-8B")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>Another application</html>", 200),
        (models("llama3.2"), 401),
        (models(), 200),
        (models("a; rm -rf ~", "$(reboot)", "-x", "a b", "mod\x1b[2Jel"), 200),
        (b'{"data": 7}', 200),
        (b'{"data": [7, {"id": 7}, {}]}', 200),
        (b"[" * 100_000, 200),
        (b"null", 200),
        (b"\xff\xfe", 200),
    ],
)
def test_what_is_no_model_server_or_has_no_plain_name_is_not_named(body: bytes, status: int):
    with answering(body, status) as port:
        assert other_models.advice([port]) == []


def test_port_that_accepts_and_is_silent_is_not_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(other_models, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert other_models.advice([silent.getsockname()[1], free_port()]) == []
