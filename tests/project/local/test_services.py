"""deploy/local: ports, locks, the environment file and readiness, each with one clear message."""

import os
import socket
from pathlib import Path

import pytest

from deploy.local import addresses, environment, lock, model_server, services, valkey
from deploy.local.bootstrap import Problem


def test_check_free_used_port_is_named_with_the_fix():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Problem, match=rf"Port {port} of 127\.0\.0\.1.*in use.*make run PORT="):
            services.check_free("127.0.0.1", port)
    services.check_free("127.0.0.1", port)


@pytest.mark.parametrize("text", ["abc", "0", "65536", "-1", "80.5"])
def test_host_and_port_invalid_port_is_refused(text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PORT", text)
    with pytest.raises(Problem, match="is not a port"):
        services.host_and_port()


def test_host_and_port_unset_uses_defaults(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HOST", raising=False)
    monkeypatch.setenv("PORT", "")
    assert services.host_and_port() == ("127.0.0.1", 8000)
    with pytest.raises(Problem, match="cannot be used"):
        services.check_free("192.0.2.1", 8000)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
    ],
)
def test_web_service_address_can_be_opened_in_a_browser(host: str, address: str):
    assert services.web_service(host, 8000).address == address


def test_host_for_other_computers_is_announced_and_allowed(monkeypatch: pytest.MonkeyPatch):
    """O13: the addresses of this computer, or the one that HOST names."""
    monkeypatch.setenv("ALLOWED_HOSTS", "")
    monkeypatch.setattr(addresses, "_outgoing", lambda *_: "192.168.1.5")
    also = services.web_service("0.0.0.0", 8001).also
    assert also == ("http://192.168.1.5:8001", f"http://{socket.gethostname()}:8001")
    addresses.allow("0.0.0.0")
    allowed = os.environ["ALLOWED_HOSTS"].split(",")
    assert allowed == ["localhost", "127.0.0.1", "[::1]", "192.168.1.5", socket.gethostname()]
    monkeypatch.setenv("ALLOWED_HOSTS", "buddy.example.org")
    addresses.allow("fd00::5")
    assert os.environ["ALLOWED_HOSTS"] == "buddy.example.org,[fd00::5]"
    assert services.web_service("fd00::5", 8001).address == "http://[fd00::5]:8001"
    assert services.web_service("fd00::5", 8001).also == ()


def test_host_for_this_computer_alone_allows_nothing_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ALLOWED_HOSTS", "")
    addresses.allow("127.0.0.1")
    assert os.environ["ALLOWED_HOSTS"] == ""
    assert services.web_service("127.0.0.1", 8001).also == ()


def test_reason_of_readyz_answer_names_each_check():
    body = b'{"ready": false, "checks": {"database": "ok", "redis": "unavailable"}}'
    assert services._reason(503, body) == "database: ok, redis: unavailable"
    assert services._reason(500, b"<html>") == "HTTP 500"


def test_acquire_locked_file_names_the_holder(tmp_path: Path):
    descriptor = lock.acquire(tmp_path / "buddy.lock", "Buddy")
    lock.write_holder(descriptor, "http://127.0.0.1:8000")
    with pytest.raises(
        Problem, match=rf"Buddy is already running at http://127\.0\.0\.1:8000 \(pid {os.getpid()}\)"
    ):
        lock.acquire(tmp_path / "buddy.lock", "Buddy")
    os.close(descriptor)
    os.close(lock.acquire(tmp_path / "buddy.lock", "Buddy"))


def test_withdraw_removes_own_values_only(tmp_path: Path):
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


def test_valkey_command_keeps_data_and_password_private(tmp_path: Path):
    directory = tmp_path / "with a space"
    command = valkey.command(directory, 7000, "secret")
    assert "secret" not in " ".join(command)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "valkey.conf").stat().st_mode & 0o777 == 0o600
    assert f'dir "{directory}"' in (directory / "valkey.conf").read_text()


def test_model_server_missing_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("LOCAL_MODEL_PATH", str(tmp_path / "other.gguf"))
    assert model_server.model_name() == "other"
    with pytest.raises(SystemExit, match=r"no model at .*other\.gguf"):
        model_server.serve(0)
