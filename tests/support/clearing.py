"""Delete the rows of a test that commits. Unlike Django's flush, this keeps the permissions."""

from functools import cache

from django.core.management.color import no_style
from django.db import connections
from django.test import TransactionTestCase

#: What migrations make, and no test changes.
_STAYS = {"django_content_type", "auth_permission"}


@cache
def _statements(alias: str) -> list[str]:
    connection = connections[alias]
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return connection.ops.sql_flush(no_style(), sorted(set(tables) - _STAYS))


def _clear(case: TransactionTestCase) -> None:
    for alias in case._databases_names(include_mirrors=False):
        connections[alias].ops.execute_sql_flush(_statements(alias))


TransactionTestCase._fixture_teardown = _clear
