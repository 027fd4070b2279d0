"""What is read of a system between two batches."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.process import Process
from bench.streams import Site

_PROCESSES = ("worker", "web")
#: Names of memory in bytes.
BYTES = tuple(f"memory of {name}" for name in _PROCESSES)
#: Names of numbers.
COUNTS = (
    *(f"OS threads of {name}" for name in _PROCESSES),
    *(f"open files of {name}" for name in _PROCESSES),
    "connections to the database",
    "connections to Redis",
    "keys of Redis that stay",
    "entries in them",
)


@dataclass
class Reading:
    """What was read after `done` operations."""

    done: int
    values: dict[str, float]

    def __str__(self) -> str:
        return f"{self.done}: " + ", ".join(f"{name} {value:.0f}" for name, value in self.values.items())


def read(site: Site, done: int) -> Reading:
    """Read all values."""
    values: dict[str, float] = {}
    for name in _PROCESSES:
        process = site.processes[name]
        values[f"memory of {name}"] = process.private() * 2**20
        values[f"OS threads of {name}"] = len([*_entries(process, "task")])
        values[f"open files of {name}"] = len([*_entries(process, "fd")])
    values["connections to the database"] = _database_connections(site)
    values["connections to Redis"] = site.store.client.info("clients")["connected_clients"]
    keys = [key for key in site.store.client.scan_iter(count=1000) if site.store.client.ttl(key) < 0]
    values["keys of Redis that stay"] = len(keys)
    values["entries in them"] = sum(_size(site, key) for key in keys)
    return Reading(done, values)


def _entries(process: Process, of: str) -> Iterable[Path]:
    for pid in process.pids():
        with suppress(OSError):  # it has just ended
            yield from Path(f"/proc/{pid}/{of}").iterdir()


def _database_connections(site: Site) -> int:
    """Return the number of connections of worker and web process: with SQLite its open files."""
    url = site.env["DATABASE_URL"]
    if url.startswith("sqlite"):
        file = url.removeprefix("sqlite:///")
        found = 0
        for name in _PROCESSES:
            for entry in _entries(site.processes[name], "fd"):
                with suppress(OSError):
                    found += str(entry.readlink()) == file
        return found
    import psycopg

    with psycopg.connect(url) as connection:
        sql = "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()"
        row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0


def _size(site: Site, key: str) -> int:
    """Return the number of entries of a key; a text is one."""
    client = site.store.client
    lengths = {
        "hash": client.hlen,
        "list": client.llen,
        "set": client.scard,
        "zset": client.zcard,
        "stream": client.xlen,
    }
    length = lengths.get(str(client.type(key)))
    return int(length(key)) if length else 1


def slope(readings: list[Reading], name: str) -> float:
    """Return by how much a value grows with each operation: the slope of the line of least squares."""
    count = len(readings)
    mean_x = sum(one.done for one in readings) / count
    mean_y = sum(one.values[name] for one in readings) / count
    spread = sum((one.done - mean_x) ** 2 for one in readings)
    return sum((one.done - mean_x) * (one.values[name] - mean_y) for one in readings) / spread
