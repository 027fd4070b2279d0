"""redis-py's clients, for plain commands.

All keys of the engine are in one slot of a Redis Cluster, and so on one node, to which the connections lead.
A handler may use keys of other slots: their commands go through redis-py's client of the whole cluster.
"""

from typing import Any

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.exceptions import MovedError
from redis.retry import Retry

from .connections import CALL_TIMEOUT, pool_options
from .server import Server

#: Maximum number of connections of one event loop, and seconds that a call waits for a free one.
_MAX_CONNECTIONS, _POOL_TIMEOUT = 32, 5.0


class Client(redis.Redis):
    """A synchronous client."""

    server: Server
    _others: Any = None

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Return the reply to a command."""
        try:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except MovedError as exc:
            if self.server.owns(exc):
                raise
        if self._others is None:
            cluster: Any = redis.cluster
            nodes = [cluster.ClusterNode(*host) for host in self.server.nodes]
            self._others = redis.cluster.RedisCluster(startup_nodes=nodes, **_cluster_options(self.server))
        return self._others.execute_command(*args, **options)


class AsyncClient(redis.asyncio.Redis):
    """An asynchronous client of one event loop."""

    server: Server
    _others: Any = None

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Return the reply to a command."""
        try:
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except MovedError as exc:
            if self.server.owns(exc):
                raise
        if self._others is None:
            cluster = redis.asyncio.cluster
            nodes = [cluster.ClusterNode(*host) for host in self.server.nodes]
            self._others = cluster.RedisCluster(startup_nodes=nodes, **_cluster_options(self.server))
        return await self._others.execute_command(*args, **options)

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close all connections."""
        if self._others is not None:
            await self._others.aclose()
        await super().aclose(close_connection_pool)


def make_client(server: Server) -> Client:
    """Return a client for all threads of the process."""
    client = Client(connection_pool=redis.ConnectionPool(**pool_options(server, asynchronous=False)))
    client.server = server
    return client


def make_async_client(server: Server) -> AsyncClient:
    """Return a client for the running event loop."""
    # With hundreds of jobs in flight, a call waits for a free connection instead of failing.
    pool = redis.asyncio.BlockingConnectionPool(
        max_connections=_MAX_CONNECTIONS, timeout=_POOL_TIMEOUT, **pool_options(server, asynchronous=True)
    )
    client = AsyncClient(connection_pool=pool)
    client.server, client.auto_close_connection_pool = server, True
    return client


def _cluster_options(server: Server) -> dict[str, Any]:
    options = {name: value for name, value in server.url.options.items() if name != "db"}
    tls = {"ssl": True} if issubclass(server.url.connection_class, redis.SSLConnection) else {}
    return {
        "decode_responses": True,
        "socket_timeout": CALL_TIMEOUT,
        "socket_connect_timeout": CALL_TIMEOUT,
        "retry": Retry(NoBackoff(), 1),
        **tls,
        **options,
    }
