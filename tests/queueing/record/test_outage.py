"""The absence of a database, told from its refusal of one statement by real errors of SQLite (D1, D6)."""

import pytest
from django.db import Error, connection

from queueing.models import Pause
from queueing.record.outage import is_database_error, is_full, is_outage

pytestmark = pytest.mark.django_db(transaction=True)


def error_of(sql: str) -> Error:
    with pytest.raises(Error) as caught, connection.cursor() as cursor:
        cursor.execute(sql)
    return caught.value


@pytest.fixture
def sqlite(request):
    if connection.vendor != "sqlite":
        pytest.skip("errors of SQLite")
    connection.close()
    yield
    connection.close()  # with what a PRAGMA set for it


def pragma(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {text}")


@pytest.mark.usefixtures("sqlite")
def test_read_only_database_is_an_outage():
    pragma("query_only = 1")
    error = error_of("DELETE FROM queueing_pause")
    assert is_outage(error)
    assert not is_full(error)


@pytest.mark.usefixtures("sqlite")
def test_full_database_is_an_outage():
    pragma("max_page_count = 1")
    with pytest.raises(Error) as caught:
        Pause.objects.create(queue="x" * 1_000_000)
    assert is_outage(caught.value)
    assert is_full(caught.value)


@pytest.mark.usefixtures("sqlite")
@pytest.mark.parametrize(
    "sql", ["SELECT 1 FROM no_such_table", "SELECT", "INSERT INTO queueing_pause VALUES (1)"]
)
def test_wrong_statement_is_no_outage(sql):
    error = error_of(sql)
    assert is_database_error(error)
    assert not is_outage(error)


@pytest.mark.usefixtures("sqlite")
def test_error_that_an_outage_caused_is_an_outage():
    pragma("query_only = 1")
    failure = RuntimeError("the work failed")
    failure.__cause__ = error_of("DELETE FROM queueing_pause")
    assert is_outage(failure)
    assert is_outage(ExceptionGroup("several", [ValueError(), failure]))
    assert not is_outage(RuntimeError("its own error"))
