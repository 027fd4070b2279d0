"""Bytes go to the kernel at once, where it takes them.

Twisted itself waits until the event loop says that the connection is writable. That costs more than to send.
"""

from typing import Any

from twisted.internet.tcp import Connection


def send_now(transport: Any, data: bytes) -> bytes:
    """Send what the kernel takes at once, and return the rest; all of it where other bytes must go first."""
    if not _is_plain(transport) or transport.dataBuffer or transport._tempDataBuffer:
        return data
    sent = transport.writeSomeData(data)
    return data[sent:] if isinstance(sent, int) else data  # the reactor will meet the same error


def send_waiting(transport: Any) -> None:
    """Send what was written and waits, as far as the kernel takes it at once."""
    if _is_plain(transport) and not transport.disconnecting and transport._tempDataBuffer:
        transport.doWrite()  # the reactor will meet the same error


def _is_plain(transport: Any) -> bool:
    """Return whether a connection is open and without TLS."""
    return isinstance(transport, Connection) and bool(transport.connected and not transport.TLS)
