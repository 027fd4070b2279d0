"""The plans of statements: which ones read a table from end to end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.db.backends.utils import CursorWrapper

#: Enough that a database prefers an index to reading all.
ROWS = 20_000
_NUMBERS = {
    "postgresql": "generate_series(1, {rows}) AS numbers(number)",
    "sqlite": "(WITH RECURSIVE n(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n"
    " WHERE number < {rows}) SELECT number FROM n)",
}
#: Indexes of the few rows that a condition selects. Reading one of them from end to end is no scan.
_PARTIAL = ("job_unfinished", "job_failed")


def numbers(rows: int = ROWS) -> str:
    """Return SQL for a table of the numbers from 1 to `rows`, in the column `number`."""
    return _NUMBERS[connection.vendor].format(rows=rows)


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


def whole_reads(sql: str, params: Any, tables: Sequence[str]) -> list[str]:
    """Return the lines of the plan of a statement that read one of the tables from end to end."""
    if not sql.lstrip().startswith(("SELECT", "UPDATE", "DELETE")) or not any(name in sql for name in tables):
        return []
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + sql, params)
        lines = [str(row[-1]) for row in cursor.fetchall()]
    starts = tuple(f"SCAN {name}" if sqlite else f"Seq Scan on {name}" for name in tables)
    return [
        line for line in lines if _begins(line.strip(" ->"), starts) and not any(n in line for n in _PARTIAL)
    ]


def _begins(line: str, starts: Sequence[str]) -> bool:
    return any(line == start or line.startswith(f"{start} ") for start in starts)
