"""Everything that the stores contain, as text: for tests that something is in none of them."""

from typing import Any

from django.db import connection


def everything_in_the_database() -> str:
    """Return all rows of all tables as text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found.append(f"{table}: {cursor.fetchall()!r}")
    return "\n".join(found)


def everything_in_redis(client: Any) -> str:
    """Return all keys and values of a Redis as text."""
    readers = {
        "string": client.get,
        "hash": client.hgetall,
        "zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        "list": lambda key: client.lrange(key, 0, -1),
        "set": client.smembers,
        "stream": client.xrange,
        "none": lambda key: "expired meanwhile",
    }
    return "\n".join(f"{key}: {readers[client.type(key)](key)!r}" for key in client.scan_iter(count=1000))
