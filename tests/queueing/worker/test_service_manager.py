"""A cluster says to systemd and to probes that it works."""

import signal
import socket
from pathlib import Path

import pytest

from queueing.worker.liveness.service_manager import notify
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def systemd(tmp_path: Path):
    """The socket of a service manager."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.settimeout(30)
        systemd.bind(str(tmp_path / "notify"))
        yield systemd


def test_cluster_is_ready_with_its_first_worker_and_alive_until_it_stops(qcluster, systemd, tmp_path: Path):
    file = tmp_path / "alive"
    cluster = qcluster(NOTIFY_SOCKET=str(tmp_path / "notify"), HEALTH_FILE=str(file))
    assert [systemd.recv(100) for _ in range(2)] == [b"READY=1", b"WATCHDOG=1"]
    first = file.stat().st_mtime
    wait_until(lambda: file.stat().st_mtime > first, "a later time of the file")
    cluster.stop()
    assert b"STOPPING=1" in iter(lambda: systemd.recv(100), b"")


def test_frozen_supervisor_says_nothing(qcluster, tmp_path: Path):
    file = tmp_path / "alive"
    cluster = qcluster(HEALTH_FILE=str(file))
    wait_until(file.exists, "the first sign of life")
    cluster.process.send(signal.SIGSTOP)
    wait_until(lambda: b"(stopped)" in Path(f"/proc/{cluster.pid}/status").read_bytes(), "it to be frozen")
    seen = file.stat().st_mtime
    beats = Path(f"/proc/{cluster.workers()[0]}/stat").read_text()
    wait_until(lambda: Path(f"/proc/{cluster.workers()[0]}/stat").read_text() != beats, "a worker's step")
    assert file.stat().st_mtime == seen
    cluster.process.send(signal.SIGCONT)
    wait_until(lambda: file.stat().st_mtime > seen, "life again")


def test_notify_without_a_service_manager_does_nothing(monkeypatch, tmp_path: Path):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    notify("READY=1", str(tmp_path / "no" / "folder"))


def test_notify_sends_to_an_abstract_socket(monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0buddy-test-notify")
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", "@buddy-test-notify")
        notify("WATCHDOG=1")
        assert systemd.recv(100) == b"WATCHDOG=1"
