"""Signs of life for what started this process: datagrams for systemd, and a file for probes of containers."""

import os
import socket
from contextlib import suppress
from pathlib import Path


def notify(message: str, file: str = "") -> None:
    """Send `message` to systemd, if that has started this process, and renew the time of `file`, if named.

    `READY=1`: it works now. `WATCHDOG=1`: it still does. `STOPPING=1`: it ends (sd_notify(3)).
    """
    if file:
        with suppress(OSError):  # the probe will miss it
            Path(file).touch()
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(message.encode(), "\0" + address[1:] if address[0] == "@" else address)
