"""deploy/local: ports, locks, the environment file and readiness, each with its one clear line."""

import os
import socket
from pathlib import Path

import pytest

from deploy.local import environment, lock, model_server, parts, valkey
from deploy.local.bootstrap import Problem


def test_a_taken_port_is_named_with_the_way_out():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Problem, match=rf"Port {port} of 127\.0\.0\.1.*in use.*make run PORT="):
            parts.check_free("127.0.0.1", port)
    parts.check_free("127.0.0.1", port)


@pytest.mark.parametrize("text", ["abc", "0", "65536", "-1", "80.5"])
def test_a_port_that_is_none_is_refused(text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PORT", text)
    with pytest.raises(Problem, match="is no port"):
        parts.host_and_port()


def test_host_and_port_have_defaults_and_a_host_of_others_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HOST", raising=False)
    monkeypatch.setenv("PORT", "")
    assert parts.host_and_port() == ("127.0.0.1", 8000)
    with pytest.raises(Problem, match="cannot be used"):
        parts.check_free("192.0.2.1", 8000)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
    ],
)
def test_the_address_shown_is_one_that_a_browser_can_open(host: str, address: str):
    assert parts.web_part(host, 8000).address == address


def test_what_readyz_finds_missing_is_told():
    body = b'{"ready": false, "checks": {"database": "ok", "redis": "away"}}'
    assert parts._reason(503, body) == "database: ok, redis: away"
    assert parts._reason(500, b"<html>") == "HTTP 500"


def test_a_second_one_is_refused_and_told_where_the_first_runs(tmp_path: Path):
    held = lock.acquire(tmp_path / "buddy.lock", "Buddy")
    lock.tell(held, "http://127.0.0.1:8000")
    with pytest.raises(
        Problem, match=rf"Buddy runs already at http://127\.0\.0\.1:8000 \(pid {os.getpid()}\)"
    ):
        lock.acquire(tmp_path / "buddy.lock", "Buddy")
    os.close(held)
    os.close(lock.acquire(tmp_path / "buddy.lock", "Buddy"))


def test_embedded_parts_publish_and_withdraw_what_is_theirs(tmp_path: Path):
    file = tmp_path / "local.env"
    environment.publish({"REDIS_URL": "redis://:a=b@127.0.0.1:1/0"}, file)
    environment.publish({"OPENAI_BASE_URL": "http://127.0.0.1:2/v1"}, file)
    assert file.stat().st_mode & 0o777 == 0o600
    environment.withdraw({"REDIS_URL": "redis://:a=b@127.0.0.1:1/0"}, file)
    assert "REDIS_URL" not in file.read_text()
    environment.withdraw({"OPENAI_BASE_URL": "http://127.0.0.1:3/v1"}, file)
    assert "OPENAI_BASE_URL=http://127.0.0.1:2/v1\n" in file.read_text()
    environment.withdraw({"OPENAI_BASE_URL": "http://127.0.0.1:2/v1"}, file)
    assert not file.exists()


def test_valkey_keeps_its_data_and_its_password_to_itself(tmp_path: Path):
    directory = tmp_path / "with a space"
    command = valkey.command(directory, 7000, "secret")
    assert "secret" not in " ".join(command)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "valkey.conf").stat().st_mode & 0o777 == 0o600
    assert f'dir "{directory}"' in (directory / "valkey.conf").read_text()


def test_a_model_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("LOCAL_MODEL_PATH", str(tmp_path / "other.gguf"))
    assert model_server.model_name() == "other"
    with pytest.raises(SystemExit, match=r"no model at .*other\.gguf"):
        model_server.serve(0)
