"""`python -m tests.support.on_postgres make test`: run a command with a new PostgreSQL in DATABASE_URL."""

import os
import signal
import subprocess
import sys

from tests.support.postgres import Postgres, is_installed


def run(command: list[str]) -> int:
    """Return the exit code of the command, after which the server and its data are gone."""
    if not is_installed():
        sys.exit("PostgreSQL is not installed (Debian and Ubuntu: apt-get install postgresql)")
    server = Postgres()
    try:
        server.start()
        server.execute(f"CREATE ROLE {server.user} LOGIN CREATEDB")
        server.execute(f"CREATE DATABASE {server.user} OWNER {server.user}")
        url = f"postgres://{server.user}@127.0.0.1:{server.port}/{server.user}"
        return subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, check=False).returncode
    finally:
        server.remove()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(run(sys.argv[1:] or sys.exit(__doc__)))
