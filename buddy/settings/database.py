"""Settings of the database."""

from typing import Any

from .environment import VAR_DIR, env

#: Seconds that a statement waits for a lock, and a request for a free connection, before it fails as busy.
_PATIENCE = 10
#: libpq's: a server that is silent is given up after about ten seconds, also if its host vanished. A process
#: that froze in a transaction loses its locks after a minute.
_POSTGRESQL = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "options": f"-c lock_timeout={_PATIENCE}s -c idle_in_transaction_session_timeout=60s",
}
#: WAL: readers and the writer do not block each other. IMMEDIATE: a transaction takes its lock at the start,
#: where it can wait. In the middle it could only fail.
_SQLITE = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
#: Maximum number of connections of a process to PostgreSQL.
_POOL = env.int("DB_POOL", default=10, at_least=1)


def _default() -> dict[str, Any]:
    database: dict[str, Any] = env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}")
    options = database.get("OPTIONS", {})  # the parameters of the address, which win
    if database["ENGINE"].endswith("sqlite3"):
        return database | {"ENGINE": "buddy.sqlite3", "OPTIONS": _SQLITE | options}
    pool = {"max_size": _POOL, "timeout": _PATIENCE}
    # Of several hosts the one that takes writes: after a failover that is another one.
    primary = {"target_session_attrs": "read-write"} if "," in database["HOST"] else {}
    return database | {
        "ENGINE": "buddy.postgresql",
        # A cursor outlives its transaction. PgBouncer may then have given its connection to another client.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {**_POSTGRESQL, **primary, **options, "pool": pool},
    }


DATABASES = {"default": _default()}
