"""An HTTP proxy as companies have them: it forbids WebSockets, and may hold back what is streamed."""

import select
import socket
import threading
from contextlib import suppress

from tests.support.valkey import free_port

_FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class HttpProxy:
    """Forwards requests to a port of this host, each over a connection of its own."""

    def __init__(self, target: int, *, upgrade: str = "refused", holds_back: bool = False) -> None:
        self.target, self.upgrade, self.holds_back = target, upgrade, holds_back
        """`upgrade`: `refused`, `allowed`, or `swallowed`: the handshake is never answered. `holds_back`: an
        answer is forwarded when it is complete."""
        self.port = free_port()
        self.streams = 0
        """Open event streams."""
        self.requests: list[str] = []
        """The first lines of all requests."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Accept no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            head, body = _request(client)
            if not head:
                return None
            self.requests.append(head.partition(b"\r\n")[0].decode())
            is_upgrade = b"\r\nupgrade:" in head.lower()
            if is_upgrade and self.upgrade == "refused":
                return client.sendall(_FORBIDDEN)
            if is_upgrade and self.upgrade == "swallowed":
                client.recv(1)  # until the client gives up
                return None
            is_stream = head.startswith(b"GET /api/connection")
            self.streams += is_stream
            try:
                with socket.create_connection(("127.0.0.1", self.target)) as server:
                    server.sendall((head if is_upgrade else _closing(head)) + body)
                    self._answer(client, server)
            finally:
                self.streams -= is_stream

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        """Forward what both send, until one of them ends."""
        held = b""
        while True:
            readable, _, _ = select.select([client, server], [], [])
            if client in readable:
                if not (sent := client.recv(65536)):
                    return
                server.sendall(sent)
            if server in readable:
                data = server.recv(65536)
                held += data
                if not data or not self.holds_back:
                    client.sendall(held)
                    held = b""
                if not data:
                    return


def _request(client: socket.socket) -> tuple[bytes, bytes]:
    """Return head and body of a request; an empty head if there is none."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65536)
        if not piece:
            return b"", b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < length:
        body += client.recv(65536)
    return head + b"\r\n\r\n", body


def _closing(head: bytes) -> bytes:
    """Return the head of a request that is the only one of its connection."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith((b"connection:", b"keep-alive:"))]
    return b"\r\n".join([first, *kept, b"Connection: close", b"", b""])
