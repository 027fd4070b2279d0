"""Copies of a stored row by the hundred thousand, with SQL that both databases know, for what differs.

All SQL here is about the column `nth`, which counts from 1.
"""

import time
from typing import Any

from django.db import connection, models

#: The time over which copies are spread, until some minutes ago.
SPAN = 20 * 24 * 3600
_ENDED = 600
_NUMBERS = {
    "postgresql": "generate_series(1, {rows}) AS numbers(nth)",
    "sqlite": "(WITH RECURSIVE n(nth) AS (SELECT 1 UNION ALL SELECT nth + 1 FROM n"
    " WHERE nth < {rows}) SELECT nth FROM n)",
}


def numbers(rows: int) -> str:
    """Return SQL for a table of the numbers from 1 to `rows`."""
    return _NUMBERS[connection.vendor].format(rows=rows)


def repeat(row: models.Model, count: int, *, where: str = "", **columns: str) -> None:
    """Copy a stored row `count` times, or for each number for which `where` holds.

    `columns` are SQL for the values that differ.
    """
    table, names = row._meta.db_table, [field.column for field in row._meta.concrete_fields]
    key = row._meta.pk
    if isinstance(key, models.AutoField):
        names.remove(key.column)
    values = ", ".join(columns.get(name, f"model.{name}") for name in names)
    sql = f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} model, {numbers(count)}"
    sql += f" WHERE model.{key.column} = %s" + (f" AND {where}" if where else "")
    with connection.cursor() as cursor:
        cursor.execute(sql, [key.get_db_prep_value(row.pk, connection)])


class Sequence:
    """Rows that began one after the other in `SPAN`: SQL for the id and the times of a number."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._first = time.time() - _ENDED - SPAN
        self._step = SPAN / rows

    def _seconds(self, nth: str) -> str:
        return f"({self._first:.3f} + ({nth}) * {self._step:.6f})"

    def id(self, nth: str = "nth", part: str = "0") -> str:
        """Return SQL for a UUIDv7. Rows with one number differ by `part`, a digit."""
        stamp = f"CAST({self._seconds(nth)} * 1000 AS BIGINT)"
        if connection.vendor == "postgresql":
            digits = f"lpad(to_hex({stamp}), 12, '0') || '7{part}008' || lpad(to_hex({_whole(nth)}), 15, '0')"
            return f"({digits})::uuid"
        return f"printf('%%012x7{part}008%%015x', {stamp}, {_whole(nth)})"

    def at(self, nth: str = "nth", after: float = 0.0) -> str:
        """Return SQL for a time."""
        return moment(f"{self._seconds(nth)} + {after}")


def moment(seconds: str) -> str:
    """Return SQL for the time that is this many seconds after the beginning of 1970."""
    if connection.vendor == "postgresql":
        return f"to_timestamp({seconds})"
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', {seconds}, 'unixepoch')"


def false() -> str:
    """Return SQL for False."""
    return "false" if connection.vendor == "postgresql" else "0"


def choose(cases: dict[str, str], otherwise: str) -> str:
    """Return SQL for the value of the first condition that holds."""
    return f"CASE {' '.join(f'WHEN {when} THEN {then}' for when, then in cases.items())} ELSE {otherwise} END"


def _whole(nth: str) -> str:
    return f"CAST({nth} AS BIGINT)"


def analyze() -> None:
    """Let the planner count the rows, as a server does by itself in time. Not within a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def count_of(table: str) -> int:
    """Return the number of rows of a table."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        found: tuple[Any, ...] = cursor.fetchone()
    return int(found[0])
