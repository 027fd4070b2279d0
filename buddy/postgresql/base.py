"""The database backend (`ENGINE`): Django's, with the pool of pool.py instead of psycopg's.

The threads of psycopg's pool retry a failed connection after 1, 2, 4 … seconds up to minutes, while requests
wait for them; and it hands out connections that broke meanwhile one by one, each after a pause.
"""

import functools
from typing import Any

import psycopg
from django.db.backends.postgresql import base

from .pool import Pool


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of one thread, from the pool of its process."""

    connection: Any

    @property
    def pool(self) -> Pool | None:
        """The pool of this process, or None if the option `pool` is not set."""
        options = self.settings_dict["OPTIONS"].get("pool")
        if self.alias == base.NO_DB_ALIAS or not options:
            return None
        if self.alias not in self._connection_pools:
            params = self.get_connection_params()
            new = Pool(functools.partial(self._open, params | {"autocommit": True}), **options)
            self._connection_pools.setdefault(self.alias, new)
        return self._connection_pools[self.alias]

    def _open(self, params: dict[str, Any]) -> "psycopg.Connection[Any]":
        connection: psycopg.Connection[Any] = psycopg.connect(**params)
        self._configure_connection(connection)
        return connection

    def is_usable(self) -> bool:
        """Return False after an error: only a new connection is sure to reach today's primary server."""
        if self.pool and self.errors_occurred:
            return False
        return bool(super().is_usable())

    def _close(self) -> None:
        connection: psycopg.Connection[Any] | None = self.connection
        if self.errors_occurred and connection is not None and (pool := self.pool):
            pool.discard_idle()
            pool.putconn(connection, reuse=False)
            self.connection = None
        else:
            super()._close()
