"""The factory of bounded connections. `install` puts it in the place of the one that Daphne has."""

from typing import Any

from daphne import http_protocol, server, ws_protocol
from twisted.web import http

from .connections import BoundedChannel
from .requests import BoundedRequest
from .sockets import BoundedSocket

#: Bytes of a frame of a socket. The application refuses frames of half this size, with an event that says so.
MAX_FRAME = 256 * 1024


class BoundedFactory(http_protocol.HTTPFactory):
    """The factory of connections. It also sets what the server would say and accept without need."""

    protocol = staticmethod(lambda: http._GenericHTTPChannelProtocol(BoundedChannel()))

    def __init__(self, of: server.Server) -> None:
        of.server_name = ""
        of.websocket_max_message_size = of.websocket_max_frame_size = MAX_FRAME
        super().__init__(of)

    def buildProtocol(self, addr: Any) -> Any:
        """Return the protocol of a connection."""
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = BoundedRequest
        return protocol


def install() -> None:
    """Use these bounds in the Daphne of this process, which looks both names up when it starts."""
    server.HTTPFactory = BoundedFactory
    ws_protocol.WebSocketFactory.protocol = BoundedSocket
