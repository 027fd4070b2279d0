"""A TCP proxy in front of a server, whose connections can freeze as a network's do."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.valkey import Valkey, free_port, point_at


class Proxy:
    """Forwards connections to a port of this host, unless told to swallow what they carry."""

    def __init__(self, target: int, delay: float = 0.0) -> None:
        self.target, self.delay = target, delay
        self.port = free_port()
        self.accepted = 0
        self.swallow_new = False
        """Whether new connections are accepted and never answered."""
        self._frozen: set[int] = set()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        """Forward nothing more on the open connections, without closing them; new ones work."""
        self._frozen.update(range(self.accepted))

    def hang(self) -> None:
        """Answer nothing more: not on the open connections, nor on new ones, which are accepted."""
        self.swallow_new = True
        self.freeze()

    def recover(self) -> None:
        """Let new connections work again. Frozen ones stay frozen."""
        self.swallow_new = False

    def close(self) -> None:
        """Close everything."""
        for one in [self._listener, *self._open]:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            number, self.accepted = self.accepted, self.accepted + 1
            self._open.append(client)
            if self.swallow_new:
                self._frozen.add(number)
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            self._open.append(server)
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(number, one, other), daemon=True).start()

    def _pump(self, number: int, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if self.delay:
                    time.sleep(self.delay)  # a slow network, not a wait for a condition
                if number not in self._frozen:
                    sink.sendall(data)
        except OSError:
            pass
        if number not in self._frozen:
            for one in (source, sink):
                one.close()


@pytest.fixture
def proxy(valkey: Valkey, settings: object) -> Iterator[Proxy]:
    """A proxy in front of the session's Valkey, and the settings pointing at it."""
    found = Proxy(valkey.port)
    point_at(settings, valkey.url.replace(f":{valkey.port}", f":{found.port}"))
    yield found
    found.close()
