"""The plans of the engine's statements: on neither database does one read a whole table (D4)."""

import json

import pytest

from queueing.submit import submit
from tests.support.growth import engine_rows
from tests.support.growth.duties import Engine
from tests.support.growth.rows import Sequence, analyze
from tests.support.plans import ROWS, large_tables, statements, whole_reads

pytestmark = pytest.mark.django_db(transaction=True)


def fill() -> None:
    """Store finished jobs of many owners, and some others."""
    model = submit("test.echo", {}, owner="model", request_id="model").job
    engine_rows.fill(Sequence(ROWS), model, "'owner' || mod(nth, 1000)", ROWS // 2)
    analyze()


@pytest.mark.usefixtures("valkey", "either_database")
def test_statements_of_the_engine_read_no_whole_table():
    fill()
    tables = large_tables()
    assert {"queueing_job", "queueing_queueminute"} <= {*tables}
    engine, found = Engine("test.echo", {}, "test", "owner7"), {}
    heartbeats = engine.of_heartbeats()
    for name, call in engine.all().items():
        with statements() as made:
            call()
        assert made, name
        for sql, params in made:
            if lines := whole_reads(sql, params, tables, ranges=name in heartbeats):
                found[f"{name}: {sql[:300]}"] = lines
    assert not found, json.dumps(found, indent=1)
