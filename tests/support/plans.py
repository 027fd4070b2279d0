"""The plans of statements: which ones read a table from end to end."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.db.backends.utils import CursorWrapper

from .growth.rows import count_of

#: Enough that a database prefers an index to reading all.
ROWS = 20_000
#: Indexes of the few rows that a condition selects. Reading one of them from end to end is no scan.
_PARTIAL = ("job_unfinished", "job_failed", "job_suspect", "job_has_parents")


@contextmanager
def timed_statements() -> Iterator[list[tuple[str, Any, float]]]:
    """The statements of the block, their parameters and the seconds that each takes, with all its rows.

    A statement that reads is run twice: once to be timed.
    """
    found: list[tuple[str, Any, float]] = []

    def execute(cursor: CursorWrapper, sql: str, params: Any = None) -> Any:
        began = time.perf_counter()
        answer = run(cursor, sql, params)
        if sql.lstrip().startswith("SELECT"):
            cursor.fetchall()
            found.append((sql, params, time.perf_counter() - began))
            return run(cursor, sql, params)
        found.append((sql, params, time.perf_counter() - began))
        return answer

    run = CursorWrapper.execute
    with patch.object(CursorWrapper, "execute", execute):
        yield found


def shape(sql: str) -> str:
    """Return a statement without the number of its parameters, which differs from call to call."""
    return re.sub(r"\(%s(, %s)*\)", "(%s)", sql)


def large_tables(rows: int = 5000) -> list[str]:
    """Return the tables with at least this number of rows."""
    return [name for name in connection.introspection.table_names() if count_of(name) >= rows]


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """The statements of the block, in all threads of this process, and their parameters."""
    found: list[tuple[str, Any]] = []

    def execute(cursor: CursorWrapper, sql: str, params: Any = None) -> Any:
        found.append((sql, params))
        return run(cursor, sql, params)

    def execute_many(cursor: CursorWrapper, sql: str, param_list: Any) -> Any:
        rows = list(param_list)
        found.extend((sql, params) for params in rows[:1])
        return run_many(cursor, sql, rows)

    run, run_many = CursorWrapper.execute, CursorWrapper.executemany
    with (
        patch.object(CursorWrapper, "execute", execute),
        patch.object(CursorWrapper, "executemany", execute_many),
    ):
        yield found


def whole_reads(sql: str, params: Any, tables: Sequence[str], *, ranges: bool = False) -> list[str]:
    """Return the lines of the plan of a statement that read one of the tables from end to end.

    With `ranges` also those that read all ids before or after one, which SQLite does not call a scan.
    """
    if not sql.lstrip().startswith(("SELECT", "UPDATE", "DELETE")) or not any(name in sql for name in tables):
        return []
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + sql, params)
        lines = [str(row[-1]) for row in cursor.fetchall()]
    if _stops_early(sql, lines):
        return []
    starts = [f"SCAN {name}" if sqlite else f"Seq Scan on {name}" for name in tables]
    for name in tables if ranges else ():
        starts += [f"SEARCH {name} USING INDEX sqlite_autoindex_{name}_1 (id{sign}?)" for sign in "<>"]
    return [
        line for line in lines if _begins(line.strip(" ->"), starts) and not any(n in line for n in _PARTIAL)
    ]


def _stops_early(sql: str, plan: Sequence[str]) -> bool:
    """Return whether a statement wants the first rows of a table or an index, so that no more are read."""
    sorts = any("TEMP B-TREE" in line or "Sort" in line for line in plan)
    return " LIMIT " in sql and " WHERE " not in sql and " GROUP BY " not in sql and not sorts


def _begins(line: str, starts: Sequence[str]) -> bool:
    return any(line == start or line.startswith(f"{start} ") for start in starts)
