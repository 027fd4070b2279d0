"""Insert new rows by plain SQL: the ORM needs four times as long for a row's fields as SQLite for the row."""

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models

#: Field type -> how its value is adapted to the database. All other values are passed unchanged.
_ADAPTED: dict[Any, Callable[[Any, Any], Any]] = {
    models.UUIDField: lambda database, value: value if database.features.has_native_uuid_field else value.hex,
    models.JSONField: lambda database, value: database.ops.adapt_json_value(value, None),
    models.DateTimeField: lambda database, value: database.ops.adapt_datetimefield_value(value),
}


def insert(rows: Sequence[models.Model]) -> None:
    """Insert unsaved rows of one model, all or none of them inside a transaction.

    Like `bulk_create`, it sends no signals. Unlike that, it fills in no `auto_now_add`, and its models have
    primary keys of their own.
    """
    _insert(rows, "")


def insert_unless_known(row: models.Model) -> bool:
    """Insert an unsaved row, unless one of its unique values is in use. Return whether it was inserted.

    The transaction can go on in both cases. While another one inserts the same value, it waits for its end.
    """
    return _insert([row], " ON CONFLICT DO NOTHING") == 1


def _insert(rows: Sequence[models.Model], otherwise: str) -> int:
    database = connections[DEFAULT_DB_ALIAS]  # the proxy `django.db.connection` would look it up each time
    model: Any = type(rows[0])
    plan = _plan(model, database.vendor, _absent(model, rows))
    values = [plan.values_of(database, row) for row in rows]
    with database.cursor() as cursor:
        if len(values) == 1:
            cursor.execute(plan.statement + otherwise, values[0])
        else:
            cursor.executemany(plan.statement + otherwise, values)
        inserted: int = cursor.rowcount
    for row in rows:
        row._state.adding, row._state.db = False, database.alias
    return inserted


def _absent(model: Any, rows: Sequence[models.Model]) -> tuple[str, ...]:
    """Return the nullable fields that are None in all rows: the statement does without them."""
    names = _nullable(model)
    if len(rows) == 1:
        row = rows[0]
        return tuple([name for name in names if getattr(row, name) is None])
    return tuple(name for name in names if all(getattr(row, name) is None for row in rows))


@cache
def _nullable(model: type[models.Model]) -> list[str]:
    return [
        field.attname for field in model._meta.concrete_fields if field.null and not field.has_db_default()
    ]


class _Plan:
    """How rows of one model are inserted whose `absent` fields are None."""

    def __init__(
        self, model: type[models.Model], quote_name: Callable[[str], str], absent: tuple[str, ...]
    ) -> None:
        fields = [field for field in model._meta.concrete_fields if field.attname not in absent]
        names = ", ".join(quote_name(field.column) for field in fields)
        marks = ", ".join(["%s"] * len(fields))
        self.statement = f"INSERT INTO {quote_name(model._meta.db_table)} ({names}) VALUES ({marks})"  # noqa: S608 (names are ours)
        self._values = attrgetter(*(field.attname for field in fields))
        self._adapted = [
            (i, _ADAPTED[kind]) for i, field in enumerate(fields) if (kind := _type_of(field)) in _ADAPTED
        ]

    def values_of(self, database: Any, row: models.Model) -> list[Any]:
        values = list(self._values(row))
        for i, adapt in self._adapted:
            if values[i] is not None:
                values[i] = adapt(database, values[i])
        return values


@cache
def _plan(model: type[models.Model], vendor: str, absent: tuple[str, ...]) -> _Plan:
    return _Plan(model, connections[DEFAULT_DB_ALIAS].ops.quote_name, absent)


def _type_of(field: Any) -> type:
    """Return the type of a field; of a foreign key, that of the key to which it refers."""
    while field.remote_field:
        field = field.target_field
    return type(field)
