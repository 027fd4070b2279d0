"""Helpers for WebSocket consumers: flow control, sessions that end, periodic work, database access."""

from queueing.events.periodic import Periodic, send_safely
from queueing.events.reader import close_channel
from queueing.events.sockets import CloseCode, SendWindow, SessionWatch, WatchedSocket
from queueing.record.database_thread import in_thread

__all__ = [
    "CloseCode",
    "Periodic",
    "SendWindow",
    "SessionWatch",
    "WatchedSocket",
    "close_channel",
    "in_thread",
    "send_safely",
]
