"""Threads of a process that write to SQLite wait for each other's transactions."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connections

from buddy.settings.database import _SQLITE
from buddy.sqlite3.base import DatabaseWrapper


@pytest.fixture(autouse=True)
def _unblocked(django_db_blocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


def _connect(path: Path, **options: Any) -> DatabaseWrapper:
    """Return a connection with which SQLite itself does not wait."""
    given = connections["default"].settings_dict | {"NAME": str(path), "OPTIONS": _SQLITE | options}
    database = DatabaseWrapper(given, "default")
    with database.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=0")
        cursor.execute("CREATE TABLE IF NOT EXISTS notes (text)")
    return database


def _begin(database: DatabaseWrapper) -> None:
    database.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)


def _write(database: DatabaseWrapper) -> None:
    _begin(database)
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO notes VALUES ('a note')")
    database.commit()
    database.set_autocommit(True)


def test_transactions_of_many_threads_find_the_database_unlocked(tmp_path):
    _connect(tmp_path / "db").close()
    together = threading.Barrier(8)

    def write_often(_: int) -> None:
        database = _connect(tmp_path / "db")
        together.wait(10)
        for _ in range(20):
            _write(database)
        database.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write_often, range(8)))
    database = _connect(tmp_path / "db")
    with database.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM notes").fetchone() == (160,)
    database.close()


@pytest.mark.parametrize("end", ["rollback", "close"])
def test_turn_ends_with_a_transaction_that_fails(tmp_path, end):
    first, second = _connect(tmp_path / "db"), _connect(tmp_path / "db")
    _begin(first)
    getattr(first, end)()
    _write(second)
    for database in (first, second):
        database.close()


def test_database_that_stays_locked_is_reported_by_sqlite(tmp_path):
    first, second = _connect(tmp_path / "db"), _connect(tmp_path / "db", timeout=0.01)
    _begin(first)
    with pytest.raises(OperationalError, match="locked"):
        _begin(second)
    first.rollback()
    _write(second)
    for database in (first, second):
        database.close()
