"""A Daphne that loses no request when it stops, and tells systemd how it is.

On SIGTERM Daphne itself cancels all requests, which a proxy in front of it then answers with 502. This one
first accepts the connections that wait, and closes its ports. Then it answers the requests that it has.
Sockets and event streams would not end by themselves. They are closed, and their clients connect again.
"""

import asyncio
import logging
import time
from typing import Any

from daphne import cli, server
from twisted.internet import defer, error
from twisted.python.failure import Failure

from buddy.alerts import watch
from buddy.bounds.daphne.connections import open_channels
from queueing.api.monitoring import notify

logger = logging.getLogger(__name__)

#: Seconds that requests have to end after SIGTERM. Service managers must wait longer (deploy/).
PATIENCE = 15.0
#: The close code of a server that restarts (RFC 6455's registry).
SERVICE_RESTART = 1012


class GracefulServer(server.Server):
    """Daphne's server, with another way to stop."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._ports: list[Any] = []

    def listen_success(self, port: Any) -> None:
        """Keep a port that listens. With all of them the process is ready."""
        super().listen_success(port)
        self._ports.append(port)
        if len(self._ports) == len(self.endpoints):
            notify("READY=1")

    def application_checker(self) -> None:
        """Clean up, and say that the event loop runs. Called every second."""
        super().application_checker()
        notify("WATCHDOG=1")
        watch.start()

    def kill_all_applications(self) -> Any:
        """Return a Deferred that fires when all requests are answered, or the rest is cancelled."""
        notify("STOPPING=1")
        for port in self._ports:
            _close(port)
        drained = defer.Deferred.fromFuture(asyncio.ensure_future(self._drain()))
        drained.addErrback(lambda failure: logger.error("stopping: %s", failure))
        return drained.addCallback(lambda _: super(GracefulServer, self).kill_all_applications())

    async def _drain(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self._end_what_lasts()
            for channel in list(open_channels):
                channel.end_when_idle()
            if not open_channels and not self._unfinished():
                return
            await asyncio.sleep(0.05)
        logger.warning("stopping with %d unfinished requests", self._unfinished())

    def _end_what_lasts(self) -> None:
        """Close sockets and event streams."""
        for protocol, details in list(self.connections.items()):
            if "disconnected" in details or "is_closing" in details:
                continue
            if hasattr(protocol, "sendCloseFrame"):
                protocol.sendCloseFrame(code=SERVICE_RESTART)
                details["is_closing"] = True
            elif b"text/event-stream" in protocol.responseHeaders.getRawHeaders(b"content-type", [b""])[0]:
                protocol.finish()

    def _unfinished(self) -> int:
        applications = [details.get("application_instance") for details in self.connections.values()]
        return sum(1 for application in applications if application and not application.done())


def _close(port: Any) -> None:
    """Accept the connections that wait, and close the port in the same step: none comes between."""
    if port.connected:
        port.doRead()
        port.connectionLost(Failure(error.ConnectionDone()))


def install() -> None:
    """Let `daphne` start this server."""
    cli.CommandLineInterface.server_class = GracefulServer
