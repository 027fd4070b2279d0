"""A network of hosts: namespaces that are joined by a bridge. It needs root and the command `ip`."""

import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
#: The addresses of all hosts. The tests and the services have the first one.
NETWORK, SERVICES = "10.77.0.0/24", "10.77.0.1"
_BRIDGE = "buddyhosts"


def missing() -> str:
    """Return what this computer lacks for such a network; an empty text if nothing."""
    if os.getuid() != 0 or not shutil.which("ip"):
        return "it needs root and the command `ip` (Debian: iproute2)"
    tried = _ip("netns", "add", f"{_BRIDGE}-try", check=False)
    _ip("netns", "del", f"{_BRIDGE}-try", check=False)
    return "" if tried.returncode == 0 else "this computer allows no network namespaces"


def _ip(*words: str, check: bool = True) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["ip", *words], check=check, capture_output=True)


class Host:
    """A namespace with an address. Its processes have a wall clock that is `ahead` seconds ahead."""

    def __init__(self, name: str, number: int, directory: Path, ahead: float = 0.0) -> None:
        self.name, self.address = name, f"10.77.0.{number}"
        self._space, self._link = f"{_BRIDGE}-{name}", f"bdy{number}"
        self._clock, self.log = directory / f"{name}.clock", directory / f"{name}.log"
        self._clock.write_bytes(struct.pack("<d", ahead))
        self.processes: list[subprocess.Popen[bytes]] = []
        _ip("netns", "add", self._space)
        _ip("link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", self._space)
        _ip("link", "set", self._link, "master", _BRIDGE, "up")
        for words in (
            ("addr", "add", f"{self.address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", self._space, *words)

    def run(self, *command: str, env: dict[str, str]) -> None:
        """Start a process on the host."""
        env = (
            os.environ
            | env
            | {"CHAOS_CLOCK": str(self._clock), "PYTHONPATH": str(ROOT / "tests/chaos/clock")}
        )
        with self.log.open("ab") as log:
            words: Any = ["ip", "netns", "exec", self._space, *command]
            self.processes.append(subprocess.Popen(words, cwd=ROOT, env=env, stdout=log, stderr=log))

    def unplug(self) -> None:
        """Cut the host off: packets vanish, and no connection is closed. Its processes go on."""
        _ip("link", "set", self._link, "down")

    def plug(self) -> None:
        """Join the host to the network again."""
        _ip("link", "set", self._link, "up")

    def remove(self) -> None:
        """End all processes of the host, and the host."""
        pids = _ip("netns", "pids", self._space, check=False).stdout.split()
        for pid in pids:
            subprocess.run(["kill", "-9", pid], check=False, capture_output=True)
        for process in self.processes:
            process.wait()
        _ip("netns", "del", self._space, check=False)
        _ip("link", "del", self._link, check=False)


class Network:
    """The bridge and its hosts."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.hosts: list[Host] = []
        _ip("link", "del", _BRIDGE, check=False)  # of a run that was killed
        for name in _ip("netns", "list").stdout.decode().split():
            if name.startswith(_BRIDGE):
                _ip("netns", "del", name)
        _ip("link", "add", _BRIDGE, "type", "bridge")
        _ip("addr", "add", f"{SERVICES}/24", "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")

    def add(self, name: str, *, ahead: float = 0.0) -> Host:
        """Add a host, and return it."""
        host = Host(name, 10 + len(self.hosts), self.directory, ahead)
        self.hosts.append(host)
        return host

    def close(self) -> None:
        """Remove all hosts and the bridge."""
        for host in self.hosts:
            host.remove()
        _ip("link", "del", _BRIDGE, check=False)
