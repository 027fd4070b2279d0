"""New rows by plain SQL: the ORM spends four times as long on a row's fields as SQLite on storing it."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

from .models import Job

#: Fields whose values the database takes in a form of its own; all others go as they are.
_ADAPTED = (models.UUIDField, models.JSONField, models.DateTimeField)


def insert(jobs: Sequence[Job]) -> None:
    """Store unsaved jobs, all or none of those in one transaction. Like `bulk_create`, sends no signals."""
    here = connections[DEFAULT_DB_ALIAS]  # the proxy `django.db.connection` looks it up each time
    sql, columns = _statement(here.vendor)
    rows = [[_value(here, job, name, adapt) for name, adapt in columns] for job in jobs]
    with here.cursor() as cursor:
        if len(rows) == 1:
            cursor.execute(sql, rows[0])
        else:
            cursor.executemany(sql, rows)
    for job in jobs:
        job._state.adding, job._state.db = False, here.alias


def _value(here: Any, job: Job, name: str, adapt: Callable[..., Any] | None) -> Any:
    value = getattr(job, name)
    return value if adapt is None or value is None else adapt(value, here)


@cache
def _statement(vendor: str) -> tuple[str, list[tuple[str, Callable[..., Any] | None]]]:
    """The statement, and each column's attribute with what adapts its value."""
    fields = Job._meta.concrete_fields
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    columns = [(f.attname, f.get_db_prep_save if isinstance(f, _ADAPTED) else None) for f in fields]
    return f"INSERT INTO queueing_job ({names}) VALUES ({marks})", columns  # noqa: S608 (names are ours)
